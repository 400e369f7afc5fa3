"""
The Celery worker, its tasks, and the shipper that feeds it from the journal.
"""
