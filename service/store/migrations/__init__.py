"""
Hold the migrations of the store.
"""
