"""
The facts of a call: what is known, what was asked and nobody knows, what is only assumed.

A fact has a true third value. `UNKNOWN` is never read as the mildest value, and never as 'no'. The
vocabulary (names, values, marks, questions) is data, read from `config/facts.yaml` and handed in;
nothing here names a fact but the two that are one axis, `age` and `age_group`.

>>> weapon = {"kind": "ordered", "values": ["none", "blade"]}
>>> vocabulary = Vocabulary.of({"facts": {"weapon": weapon}})
>>> CallFacts.of(vocabulary, {"weapon": "unknown"}).value("weapon") is UNKNOWN
True
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final, Literal

Value = str | bool | int
Kind = Literal["ordered", "choice", "flag", "number"]


class Unknown(Enum):
    """
    The third value of every fact: nobody has told.
    """

    UNKNOWN = "unknown"


UNKNOWN: Final = Unknown.UNKNOWN

# Ages in years at which the groups begin: under 13, 13-17, 18-64, 65 and over.
# Source: the comment on `age_group` in config/facts.yaml, which is where the groups are defined.
AGE_GROUP_FROM: Final = (("older", 65), ("adult", 18), ("teen", 13), ("child", 0))
AGE_AXIS: Final = frozenset(("age", "age_group"))


@dataclass(frozen=True, slots=True)
class Fact:
    """
    One fact of the vocabulary: its kind, its values from the mildest to the worst, its marks and
    its words.
    """

    name: str
    kind: Kind
    values: tuple[Value, ...]
    hazard: bool = False
    parity: bool = False
    calming: bool = False
    volunteered: bool = False
    protected: bool = False
    label: str = ""
    question: str = ""
    help: str = ""
    value_labels: Mapping[Value, str] = field(default_factory=dict)
    said: Mapping[Value, str] = field(default_factory=dict)
    clause: str = ""
    flag_clauses: Mapping[Value, str] = field(default_factory=dict)
    capitals: bool = False
    history_of: str = ""

    @property
    def is_of_the_past(self) -> bool:
        """
        Tell whether this fact speaks of what was, such as an earlier attempt.
        """
        return bool(self.history_of)

    @property
    def is_danger(self) -> bool:
        """
        Tell whether more of this fact is more danger: it is marked hazard, or ordered.
        """
        return self.hazard or self.kind == "ordered"

    @property
    def mildest(self) -> Value | None:
        """
        Give the value that says least; None for a fact whose values have no order, and which is no
        danger.
        """
        return self.values[0] if self.is_danger or self.kind == "flag" else None

    def has(self, value: object) -> bool:
        """
        Tell whether *value* is one of this fact's own, of the right type (true is not 1).
        """
        if self.kind == "flag":
            return isinstance(value, bool)
        if self.kind == "number":
            number = isinstance(value, int) and not isinstance(value, bool)
            return number and self.values[0] <= value <= self.values[-1]  # type: ignore[operator]  # both int
        return isinstance(value, str) and value in self.values

    def label_of(self, value: Value) -> str:
        """
        Give the words that stand for *value* on a page.
        """
        if value in self.value_labels:
            return self.value_labels[value]
        if isinstance(value, bool):
            return "Yes" if value else "No"
        return str(value).replace("_", " ")

    def worst_of(self, one: Value, other: Value) -> Value:
        """
        Give the more dangerous of two values of a danger fact.
        """
        return max(one, other, key=self.values.index)


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """
    Every fact there is, in the order in which they are asked, and the kinds of responder.

    `ladder` runs from the least to the most coercive lead; `ems` stands beside it. What every call
    asks of it is looked up once: `asked` names the facts that a call can carry, `protected` those
    that it cannot, and `spoken` are the facts that a note says.
    """

    facts: Mapping[str, Fact]
    ladder: tuple[str, ...] = ()
    responders: Mapping[str, str] = field(default_factory=dict)
    ways: Mapping[str, str] = field(default_factory=dict)
    notify: Mapping[str, str] = field(default_factory=dict)
    urgencies: Mapping[str, str] = field(default_factory=dict)
    asked: tuple[str, ...] = field(init=False, repr=False, compare=False)
    protected: frozenset[str] = field(init=False, repr=False, compare=False)
    spoken: tuple[Fact, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """
        Look up what every call asks for.
        """
        protected = frozenset(name for name, fact in self.facts.items() if fact.protected)
        asked = tuple(name for name in self.facts if name not in protected)
        object.__setattr__(self, "protected", protected)
        object.__setattr__(self, "asked", asked)
        object.__setattr__(self, "spoken", tuple(one for one in self.facts.values() if one.said))

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> "Vocabulary":
        """
        Build the vocabulary from the document of `config/facts.yaml`, which is trusted to be well
        formed.
        """
        facts = {name: _fact(name, block) for name, block in document["facts"].items()}
        return cls(
            facts,
            tuple(document.get("ladder", ())),
            {kind: block["label"] for kind, block in document.get("responders", {}).items()},
            dict(document.get("how", {})),
            dict(document.get("notify", {})),
            dict(document.get("urgency", {})),
        )


def _fact(name: str, block: Mapping[str, Any]) -> Fact:
    kind: Kind = block["kind"]
    listed = block.get("values") or ()
    labels = {_plain(v): str(t) for v, t in listed.items()} if isinstance(listed, Mapping) else {}
    values: tuple[Value, ...] = tuple(listed)
    if kind == "flag":
        values = (False, True)
    elif kind == "number":
        values = tuple(range(block["from"], block["to"] + 1))
    said = {_plain(value): str(text) for value, text in (block.get("said") or {}).items()}
    marks = ("hazard", "parity", "calming", "volunteered", "protected", "capitals")
    clause = block.get("clause", "")
    by_value = clause if isinstance(clause, Mapping) else {}
    return Fact(
        name,
        kind,
        values,
        **{mark: bool(block.get(mark)) for mark in marks},
        label=block.get("label", name.replace("_", " ").capitalize()),
        question=block.get("question", ""),
        help=block.get("help", ""),
        value_labels=labels,
        said=said,
        clause="" if by_value else str(clause),
        flag_clauses={_plain(value): str(text) for value, text in by_value.items()},
        history_of=str(block.get("history_of", "")),
    )


def _plain(value: object) -> Value:
    """
    Read a key of a mapping, where a flag's values stand as the words true and false.
    """
    return {"true": True, "false": False}.get(str(value).lower(), str(value))


def age_group_of(age: int) -> str:
    """
    Give the age group of an age in years.
    """
    return next(group for group, start in AGE_GROUP_FROM if age >= start)


@dataclass(frozen=True, slots=True)
class CallFacts:
    """
    What is known of one call. A fact in neither `known` nor `asked` was never asked about.

    `asked` names facts that were asked and nobody knows; `assumed` names known facts that are only
    a guess, which may raise the answer and never calm it.
    """

    known: Mapping[str, Value] = field(default_factory=dict)
    asked: frozenset[str] = frozenset()
    assumed: frozenset[str] = frozenset()

    @classmethod
    def of(
        cls, vocabulary: Vocabulary, raw: Mapping[str, object], assumed: Iterable[str] = ()
    ) -> "CallFacts":
        """
        Read facts as they were sent. Total: what is not of the vocabulary, or protected, counts as
        unknown.
        """
        known: dict[str, Value] = {}
        asked = set()
        for name, value in raw.items():
            fact = vocabulary.facts.get(name)
            if fact is None or value is None or fact.protected:
                continue
            if value == "unknown":
                asked.add(name)
            elif fact.has(value):
                known[name] = value  # type: ignore[assignment]  # has() checked the type
        return cls(known, frozenset(asked), frozenset(assumed) & known.keys()).with_age_group()

    def value(self, name: str) -> Value | Unknown:
        """
        Give what is known of a fact, or UNKNOWN.
        """
        return self.known.get(name, UNKNOWN)

    def with_age_group(self) -> "CallFacts":
        """
        Derive the age group from a known age; the two are one axis, and the age is the finer.
        """
        age = self.known.get("age")
        if not isinstance(age, int):
            return self
        group = age_group_of(age)
        assumed = self.assumed - {"age_group"} | ({"age_group"} if "age" in self.assumed else set())
        return CallFacts({**self.known, "age_group": group}, self.asked - {"age_group"}, assumed)

    def told(self, name: str, value: Value | Unknown) -> "CallFacts":
        """
        Give the same call with one fact told (or, with UNKNOWN, taken away), and its axis with it.
        """
        gone = AGE_AXIS if name in AGE_AXIS else frozenset((name,))
        known = dict(self.known)
        for one in gone:
            known.pop(one, None)
        if value is not UNKNOWN:
            known[name] = value
        return CallFacts(known, self.asked - gone, self.assumed - gone).with_age_group()

    def asked_in_vain(self, name: str) -> "CallFacts":
        """
        Give the same call with one fact asked about that nobody knows; what is known stays.
        """
        gone = self.known.keys() & (AGE_AXIS if name in AGE_AXIS else {name})
        return self if gone else CallFacts(self.known, self.asked | {name}, self.assumed)

    def is_open(self, name: str) -> bool:
        """
        Tell whether asking could still help: it is unknown, and nobody has asked yet.
        """
        if name not in AGE_AXIS:
            return name not in self.known and name not in self.asked
        return AGE_AXIS.isdisjoint(self.known) and AGE_AXIS.isdisjoint(self.asked)
