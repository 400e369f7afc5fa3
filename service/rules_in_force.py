"""
Which rules decide now, and how far they can be trusted.

What loads is copied aside; what does not load leaves the copy in force, and says so. Without
either, the floor answers. A process swaps one reference, so no request ever sees half a change.
"""

import os
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import structlog

from service.errors import ConfigurationError
from service.routing.problems import Problem
from service.rulesets import Config, Published, load_config
from service.settings import Settings, shipped_config
from service.store.agencies import Agency

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class AgencyRules:
    """
    The rulesets of one agency in force, by name; `faults` says in words which published version
    could not be loaded, by the name of its ruleset.
    """

    rulesets: Mapping[str, Published] = field(default_factory=dict)
    faults: Mapping[str, str] = field(default_factory=dict)


class RulesInForce:
    """
    The configuration in force, and the published rulesets of every agency.

    `mode` and `faults` are of the files: full, last_good_rules or floor. A process swaps the
    rulesets of all agencies at once (`swap`), so no request ever sees half a change.
    """

    def __init__(self, config: Config, mode: str, faults: tuple[str, ...] = ()) -> None:
        self.config = config
        self.mode = mode
        self.faults = faults
        self._live: Mapping[str, AgencyRules] = {}

    @property
    def live(self) -> Mapping[str, AgencyRules]:
        """
        Give the rules of each agency that has its own; a frozen value, safe to hold.
        """
        return self._live

    def swap(self, live: Mapping[str, AgencyRules]) -> None:
        """
        Let other rules decide from now on.
        """
        self._live = live

    def published(self, agency: Agency, name: str | None = None) -> Published | None:
        """
        Give an agency's ruleset, by default the one it decides with, or None: then the floor
        answers.

        An agency whose own the store has never told decides with the shipped one of that name.
        """
        if self.mode == "floor":
            return None
        name = name or agency.ruleset
        own = self._live.get(agency.id)
        found = own.rulesets.get(name) if own else None
        return found or self.config.rulesets.get(name)

    def mode_of(self, agency: Agency) -> str:
        """
        Say how far an agency's rules can be trusted: full, last_good_rules or floor.
        """
        own = self._live.get(agency.id)
        has_old = own is not None and agency.ruleset in own.faults
        return "last_good_rules" if self.mode == "full" and has_old else self.mode

    def faults_of(self, agency: Agency) -> tuple[str, ...]:
        """
        Say in words what of an agency's published rules could not be loaded.
        """
        own = self._live.get(agency.id)
        return tuple(own.faults.values()) if own else ()


def rulesets_shown(rules: RulesInForce, agencies: Iterable[Agency]) -> dict[str, dict[str, Any]]:
    """
    Say for each agency by which version of which ruleset this process decides, and how far it is to
    be trusted.
    """
    shown = {}
    for agency in agencies:
        one = rules.published(agency)
        shown[agency.id] = {
            "name": agency.ruleset,
            "version": one.version if one else None,
            "digest": one.digest if one else None,
            "mode": rules.mode_of(agency),
        }
    return shown


def read_rules(settings: Settings) -> RulesInForce:
    """
    Read the rules of `settings.config`, else the last good copy under `home`, else none.

    A ruleset that was good and is gone from the folder stays in force too. Never raises for rules
    that cannot be read; every fault is in the log and in `faults`.
    """
    kept = settings.home / "last_good_config"
    try:
        config = _load(settings.config)
    except ConfigurationError as fault:
        faults = tuple(str(problem) for problem in fault.problems)
        log.error("rules_not_loaded", faults=faults[:FAULTS_LOGGED_MAX], count=len(faults))
        return _last_good(kept, faults)
    gone = _gone(kept, config)
    if gone:
        faults = tuple(f"ruleset `{name}` is gone from {settings.config}" for name in gone)
        log.error("rules_gone", faults=faults)
        config = replace(config, rulesets={**gone, **config.rulesets})
        return RulesInForce(config, "last_good_rules", faults)
    _keep(settings.config, kept)
    return RulesInForce(config, "full")


FAULTS_LOGGED_MAX = 20


def _load(folder: Path) -> Config:
    """
    Load a configuration; whatever is wrong with it is one kind of error, and none is a good one
    without a ruleset.
    """
    try:
        config = load_config(folder)
    except ConfigurationError:
        raise
    except Exception as fault:  # a file that nobody foresaw must not stop the service
        text = f"cannot be read ({type(fault).__name__})"
        problem = Problem("unreadable", "", text, file=str(folder))
        raise ConfigurationError([problem]) from fault
    if not config.rulesets:
        problem = Problem("no_ruleset", "", "holds no ruleset", file=str(folder / "rulesets"))
        raise ConfigurationError([problem])
    return config


def _gone(kept: Path, config: Config) -> dict[str, Published]:
    """
    Give the rulesets of the last good copy that a configuration no longer has.
    """
    try:
        before = _load(kept).rulesets
    except ConfigurationError:
        return {}
    return {name: one for name, one in before.items() if name not in config.rulesets}


def _last_good(kept: Path, faults: tuple[str, ...]) -> RulesInForce:
    try:
        return RulesInForce(_load(kept), "last_good_rules", faults)
    except ConfigurationError:
        # The vocabulary that travels with the program still reads the call; no rule is applied.
        return RulesInForce(load_config(shipped_config()), "floor", faults)


def _keep(source: Path, kept: Path) -> None:
    """
    Copy the YAML of a configuration that loaded; a copy that cannot be made is no reason not to
    answer.
    """
    files = [path.relative_to(source) for path in source.rglob("*.yaml")]
    try:
        if all(
            (kept / name).exists() and (kept / name).read_bytes() == (source / name).read_bytes()
            for name in files
        ):
            return
        # Several processes start at once: each makes its own copy, and the last to finish is the
        # one kept.
        draft = kept.with_name(f".last_good_config.{os.getpid()}")
        shutil.rmtree(draft, ignore_errors=True)
        for name in files:
            (draft / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source / name, draft / name)
        old = kept.with_name(f".last_good_config.{os.getpid()}.old")
        if kept.exists():
            kept.rename(old)
        draft.rename(kept)
        shutil.rmtree(old, ignore_errors=True)
    except OSError as fault:
        shutil.rmtree(kept.with_name(f".last_good_config.{os.getpid()}"), ignore_errors=True)
        if not kept.exists():
            log.warning("rules_not_kept", error=type(fault).__name__)
