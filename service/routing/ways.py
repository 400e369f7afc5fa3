"""
How to bring each responder in: transfer, join the call, give the number, send, or stage nearby.

A short table of `config/ways.yaml`, read top to bottom for each kind, after who comes is settled.
It looks at who else comes, at what is unknown on scene, and at the channel.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from service.routing.conditions import Row, read_rows
from service.routing.facts import UNKNOWN, CallFacts, Vocabulary
from service.routing.problems import Problem, nearest


@dataclass(frozen=True, slots=True)
class Way:
    """
    One line of the table: it holds if a row holds, somebody of `beside` comes too (or it is empty),
    and one of `asked_unknown` was asked and nobody knows (or it is empty).
    """

    way: str
    rows: tuple[Row, ...] = ((),)
    beside: frozenset[str] = frozenset()
    asked_unknown: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Ways:
    """
    The table, and three short lists beside it.

    `without_988` says when 988 has no place beside somebody sent in person; `ems_first` when EMS
    cannot wait for anybody; `first_questions` is what is asked where no ruleset can be read;
    `said_when_unknown` what a note says of these when nobody knows.
    """

    table: Mapping[str, tuple[Way, ...]]
    without_988: tuple[Row, ...]
    ems_first: tuple[Row, ...]
    first_questions: tuple[str, ...]
    said_when_unknown: tuple[str, ...] = ()


def read_ways(vocabulary: Vocabulary, document: object) -> tuple[Ways, list[Problem]]:
    """
    Read the table; every kind of responder needs a last line that always holds.
    """
    problems: list[Problem] = []
    table: dict[str, tuple[Way, ...]] = {}
    document = document if isinstance(document, Mapping) else {}
    lists = document.get("ways")
    lists = lists if isinstance(lists, Mapping) else {}
    for kind in vocabulary.responders:
        lines = lists.get(kind)
        if not isinstance(lines, list) or not lines:
            problems.append(Problem("no_ways", f"ways.{kind}", f"`{kind}` needs a list of ways"))
            continue
        ways = tuple(
            _read_way(vocabulary, line, f"ways.{kind}[{place}]", problems)
            for place, line in enumerate(lines)
        )
        if ways[-1] != Way(ways[-1].way):
            problems.append(
                Problem("no_last_way", f"ways.{kind}", "the last way must hold for every call")
            )
        table[kind] = ways
    names = {}
    for key in ("first_questions", "said_when_unknown"):
        names[key] = tuple(str(name) for name in document.get(key) or ())
        for wrong in (name for name in names[key] if name not in vocabulary.facts):
            problems.append(Problem("bad_value", key, f"`{wrong[:60]}` is not in the vocabulary"))
    lists_beside = [
        read_rows(vocabulary, document[key], key, problems) if key in document else ()
        for key in ("without_988", "ems_first")
    ]
    return Ways(table, lists_beside[0], lists_beside[1], **names), problems


def _read_way(vocabulary: Vocabulary, line: Any, path: str, problems: list[Problem]) -> Way:
    line = line if isinstance(line, Mapping) else {}
    way, allowed = line.get("way"), tuple(vocabulary.ways)
    if way not in allowed:
        text = f"`way` cannot be `{str(way)[:60]}`: {', '.join(allowed)}"
        problems.append(Problem("bad_value", f"{path}.way", text, suggestion=nearest(way, allowed)))
    rows = read_rows(vocabulary, line.get("when"), f"{path}.when", problems)
    beside = frozenset(str(kind) for kind in line.get("beside", ()))
    asked = frozenset(str(name) for name in line.get("asked_unknown", ()))
    for wrong in (*(beside - vocabulary.responders.keys()), *(asked - vocabulary.facts.keys())):
        problems.append(Problem("bad_value", path, f"`{wrong[:60]}` is not in the vocabulary"))
    return Way(str(way), rows, beside, asked)


def way_of(
    ways: Ways, vocabulary: Vocabulary, facts: CallFacts, kind: str, kinds: frozenset[str]
) -> str:
    """
    Give how to bring *kind* in, when *kinds* come. Total: a kind without ways is sent.
    """
    others = kinds - {kind}
    for line in ways.table.get(kind, ()):
        if line.beside and not line.beside & others:
            continue
        if line.asked_unknown and not _nobody_knows(line.asked_unknown, facts):
            continue
        if any_holds(line.rows, vocabulary, facts):
            return line.way
    return "send"


def _nobody_knows(names: frozenset[str], facts: CallFacts) -> bool:
    return any(name in facts.asked and facts.value(name) is UNKNOWN for name in names)


def any_holds(rows: tuple[Row, ...], vocabulary: Vocabulary, facts: CallFacts) -> bool:
    """
    Tell whether one of the rows holds.
    """
    return any(_holds(row, vocabulary, facts) for row in rows)


def _holds(row: Row, vocabulary: Vocabulary, facts: CallFacts) -> bool:
    """
    Read one row. A guess counts if it or unknown meets the test, but a guess at something calming
    never does.
    """
    for test in row:
        value = facts.value(test.fact)
        if value is UNKNOWN or test.fact not in facts.assumed:
            if not test.holds(value):
                return False
        elif not test.holds_for_guess(value, raises=not vocabulary.facts[test.fact].calming):
            return False
    return True
