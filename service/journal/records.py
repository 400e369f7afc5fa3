"""
What a journal is given to write, what it has on disk, and what it answers to an append.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

BARE_NAMES: Final = (
    "kind",
    "record_id",
    "agency",
    "call_id",
    "decided_at",
    "fingerprint",
    "body",
)
# As bytes: a text that is no UTF-8 would fail the whole query.
BARE_COLUMNS: Final = "number, revision, checksum, " + ", ".join(
    f"CAST({name} AS BLOB)" for name in BARE_NAMES
)


@dataclass(frozen=True, slots=True)
class Entry:
    """
    Say what is to be written; text about a person in `body` is already sealed.

    `record_id` is unique on the host. `after_revision` is the newest revision of the call that the
    caller has seen in this journal (0: none); None writes whatever the newest is.
    """

    kind: str
    record_id: str
    agency: str
    call_id: str
    decided_at: str
    fingerprint: str | None
    after_revision: int | None
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Record:
    """
    Hold what the journal has on disk; `state` is 'journaled' until the store has it, then 'stored'.

    One that is not `is_readable` has an empty body: a disk or somebody changed it.
    """

    number: int
    host_id: str
    kind: str
    record_id: str
    agency: str
    call_id: str
    revision: int
    decided_at: str
    fingerprint: str | None
    body: dict[str, Any]
    state: str
    is_readable: bool = True


@dataclass(frozen=True, slots=True)
class Unstored:
    """
    Hold a record for the way to the store as it is on disk, its body as the text of its JSON.

    Nothing is judged here. Bytes that are no UTF-8 stand in a text as lone surrogates, as Python
    writes them, so that the text can be turned into the same bytes again.
    """

    number: int
    host_id: str
    revision: Any
    kind: str | None
    record_id: str | None
    agency: str | None
    call_id: str | None
    decided_at: str | None
    fingerprint: str | None
    body: str | None
    checksum: Any = None  # of what was written, by `service/checksum.py`


def unstored(row: Sequence[Any], host_id: str) -> Unstored:
    """
    Make one of a row with a number, a revision, a checksum, and `BARE_NAMES` as bytes.
    """
    number, revision, noted, *bare = row
    texts = [None if one is None else one.decode("utf-8", "surrogateescape") for one in bare]
    named = dict(zip(BARE_NAMES, texts, strict=True))
    return Unstored(number, host_id, revision, **named, checksum=noted)


@dataclass(frozen=True, slots=True)
class Written:
    """
    Tell that the entry is on disk, under this number and revision.
    """

    record: Record


@dataclass(frozen=True, slots=True)
class Repeat:
    """
    Tell that this record id is on disk already; the caller compares the fingerprints.
    """

    record: Record


@dataclass(frozen=True, slots=True)
class Stale:
    """
    Tell that another revision of the call came in between; nothing was written.
    """

    revision: int


Appended = Written | Repeat | Stale


class LastRevision(NamedTuple):
    """
    A call's newest revision: its number, record id and recommendation, and when it was decided;
    None once its record is forgotten.
    """

    revision: int
    record_id: str
    recommendation: dict[str, Any]
    decided_at: str | None
