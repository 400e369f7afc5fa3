"""
The database of everything recorded: one file per noun.
"""
