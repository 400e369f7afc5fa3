"""
What a rule may ask of a fact: a value, a list, `at least`, `at most`, `not true`, a range, `known`,
`unknown`.

A condition is a conjunction of tests, or alternatives of such (`any:`); each alternative is a row
of its own. There are no scores, no code and no regular expressions in it.

>>> facts = {"facts": {"weapon": {"kind": "ordered", "values": ["none", "blade", "firearm"]}}}
>>> test = read_test(Vocabulary.of(facts).facts["weapon"], "at least blade or unknown")
>>> test.holds("none"), test.holds("firearm"), test.holds(UNKNOWN)
(False, True, True)
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from service.routing.facts import UNKNOWN, CallFacts, Fact, Unknown, Value, Vocabulary
from service.routing.problems import Problem, nearest

RANGE = re.compile(r"(\d{1,6}) to (\d{1,6})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Test:
    """
    One test on one fact: the known values that meet it, and whether unknown does.

    `operator` is how it was written (is, in, at_least, at_most, not, range, known, unknown);
    `bound` is the value of at_least, at_most, is and not.
    """

    fact: str
    operator: str
    values: frozenset[Value]
    unknown: bool
    bound: Value | None = None

    def holds(self, value: Value | Unknown) -> bool:
        """
        Tell whether a value, or UNKNOWN, meets the test.
        """
        return self.unknown if value is UNKNOWN else value in self.values

    def holds_for_guess(self, value: Value, *, raises: bool) -> bool:
        """
        Tell whether an assumed value meets the test: one that *raises* if either it or unknown
        does, else both.
        """
        if raises:
            return self.unknown or value in self.values
        return self.unknown and value in self.values


Row = tuple[Test, ...]


class ConditionError(ValueError):
    """
    A test that cannot be read: `allowed` says what could stand there, `wrong` the word that is not
    right.
    """

    def __init__(self, message: str, wrong: object = None, allowed: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.wrong = wrong
        self.allowed = allowed


def read_test(fact: Fact, raw: object) -> Test:
    """
    Read one test on *fact*.

    Raises:
        ConditionError: the test is not of the grammar, or names a value that is not the fact's.
    """
    if isinstance(raw, list):
        return _read_list(fact, raw)
    if isinstance(raw, bool | int):
        return Test(fact.name, "is", frozenset((_value(fact, raw),)), unknown=False, bound=raw)
    if not isinstance(raw, str):
        raise ConditionError(f"a test on `{fact.name}` is a word, a number or a list of values")
    text, _, tail = raw.strip().rpartition(" or unknown")
    if not text or tail:
        return _read_words(fact, raw.strip(), unknown=False)
    return _read_words(fact, text.strip(), unknown=True)


def _read_list(fact: Fact, raw: list[object]) -> Test:
    if not raw:
        raise ConditionError(f"the list of values of `{fact.name}` is empty")
    values = frozenset(_value(fact, item) for item in raw if item != "unknown")
    return Test(fact.name, "in", values, unknown="unknown" in raw)


def _read_words(fact: Fact, text: str, *, unknown: bool) -> Test:
    every = frozenset(fact.values)
    if text in ("known", "unknown") and not unknown:
        is_known = text == "known"
        return Test(fact.name, text, every if is_known else frozenset(), unknown=not is_known)
    operator, _, word = text.partition(" ")
    if operator == "not" and fact.kind == "flag":
        bound = _value(fact, word)
        return Test(fact.name, "not", every - {bound}, unknown=True, bound=bound)
    if text.startswith(("at least ", "at most ")):
        operator, bound = (
            text[: text.index(" ", 3)].replace(" ", "_"),
            _value(fact, text.split(" ", 2)[2]),
        )
        return Test(
            fact.name, operator, _beside(fact, operator, bound), unknown=unknown, bound=bound
        )
    if (found := RANGE.fullmatch(text)) and fact.kind == "number":
        low, high = _value(fact, found[1]), _value(fact, found[2])
        between = frozenset(v for v in fact.values if low <= v <= high)  # type: ignore[operator]  # numbers
        if not between:
            raise ConditionError(f"the range `{text}` of `{fact.name}` is empty")
        return Test(fact.name, "range", between, unknown=unknown)
    bound = _value(fact, text)
    return Test(fact.name, "is", frozenset((bound,)), unknown=unknown, bound=bound)


def _beside(fact: Fact, operator: str, bound: Value) -> frozenset[Value]:
    if fact.kind not in ("ordered", "number"):
        raise ConditionError(
            f"`{fact.name}` has no order: name a value instead of `at least` or `at most`"
        )
    place = fact.values.index(bound)
    return frozenset(fact.values[place:] if operator == "at_least" else fact.values[: place + 1])


def _value(fact: Fact, raw: object) -> Value:
    value = raw
    if fact.kind == "flag" and raw in ("true", "false"):
        value = raw == "true"
    elif fact.kind == "number" and isinstance(raw, str) and raw.isascii() and raw.isdigit():
        value = int(raw[:9])
    if not fact.has(value):
        allowed = () if fact.kind == "number" else tuple(_words(v) for v in fact.values)
        choice = f"{fact.values[0]} to {fact.values[-1]}" if not allowed else ", ".join(allowed)
        raise ConditionError(f"`{fact.name}` has no value `{_words(raw)}`: {choice}", raw, allowed)
    return value  # type: ignore[return-value]  # has() checked the type


def _words(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)[:60]


def read_rows(
    vocabulary: Vocabulary, when: object, path: str, problems: list[Problem]
) -> tuple[Row, ...]:
    """
    Read a `when` into its rows, one for each alternative of `any:`; every fault is added to
    *problems*.

    No `when` at all gives one row without tests, which always holds.
    """
    if when is None:
        return ((),)
    if not isinstance(when, Mapping):
        problems.append(Problem("when_shape", path, "`when` must be a mapping of facts to tests"))
        return ((),)
    shared = _read_conjunction(
        vocabulary, {k: v for k, v in when.items() if k != "any"}, path, problems
    )
    if "any" not in when:
        return (shared,)
    alternatives = when["any"]
    if not isinstance(alternatives, list) or not alternatives:
        problems.append(Problem("any_shape", f"{path}.any", "`any` must be a list of alternatives"))
        return (shared,)
    rows = []
    for place, alternative in enumerate(alternatives):
        where = f"{path}.any[{place}]"
        if not isinstance(alternative, Mapping) or not alternative or "any" in alternative:
            text = "an alternative of `any` must map facts to tests, without an `any` of its own"
            problems.append(Problem("any_shape", where, text))
        else:
            rows.append(shared + _read_conjunction(vocabulary, alternative, where, problems))
    return tuple(rows)


def _read_conjunction(
    vocabulary: Vocabulary, tests: Mapping[object, object], path: str, problems: list[Problem]
) -> Row:
    row = []
    for name, raw in tests.items():
        where = f"{path}.{name}"
        fact = vocabulary.facts.get(name) if isinstance(name, str) else None
        if fact is None:
            near = nearest(name, tuple(vocabulary.facts))
            text = f"fact `{str(name)[:60]}` is not in the vocabulary"
            problems.append(Problem("unknown_fact", where, text, suggestion=near))
            continue
        try:
            row.append(read_test(fact, raw))
        except ConditionError as fault:
            near = nearest(fault.wrong, fault.allowed) if fault.allowed else None
            problems.append(Problem("bad_test", where, str(fault), suggestion=near))
    return tuple(row)


def row_holds(row: Row, facts: CallFacts, *, raises: bool) -> bool:
    """
    Tell whether every test of a row holds: the plain reading, which the matcher's masks must agree
    with.

    A guess meets a row that *raises* when either it or unknown would, and another row only when
    both would.
    """
    for test in row:
        value = facts.value(test.fact)
        if value is not UNKNOWN and test.fact in facts.assumed:
            if not test.holds_for_guess(value, raises=raises):
                return False
        elif not test.holds(value):
            return False
    return True


def facts_of(rows: tuple[Row, ...]) -> Iterator[str]:
    """
    Name the facts that rows test, each once, in the order of writing.
    """
    return iter(dict.fromkeys(test.fact for row in rows for test in row))
