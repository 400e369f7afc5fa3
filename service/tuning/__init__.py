"""
Change the rules: drafts, their problems and checks, approval, publication, and rules in words.
"""
