"""
Make logs as the service exports them, for tests.
"""

import io
import json
from typing import Any

from service.verify_log import FORM, GENESIS, Check, Fault, digest_of, hash_of, verify_file

SALT = "00" * 16


def link(place: int, content: Any, previous: str, **changes: Any) -> dict[str, Any]:
    """
    Make the line of a record.
    """
    names = {"kind": "decision", "id": f"r-{place}", "host_id": "h", "number": place}
    made = {"place": place, **names, "digest": digest_of(SALT, content), "salt": SALT}
    made |= {"content": content, **changes}
    return {**made, "hash": hash_of("a", made, previous)}


def log_of(contents: list[Any]) -> list[dict[str, Any]]:
    """
    Make a whole export: a header, a line for each content, and the end.
    """
    lines, previous = [], GENESIS
    for place, content in enumerate(contents, 1):
        lines.append(link(place, content, previous))
        previous = lines[-1]["hash"]
    header = {"log": FORM, "agency": "a", "from": 1, "previous": GENESIS}
    return [header, *lines, {"end": {"place": len(lines), "hash": previous}}]


def written(lines: list[dict[str, Any]]) -> bytes:
    """
    Write lines as the file that is exported.
    """
    return b"".join(json.dumps(one).encode() + b"\n" for one in lines)


def fault_of(lines: list[dict[str, Any]] | bytes, anchors: dict[int, str] | None = None) -> str:
    """
    Verify, and give the kind of the fault; `good` without one.
    """
    found = found_in(lines, anchors)
    return found.kind if found else "good"


def found_in(
    lines: list[dict[str, Any]] | bytes, anchors: dict[int, str] | None = None
) -> Fault | None:
    """
    Verify, and give the fault.
    """
    data = lines if isinstance(lines, bytes) else written(lines)
    return verify_file(io.BytesIO(data), Check(anchors))
