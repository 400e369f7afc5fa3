"""
The state of the service in words: what runs, what waits, what is away, what went wrong last.

`/readyz` and the page of the state read the same facts here. Nothing of it is about a call.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import orjson

from service import journals
from service.access import Actor
from service.errors import JournalUnavailableError, StoreUnavailableError
from service.host.process_list import listed
from service.host.restarts import restarts
from service.journal import aside
from service.parts import Parts
from service.surroundings import QUARANTINED_MAX

LOOK_AGE_S_MAX: Final = 15.0  # a look is taken every second; a slow network may take a few
TROUBLES_MAX: Final = 20
NAME_MAX: Final = 100  # characters of an error's class, or of a route
TAIL_BYTES_MAX: Final = 65_536  # of each log; older lines are in the file itself
PARTS: Final[Mapping[str, str]] = {
    "api": "A process that answers calls",
    "beat": "The schedule of the workers (beat)",
    "granian": "The server that answers calls (granian)",
    "redis": "The queue (Redis)",
    "shipper": "The shipper",
    "worker": "The worker",
}
# What each event of a log means to a person. One that is not here is shown by its name.
WORDS: Final[Mapping[str, str]] = {
    "aside_unknown": "A journal that was set aside cannot be read, nor told whose it was.",
    "aside_waits": "A journal that was set aside could not be shipped yet.",
    "audit_export_broken_off": "An export of the audit trail broke off.",
    "counters_alone": "A process found no room for its counters: `/metrics` lacks what it counts.",
    "counters_not_read": "The counters of the processes could not be read: `/metrics` lacks them.",
    "chain_broken": "The log of an agency does not verify: somebody changed the store.",
    "audit_not_stored": "An entry of the audit trail is only in the log: the store was away.",
    "away": "A part that the shipper needs was away; records waited.",
    "decide_failed": "A recommendation failed, and the floor answered.",
    "decision_not_recorded": "A decision could not be recorded in the journal.",
    "dispatch_not_recorded": "A report of what was sent could not be recorded.",
    "export_broken_off": "An export of decisions broke off.",
    "gather_failed": "What the rules need could not be gathered, and the floor answered.",
    "invariant_broken": "A recommendation broke a promise, and the floor answered.",
    "journal_damaged": "The journal was damaged and set aside; a new one goes on.",
    "look_failed": "A look at keys, agencies and the queue failed.",
    "look_not_kept": "What was seen of keys and agencies could not be kept on disk.",
    "page_failed": "A page failed.",
    "record_quarantined": "The store could not take a record as it is; it is in quarantine.",
    "rules_gone": "A ruleset is gone from the configuration; the last good one decides.",
    "rules_not_kept": "The last good rules could not be kept on disk.",
    "rules_not_loaded": "The rules could not be read; the last good ones decide.",
    "session_from_last_look": "A sign-in was judged by what was seen last: the store was away.",
    "sign_in_of_nobody": "A sign-in failed for an address that nobody has.",
    "store_away_at_start": "The store was away at the start.",
    "surroundings": "The store or the queue went away, or came back.",
    "vital_sign_not_read": "Something that `/metrics` tells of this host could not be read.",
    "view_failed": "A request of the API failed.",
    **{
        f"{name}_died": f"{words} ended unasked and was started again."
        for name, words in PARTS.items()
    },
    **{
        f"{name}_hung": f"{words} gave no sign of life; it was ended and started again."
        for name, words in PARTS.items()
    },
}
# What does not happen while a part gives no sign of life.
WAITS: Final[Mapping[str, str]] = {
    "worker": "decisions wait in the journal",
    "beat": "reviews, retention and the sealing of the log wait",
}


@dataclass(frozen=True, slots=True)
class Trouble:
    """
    A warning or an error of one part: when it came last, which part, how bad, what it means, how
    often the log has it, and the class of the error and the route where the log names them.
    """

    at: str
    part: str
    level: str
    event: str
    error: str = ""
    route: str = ""
    count: int = 1

    @property
    def text(self) -> str:
        """
        Say in words what the event means.
        """
        words = WORDS.get(self.event, f"`{self.event}`, see the log of this part.")
        named = ", ".join(f"`{one}`" for one in (self.route, self.error) if one)
        times = f" {self.count} times." if self.count > 1 else ""
        return f"{words}{f' {named}.' if named else ''}{times}"


def summary(parts: Parts, actor: Actor | None = None) -> dict[str, Any]:
    """
    Say whether calls can be answered, what is degraded, and what waits for the store.

    Only the actor's own agency is named, and only its records in quarantine are counted; without an
    actor those of all.
    """
    here = journals.of_this_host(parts.journal)
    whose = actor.agency if actor else None
    degraded = _degraded(parts, here, whose)
    waits = {name: here[name] if here else None for name in ("not_stored", "oldest_s")}
    return {
        "status": "degraded" if degraded else "ready",
        "degraded": degraded,
        "journal": {**waits, "quarantined": parts.surroundings.seen.quarantined_of(whose)},
    }


def whole(parts: Parts, actor: Actor) -> dict[str, Any]:
    """
    Give the summary with where records are, every process of this host, and what went wrong last,
    for somebody who may read the state. Never raises: what cannot be asked now is None.
    """
    return {
        **summary(parts, actor),
        "journals": {
            "here": journals.of_this_host(parts.journal),
            "aside": journals.set_aside(parts.settings.home),
        },
        **_of_store(parts, actor.agency),
        "processes": listed(parts.settings.home, actor.agency),
        "parts": _parts(parts),
        "restarts": restarts(parts.settings.home),
        "troubles": [
            {"at": one.at, "part": one.part, "level": one.level, "text": one.text}
            for one in troubles(parts.settings.home)
        ],
    }


def troubles(home: Path) -> list[Trouble]:
    """
    Give the last warnings and errors of every part on this host, the newest first, what repeats
    once. Never raises.
    """
    found = [one for path in sorted((home / "logs").glob("*.log")) for one in _of_log(path)]
    same = Counter(replace(one, at="") for one in found)
    last: dict[Trouble, Trouble] = {}
    for one in sorted(found, key=lambda one: one.at, reverse=True):
        alike = replace(one, at="")
        last.setdefault(alike, replace(one, count=same[alike]))
    return list(last.values())[:TROUBLES_MAX]


def _of_log(path: Path) -> Iterator[Trouble]:
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - TAIL_BYTES_MAX))
            lines = file.read(TAIL_BYTES_MAX).splitlines()
    except OSError:
        return
    for line in lines:
        if not line.startswith(b"{"):
            continue  # the words of a library, which may hold anything
        try:
            told = orjson.loads(line)
            level, event, at = str(told["level"]), str(told["event"]), str(told["timestamp"])
        except (ValueError, KeyError, TypeError):
            continue
        if level in ("warning", "error", "critical") and event.isidentifier():
            error, route = str(told.get("error", "")), str(told.get("route", ""))
            yield Trouble(
                *(at, path.stem, level, event[:60]),
                error=error if error.isidentifier() and len(error) <= NAME_MAX else "",
                route=route if route.startswith("/") and len(route) <= NAME_MAX else "",
            )


def _of_store(parts: Parts, agency: str) -> dict[str, Any]:
    """
    Give what only the store knows of journals, quarantine and the log; None each while it is away.
    """
    names = "journals_in_store", "quarantine", "log"
    # Nobody who looks at the state waits for a store that was away a second ago.
    if parts.surroundings.seen.has_store:
        with suppress(StoreUnavailableError):
            found = (
                journals.in_store(parts.store, parts.now()),
                parts.quarantine.state(agency),
                parts.logs.state(agency),
            )
            return dict(zip(names, found, strict=True))
    return dict.fromkeys(names)


def _parts(parts: Parts) -> list[dict[str, str]]:
    """
    Say of each thing that the service stands on whether it is there: `ok`, `away` or `unknown`.
    """
    seen = parts.surroundings.seen
    signs = {name: parts.surroundings.alive(name) for name in WAITS}
    states = {
        "journal": not parts.decisions.is_journal_resting,
        "store": seen.has_store,
        "queue": seen.has_queue,
        **{name: sign if seen.has_queue else None for name, sign in signs.items()},
    }
    words = {True: "ok", False: "away", None: "unknown"}
    return [{"part": name, "state": words[sign]} for name, sign in states.items()]


def _degraded(
    parts: Parts, here: Mapping[str, Any] | None, whose: str | None
) -> list[dict[str, str]]:
    seen = parts.surroundings.seen
    said = []
    if parts.rules.mode == "floor":
        said.append(("rules", "no rules could be read: 911 stays on the line, with EMS"))
    elif parts.rules.mode == "last_good_rules":
        said.append(("rules", "the rules could not be read: the last good ones decide"))
    for agency in seen.agencies.values():
        name = f"agency {agency.id}" if agency.id == whose else "an agency"
        said += [
            (
                "rules",
                f"{name}: {text}"
                if agency.id == whose
                else f"{name} has rules that could not be loaded: the last good ones decide",
            )
            for text in parts.rules.faults_of(agency)
        ]
        if parts.rules.mode != "floor" and parts.rules.published(agency) is None:
            said.append(("rules", f"{name} has no rules: 911 stays on the line, with EMS"))
    if parts.decisions.is_journal_resting:
        said.append(("journal", "the journal does not answer: calls are answered and not recorded"))
    if here is not None and here["oldest_s"] > parts.settings.backlog_s_max:
        said.append(("shipper", "records wait long for the store: see the journal's oldest"))
    if parts.surroundings.look_age_s > LOOK_AGE_S_MAX:
        said.append(("keys", "keys and agencies are old: new keys do not work, ended ones do"))
    if not seen.has_store:
        said.append(("store", "the store cannot be reached: decisions wait in the journal"))
    said += [("journal", text) for text in _warnings(parts)]
    if count := aside.waiting(parts.settings.home):
        said.append(("journal", f"{count} journals set aside wait to be shipped to the store"))
    said += [("quarantine", text) for text in _in_quarantine(seen.quarantined_of(whose))]
    if seen.has_queue:
        said += _without_sign(parts)
    else:
        said.append(("queue", "the queue cannot be reached: decisions wait in the journal"))
    return [{"part": part, "text": text} for part, text in said]


def _warnings(parts: Parts) -> tuple[str, ...]:
    """
    Say what of the journal is narrow, or that it cannot be read.
    """
    try:
        return parts.journal.room().warnings
    except (JournalUnavailableError, OSError):
        return (
            "the journal cannot be read: where it cannot be written either, calls are answered and"
            " not recorded: have the disk of this host looked at",
        )


def _without_sign(parts: Parts) -> Iterator[tuple[str, str]]:
    for name, waits in WAITS.items():
        sign = parts.surroundings.alive(name)
        words = waits if sign is False else "it, or the queue, began just now"
        if not sign:
            yield name, f"no sign of life from the {name}: {words}"


def _in_quarantine(count: int | None) -> Iterator[str]:
    if count:
        number = f"{count} or more" if count >= QUARANTINED_MAX else str(count)
        is_one = count == 1
        yield (
            f"{number} {'record is' if is_one else 'records are'} in quarantine, kept whole:"
            f" the store cannot take {'it as it is' if is_one else 'them as they are'};"
            " see why with `crisis-router quarantine list`"
        )
