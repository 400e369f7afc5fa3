"""
Verify the log of an agency in the store: every link and content, what has no link, and the numbers
of journals.

The same check as of an export (`service/verify_log.py`), fed from the store piece by piece.
"""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Engine

from service.store import chain, linked
from service.store.chain import Link
from service.verify_log import FORM, GENESIS, NAMING_ACTS, Check, Fault

SETTLED_AFTER: Final = dt.timedelta(seconds=30)  # what is stored right now may yet get its link
MISSING_AFTER: Final = dt.timedelta(minutes=1)  # workers store in any order
BEGINNING: Final = (0, GENESIS)

Reached = tuple[int, str]


@dataclass(frozen=True, slots=True)
class Verified:
    """
    What a verification, or a piece of one, found: how far the log is good, its first fault, and
    whether the end of the log was reached.
    """

    agency: str
    reached: Reached
    records: int
    fault: Fault | None
    is_end: bool = True
    check: Check | None = None


def link_line(link: Link, content: Any, why: str | None = None) -> dict[str, Any]:
    """
    Write a link and its content as a line of an export; without content *why* says the reason.
    """
    line = link.names()
    if content is None:
        return {**line, "salt": None, "content": None, "why": why}
    return {**line, "salt": link.salt, "content": content}


def lines_after(store: Engine, agency: str, place: int) -> list[dict[str, Any]]:
    """
    Give the next lines of a log behind a place with all that they hold; none at its end.
    """
    links = chain.after(store, agency, place, linked.BATCH)
    found = linked.contents(store, links)
    return [
        link_line(link, None, "erased") if link.salt is None else link_line(link, content)
        for link, content in zip(links, found, strict=True)
    ]


def verify(
    store: Engine,
    agency: str,
    start: Reached = BEGINNING,
    *,
    anchors: Mapping[int, str] | None = None,
    goes_on: Callable[[int], bool] = lambda _: True,
) -> Verified:
    """
    Verify links and contents behind a place that is known to be good, as long as *goes_on*, which
    is told each place that was reached.

    Raises:
        StoreUnavailableError: the store cannot be reached.
    """
    place, head = start
    before = chain.at_place(store, agency, place) if place else None
    if place and (before is None or before.hash != head):
        text = "the head here is not the one of the last verification: the log was rewritten"
        return Verified(agency, BEGINNING, 0, Fault("rewrite", place, text))
    check = Check(dict(anchors or {}))
    header = {"log": FORM, "agency": agency, "from": place + 1, "previous": head}
    check.read(header)
    is_end = False
    while not check.is_settled:
        lines = lines_after(store, agency, place)
        for line in lines:
            check.read(line)
        if len(lines) < linked.BATCH:
            is_end = True
            break
        place = lines[-1]["place"]
        if not goes_on(place):
            break
    through, found = check.head
    check.read({"end": {"place": through, "hash": found}})
    for content in linked.naming(store, agency, NAMING_ACTS, through):
        check.explain(content, through + 1)
    fault = check.finish(is_piece=not is_end)
    return Verified(agency, check.head, check.counts.records, fault, is_end, check)


def beside(
    store: Engine, agency: str, now: dt.datetime, since: dt.datetime | None = None
) -> Fault | None:
    """
    Find what stands beside the log of an agency, stored since a time: a record without a link; and,
    where everything is looked at, numbers of journals that are missing. The first of them is given.
    """
    for kind, subject_id in linked.without_link(store, agency, now - SETTLED_AFTER, since):
        text = f"record `{subject_id}` ({kind}) is in the store and was never in the log"
        return Fault("insertion", 0, text)
    if since is not None:
        return None
    for host, first, last in linked.gaps(store, agency, now - MISSING_AFTER):
        numbers = f"{first}" if first == last else f"{first} to {last}"
        text = f"record {numbers} of the journal of host {host[:12]} never came to the store"
        return Fault("deletion", 0, text)
    return None
