"""
Judge what was decided: which decisions go to review, who may see what until they answered, and what
they found.
"""
