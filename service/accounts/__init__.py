"""
Who may come in: people, their passwords and second factors, keys, and their agency.
"""
