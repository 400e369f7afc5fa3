"""
The log of an agency as a chain: who may take it away, whether it is whole, and where it stands.
"""
