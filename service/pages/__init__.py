"""
The pages people use: one file per page family, templates and the style sheet beside them.
"""
