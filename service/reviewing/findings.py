"""
Takes what reviewers found, lists it, and counts it.

The API and the pages call the same functions here.
"""

import datetime as dt
from collections.abc import Callable, Collection, Mapping
from typing import Any

from marshmallow import Schema
from sqlalchemy import Engine

from service.access import Actor
from service.answers import Document
from service.audit import Audit
from service.encryption import KeyRing
from service.erased import erased_whole, is_erased_column
from service.errors import ClaimHeldError, ConflictError
from service.instants import iso
from service.reviewing.blindness import CLAIM_HELD, Blindness
from service.reviewing.finding_scenario import scenario_of
from service.reviewing.review_figures import (
    LIMITS,
    TELLING,
    Figures,
    Judged,
    Share,
    figures_by_rule,
    figures_of,
)
from service.reviewing.review_request import read_finding
from service.routing.facts import Vocabulary
from service.rulesets import Published
from service.store import audit, decisions, findings, reviews
from service.store.agencies import Agency
from service.store.database import reading, writing
from service.store.findings import Finding, Search
from service.tuning.rule_conflicts import NoSuchRulesError, ScenariosError

# Adds a scenario to those of a ruleset's draft: who does it, the ruleset's name, the scenario.
AddScenario = Callable[[Actor, str, Mapping[str, Any]], object]


class Findings:
    """
    Serves one actor at a time. One per process; any thread may call it.
    """

    def __init__(
        self,
        store: Engine,
        schema: Schema,
        blind: Blindness,
        trail: Audit,
        *,
        key_ring: KeyRing,
        vocabulary: Vocabulary,
        published: Callable[[Agency], Published | None],
        add_scenario: AddScenario,
        now: Callable[[], dt.datetime],
    ) -> None:
        self._store = store
        self._schema = schema
        self._blind = blind
        self._trail = trail
        self._key_ring = key_ring
        self._vocabulary = vocabulary
        self._published = published
        self._add_scenario = add_scenario
        self._now = now

    def record(
        self, actor: Actor, agency: Agency, review_id: str, document: Mapping[str, Any]
    ) -> Finding | None:
        """
        Keep what the reviewer found; None where the agency has no such review. Named
        may be the rules of the ruleset that it decides with, and those that fired.

        Raises:
            ValidationError: the body has faults; all are named.
            ConflictError: `not_answered`, `answered_by_another`, or `already_found`.
        """
        with reading(self._store) as connection:
            review = reviews.find(connection, actor.agency, review_id)
        if review is None:
            return None
        stored = decisions.find(self._store, actor.agency, review.decision_id)
        # A fault of the body tells nothing of the answer to somebody who has not given theirs.
        is_theirs = review.answered_at is not None and review.claimed_by == actor.identity
        fired = stored.rules if stored and is_theirs else ()
        recommended = stored.responders if stored and is_theirs else ()
        named = tuple(dict.fromkeys((*fired, *rule_names(self._published(agency)))))
        read = read_finding(self._schema, document, named, recommended)
        if review.answered_at is None:
            raise ConflictError("not_answered", "say first whom you would have sent")
        if review.claimed_by != actor.identity:
            text = "another reviewer answered this review: the finding is theirs"
            raise ConflictError("answered_by_another", text)
        finding_id = findings.new_id()
        comment = read["comment"] and self._key_ring.seal(read["comment"], finding_id)
        made = Finding(
            id=finding_id,
            agency=actor.agency,
            review_id=review_id,
            decision_id=review.decision_id,
            call_id=review.call_id,
            found_at=self._now(),
            found_by=actor.identity,
            found_name=actor.name,
            verdict=read["verdict"],
            should_have_sent=tuple(read["should_have_sent"]),
            wrong_facts=tuple(read["wrong_facts"]),
            wrong_rule=read["wrong_rule"],
            comment=comment,
            rules=fired,
        )
        with writing(self._store) as connection:
            if not findings.add(connection, made):
                raise ConflictError("already_found", "this review has its finding, and only one")
            subject = ("review", review_id)
            entry = self._trail.entry(actor, "found", subject, verdict=made.verdict)
            audit.add(connection, entry)
        return made

    def find(self, actor: Actor, finding_id: str) -> Finding | None:
        """
        Give a finding of the actor's agency, or None.
        """
        if "\0" in finding_id:
            return None
        return findings.find(self._store, actor.agency, finding_id)

    def of_review(self, actor: Actor, review_id: str) -> Finding | None:
        """
        Give the finding of a review, or None.
        """
        return findings.of_reviews(self._store, actor.agency, [review_id]).get(review_id)

    def of_reviews(self, actor: Actor, review_ids: Collection[str]) -> dict[str, Finding]:
        """
        Give the finding of each of these reviews that has one, by the review's id.
        """
        return findings.of_reviews(self._store, actor.agency, review_ids)

    def page(
        self, actor: Actor, search: Search, cursor: str | None, limit: int
    ) -> tuple[list[Document], str | None]:
        """
        Give findings of the actor's agency, newest first, and the cursor of the next page.

        Raises:
            CursorError: the cursor is not one that a page gave.
        """
        found, following = findings.page(self._store, actor.agency, search, cursor, limit)
        return [self.shown(one) for one in found], following

    def of_decision(self, actor: Actor, decision_id: str) -> list[Document]:
        """
        Give what reviewers found about a decision, the earliest first.
        """
        found = findings.of_decisions(self._store, actor.agency, [decision_id])
        return [self.shown(one) for one in found]

    def scenario(self, actor: Actor, ruleset: str, finding_id: str) -> Document | None:
        """
        Add a finding as a scenario to the draft of a ruleset, and give it; None where the agency
        has no such finding.

        Raises:
            ConflictError: `says_nobody` where the finding does not say whom to send, or finds fault
                and would send the same;
                `already_a_scenario`; `not_taken` where the draft has faults of another kind, or
                there is no such ruleset.
            ClaimHeldError: the actor holds a claim on the call.
        """
        finding = self.find(actor, finding_id)
        if finding is None:
            return None
        if self._blind.refuses(actor, finding.decision_id):
            raise ClaimHeldError(CLAIM_HELD)
        stored = decisions.find(self._store, actor.agency, finding.decision_id)
        assert stored is not None, "a finding is about a decision that is stored"
        if erased_whole(stored.body):
            raise ConflictError("erased", "the call of this finding was erased: nothing is left")
        with reading(self._store) as connection:
            review = reviews.find(connection, actor.agency, finding.review_id)
        would_send = list((review and review.would_send) or ())
        sent, request = list(stored.responders), stored.body.get("request")
        if not isinstance(request, Mapping):
            raise ConflictError("not_taken", "the record of this decision is not as it was told")
        made = scenario_of(finding, request, sent, would_send, self._vocabulary)
        if made is None:
            text = "the finding does not say who should have been sent in place of that: say who"
            raise ConflictError("says_nobody", text)
        try:
            self._add_scenario(actor, ruleset, made)
        except ScenariosError as error:
            if all(one.code == "same_id" for one in error.problems):
                text = "the draft has this finding among its scenarios already"
                raise ConflictError("already_a_scenario", text) from error
            raise ConflictError("not_taken", str(error)) from error
        except NoSuchRulesError as error:
            raise ConflictError("not_taken", str(error)) from error
        return made

    def figures(
        self, actor: Actor, since: dt.datetime | None, until: dt.datetime | None
    ) -> Document:
        """
        Count what was found between two times: the random sample and the chosen ones apart, and by
        rule.
        """
        found = [Judged(*one) for one in findings.judged(self._store, actor.agency, since, until)]
        drawn, answered = reviews.count_sample(self._store, actor.agency, since, until)
        sampled = [one for one in found if one.is_sample]
        chosen = [one for one in found if not one.is_sample]
        return {
            "from": iso(since) if since else None,
            "to": iso(until) if until else None,
            "sample": {"drawn": drawn, "answered": answered, **_figures(figures_of(sampled))},
            "chosen": _figures(figures_of(chosen)),
            "by_rule": [
                {"rule": rule, **_figures(figures)}
                for rule, figures in figures_by_rule(found).items()
            ],
            "cannot_say": list(LIMITS),
        }

    def shown(self, finding: Finding) -> Document:
        """
        Give a finding as the API shows it, its comment open; null where its key is not here.
        """
        comment = finding.comment
        if comment is not None and is_erased_column(comment):
            comment = None
        elif comment is not None:
            comment = self._key_ring.open_or(comment, finding.id, None)
        return {
            "finding_id": finding.id,
            "review_id": finding.review_id,
            "decision_id": finding.decision_id,
            "verdict": finding.verdict,
            "should_have_sent": list(finding.should_have_sent),
            "wrong_facts": list(finding.wrong_facts),
            "wrong_rule": finding.wrong_rule,
            "comment": comment,
            "found_at": iso(finding.found_at),
            "found_by": finding.found_name,
        }

    def hidden(self, actor: Actor) -> frozenset[str]:
        """
        Give the ids of decisions whose findings this actor may not see now.
        """
        return self._blind.hidden(actor)


def _figures(figures: Figures) -> Document:
    return {
        "reviewed": figures.reviewed,
        "could_tell": figures.of,
        "cannot_tell": figures.cannot_tell,
        **{name: _share(getattr(figures, name)) for name in TELLING},
    }


def _share(share: Share) -> Document:
    return {"count": share.count, "part": share.part, "low": share.low, "high": share.high}


def rule_names(published: Published | None) -> tuple[str, ...]:
    """
    Name the rules of a ruleset, hazards first.
    """
    if published is None:
        return ()
    tables = (published.content.get(table) or () for table in ("hazards", "needs"))
    return tuple(str(rule["id"]) for table in tables for rule in table)
