"""
Finds the rules that a page of a decision needs: those that decided it, and those it can be tried
under.

This is the one place where these pages ask for rulesets.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from service.parts import Parts
from service.rulesets import Published
from service.store.agencies import Agency


@dataclass(frozen=True, slots=True)
class RulesetChoice:
    """
    A ruleset that a call can be tried under: its name as `POST /v1/simulations` takes it, in words.
    """

    name: str
    words: str


def rules_of(parts: Parts, agency: Agency, named: Mapping[str, Any]) -> Published | None:
    """
    Give the very version that a record names, found by its digest; None where it is not here.
    """
    found = parts.rules.config.rulesets.get(named["name"] or "")
    return found if found is not None and found.digest == named["digest"] else None


def choices(parts: Parts, agency: Agency, named: Mapping[str, Any]) -> tuple[RulesetChoice, ...]:
    """
    List the rulesets that a decision can be tried under, the agency's live one first.
    """
    names = sorted(parts.rules.config.rulesets, key=lambda name: (name != agency.ruleset, name))
    return tuple(
        RulesetChoice(
            name,
            f"{name}, version {parts.rules.config.rulesets[name].version}"
            f" ({'live' if name == agency.ruleset else 'published'})",
        )
        for name in names
    )


def rules_named(parts: Parts, agency: Agency, name: str) -> Published | None:
    """
    Give the ruleset of one of the choices; None where there is none of this name.
    """
    return parts.rules.published(name)
