"""
Tell whether a record of a journal is still what was written: a disk may change what stands on it,
and what it makes of it may well be read.

It is no proof against people; that is the log's chain (`service/verify_log.py`).
"""

import zlib
from collections.abc import Mapping
from typing import Any, Final

_NAMES: Final = ("kind", "record_id", "agency", "call_id", "decided_at", "fingerprint")


def checksum(record: Mapping[str, Any], body: bytes) -> int:
    """
    Give the CRC-32 of a record's names and of its body as it stands in the journal.

    What it is called by its number and revision is left out: they are given where it is written.
    """
    names = "\0".join(str(record.get(name)) for name in _NAMES)
    return zlib.crc32(body, zlib.crc32(names.encode("utf-8", "surrogateescape")))


def is_as_written(record: Mapping[str, Any], body: Any) -> bool:
    """
    Compare a record with the `checksum` that came with it. One without was written before there
    were any, or was erased since, and is taken as it is. Never raises.
    """
    noted = record.get("checksum")
    if noted is None:
        return True
    try:
        return isinstance(body, bytes) and bool(noted == checksum(record, body))
    except UnicodeEncodeError:
        return False
