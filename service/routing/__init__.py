"""
Decides one call: facts, rules, who is needed, who can come, and why.

Pure: the standard library only; no clock, file, network, Flask or SQL. Time and availability come
    in as arguments.
"""
