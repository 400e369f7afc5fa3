"""
EIDO: reads NENA's Emergency Incident Data Object into a request of our own, and writes the answer's
note as a component of one.

Pure functions of what is handed in. What is read and what is dropped stands in `docs/eido.md`;
names, numbers and addresses of people are never taken. Nothing that a document points at is
fetched.
"""
