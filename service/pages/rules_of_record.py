"""
Finds the rules that a page of a decision needs: those that decided it, and those it can be tried
under.

This is the one place where these pages ask for rulesets.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from service.errors import ConfigurationError, StoreUnavailableError
from service.parts import Parts
from service.rule_conflicts import NoSuchRulesError
from service.rulesets import Published
from service.store import drafts
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
    Give the very version that a record names, found by its digest; None where it is not here, or
    the store cannot be asked.
    """
    try:
        found = parts.trials.of_record(agency, named)
    except (StoreUnavailableError, ConfigurationError):
        return None
    return found if found is not None and found.digest == named["digest"] else None


def choices(parts: Parts, agency: Agency, named: Mapping[str, Any]) -> tuple[RulesetChoice, ...]:
    """
    List the rulesets that a decision can be tried under: the agency's live one, the version that
    decided where it is another, the others, and drafts.
    """
    names = sorted(parts.trials.names(agency), key=lambda name: (name != agency.ruleset, name))
    listed = [_live(parts, agency, name) for name in names]
    decided = f"{named['name']}@{named['version']}"
    live = parts.rules.published(agency, named["name"]) if named["name"] else None
    if live is None or live.version != named["version"]:
        listed.append(
            RulesetChoice(decided, f"{named['name']}, version {named['version']}, which decided")
        )
    listed += [
        RulesetChoice(f"{name}@draft", f"{name}, the draft") for name in _drafted(parts, agency)
    ]
    return tuple(listed)


def rules_named(parts: Parts, agency: Agency, name: str) -> Published | None:
    """
    Give the ruleset of one of the choices; None where there is none of this name, or it has faults.
    """
    try:
        return parts.trials.named(agency, name)
    except (NoSuchRulesError, ConfigurationError):
        return None


def _live(parts: Parts, agency: Agency, name: str) -> RulesetChoice:
    found = parts.rules.published(agency, name)
    words = "live" if name == agency.ruleset else "published"
    return RulesetChoice(name, f"{name}, version {found.version if found else 0} ({words})")


def _drafted(parts: Parts, agency: Agency) -> tuple[str, ...]:
    try:
        return tuple(one.name for one in drafts.of_agency(parts.store, agency.id))
    except StoreUnavailableError:
        return ()
