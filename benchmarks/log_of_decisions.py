"""
Fills a store with a large log of decisions, varied as recorded ones are, for pages to be timed on.

The answers are the service's own, of random calls; ids, times and numbers are then made for each of
the many records. Everything goes in as the workers put it in.
"""

import datetime as dt
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from benchmarks.calls import REMARKS, random_calls, read_weights
from service import PROGRAM_VERSION
from service.decisions import seal_request
from service.encryption import KeyRing
from service.host.first_start import AGENCY
from service.instants import iso
from service.parts import Parts
from service.store import records

ANSWERS = 800  # different calls, which the many records repeat
BATCH = 1_000
DAYS = 90
SENT_SHARE, OVERRIDE_SHARE = 0.7, 0.06
REVISIONS = (1, 1, 1, 2, 3)  # how many a call has
RARE_RULE = "once-in-a-while"  # fired by the few oldest records only: the worst case of a filter
RARE = 3
NEWEST = dt.datetime(2026, 11, 24, 12, tzinfo=dt.UTC)


@dataclass(frozen=True, slots=True)
class Made:
    """
    One different call: the request, and the answer.
    """

    request: dict[str, Any]
    answer: dict[str, Any]


def fill(parts: Parts, count: int, seed: int) -> None:
    """
    Put *count* decisions of 90 days into the store, and what was sent for most of them.
    """
    rng = random.Random(seed)
    made = _answers(parts, rng)
    sealed = parts.key_ring
    batch: list[dict[str, Any]] = []
    for record in _records(made, sealed, rng, count):
        batch.append(record)
        if len(batch) >= BATCH:
            _store(parts, batch)
            batch = []
    _store(parts, batch)


def _store(parts: Parts, batch: list[dict[str, Any]]) -> None:
    _, refused = records.insert(parts.store, batch, NEWEST)
    assert not refused, refused[:3]


def _answers(parts: Parts, rng: random.Random) -> list[Made]:
    vocabulary = parts.rules.config.vocabulary
    agency = parts.surroundings.seen.agencies[AGENCY]
    published = parts.rules.published(agency)
    made = []
    for facts in random_calls(vocabulary, read_weights(vocabulary), rng, ANSWERS):
        told = {**facts.known, **dict.fromkeys(facts.asked, "unknown")}
        if "age" in told:
            told.pop("age_group", None)
        away = {"mobile_crisis": False} if rng.random() < 0.15 else {}
        sources = {name: {"from": "assumed"} for name in facts.assumed if name in told}
        document = {"call_id": "made", "facts": told, "remarks": REMARKS, "availability": away}
        body = parts.decision_schema.load({**document, "fact_sources": sources})
        answer = parts.decisions.simulate(agency, body, published)
        made.append(Made(body, answer))
    return made


def _records(
    made: list[Made], key_ring: KeyRing, rng: random.Random, count: int
) -> Iterator[dict[str, Any]]:
    number, step = 0, dt.timedelta(days=DAYS) / count
    left = 0
    call_id, revision = "", 0
    for place in range(count):
        if not left:
            left, revision, call_id = rng.choice(REVISIONS), 0, f"E26-{place:06d}"
        left, revision, number = left - 1, revision + 1, number + 1
        at = NEWEST - step * (count - place)
        record = _decision(rng.choice(made), key_ring, (place, call_id, revision), at)
        if place < RARE:
            record["body"]["answer"]["because"] = [
                {"rule": RARE_RULE, "text": "Rare.", "facts": []}
            ]
        yield {**record, "number": number}
        if rng.random() < SENT_SHARE:
            number += 1
            is_override = rng.random() < OVERRIDE_SHARE
            yield {**_dispatch(record, at, is_override=is_override), "number": number}


def _decision(
    made: Made, key_ring: KeyRing, which: tuple[int, str, int], at: dt.datetime
) -> dict[str, Any]:
    place, call_id, revision = which
    record_id = f"{place:032x}"
    head = {"decision_id": record_id, "call_id": call_id, "decided_at": iso(at)}
    return {
        **_head("decision", record_id, call_id, at),
        "body": {
            "request": seal_request(key_ring, {**made.request, "call_id": call_id}, record_id),
            "answer": {**made.answer, **head, "revision": revision},
            "by": {"key": "benchmark", "person": None},
            "program": PROGRAM_VERSION,
        },
    }


def _dispatch(decision: dict[str, Any], at: dt.datetime, *, is_override: bool) -> dict[str, Any]:
    record_id = f"d{decision['record_id'][1:]}"
    asked = decision["body"]["answer"]["recommendation"]["responders"]
    sent = ["law_enforcement"] if is_override else [one["kind"] for one in asked]
    then = at + dt.timedelta(seconds=40)
    answer = {
        "dispatch_id": record_id,
        "decision_id": decision["record_id"],
        "responders": sent,
        "override": is_override,
        "released": [],
        "reason": "caller_insisted" if is_override else None,
        "call_back_at": None,
        "reported_at": iso(then),
        "warnings": [],
    }
    body = {
        "request": {"responders": sent, "reason": None, "comment": None, "call_back_at": None},
        "answer": answer,
        "by": {"key": "benchmark", "person": None},
        "program": PROGRAM_VERSION,
    }
    return {**_head("dispatch", record_id, decision["call_id"], then), "body": body}


def _head(kind: str, record_id: str, call_id: str, at: dt.datetime) -> dict[str, Any]:
    return {
        "kind": kind,
        "record_id": record_id,
        "agency": AGENCY,
        "call_id": call_id,
        "host_id": "benchmark",
        "decided_at": iso(at),
        "fingerprint": None,
    }
