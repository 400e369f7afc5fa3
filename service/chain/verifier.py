"""
The verifier of exports as a file to hand out: one that needs nothing of ours.
"""

from functools import cache
from importlib.resources import files
from typing import Final

VERIFIER_NAME: Final = "verify_log.py"
CONTENT_TYPE: Final = "text/x-python; charset=utf-8"
HEADERS: Final = {"Content-Disposition": f'attachment; filename="{VERIFIER_NAME}"'}


@cache
def verifier() -> bytes:
    """
    Give the program's text.
    """
    return (files("service") / VERIFIER_NAME).read_bytes()
