"""
Finds the ruleset that somebody wants to try a call under: the live one, another version, the draft,
or a whole one as an object.

What is compiled for a trial decides no call.
"""

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import Engine

from service.rules_in_force import RulesInForce
from service.rulesets import Published, digest_of
from service.store import drafts, rulesets
from service.store.agencies import Agency
from service.tuning.rule_conflicts import NoSuchRulesError

# Whole rulesets are compiled once; a tuner tries the same one with many calls.
COMPILED_MAX: Final = 16
DRAFT: Final = "draft"
DRAFT_VERSION: Final = 0


class Trials:
    """
    Rulesets to try, of one agency at a time. One per process; any thread may call it.
    """

    def __init__(self, rules: RulesInForce, store: Engine) -> None:
        self._rules = rules
        self._store = store
        self._compiled: dict[tuple[str, int], Published] = {}

    def names(self, agency: Agency) -> tuple[str, ...]:
        """
        Name the rulesets that an agency could try.
        """
        own = self._rules.live.get(agency.id)
        found = {*(own.rulesets if own else ()), *self._rules.config.rulesets}
        return tuple(sorted(found))

    def named(self, agency: Agency, asked: str) -> Published:
        """
        Give what `name`, `name@version` or `name@draft` means for an agency.

        Raises:
            NoSuchRulesError: the agency has none of that name, or no such version.
            ConfigurationError: the draft has faults; every one is named.
            StoreUnavailableError: it is not in force, and the store cannot be asked.
        """
        name, at, which = asked.partition("@")
        live = self._rules.published(agency, name)
        if not at and live is not None:
            return live
        if which == DRAFT:
            return self._draft(agency, name)
        if live is not None and which == str(live.version):
            return live
        number = int(which) if which.isascii() and which.isdigit() and len(which) < 9 else 0
        row = rulesets.find_version(self._store, agency.id, name, number) if number else None
        if row is None:
            raise NoSuchRulesError(f"`{asked[:80]}` is not published here")
        return self.whole(row.content, row.version)

    def whole(self, content: Mapping[str, Any], version: int = DRAFT_VERSION) -> Published:
        """
        Compile a ruleset that is given as a document.

        Raises:
            ConfigurationError: it has faults; every one is named.
        """
        key = digest_of(content), version
        found = self._compiled.get(key)
        if found is None:
            found = self._rules.config.publish(content, version)
            if len(self._compiled) >= COMPILED_MAX:
                self._compiled.clear()
            self._compiled[key] = found
        return found

    def of_record(self, agency: Agency, named: Mapping[str, Any]) -> Published | None:
        """
        Give the ruleset that a decision names, by its digest, or None where it is not here any
        more.
        """
        if not named["name"]:
            return None
        live = self._rules.published(agency, named["name"])
        if live is not None and live.digest == named["digest"]:
            return live
        row = rulesets.find_digest(self._store, agency.id, named["digest"])
        return self.whole(row.content, row.version) if row else live

    def _draft(self, agency: Agency, name: str) -> Published:
        draft = drafts.find(self._store, agency.id, name) if "\0" not in name else None
        if draft is None:
            raise NoSuchRulesError(f"there is no draft of `{name[:60]}`")
        return self.whole(draft.content if draft.content is not None else {})
