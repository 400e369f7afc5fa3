"""
What each stage of one decision costs, in one process and one thread, on calls of the national
baseline's scenarios.

It times the very functions that the view calls, some of them private to their modules: a benchmark
that went round them would time something else.
"""

import io
import itertools
import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import orjson
from werkzeug.test import EnvironBuilder

from benchmarks import bare
from benchmarks.calls import requests
from benchmarks.flat_journal import decisions_with
from benchmarks.home import fresh_home
from benchmarks.rounds import Case, Rounds, Timed, interleave, take_turns
from benchmarks.table import number, show
from service.answers import recommendation_document
from service.app import join, make_flask
from service.decisions import record_id_of, seal_request
from service.gathering import Gathered
from service.host.first_start import AGENCY
from service.journal import Appended, Entry, Journal, Record, Written
from service.json_body import read_json
from service.parts import Parts
from service.routing import decide as deciding
from service.routing.availability import Choice
from service.routing.facts import CallFacts
from service.routing.matcher import Fired
from service.routing.note import write_note
from service.routing.questions import mildest_changes, to_ask, try_answers
from service.routing.recommendation import Recommendation
from service.routing.weighing import strongest, weigh
from service.rulesets import Published
from service.settings import Settings

FULL, QUICK = Rounds(15, s_max=20), Rounds(3, s_max=2)
FULL_DURABLE, QUICK_DURABLE = Rounds(15, s_max=8), Rounds(3, s_max=1)
DURABLE_CALLS = 24  # of those that wait for the disk, in each round
FSYNC_BYTES = 8192
DECIDE, REST = "decide, whole", "Flask and the rest"
COMPUTING, BARE = "the whole WSGI call, without the disk", "a bare Flask view (WSGI call)"
APPEND, WHOLE = "journal: append, with fsync", "the whole WSGI call, durable"
FSYNC = f"a write of {FSYNC_BYTES} bytes with fsync"
# The rows that add up to the whole call without the disk; indented ones are parts of `decide`.
ADD_UP = (
    "key: digest and look-up",
    "read_json",
    "schema.load",
    "gather: code, facts, warnings",
    DECIDE,
    "answer document",
    "seal remarks",
    "orjson.dumps of the answer",
)


@dataclass(frozen=True, slots=True)
class Walk:
    """
    One call with everything that the stages before each stage make of it.
    """

    body: bytes
    document: dict[str, Any]
    request: dict[str, Any]
    gathered: Gathered
    facts: CallFacts
    fired: Fired
    choice: Choice
    recommendation: Recommendation
    answer: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Place:
    """
    Where the walks are walked: a joined process, its ruleset, and the secret of a key.
    """

    parts: Parts
    published: Published
    secret: str
    numbers: Iterator[int]

    def new_id(self) -> str:
        """
        Give a call id that was never used here.
        """
        return f"BENCHMARK-{next(self.numbers):08}"


class UndurableJournal(Journal):
    """
    A journal that says that all is on disk and writes nothing, to see what the rest of a call
    costs.
    """

    def append(self, entry: Entry) -> Appended:
        """
        Answer as if *entry* were written.
        """
        head = (1, "benchmark", entry.kind, entry.record_id, entry.agency, entry.call_id, 1)
        return Written(Record(*head, entry.decided_at, entry.fingerprint, entry.body, "journaled"))


def measure_stages(*, quick: bool) -> None:
    """
    Time every stage, the calls taking turns, and print the tables.
    """
    with fresh_home() as (settings, credentials):
        parts, close = join(settings)
        try:
            published = parts.rules.published(parts.surroundings.seen.agencies[AGENCY])
            if published is None:
                raise RuntimeError("the national baseline is not in force")
            place = Place(parts, published, credentials.dispatch_key, itertools.count())
            walks = [_walk(place, sent) for sent in requests()[:: 4 if quick else 1]]
            with _undurable(settings) as undurable:
                cases = [*_stage_cases(place, walks), *_decide_cases(place, walks)]
                cases += _call_cases(place, walks, undurable)
                _show_stages(take_turns(cases, QUICK if quick else FULL))
            with _durable_cases(place, walks, settings.home) as cases:
                rounds = QUICK_DURABLE if quick else FULL_DURABLE
                _show_durable(interleave(cases, rounds, time.perf_counter_ns))
        finally:
            close()


def _walk(place: Place, sent: dict[str, Any]) -> Walk:
    parts, router = place.parts, place.published.router
    body = orjson.dumps(sent)
    document = read_json(body, parts.settings.body_depth_max)
    request: dict[str, Any] = parts.decision_schema.load(document)
    agency = parts.surroundings.seen.agencies[AGENCY]
    gathered = parts.decisions._gather(agency, request)
    call, available, day = gathered.call, gathered.available, gathered.day
    facts, _ = weigh(router.vocabulary, call.facts, call.signals, call.dismissed)
    rows = router.matcher.match(facts, day)
    fired = router.matcher.fired(rows)
    choice = router.goings(available).of(router.matcher.who_key(rows)).choice
    recommendation = deciding.decide(call, router, available, day)
    answer = recommendation_document(recommendation, place.published, router.vocabulary)
    return Walk(body, document, request, gathered, facts, fired, choice, recommendation, answer)


def _stage_cases(place: Place, walks: list[Walk]) -> list[Case]:
    parts, router = place.parts, place.published.router
    schema, depth = parts.decision_schema, parts.settings.body_depth_max
    agency = parts.surroundings.seen.agencies[AGENCY]
    record_id = record_id_of(AGENCY, None)

    def find_key(_: Walk) -> object:
        seen = parts.surroundings.seen
        key = seen.key(place.secret)
        return seen.agencies.get(key.agency) if key else None

    def document_of(walk: Walk) -> object:
        return recommendation_document(walk.recommendation, place.published, router.vocabulary)

    runs: dict[str, Callable[[Walk], object]] = {
        "key: digest and look-up": find_key,
        "read_json": lambda walk: read_json(walk.body, depth),
        "schema.load": lambda walk: schema.load(walk.document),
        "gather: code, facts, warnings": lambda walk: parts.decisions._gather(agency, walk.request),
        "answer document": document_of,
        "seal remarks": lambda walk: seal_request(
            parts.decisions._key_ring, walk.request, record_id
        ),
        "orjson.dumps of the answer": lambda walk: orjson.dumps(walk.answer),
    }
    return [Case(name, lambda: walks, run) for name, run in runs.items()]


def _decide_cases(place: Place, walks: list[Walk]) -> list[Case]:
    router = place.published.router
    matcher, vocabulary = router.matcher, router.vocabulary

    def weigh_it(walk: Walk) -> object:
        call = walk.gathered.call
        return weigh(vocabulary, call.facts, call.signals, call.dismissed)

    def question(walk: Walk) -> object:
        call, available, day = walk.gathered.call, walk.gathered.available, walk.gathered.day
        standing, goings = matcher.standing(walk.facts, day), router.goings(available)
        signalled = strongest(vocabulary, call.signals, call.dismissed)
        swings = try_answers(matcher, walk.facts, standing, goings=goings, signalled=signalled)
        to_ask(walk.fired, call.facts, swings, vocabulary)
        return mildest_changes(swings, vocabulary)

    def ways(walk: Walk) -> object:
        return deciding._responders(
            router, walk.facts, walk.fired, walk.choice.kinds, ems_first=False
        )

    def note(walk: Walk) -> object:
        got = walk.recommendation
        withheld = walk.gathered.call.withheld
        return write_note(
            vocabulary,
            walk.facts,
            withheld,
            got.responders,
            said_when_unknown=router.ways.said_when_unknown,
            notify=got.notify,
        )

    def whole(walk: Walk) -> object:
        gathered = walk.gathered
        return deciding.decide(gathered.call, router, gathered.available, gathered.day)

    runs: dict[str, Callable[[Walk], object]] = {
        "  weigh signals": weigh_it,
        "  match, name the rules": lambda walk: matcher.fired(
            matcher.match(walk.facts, walk.gathered.day)
        ),
        "  questions: try every answer": question,
        "  ways to bring them in": ways,
        "  note": note,
        DECIDE: whole,
    }
    return [Case(name, lambda: walks, run) for name, run in runs.items()]


def _call_cases(place: Place, walks: list[Walk], undurable: Journal) -> list[Case]:
    floor, computing = (
        bare.make_flask(),
        make_flask(
            replace(
                place.parts, journal=undurable, decisions=decisions_with(place.parts, undurable)
            )
        ),
    )

    def environs() -> list[dict[str, Any]]:
        return [_environ(place, walk) for walk in walks]

    return [
        Case(BARE, environs, lambda environ: _ask(floor, environ)),
        Case(COMPUTING, environs, lambda environ: _ask(computing, environ)),
    ]


@contextmanager
def _durable_cases(place: Place, walks: list[Walk], folder: Path) -> Iterator[list[Case]]:
    app = make_flask(place.parts)
    some = walks[:: max(1, len(walks) // DURABLE_CALLS)][:DURABLE_CALLS]
    scratch = os.open(folder / "scratch", os.O_CREAT | os.O_RDWR, 0o600)

    def fsync(_: object) -> None:
        os.pwrite(scratch, b"x" * FSYNC_BYTES, 0)
        os.fsync(scratch)

    def entries() -> list[Entry]:
        return [_entry(place, walk) for walk in some]

    def environs() -> list[dict[str, Any]]:
        return [_environ(place, walk) for walk in some]

    try:
        yield [
            Case(FSYNC, lambda: some, fsync),
            Case(APPEND, entries, place.parts.journal.append),
            Case(WHOLE, environs, lambda environ: _ask(app, environ)),
        ]
    finally:
        os.close(scratch)


@contextmanager
def _undurable(settings: Settings) -> Iterator[Journal]:
    journal = UndurableJournal(settings)
    try:
        yield journal
    finally:
        journal.close()


def _entry(place: Place, walk: Walk) -> Entry:
    record_id, call_id = record_id_of(AGENCY, None), place.new_id()
    at = "2026-11-24T10:15:00Z"
    answer = {"decision_id": record_id, "call_id": call_id, "decided_at": at, **walk.answer}
    sealed = seal_request(place.parts.decisions._key_ring, walk.request, record_id)
    body = {"request": sealed, "answer": answer, "by": {"key": "k", "person": None}}
    return Entry("decision", record_id, AGENCY, call_id, at, None, 0, body)


def _environ(place: Place, walk: Walk) -> dict[str, Any]:
    return EnvironBuilder(
        path="/v1/decisions",
        method="POST",
        data=orjson.dumps({**walk.document, "call_id": place.new_id()}),
        content_type="application/json",
        headers=[("Authorization", f"Bearer {place.secret}")],
    ).get_environ()


def _ask(app: Callable[..., Iterable[bytes]], environ: dict[str, Any]) -> bytes:
    """
    Make one WSGI call.

    Raises:
        RuntimeError: it was not answered with 201, so that its time means nothing.
    """
    seen: list[str] = []
    out = io.BytesIO()
    out.writelines(app(environ, lambda status, *_: seen.append(status)))
    if not seen or not seen[0].startswith("201"):
        raise RuntimeError(f"answered {seen}: {out.getvalue()[:300]!r}")
    return out.getvalue()


def _show_stages(timed: dict[str, Timed]) -> None:
    whole, floor = timed[COMPUTING], timed[BARE]
    inside = [name for name in timed if name.startswith("  ")]
    rest_us = whole.us - sum(timed[name].us for name in ADD_UP)
    shown = {**timed, REST: Timed(REST, (rest_us,))}
    rows = []
    for name in (*ADD_UP[:4], *inside, *ADD_UP[4:], REST, COMPUTING, BARE):
        one = shown[name]
        share = f"{100 * one.ratio(whole):.1f} %"
        rows.append([name, share, number(one.ratio(floor)), number(one.us)])
    header = ["stage (one thread)", "of the whole", "x of bare Flask", "µs"]
    show("The stages of one decision, national baseline, scenarios as calls", header, rows)


def _show_durable(timed: dict[str, Timed]) -> None:
    floor = timed[FSYNC]
    rows = [[name, number(one.ratio(floor)), number(one.us)] for name, one in timed.items()]
    header = ["what waits for the disk (one thread)", "x of a plain fsync", "µs"]
    show("The same with the disk", header, rows)
