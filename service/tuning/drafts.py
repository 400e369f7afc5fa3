"""
Drafts of rulesets: saved by administrators, kept even with problems, and thrown away.

One draft belongs to each ruleset. Every save notes its author and voids an approval; the store sees
to it. What travels with a draft, its scenarios, is saved in the same way.
"""

import datetime as dt
import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import IntegrityError

from service.access import Actor
from service.audit import Audit
from service.rules_in_force import RulesInForce
from service.rulesets import digest_of
from service.store import audit, drafts, rulesets
from service.store.database import writing
from service.store.drafts import Draft
from service.store.rulesets import Version, Written
from service.tuning import ruleset_text
from service.tuning.draft_scenarios import scenario_problems
from service.tuning.rule_conflicts import (
    DraftChangedError,
    DraftNotNamedError,
    FaultyMemberError,
    NoSuchRulesError,
    RuleConflictError,
    ScenariosError,
)

NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,99}", re.ASCII)
RULESETS_MAX: Final = 50  # of one agency, drafts counted
Matches = Callable[[str], bool]  # tells whether an ETag is one that the change was made on


def etag_of(draft: Draft) -> str:
    """
    Name exactly this text of a draft, comments and all.
    """
    return _mark(draft.text)


def scenarios_etag_of(scenarios: Sequence[Mapping[str, Any]]) -> str:
    """
    Name exactly these scenarios.
    """
    return digest_of(list(scenarios)).removeprefix("sha256:")[:32]


def version_etag_of(version: Version) -> str:
    """
    Name a published version.
    """
    return f"{version.version}-{version.digest.removeprefix('sha256:')[:24]}"


def _mark(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:32]


class Drafts:
    """
    Drafts of one agency at a time. One per process; any thread may call it.
    """

    def __init__(
        self, rules: RulesInForce, store: Engine, trail: Audit, now: Callable[[], dt.datetime]
    ) -> None:
        self._rules = rules
        self._store = store
        self._trail = trail
        self._now = now

    def find(self, agency: str, name: str) -> Draft:
        """
        Give the draft of a ruleset.

        Raises:
            NoSuchRulesError: there is none.
        """
        found = drafts.find(self._store, agency, name)
        if found is None:
            raise NoSuchRulesError(f"there is no draft of `{name[:60]}`")
        return found

    def read(self, text: str, name: str) -> ruleset_text.Read:
        """
        Read a ruleset without saving it: what it says, and its problems.
        """
        return ruleset_text.read_text(self._rules.config.vocabulary, text, name)

    def save(self, actor: Actor, name: str, text: str, matches: Matches | None) -> Draft:
        """
        Save the whole text of a draft, YAML, with its problems; nothing that was written is lost.

        Args:
            actor: Who saves; an author from now on. name: Of the ruleset. text: Of the whole
            ruleset. matches: Tells whether the ETag of what is there is the one that was read; None
            where the change names none.

        Raises:
            DraftNotNamedError: there is a draft, and the change names none.
            DraftChangedError: somebody else saved or published since.
            FaultyMemberError: the name cannot be a ruleset's.
            RuleConflictError: there are too many rulesets.
        """
        read = self.read(text, name)
        problems = [ruleset_text.shown(one) for one in read.problems]
        if any(one.code == "not_text" for one in read.problems):
            # A database keeps no such characters; what they stood for shows as a mark.
            text = text.replace("\0", "\ufffd").encode(errors="replace").decode()
        with writing(self._store) as connection:
            before = drafts.find(connection, actor.agency, name, is_held=True)
            self._judge(connection, (actor.agency, name), before, matches)
            made = self._changed(
                connection,
                actor,
                before or self._new(connection, actor, name),
                digest=self._digest(read.content, text),
                text=text,
                content=read.content,
                problems=problems,
            )
            self._write(connection, made, before)
            entry = self._trail.entry(
                actor, "saved draft", ("ruleset", name), digest=made.digest, problems=len(problems)
            )
            audit.add(connection, entry)
        return made

    def save_scenarios(
        self, actor: Actor, name: str, scenarios: Sequence[Any], matches: Matches | None
    ) -> Draft:
        """
        Save the scenarios that travel with a draft; without a draft one begins.

        Raises:
            ScenariosError: they have faults, all of them named; nothing is saved.
            DraftChangedError: somebody else saved them since, where the change names what it read.
            NoSuchRulesError: there is neither a draft nor a published version.
        """
        problems = scenario_problems(self._rules.config.vocabulary, scenarios)
        if problems:
            raise ScenariosError(problems)
        with writing(self._store) as connection:
            before = drafts.find(connection, actor.agency, name, is_held=True)
            if before is not None:
                _judge_scenarios(before, matches)
            return self._with_scenarios(connection, actor, name, before, scenarios)

    def add_scenario(self, actor: Actor, ruleset_name: str, scenario: Mapping[str, Any]) -> Draft:
        """
        Add one scenario, as a finding gives it, to those that travel with the draft; without a
        draft one begins with the published version.

        Raises:
            ScenariosError: it has faults, or its id is taken.
            NoSuchRulesError: there is neither a draft nor a published version.
        """
        with writing(self._store) as connection:
            before = drafts.find(connection, actor.agency, ruleset_name, is_held=True)
            begun = before or self._new(connection, actor, ruleset_name)
            scenarios = [*begun.scenarios, dict(scenario)]
            problems = scenario_problems(self._rules.config.vocabulary, scenarios)
            if problems:
                raise ScenariosError(problems)
            return self._with_scenarios(connection, actor, ruleset_name, before, scenarios)

    def throw_away(self, actor: Actor, name: str, matches: Matches | None) -> None:
        """
        Throw a draft away, with its scenarios and its approval.

        Raises:
            NoSuchRulesError: there is none.
            DraftChangedError: somebody saved since; only where the change names what it saw.
        """
        with writing(self._store) as connection:
            before = drafts.find(connection, actor.agency, name, is_held=True)
            if before is None:
                raise NoSuchRulesError(f"there is no draft of `{name[:60]}`")
            if matches is not None and not matches(etag_of(before)):
                raise DraftChangedError(before.saved_name, before.saved_at)
            drafts.remove(connection, before.id)
            entry = self._trail.entry(
                actor, "threw draft away", ("ruleset", name), digest=before.digest
            )
            audit.add(connection, entry)

    def _with_scenarios(
        self,
        connection: Connection,
        actor: Actor,
        name: str,
        before: Draft | None,
        scenarios: Sequence[Any],
    ) -> Draft:
        begun = before or self._new(connection, actor, name)
        if begun.text == "":
            raise NoSuchRulesError(f"there is no ruleset `{name[:60]}`")
        made = self._changed(connection, actor, begun, scenarios=list(scenarios))
        self._write(connection, made, before)
        entry = self._trail.entry(
            actor, "saved scenarios", ("ruleset", name), count=len(made.scenarios)
        )
        audit.add(connection, entry)
        return made

    def _judge(
        self,
        connection: Connection,
        of: tuple[str, str],
        before: Draft | None,
        matches: Matches | None,
    ) -> None:
        """
        See that a change was made on what is there.
        """
        if before is not None:
            if matches is None:
                raise DraftNotNamedError("there is a draft: say with `If-Match` which one you read")
            if not matches(etag_of(before)):
                raise DraftChangedError(before.saved_name, before.saved_at)
            return
        if matches is None:
            return
        version = rulesets.find_version(connection, *of)
        if version is None or not matches(version_etag_of(version)):
            name = version.published_name if version else "nobody"
            raise DraftChangedError(name, version.published_at if version else None)

    def _new(self, connection: Connection, actor: Actor, name: str) -> Draft:
        """
        Begin a draft with the live version, or with nothing.
        """
        version = rulesets.find_version(connection, actor.agency, name)
        if version is None:
            self._may_begin(connection, actor.agency, name)
        begun = version or Written("", "yaml", None)
        problems = self.read(begun.text, name).problems if version else ()
        return Draft(
            id=drafts.new_id(),
            agency=actor.agency,
            name=name,
            revision=0,
            digest=self._digest(begun.content, begun.text),
            base_version=version.version if version else 0,
            text=begun.text,
            form=begun.form,
            content=begun.content,
            problems=[ruleset_text.shown(one) for one in problems],
            scenarios=begun.scenarios,
            saved_by=actor.identity,
            saved_name=actor.name,
            saved_at=self._now(),
        )

    def _may_begin(self, connection: Connection, agency: str, name: str) -> None:
        if not NAME.fullmatch(name):
            text = "a ruleset's name is 1 to 100 small letters, digits and dashes"
            raise FaultyMemberError("name", text)
        if len(rulesets.of_agency(connection, agency)) >= RULESETS_MAX:
            raise RuleConflictError(
                "too_many_rulesets", f"an agency has at most {RULESETS_MAX} rulesets"
            )

    def _changed(
        self, connection: Connection, actor: Actor, before: Draft, **changes: Any
    ) -> Draft:
        return replace(
            before,
            revision=before.revision + 1,
            saved_by=actor.identity,
            saved_name=actor.name,
            saved_at=self._now(),
            **changes,
        )

    def _write(self, connection: Connection, made: Draft, before: Draft | None) -> None:
        if before is None:
            try:
                drafts.add(connection, made)
            except IntegrityError as fault:
                raise DraftChangedError("somebody else", None) from fault
        elif not drafts.save(connection, made, before.revision):
            raise DraftChangedError("somebody else", None)

    def _digest(self, content: Mapping[str, Any] | None, text: str) -> str:
        return content_digest(self._rules, content, text)


def content_digest(rules: RulesInForce, content: Mapping[str, Any] | None, text: str) -> str:
    """
    Give the digest of everything that `decide` would read, or of a text that cannot be read.
    """
    if content is None:
        return digest_of({"text": _mark(text)})
    return digest_of({"ruleset": content, **rules.config.tables})


def _judge_scenarios(before: Draft, matches: Matches | None) -> None:
    if matches is not None and not matches(scenarios_etag_of(before.scenarios)):
        raise DraftChangedError(before.saved_name, before.saved_at)
