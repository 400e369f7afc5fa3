"""
Write rows of CSV that no spreadsheet runs.
"""

import csv
import io
from collections.abc import Iterable
from typing import Final

# What a spreadsheet takes for the start of a formula. Source: OWASP, CSV Injection.
RUN_AT_START: Final = ("=", "+", "-", "@", "\t", "\r", "\n")


def csv_line(cells: Iterable[str]) -> bytes:
    """
    Write one row; a cell that a spreadsheet would run is made harmless.
    """
    text = io.StringIO()
    csv.writer(text).writerow([harmless(cell) for cell in cells])
    return text.getvalue().encode()


def harmless(cell: str) -> str:
    """
    Give a cell that no spreadsheet runs: what would start a formula gets an apostrophe before it.

    >>> harmless("=1+1")
    "'=1+1"
    """
    return f"'{cell}" if cell.startswith(RUN_AT_START) else cell
