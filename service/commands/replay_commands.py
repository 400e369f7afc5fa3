"""
`crisis-router replay`: decide recorded calls again, and compare the answers to the byte.
"""

import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime

import click

from service.app import join
from service.commands.command_line import actor_in, plainly, prepared
from service.errors import CrisisRouterError
from service.parts import Parts
from service.replay import DIFFERENT, RESULTS, Replayed
from service.store import agencies, replayed
from service.store.agencies import Agency

SHOWN_MAX = 20  # ids of decisions that differ
PROGRESS_S = 1.0


@click.command()
@click.argument("decision_id", required=False)
@click.option("--all", "is_all", is_flag=True, help="Every stored decision since a day.")
@click.option("--since", type=click.DateTime(), help="With --all: from this time on, in UTC.")
@click.option("--agency", "name_of_agency", default=None, help="Of this agency; default: of all.")
@plainly
def replay(
    decision_id: str | None, *, is_all: bool, since: datetime | None, name_of_agency: str | None
) -> None:
    """Decide a recorded call again, and show whether the answer is the same to the byte."""
    if is_all == bool(decision_id) or is_all != bool(since):
        raise CrisisRouterError("say which: replay DECISION_ID, or replay --all --since 2026-11-01")
    parts, close = join(prepared())
    try:
        chosen = _agencies(parts, name_of_agency)
        if decision_id:
            found = _one(parts, chosen, decision_id)
            click.echo(found.text)
            has_difference = found.result == DIFFERENT
        else:
            assert since is not None, "it was asked for above"
            has_difference = _every(parts, chosen, since.replace(tzinfo=UTC))
        if parts.audit.lost:
            raise CrisisRouterError(
                "that this replay was asked for is not in the audit trail: the store took no entry,"
                " so see that it can be written (`/readyz`, the room on its disk), and replay again"
            )
    finally:
        close()
    sys.exit(1 if has_difference else 0)


def _agencies(parts: Parts, name: str | None) -> list[Agency]:
    # Where the store could not be asked none are seen: asked again, it says that it is away.
    seen = parts.surroundings.seen.agencies or {
        one.id: one for one in agencies.all_agencies(parts.store)
    }
    if name is not None and name not in seen:
        raise CrisisRouterError(f"there is no agency `{name}`: see crisis-router agency list")
    return [one for one in seen.values() if name in (None, one.id)]


def _one(parts: Parts, chosen: Sequence[Agency], decision_id: str) -> Replayed:
    for agency in chosen:
        found = parts.replay.one(actor_in(parts.store, agency.id), agency, decision_id)
        if found is not None:
            return found
    for agency in chosen:
        parts.quarantine.refuse_if_here(agency.id, decision_id)
    raise CrisisRouterError(f"there is no decision `{decision_id}`")


def _every(parts: Parts, chosen: Iterable[Agency], since: datetime) -> bool:
    """
    Replay all of some agencies, say how many gave which result, and tell whether any differs.
    """
    counts = dict.fromkeys(RESULTS, 0)
    differing: list[Replayed] = []
    asked = [(one, replayed.count(parts.store, one.id, since)) for one in chosen]
    for found in _with_progress(_stream(parts, asked, since), sum(count for _, count in asked)):
        counts[found.result] += 1
        if found.result == DIFFERENT and len(differing) < SHOWN_MAX:
            differing.append(found)
    click.echo(f"{sum(counts.values()):,} decisions since {since:%Y-%m-%d %H:%M} UTC")
    for result, count in counts.items():
        click.echo(f"{count:>10,}  {result.replace('_', ' ')}")
    for found in differing:
        click.echo(f"{found.decision_id}  {found.text}")
    if counts[DIFFERENT] > len(differing):
        click.echo(f"and {counts[DIFFERENT] - len(differing):,} more that differ")
    return counts[DIFFERENT] > 0


def _stream(
    parts: Parts, asked: Iterable[tuple[Agency, int]], since: datetime
) -> Iterator[Replayed]:
    for agency, _ in asked:
        yield from parts.replay.every(actor_in(parts.store, agency.id), agency, since)


def _with_progress(found: Iterable[Replayed], total: int) -> Iterator[Replayed]:
    began = said = time.monotonic()
    done = 0
    for done, one in enumerate(found, 1):
        yield one
        at = time.monotonic()
        if at - said >= PROGRESS_S:
            said = at
            rate = done / (at - began)
            left = max(0, total - done) / rate
            text = f"{done:,} of {total:,} decisions, {rate:,.0f} a second, {left:,.0f} s left"
            click.echo(text, err=True)
    took = max(time.monotonic() - began, 1e-6)
    click.echo(f"{done:,} decisions in {took:,.1f} s, {done / took:,.0f} a second", err=True)
