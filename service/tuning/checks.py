"""
Checks a draft before anybody approves it: its problems, its scenarios, and what it would move.

A person asks (`request`); the workers do it piece by piece (`work`), each piece short enough that
decisions on their way to the store never wait for it, and each good to be done again.
"""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

import structlog
from sqlalchemy import Engine

from service.access import Actor
from service.audit import Audit
from service.errors import StoreUnavailableError
from service.instants import iso
from service.rulesets import Config
from service.store import (
    agencies,
    audit,
    checks,
    drafts,
    mapped_types,
    rulesets,
    stored_requests,
)
from service.store.agencies import Agency
from service.store.checks import Check
from service.store.cursor import Cursor, read_cursor, write_cursor
from service.store.database import writing
from service.store.drafts import Draft
from service.store.piecework import REQUESTED, RUNNING
from service.tuning import ruleset_text
from service.tuning.draft_scenarios import run_scenarios
from service.tuning.drafts import scenarios_etag_of
from service.tuning.moved_calls import add_counts, changes_of, no_counts
from service.tuning.rule_conflicts import NoSuchRulesError

log = structlog.get_logger()
DECISIONS_MAX: Final = 10_000  # the newest stored decisions that a check decides again
PIECE_MAX: Final = 500  # decisions in one piece; takes about half a second
HELD_S: Final = 30  # after that long another worker may do the piece again
TRIES_MAX: Final = 5


class Checks:
    """
    Checks of one agency at a time. One per process; any thread may call it.
    """

    def __init__(self, store: Engine, trail: Audit, now: Callable[[], dt.datetime]) -> None:
        self._store = store
        self._trail = trail
        self._now = now

    def request(self, actor: Actor, name: str) -> Check:
        """
        Ask for a check of exactly what the draft holds now; one that is under way is given again.

        Raises:
            NoSuchRulesError: there is no draft.
        """
        with writing(self._store) as connection:
            draft = drafts.find(connection, actor.agency, name, is_held=True)
            if draft is None:
                raise NoSuchRulesError(f"there is no draft of `{name[:60]}`")
            before = checks.newest(connection, draft.id, content_of(draft))
            if before is not None and before.state in (REQUESTED, RUNNING):
                return before
            digest, scenarios_digest = content_of(draft)
            made = Check(
                id=checks.new_id(),
                agency=actor.agency,
                name=name,
                draft_id=draft.id,
                digest=digest,
                scenarios_digest=scenarios_digest,
                state=REQUESTED,
                requested_by=actor.identity,
                requested_name=actor.name,
                requested_at=self._now(),
            )
            checks.add(connection, made)
            entry = self._trail.entry(actor, "asked for check", ("ruleset", name), digest=digest)
            audit.add(connection, entry)
        return made

    def find(self, agency: str, check_id: str) -> Check:
        """
        Give a check.

        Raises:
            NoSuchRulesError: the agency has none with this id.
        """
        found = checks.find(self._store, agency, check_id)
        if found is None:
            raise NoSuchRulesError("there is no check with this id")
        return found

    def newest(self, draft: Draft) -> Check | None:
        """
        Give the last check of exactly what a draft holds now, or None.
        """
        return checks.newest(self._store, draft.id, content_of(draft))


def content_of(draft: Draft) -> tuple[str, str]:
    """
    Name what a check and an approval are of: the digests of the rules and of the scenarios.
    """
    return draft.digest, scenarios_etag_of(draft.scenarios)


def work(store: Engine, config: Config, now: Callable[[], dt.datetime]) -> bool:
    """
    Do one piece of the next check that waits; False if none does.

    Raises:
        StoreUnavailableError: the store cannot be reached; the piece is done again.
    """
    at = now()
    check = checks.take(store, at, at + dt.timedelta(seconds=HELD_S))
    if check is None:
        return False
    if check.tries > TRIES_MAX:
        reason = f"the check was begun {TRIES_MAX} times and never came to its end: ask for another"
        checks.fail(store, check.id, reason, now())
        return True
    try:
        _piece(store, config, check, now)
    except StoreUnavailableError:
        raise
    except Exception as fault:  # noqa: BLE001  # whoever waits for the check is told, whatever it was
        log.error("check_failed", check_id=check.id, error=type(fault).__name__)
        reason = "the check could not be done, and that is our fault: ask for another"
        checks.fail(store, check.id, reason, now())
    return True


def _piece(store: Engine, config: Config, check: Check, now: Callable[[], dt.datetime]) -> None:
    draft, agency = drafts.find_id(store, check.draft_id), agencies.find(store, check.agency)
    of = (check.digest, check.scenarios_digest)
    if draft is None or agency is None or content_of(draft) != of:
        reason = "the draft was changed or thrown away since: check it again"
        checks.fail(store, check.id, reason, now())
    elif not check.progress:
        _begin(store, config, check, (draft, agency), now)
    else:
        _go_on(store, config, check, (draft, agency), now)


def _begin(
    store: Engine,
    config: Config,
    check: Check,
    of: tuple[Draft, Agency],
    now: Callable[[], dt.datetime],
) -> None:
    """
    Find problems and run the scenarios; with a problem nothing can be decided, and that is the end.
    """
    draft, agency = of
    read = ruleset_text.read_text(config.vocabulary, draft.text, draft.name)
    problems = [ruleset_text.shown(one) for one in read.problems]
    if problems or draft.content is None:
        nothing = {"run": 0, "failed": [], "faults": {}}
        result = {"problems": problems, "scenarios": nothing, "changes": None}
        checks.finish(store, check.id, result, now())
        return
    made = config.publish(draft.content, 0)
    if made.digest != draft.digest:
        reason = "the tables of the service changed since the draft was saved: save it again"
        checks.fail(store, check.id, reason, now())
        return
    own_types = mapped_types.own_types_of(store, agency.id)
    ran = run_scenarios(config, agency.time_zone, made, draft.scenarios, now(), own_types=own_types)
    live = rulesets.find_live(store, check.agency, check.name)
    progress = {
        "scenarios": ran,
        "against": live.version if live else 0,
        "counts": no_counts(),
        "last": None,
    }
    checks.go_on(store, check.id, progress)


def _go_on(
    store: Engine,
    config: Config,
    check: Check,
    of: tuple[Draft, Agency],
    now: Callable[[], dt.datetime],
) -> None:
    """
    Decide the next decisions again, and end where there are no more.
    """
    draft, agency = of
    progress = dict(check.progress)
    counts, against = progress["counts"], progress["against"]
    done = counts["decisions"] + counts["not_read"]
    last = read_cursor(progress["last"]) if progress["last"] else None
    limit = min(PIECE_MAX, DECISIONS_MAX - done)
    stored = stored_requests.before(store, agency.id, last, limit) if limit else ()
    if stored:
        assert draft.content is not None, "a draft that cannot be read was ended before"
        row = rulesets.find_version(store, agency.id, draft.name, against) if against else None
        live = config.publish(row.content, row.version) if row else None
        both = live, config.publish(draft.content, 0)
        add_counts(counts, config, agency.time_zone, both, stored)
        progress["last"] = write_cursor(Cursor(stored[-1].decided_at, stored[-1].decision_id))
    if len(stored) == PIECE_MAX:
        checks.go_on(store, check.id, progress)
        return
    changes = {"against": against or None, **changes_of(counts)}
    result = {"problems": [], "scenarios": progress["scenarios"], "changes": changes}
    checks.finish(store, check.id, result, now())


def shown(check: Check) -> dict[str, Any]:
    """
    Give a check as the API shows it.
    """
    counts: Mapping[str, Any] = check.progress.get("counts") or {}
    return {
        "check_id": check.id,
        "ruleset": check.name,
        "state": check.state,
        "digest": check.digest,
        "requested_by": check.requested_name,
        "requested_at": iso(check.requested_at),
        "finished_at": iso(check.finished_at) if check.finished_at else None,
        "decided_again": counts.get("decisions", 0) if check.result is None else None,
        "reason": check.reason,
        "result": check.result,
    }


def without(check: Check, hidden: frozenset[str]) -> Check:
    """
    Give a check that names none of these decisions as an example of what it moves: whoever is still
    to review one is not told who was recommended.
    """
    moves = ((check.result or {}).get("changes") or {}).get("moves") or ()
    if not hidden or not moves:
        return check
    kept = [
        {**one, "examples": [name for name in one["examples"] if name not in hidden]}
        for one in moves
    ]
    result = dict(check.result or {})
    return replace(check, result={**result, "changes": {**result["changes"], "moves": kept}})


def faults_of(check: Check, accepts: list[str]) -> list[str]:
    """
    Say in words what of a finished check stands against an approval that accepts these scenarios.
    """
    if check.state == checks.FAILED:
        return [check.reason or "the check failed"]
    result = check.result or {}
    count = len(result["problems"])
    said = [f"{count} problems must be mended"] if count else []
    open_ones = [one for one in result["scenarios"]["failed"] if one not in accepts]
    if open_ones:
        named = ", ".join(f"`{one[:60]}`" for one in open_ones[:10])
        said.append(f"scenarios fail and are not among `accepts`: {named}")
    return said
