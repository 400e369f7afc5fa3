"""
What is typed at a terminal, beside the commands of `cli.py`.
"""
