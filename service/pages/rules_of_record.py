"""
Finds the rules that a page of a decision needs: those that decided it, and those it can be tried
under.

This is the one place where these pages ask for rulesets.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from service.access import READ_RULES, Actor
from service.errors import ConfigurationError, StoreUnavailableError
from service.parts import Parts
from service.rulesets import Published
from service.store import drafts
from service.store.agencies import Agency
from service.tuning.rule_conflicts import NoSuchRulesError
from service.tuning.trials import DRAFT


@dataclass(frozen=True, slots=True)
class RulesetChoice:
    """
    A ruleset that a call can be tried under: its name as `POST /v1/simulations` takes it, in words.
    """

    name: str
    words: str


class CannotTryError(Exception):
    """
    A ruleset cannot be tried; the text says why.
    """


def rules_of(parts: Parts, agency: Agency, named: Mapping[str, Any]) -> Published | None:
    """
    Give the very version that a record names, found by its digest; None where it is not here, or
    the store cannot be asked.
    """
    try:
        found = parts.trials.of_record(agency, named)
    except (ConfigurationError, StoreUnavailableError):
        return None
    return found if found is not None and found.digest == named["digest"] else None


def choices(
    parts: Parts, actor: Actor, agency: Agency, named: Mapping[str, Any]
) -> tuple[RulesetChoice, ...]:
    """
    List the rulesets that a decision can be tried under: the live one first, the version that
    decided it, the others, and the drafts for whoever may read rules.
    """
    found: dict[str, str] = {}
    names = sorted(parts.trials.names(agency), key=lambda name: (name != agency.ruleset, name))
    for name in names:
        live = parts.rules.published(agency, name)
        if live is not None:
            state = "live" if name == agency.ruleset else "published"
            found[name] = f"{name}, version {live.version} ({state})"
        if name == named["name"] and named["version"] and not _is_same(live, named):
            words = f"{name}, version {named['version']} (decided this call)"
            found[f"{name}@{named['version']}"] = words
    if actor.may(READ_RULES):
        for draft in _drafts(parts, agency):
            found[f"{draft}@{DRAFT}"] = f"{draft}, the draft"
    return tuple(RulesetChoice(name, words) for name, words in found.items())


def _is_same(live: Published | None, named: Mapping[str, Any]) -> bool:
    return live is not None and live.version == named["version"]


def _drafts(parts: Parts, agency: Agency) -> tuple[str, ...]:
    try:
        return tuple(draft.name for draft in drafts.of_agency(parts.store, agency.id))
    except StoreUnavailableError:
        return ()


def rules_named(parts: Parts, agency: Agency, name: str) -> Published:
    """
    Give the ruleset of one of the choices.

    Raises:
        CannotTryError: it is not there, or has faults.
    """
    try:
        return parts.trials.named(agency, name)
    except NoSuchRulesError as fault:
        raise CannotTryError(str(fault).replace("`", "")) from fault
    except ConfigurationError as fault:
        count = len(fault.problems)
        text = f"this draft has {count} problem{'s' if count != 1 else ''}: mend it under Rules"
        raise CannotTryError(text) from fault
