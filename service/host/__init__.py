"""
What runs the service on one host: its first start, its processes, and who watches over them.
"""
