"""
Keeps in the store whatever decides here, by digest, and gives it back when a decision is made
again.

What is given back was digested anew and is the very thing that its digest names.
"""

import datetime as dt
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import structlog
from sqlalchemy import Engine

from service.errors import ConfigurationError
from service.rules_in_force import RulesInForce
from service.rulesets import Config, Published, load_config
from service.store import kept_rules, rulesets

log = structlog.get_logger()
CONFIGS_MAX: Final = 4  # configurations held compiled, some ten MB each
RULESETS_MAX: Final = 32


class Then(NamedTuple):
    """
    What a decision was made with: the tables, and the ruleset; None where no ruleset was in force.
    """

    config: Config
    published: Published | None


class KeptRules:
    """
    Keeps and finds. One per process; any thread may call it.
    """

    def __init__(self, rules: RulesInForce, store: Engine) -> None:
        self._rules = rules
        self._store = store
        self._kept: set[str] = set()
        self._configs: dict[str, Config | None] = {}
        self._found: dict[tuple[str, str], Then | None] = {}

    def keep(self, now: dt.datetime) -> None:
        """
        Keep what decides in this process, if it is not kept yet.

        Raises:
            StoreUnavailableError: nothing was kept.
        """
        config = self._rules.config
        own = (one for agency in self._rules.live.values() for one in agency.rulesets.values())
        in_force = [*config.rulesets.values(), *own]
        if all(one.digest in self._kept for one in in_force) and self._kept:
            return
        self._kept |= kept_rules.digests(self._store)
        new: dict[str, tuple[str, Mapping[str, Any]]] = {
            one.digest: (
                kept_rules.RULESET,
                {"content": one.content, "tables": config.tables_digest},
            )
            for one in in_force
            if one.digest not in self._kept
        }
        if config.tables_digest not in self._kept:
            new[config.tables_digest] = (kept_rules.TABLES, {"texts": config.texts})
        if new:
            kept_rules.keep(self._store, new, now)
            self._kept |= new.keys()

    def then(
        self, agency: str, named: Mapping[str, Any], tables: str | None, live: Iterable[Published]
    ) -> Then | None:
        """
        Give what a decision was made with, or None where it is not here any more.

        Args:
            agency: Whose decision it is. named: Its ruleset: name, version, digest; without a name
            it was made with none. tables: The digest of its tables, None where it is not on record.
            live: Rulesets that are compiled already.

        Raises:
            StoreUnavailableError: what is not in force here cannot be asked for.
        """
        if not named["name"]:
            found = self._rules.config if tables is None else self._config(tables)
            return Then(found, None) if found else None
        digest = named["digest"]
        for one in live:
            if one.digest == digest:
                return Then(self._rules.config, one)
        key = agency, digest
        if key not in self._found:
            if len(self._found) >= RULESETS_MAX:
                self._found.clear()
            self._found[key] = self._ruleset(agency, digest)
        return self._found[key]

    def _ruleset(self, agency: str, digest: str) -> Then | None:
        row = kept_rules.find(self._store, digest, kept_rules.RULESET)
        if row is not None:
            config, content = self._config(row["tables"]), row["content"]
        else:
            # Published before anything was kept: the tables in force may still be those.
            version = rulesets.find_digest(self._store, agency, digest)
            config, content = self._rules.config, version.content if version else None
        if config is None or content is None:
            return None
        try:
            found = config.publish(content, 0)
        except ConfigurationError:
            log.warning("kept_rules_not_read", digest=digest)
            return None
        return Then(config, found) if found.digest == digest else None

    def _config(self, digest: str) -> Config | None:
        if digest == self._rules.config.tables_digest:
            return self._rules.config
        if digest not in self._configs:
            row = kept_rules.find(self._store, digest, kept_rules.TABLES)
            if len(self._configs) >= CONFIGS_MAX:
                self._configs.clear()
            self._configs[digest] = _read(row["texts"], digest) if row else None
        return self._configs[digest]


def _read(texts: Mapping[str, str], digest: str) -> Config | None:
    """
    Read the tables that were kept, by this program; None where it reads them otherwise, or not at
    all.
    """
    with tempfile.TemporaryDirectory(prefix="crisis-router-") as folder:
        for name, text in texts.items():
            path = Path(folder, name)
            if not path.resolve().is_relative_to(Path(folder).resolve()):
                return None
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        try:
            config = load_config(Path(folder), was_judged=True)
        except ConfigurationError as fault:
            log.warning("kept_tables_not_read", digest=digest, count=len(fault.problems))
            return None
    return config if config.tables_digest == digest else None
