"""
The JSON interface: one file per resource.
"""
