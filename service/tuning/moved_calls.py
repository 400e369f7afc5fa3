"""
Counts what a draft would move: stored calls decided again under the published rules and under the
draft.

Counts are plain documents, so that a piece of the work can be stored and gone on with.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from service.answers import in_ladder_order, signal_of
from service.gathering import Gathered, gather
from service.routing.decide import kinds_of
from service.routing.rules import LEADS
from service.rulesets import Config, Published
from service.store.stored_requests import StoredRequest

EXAMPLES_MAX: Final = 5
ROWS_MAX: Final = 200  # different moves; more are counted as moved and not told apart

Counts = dict[str, Any]


def no_counts() -> Counts:
    """
    Begin to count.
    """
    return {"decisions": 0, "moved": 0, "not_read": 0, "leads": {}, "moves": {}}


def lead_of(kinds: Iterable[str]) -> str:
    """
    Name the lead among kinds: the most coercive that goes; EMS where nobody else does.
    """
    found = [lead for lead in LEADS if lead in set(kinds)]
    return found[-1] if found else "ems"


def add_counts(
    counts: Counts,
    config: Config,
    time_zone: str,
    of: tuple[Published | None, Published],
    stored: Iterable[StoredRequest],
) -> None:
    """
    Decide calls again under the published ruleset and the draft of *of*, and add what differs to
    *counts*.
    """
    for one in stored:
        try:
            # What was read then: the remark is sealed, and codes may be mapped otherwise by now.
            signals = tuple(map(signal_of, one.signals))
            gathered = gather(config, time_zone, one.request, one.decided_at, read_before=signals)
            now, then = _kinds(gathered, of[0]), _kinds(gathered, of[1])
        except Exception:  # noqa: BLE001  # one old record that cannot be read spoils no check
            counts["not_read"] += 1
            continue
        _count(counts, one.decision_id, now, then)


def _kinds(gathered: Gathered, published: Published | None) -> frozenset[str]:
    if published is None:
        return frozenset()
    return kinds_of(gathered.call, published.router, gathered.available, gathered.day)


def _count(counts: Counts, decision_id: str, now: frozenset[str], then: frozenset[str]) -> None:
    counts["decisions"] += 1
    leads = f"{lead_of(now) if now else 'nobody'} {lead_of(then)}"
    counts["leads"][leads] = counts["leads"].get(leads, 0) + 1
    if now == then:
        return
    counts["moved"] += 1
    key = f"{' '.join(in_ladder_order(now))}|{' '.join(in_ladder_order(then))}"
    moves = counts["moves"]
    if key not in moves and len(moves) >= ROWS_MAX:
        return
    row = moves.setdefault(key, {"count": 0, "examples": []})
    row["count"] += 1
    if len(row["examples"]) < EXAMPLES_MAX:
        row["examples"].append(decision_id)


def changes_of(counts: Mapping[str, Any]) -> dict[str, Any]:
    """
    Write counts as a check shows them: how many of how many moved, from whom to whom.
    """
    moves = []
    for key, row in counts["moves"].items():
        now, _, then = key.partition("|")
        moves.append({"from": now.split(), "to": then.split(), **row})
    leads = []
    for key, count in counts["leads"].items():
        lead_now, lead_then = key.split()
        leads.append({"from": lead_now, "to": lead_then, "count": count})
    return {
        "decisions": counts["decisions"],
        "moved": counts["moved"],
        "not_read": counts["not_read"],
        "moves": sorted(moves, key=lambda row: (-row["count"], row["from"], row["to"])),
        "leads": sorted(leads, key=lambda row: (-row["count"], row["from"], row["to"])),
    }
