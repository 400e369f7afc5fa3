"""
Incident types: what a CAD's type code already says of a call.

A code says no more than it says. `config/incident_types/*.yaml` holds one registry a file, and an
agency maps codes of its own over them. A code that nobody knows is a warning and a counted event,
never an error.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from service.routing.facts import Fact, Value, Vocabulary
from service.routing.lexicon import PRESENT
from service.routing.problems import nearest
from service.routing.signals import Signal
from service.type_codes import Pattern, normalised

SOURCE: Final = "incident_type"
SHOWN_MAX: Final = 60  # characters of what somebody else wrote, in a fault
ALLOWED_MAX: Final = 20

Facts = Mapping[str, Value]
# What an agency says of codes itself, by registry and normalised code.
OwnTypes = Mapping[tuple[str, str], Facts]
NO_OWN_TYPES: Final[OwnTypes] = {}


@dataclass(frozen=True, slots=True)
class Fault:
    """
    What is wrong with a fact that a code is to say: in words, the nearest right name or value, and
    what could stand there.
    """

    fact: str
    text: str
    near: str | None
    allowed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Registry:
    """
    One file of types: what each code says, patterns of codes the longest first, what a suffix adds
    to a code, and prefixes that are no part of one. `title`, `source` and `note` are for people.
    """

    name: str
    codes: Mapping[str, Facts] = field(default_factory=dict)
    patterns: tuple[tuple[Pattern, Facts], ...] = ()
    suffixes: Mapping[str, Facts] = field(default_factory=dict)
    prefixes: tuple[str, ...] = ()
    title: str = ""
    source: Mapping[str, Any] = field(default_factory=dict)
    note: str = ""

    def normalised(self, code: str) -> str:
        """
        Give the one spelling of a code, without the registry's name and its prefixes.
        """
        return normalised(code, (self.name, *self.prefixes))

    @property
    def decides(self) -> Mapping[str, Any]:
        """
        Give all of it that an answer can depend on, as a plain document.
        """
        patterns = [[list(one.pieces), dict(facts)] for one, facts in self.patterns]
        return {
            "codes": self.codes,
            "patterns": patterns,
            "suffixes": self.suffixes,
            "prefixes": list(self.prefixes),
        }


@dataclass(frozen=True, slots=True)
class IncidentTypes:
    """
    Every registry of `config/`, by name.
    """

    registries: Mapping[str, Registry]

    def registry(self, name: str) -> Registry:
        """
        Give the registry of this name, in whatever case; one without codes if there is none.
        """
        key = registry_name(name)
        return self.registries.get(key) or Registry(key)

    def normalised(self, registry: str, code: str) -> tuple[str, str]:
        """
        Give the names under which a code of a registry is known.
        """
        found = self.registry(registry)
        return found.name, found.normalised(code)

    def signals(
        self, registry: str, code: str, own: OwnTypes = NO_OWN_TYPES
    ) -> tuple[Signal, ...] | None:
        """
        Give what a code says, or None if the registry or the code is not known.

        What the agency says itself (*own*) wins over the file; a code that stands there wins over
        one that a suffix is taken off, and that over a pattern.
        """
        found = self.registry(registry)
        said = _said_by(found, found.normalised(code), own)
        if said is None:
            return None
        return tuple(
            Signal(fact, PRESENT, value, SOURCE) for facts in said for fact, value in facts.items()
        )

    def own_said(self, registry: str, code: str, own: OwnTypes) -> OwnTypes:
        """
        Give what an agency says itself that the meaning of a code may rest on: of the code, and of
        what it is without its suffix.
        """
        found = self.registry(registry)
        whole = found.normalised(code)
        split = _suffix_of(found, whole)
        names = (whole, split[0]) if split else (whole,)
        asked = [(found.name, name) for name in names]
        return {key: own[key] for key in asked if key in own}


def registry_name(name: str) -> str:
    """
    Give a registry's name as files have it, without case and spaces around it.
    """
    return name.strip().casefold()


def _said_by(registry: Registry, code: str, own: OwnTypes) -> tuple[Facts, ...] | None:
    exact = _exact(registry, code, own)
    if exact is not None:
        return (exact,)
    split = _suffix_of(registry, code)
    if split is not None:
        base, added = split
        said = _exact(registry, base, own)
        said = _fitting(registry, base) if said is None else said
        if said is not None:
            return said, added
    fitting = _fitting(registry, code)
    return None if fitting is None else (fitting,)


def _exact(registry: Registry, code: str, own: OwnTypes) -> Facts | None:
    mapped = own.get((registry.name, code))
    return registry.codes.get(code) if mapped is None else mapped


def _fitting(registry: Registry, code: str) -> Facts | None:
    return next((facts for pattern, facts in registry.patterns if pattern.fits(code)), None)


def _suffix_of(registry: Registry, code: str) -> tuple[str, Facts] | None:
    """
    Take a suffix off: it stands after the last number of a code that has letters before it, so that
    the B of `25-B` is none and the B of `25-A-1-B` is one.
    """
    for suffix, added in registry.suffixes.items():
        base = code.removesuffix(suffix)
        if base != code and base[-1:].isdecimal() and not base.replace(".", "").isdecimal():
            return base, added
    return None


def faults_of(vocabulary: Vocabulary, facts: Mapping[Any, object]) -> Iterator[Fault]:
    """
    Give what is wrong with what a code is to say.

    A code never says that there is no danger, and never calms: it was chosen in a hurry, and nobody
    was asked.
    """
    for name, value in facts.items():
        shown = str(name)[:SHOWN_MAX]
        fact = vocabulary.facts.get(str(name))
        if fact is None or fact.protected:
            near = nearest(name, vocabulary.asked)
            yield Fault(str(name), f"fact `{shown}` is not in the vocabulary", near)
            continue
        allowed = tuple(str(one) for one in sayable(fact)[:ALLOWED_MAX])
        if not fact.has(value):
            text = f"`{shown}` has no value `{str(value)[:SHOWN_MAX]}`"
            yield Fault(fact.name, text, nearest(value, allowed), allowed)
        elif fact.is_danger and value in (fact.values[0], False):
            text = f"a code cannot say that there is no `{shown}`"
            yield Fault(fact.name, text, None, allowed)
        elif fact.calming and value is True:
            text = f"a code cannot calm: only a person can say `{shown}`"
            yield Fault(fact.name, text, None, allowed)


def sayable(fact: Fact) -> tuple[Value, ...]:
    """
    Give the values of a fact that a code may say.
    """
    if fact.is_danger:
        return tuple(one for one in fact.values[1:] if one is not False)
    return tuple(one for one in fact.values if not (fact.calming and one is True))
