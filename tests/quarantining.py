"""
Records that the store could not take: how tests put them into quarantine by a program with a bug.
"""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from typing import Any

import pytest

from service.parts import Parts
from service.store import records

REASON = "it cannot be read (KeyError)"


@contextmanager
def bug_of_ours() -> Iterator[None]:
    """
    Let the program fail to read any decision within the block.
    """

    def broken(_record: Any) -> dict[str, Any]:
        raise KeyError("a bug of ours")

    with pytest.MonkeyPatch.context() as bug:
        bug.setitem(records._FIELDS, "decision", broken)
        yield


def quarantine_all(parts: Parts) -> list[tuple[str, int]]:
    """
    Store what the journal holds by a program with a bug, and give the places of what was refused.
    """
    unstored = parts.journal.unstored(10_000)
    sent = [{one.name: getattr(record, one.name) for one in fields(record)} for record in unstored]
    with bug_of_ours():
        _, refused = records.insert(parts.store, sent, dt.datetime.now(dt.UTC))
    parts.journal.confirm([record.number for record in unstored])
    return [(one.host_id, one.journal_number) for one in refused]


def quarantine_nobodys(parts: Parts, number: int) -> None:
    """
    Send the store a record of which nobody can tell whose it is.
    """
    sent = {"host_id": "f0" * 16, "number": number, "kind": "decision", "body": b"{"}
    _, refused = records.insert(parts.store, [sent], dt.datetime.now(dt.UTC))
    assert len(refused) == 1
