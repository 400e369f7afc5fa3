"""
Approves, publishes and rolls back rulesets, and lets an agency decide with another one.

Two persons stand behind every version: the database takes no approval by an author, none of another
content, and no version without one. Here the reasons are found first, so that they can be said.
"""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import structlog
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import IntegrityError

from service.access import Actor
from service.alerts import RULES_NOT_LOADED
from service.audit import Audit
from service.errors import ConfigurationError
from service.rules_in_force import RulesInForce
from service.store import alerts, audit, checks, drafts, ruleset_choices, rulesets
from service.store.alerts import Alert
from service.store.database import writing
from service.store.drafts import Approval, Draft
from service.store.piecework import REQUESTED, RUNNING
from service.store.ruleset_choices import Choice
from service.store.rulesets import Live, Version
from service.tuning.checks import content_of, faults_of
from service.tuning.live_rules import Bell
from service.tuning.rule_conflicts import FaultyMemberError, NoSuchRulesError, RuleConflictError
from service.tuning.two_persons import fault_of_approver

log = structlog.get_logger()
ROLLED_BACK: Final = "rolled back"  # the act in the trail
PAST_MAX: Final = dt.timedelta(minutes=1)  # a form gives whole minutes, and clocks differ
DUE_MAX: Final = 20  # publications in one look of the workers


@dataclass(frozen=True, slots=True)
class Planned:
    """
    A publication for a time: the number that the version will have unless another comes first.
    """

    name: str
    version: int
    digest: str
    at: dt.datetime


class Publishing:
    """
    Publishes for one agency at a time. One per process; any thread may call it.
    """

    def __init__(
        self,
        rules: RulesInForce,
        store: Engine,
        trail: Audit,
        now: Callable[[], dt.datetime],
        bell: Bell,
    ) -> None:
        self._rules = rules
        self._store = store
        self._trail = trail
        self._now = now
        self._bell = bell

    def approve(
        self, actor: Actor, name: str, digest: str, *, comment: str | None, accepts: Sequence[str]
    ) -> Approval:
        """
        Approve exactly the content that *digest* names.

        Args:
            actor: Who approves. name: Of the ruleset. digest: What the approver has read. comment:
            For those who come after. accepts: Ids of scenarios that fail and are meant to.

        Raises:
            NoSuchRulesError: there is no draft.
            RuleConflictError: author_is_approver, approver_is_no_person, digest_changed,
                not_checked, check_failed.
        """
        with writing(self._store) as connection:
            draft = self._draft(connection, actor.agency, name)
            check_id = self._judge(connection, actor, draft, digest, list(accepts))
            approval = Approval(
                draft_id=draft.id,
                revision=draft.revision,
                digest=draft.digest,
                approver=actor.identity,
                approver_name=actor.name,
                comment=comment,
                accepts=accepts,
                check_id=check_id,
                at=self._now(),
            )
            try:
                drafts.approve(connection, approval)
            except IntegrityError as fault:
                text = "the draft was changed, or you are one of its authors"
                raise RuleConflictError("digest_changed", text) from fault
            said = {"digest": digest, "comment": comment, "accepts": list(accepts)}
            entry = self._trail.entry(actor, "approved", ("ruleset", name), **said)
            audit.add(connection, entry)
        return approval

    def _judge(
        self,
        connection: Connection,
        actor: Actor,
        draft: Draft,
        digest: str,
        accepts: list[str],
    ) -> str:
        """
        See that a draft may be approved, and give the id of the check that says so.
        """
        authors = {one.identity for one in drafts.saves_of(connection, draft.id)}
        if actor.identity in authors:
            text = "you saved this draft: somebody else must approve it"
            raise RuleConflictError("author_is_approver", text)
        if actor.person_id is None:
            text = "a draft is approved by a person: use a key or a page of your own"
            raise RuleConflictError("approver_is_no_person", text)
        fault = fault_of_approver(connection, actor, authors, self._now())
        if fault is not None:
            raise RuleConflictError("author_is_approver", fault)
        if digest != draft.digest:
            text = "the draft is not what you read: read it again, and approve its digest"
            raise RuleConflictError("digest_changed", text)
        check = checks.newest(connection, draft.id, content_of(draft))
        if check is None or check.state in (REQUESTED, RUNNING):
            text = "the draft has no finished check: ask for one, and read its result"
            raise RuleConflictError("not_checked", text)
        said = faults_of(check, accepts)
        if draft.problems or said:
            text = "; ".join(said) or "the draft has problems that must be mended"
            raise RuleConflictError("check_failed", text)
        return check.id

    def publish(
        self, actor: Actor, name: str, digest: str, at: dt.datetime | None
    ) -> Version | Planned:
        """
        Publish an approved draft, now or at a time to come.

        Raises:
            NoSuchRulesError: there is no draft.
            RuleConflictError: digest_changed, not_approved.
            FaultyMemberError: the time is past.
        """
        now = self._now()
        if at is not None and at < now - PAST_MAX:
            raise FaultyMemberError("at", "this time is past: leave it null to publish now")
        by = (actor.identity, actor.name)
        with writing(self._store) as connection:
            draft = self._draft(connection, actor.agency, name)
            approval = self._approved(connection, draft, digest)
            if at is not None and at > now:
                drafts.publish_later(connection, draft.id, at, by)
                number = rulesets.newest_number(connection, actor.agency, name) + 1
                when = at.astimezone(dt.UTC).isoformat()
                entry = self._trail.entry(
                    actor, "planned publication", ("ruleset", name), digest=digest, at=when
                )
                audit.add(connection, entry)
                return Planned(name, number, digest, at)
            version = self._publish(connection, draft, approval, by, now)
            entry = self._trail.entry(
                actor, "published", ("ruleset", name), version=version.version, digest=digest
            )
            audit.add(connection, entry)
        self._bell.ring()
        return version

    def publish_due(self) -> int:
        """
        Publish what was planned and whose time has come; gives how many.

        Raises:
            StoreUnavailableError: the store cannot be reached.
        """
        count = 0
        for draft, approval in drafts.due(self._store, self._now(), DUE_MAX):
            by = (approval.publish_by or "", approval.publish_name or "")
            try:
                with writing(self._store) as connection:
                    held = self._draft(connection, draft.agency, draft.name)
                    approved = self._approved(connection, held, approval.digest)
                    version = self._publish(connection, held, approved, by, self._now())
                    audit.add(connection, _planned_entry(version, by, self._now()))
                count += 1
            except (RuleConflictError, NoSuchRulesError, IntegrityError) as fault:
                log.error("planned_publication_failed", error=type(fault).__name__)
                self._alarm(draft, str(fault))
        if count:
            self._bell.ring()
        return count

    def rollback(self, actor: Actor, name: str, version: int, reason: str) -> Version:
        """
        Let an older published version decide again, by one person, in one step.

        Raises:
            NoSuchRulesError: there is no such version.
            RuleConflictError: already_live, or cannot_load.
        """
        now = self._now()
        with writing(self._store) as connection:
            found = rulesets.find_version(connection, actor.agency, name, version)
            live = rulesets.find_live(connection, actor.agency, name)
            if found is None or live is None:
                raise NoSuchRulesError(f"there is no version {version} of `{name[:60]}`")
            if live.version == version:
                raise RuleConflictError("already_live", f"version {version} is live already")
            self._see_that_it_loads(found.content, version)
            rulesets.set_live(
                connection,
                Live(actor.agency, name, version, now, actor.identity, actor.name, reason),
            )
            # The next change of what is live writes over the reason; the trail keeps it.
            said = {"version": version, "before": live.version, "reason": reason}
            entry = self._trail.entry(actor, ROLLED_BACK, ("ruleset", name), **said)
            audit.add(connection, entry)
        self._bell.ring()
        return found

    def propose(self, actor: Actor, name: str, comment: str | None) -> Choice:
        """
        Propose another published ruleset for the agency to decide with.

        Raises:
            NoSuchRulesError: it is not published.
        """
        with writing(self._store) as connection:
            if rulesets.find_live(connection, actor.agency, name) is None:
                raise NoSuchRulesError(f"the ruleset `{name[:60]}` is not published")
            choice = Choice(
                id=ruleset_choices.new_id(),
                agency=actor.agency,
                name=name,
                comment=comment,
                proposed_by=actor.identity,
                proposed_name=actor.name,
                proposed_at=self._now(),
            )
            ruleset_choices.propose(connection, choice)
            audit.add(connection, self._trail.entry(actor, "proposed", ("ruleset", name)))
        return choice

    def approve_choice(self, actor: Actor, name: str) -> Choice:
        """
        Approve what somebody else proposed; from now on the agency decides with it.

        Raises:
            RuleConflictError: no_proposal, author_is_approver, approver_is_no_person.
        """
        with writing(self._store) as connection:
            found = ruleset_choices.find_open(connection, actor.agency)
            if found is None or found.name != name:
                text = f"nobody proposed `{name[:60]}`, or it was approved already"
                raise RuleConflictError("no_proposal", text)
            if found.proposed_by == actor.identity:
                text = "you proposed this: somebody else must approve it"
                raise RuleConflictError("author_is_approver", text)
            if actor.person_id is None:
                text = "a proposal is approved by a person: use a key or a page of your own"
                raise RuleConflictError("approver_is_no_person", text)
            fault = fault_of_approver(connection, actor, {found.proposed_by}, self._now())
            if fault is not None:
                raise RuleConflictError("author_is_approver", fault)
            by = (actor.identity, actor.name)
            ruleset_choices.approve(connection, found.id, by, self._now())
            ruleset_choices.decide_with(connection, actor.agency, name)
            audit.add(connection, self._trail.entry(actor, "chose", ("ruleset", name)))
        self._bell.ring()
        return found

    def _draft(self, connection: Connection, agency: str, name: str) -> Draft:
        draft = drafts.find(connection, agency, name, is_held=True)
        if draft is None:
            raise NoSuchRulesError(f"there is no draft of `{name[:60]}`")
        return draft

    def _approved(self, connection: Connection, draft: Draft, digest: str) -> Approval:
        if digest != draft.digest:
            text = "the draft is not what you name: read it again"
            raise RuleConflictError("digest_changed", text)
        approval = drafts.approval_of(connection, draft.id)
        if approval is None or approval.digest != digest or approval.revision != draft.revision:
            text = "nobody has approved exactly this content"
            raise RuleConflictError("not_approved", text)
        return approval

    def _publish(
        self,
        connection: Connection,
        draft: Draft,
        approval: Approval,
        by: tuple[str, str],
        now: dt.datetime,
    ) -> Version:
        assert draft.content is not None, "what is approved can be read"
        number = rulesets.newest_number(connection, draft.agency, draft.name) + 1
        if self._see_that_it_loads(draft.content, number) != draft.digest:
            text = "the tables of the service changed since: save, check and approve it again"
            raise RuleConflictError("digest_changed", text)
        version = Version(
            agency=draft.agency,
            name=draft.name,
            version=number,
            digest=draft.digest,
            text=draft.text,
            form=draft.form,
            content=draft.content,
            scenarios=draft.scenarios,
            authors=_authors(connection, draft.id),
            draft_id=draft.id,
            approver=approval.approver,
            approver_name=approval.approver_name,
            comment=approval.comment,
            accepts=approval.accepts,
            published_by=by[0],
            published_name=by[1],
            published_at=now,
        )
        try:
            rulesets.add_version(connection, version)
        except IntegrityError as fault:
            text = "the database finds no approval of exactly this content by a second person"
            raise RuleConflictError("not_approved", text) from fault
        rulesets.set_live(connection, Live(draft.agency, draft.name, number, now, *by))
        drafts.remove(connection, draft.id)
        return version

    def _see_that_it_loads(self, content: object, version: int) -> str:
        try:
            return self._rules.config.publish(content, version).digest  # type: ignore[arg-type]  # any document at all is refused in words
        except ConfigurationError as fault:
            text = f"this content cannot be loaded by this program: {fault.problems[0]}"
            raise RuleConflictError("cannot_load", text) from fault

    def _alarm(self, draft: Draft, why: str) -> None:
        now = self._now()
        with writing(self._store) as connection:
            # It waits for nobody any more: whoever settles the alarm approves and publishes again.
            drafts.forget_plan(connection, draft.id)
            alerts.add(
                connection,
                Alert(
                    id=alerts.new_id(),
                    agency=draft.agency,
                    kind=RULES_NOT_LOADED,
                    subject_id=f"{draft.name}@{draft.id}.{draft.revision}"[:200],
                    call_id=None,
                    text=f"the planned publication of {draft.name} failed: {why}"[:2000],
                    raised_at=now,
                    due_at=now,
                ),
            )


def _authors(connection: Connection, draft_id: str) -> list[dict[str, str]]:
    found = {one.identity: one.name for one in drafts.saves_of(connection, draft_id)}
    return [{"identity": identity, "name": name} for identity, name in found.items()]


def _planned_entry(version: Version, by: tuple[str, str], now: dt.datetime) -> audit.Entry:
    return audit.Entry(
        id=checks.new_id(),
        agency=version.agency,
        at=now,
        identity=by[0],
        name=by[1],
        role="admin",
        address=None,
        act="published",
        subject_kind="ruleset",
        subject_id=version.name,
        detail={"version": version.version, "digest": version.digest, "was_planned": True},
    )
