"""
Two persons behind every version, kept by the database itself, whatever writes to it.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection, Engine, delete, insert, select, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from service.store import (
    agencies,
    checks,
    drafts,
    ruleset_choices,
    rulesets,
    stored_requests,
)
from service.store.agencies import Agency
from service.store.checks import Check
from service.store.cursor import Cursor
from service.store.database import writing
from service.store.decisions import decisions
from service.store.drafts import Approval, Draft
from service.store.rule_counts import fired_since
from service.store.ruleset_choices import Choice
from service.store.rulesets import Live, Version

NOW = datetime(2026, 11, 25, 12, 0, 0, 0, UTC)
CONTENT = {"name": "ours", "needs": []}
ADA, BEN = "person:ada", "person:ben"


@pytest.fixture
def kept(store: Engine) -> Engine:
    """
    Give a store with an agency, its shipped version and a draft that Ada saved.
    """
    agencies.create(store, Agency("a", "A", "UTC", "ours", NOW))
    with writing(store) as connection:
        rulesets.add_version(connection, version(1, draft_id=None))
        rulesets.set_live(connection, Live("a", "ours", 1, NOW, "shipped", "shipped"))
        drafts.add(connection, draft())
    return store


def draft(**changes: object) -> Draft:
    """
    Make a draft by Ada.
    """
    made = Draft(
        id="d-1",
        agency="a",
        name="ours",
        revision=1,
        digest="sha256:one",
        base_version=1,
        text="name: ours",
        form="yaml",
        content=CONTENT,
        problems=(),
        scenarios=(),
        saved_by=ADA,
        saved_name="Ada",
        saved_at=NOW,
    )
    return replace(made, **changes)  # type: ignore[arg-type]  # a test names the members


def version(number: int, draft_id: str | None = "d-1", **changes: object) -> Version:
    """
    Make a version of the draft that Ben approved, or the shipped one.
    """
    is_shipped = draft_id is None
    made = Version(
        agency="a",
        name="ours",
        version=number,
        digest="sha256:one",
        text="name: ours",
        form="yaml",
        content=CONTENT,
        scenarios=(),
        authors=({"identity": ADA, "name": "Ada"},),
        draft_id=draft_id,
        approver=None if is_shipped else BEN,
        approver_name=None if is_shipped else "Ben",
        comment=None,
        accepts=(),
        published_by="shipped" if is_shipped else ADA,
        published_name="shipped" if is_shipped else "Ada",
        published_at=NOW,
    )
    return replace(made, **changes)  # type: ignore[arg-type]  # a test names the members


def approval(**changes: object) -> Approval:
    """
    Make Ben's approval of the draft.
    """
    made = Approval("d-1", 1, "sha256:one", BEN, "Ben", None, (), "c-1", NOW)
    return replace(made, **changes)  # type: ignore[arg-type]  # a test names the members


def approve(store: Engine, **changes: object) -> None:
    """
    Write an approval straight into the store.
    """
    with writing(store) as connection:
        drafts.approve(connection, approval(**changes))


def publish(store: Engine, made: Version) -> None:
    """
    Write a version straight into the store.
    """
    with writing(store) as connection:
        rulesets.add_version(connection, made)


def refused(store: Engine, statement: object) -> None:
    """
    See that the database itself refuses a statement.
    """
    with pytest.raises(DBAPIError), writing(store) as connection:
        connection.execute(statement)  # type: ignore[call-overload]  # any statement


def test_an_approved_draft_is_published_once(kept: Engine) -> None:
    """
    With an approval of exactly its content a draft becomes the next version, and only that.
    """
    approve(kept)
    for wrong in (version(3), version(1), version(2, approver="person:cleo")):
        with pytest.raises(IntegrityError):
            publish(kept, wrong)
    publish(kept, version(2))
    found = rulesets.find_version(kept, "a", "ours", 2)
    assert found is not None
    assert (found.content, found.approver, found.authors) == (
        CONTENT,
        BEN,
        [{"identity": ADA, "name": "Ada"}],
    )
    assert rulesets.find_version(kept, "b", "ours", 2) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"approver": ADA},
        {"digest": "sha256:two"},
        {"revision": 2},
        {"approver": "key:k-1"},
        {"draft_id": "d-2"},
    ],
)
def test_no_approval_by_an_author_or_of_another_content(
    kept: Engine, changes: dict[str, object]
) -> None:
    """
    The database takes no approval by somebody who saved the draft, by no person, or of anything
    else than what the draft holds.
    """
    with pytest.raises(IntegrityError):
        approve(kept, **changes)
    assert drafts.approval_of(kept, "d-1") is None


def test_whoever_saved_it_before_is_an_author_still(kept: Engine) -> None:
    """
    Ada saved first and Ben after her: neither may approve, a third person may.
    """
    with writing(kept) as connection:
        made = draft(revision=2, digest="sha256:two", saved_by=BEN, saved_name="Ben")
        assert drafts.save(connection, made, 1)
    assert [(one.revision, one.identity) for one in drafts.saves_of(kept, "d-1")] == [
        (1, ADA),
        (2, BEN),
    ]
    for identity in (ADA, BEN):
        with pytest.raises(IntegrityError):
            approve(kept, approver=identity, revision=2, digest="sha256:two")
    approve(kept, approver="person:cleo", revision=2, digest="sha256:two")


def test_every_save_voids_the_approval(kept: Engine) -> None:
    """
    However a draft is written, the approval is gone and the writer is an author.
    """
    approve(kept)
    with writing(kept) as connection:
        connection.execute(
            update(drafts.drafts).values(
                content={"name": "ours", "needs": [1]}, revision=2, saved_by="person:eve"
            )
        )
    assert drafts.approval_of(kept, "d-1") is None
    assert drafts.saves_of(kept, "d-1")[-1].identity == "person:eve"
    with pytest.raises(IntegrityError):
        publish(kept, version(2))


def test_no_write_of_a_draft_goes_unnoticed(kept: Engine) -> None:
    """
    A draft cannot be written without counting a save, nor be given to another ruleset.
    """
    approve(kept)
    refused(kept, update(drafts.drafts).values(text="else"))
    refused(kept, update(drafts.drafts).values(revision=5))
    refused(kept, update(drafts.drafts).values(revision=2, name="other"))
    refused(kept, update(drafts.saves).values(identity="person:nobody"))
    refused(kept, delete(drafts.saves))
    refused(kept, update(drafts.approvals).values(approver="person:cleo"))
    refused(kept, update(drafts.approvals).values(digest="sha256:two"))
    assert drafts.approval_of(kept, "d-1") == approval(accepts=[])


def test_no_version_of_another_content_than_was_approved(kept: Engine) -> None:
    """
    The approved digest is not enough: content and scenarios must be the draft's own.
    """
    approve(kept)
    for wrong in (
        version(2, content={"name": "ours", "needs": [1]}),
        version(2, scenarios=({"id": "s"},)),
        version(2, draft_id=None, published_by=ADA, published_name="Ada"),
        version(2, draft_id=None),
        version(2, agency="b"),
    ):
        with pytest.raises(IntegrityError):
            publish(kept, wrong)


def test_a_published_version_is_never_changed(kept: Engine) -> None:
    """
    The database refuses to change or remove a version.
    """
    refused(kept, update(rulesets.versions).values(digest="sha256:two"))
    refused(kept, delete(rulesets.versions).where(rulesets.versions.c.version == 1))
    refused(kept, update(rulesets.live).values(version=9))


def test_the_draft_of_a_ruleset_is_one(kept: Engine) -> None:
    """
    A second draft of the same ruleset is refused; one that goes takes its approval along, and who
    saved it stays known.
    """
    with pytest.raises(IntegrityError), writing(kept) as connection:
        drafts.add(connection, draft(id="d-2"))
    approve(kept)
    with writing(kept) as connection:
        drafts.remove(connection, "d-1")
    assert drafts.approval_of(kept, "d-1") is None
    assert len(drafts.saves_of(kept, "d-1")) == 1


def test_a_race_of_two_saves_has_one_winner(kept: Engine) -> None:
    """
    A save over another state than the one that was seen changes nothing.
    """
    with writing(kept) as connection:
        assert drafts.save(connection, draft(revision=2, text="ben's"), 1)
    with writing(kept) as connection:
        assert not drafts.save(connection, draft(revision=2, text="ada's"), 1)
    found = drafts.find(kept, "a", "ours")
    assert found is not None
    assert found.text == "ben's"


def test_another_ruleset_takes_two_persons(kept: Engine) -> None:
    """
    The database takes no approval of a proposal by the one who made it, nor by no person.
    """
    choice = Choice("p-1", "a", "ours", None, ADA, "Ada", NOW)
    with writing(kept) as connection:
        ruleset_choices.propose(connection, choice)

    def approve_as(connection: Connection, identity: str) -> bool:
        return ruleset_choices.approve(connection, "p-1", (identity, "x"), NOW)

    for identity in (ADA, "key:k-1"):
        with pytest.raises(IntegrityError), writing(kept) as connection:
            approve_as(connection, identity)
    with writing(kept) as connection:
        assert approve_as(connection, BEN)
    assert ruleset_choices.find_open(kept, "a") is None
    with pytest.raises(IntegrityError), writing(kept) as connection:
        ruleset_choices.propose(connection, replace(choice, id="p-2", name="not-published"))


def test_a_plan_is_due_at_its_time(kept: Engine) -> None:
    """
    A planned publication is found once its time has come, and an edit forgets it.
    """
    approve(kept)
    later = NOW + timedelta(hours=1)
    with writing(kept) as connection:
        assert drafts.publish_later(connection, "d-1", later, (ADA, "Ada"))
    assert drafts.due(kept, NOW, 10) == ()
    [(found, plan)] = drafts.due(kept, later, 10)
    assert (found.id, plan.publish_by) == ("d-1", ADA)
    with writing(kept) as connection:
        drafts.save(connection, draft(revision=2), 1)
    assert drafts.due(kept, later, 10) == ()


def test_a_check_is_taken_by_one_and_taken_again_when_its_worker_is_gone(kept: Engine) -> None:
    """
    While one holds a check nobody else takes it; after that time another does it again.
    """
    check = Check("c-1", "a", "ours", "d-1", "sha256:one", "s", "requested", ADA, "Ada", NOW)
    with writing(kept) as connection:
        checks.add(connection, check)
    until = NOW + timedelta(seconds=30)
    taken = checks.take(kept, NOW, until)
    assert taken is not None
    assert (taken.state, taken.tries) == ("running", 1)
    assert checks.take(kept, NOW + timedelta(seconds=29), until) is None
    again = checks.take(kept, until, until + timedelta(seconds=30))
    assert again is not None
    assert again.tries == 2
    checks.go_on(kept, "c-1", {"done": 1})
    went_on = checks.take(kept, until, until)
    assert went_on is not None
    assert (went_on.progress, went_on.tries) == ({"done": 1}, 1)
    checks.finish(kept, "c-1", {"problems": []}, until)
    assert checks.take(kept, until + timedelta(hours=1), until) is None
    checks.fail(kept, "c-1", "too late", until)
    found = checks.find(kept, "a", "c-1")
    assert found is not None
    assert (found.state, found.result, found.reason) == ("done", {"problems": []}, None)
    assert checks.find(kept, "b", "c-1") is None
    assert checks.newest(kept, "d-1", ("sha256:one", "s")) == found
    assert checks.newest(kept, "d-1", ("sha256:two", "s")) is None


def test_an_author_cannot_be_written_past_the_draft(kept: Engine) -> None:
    """
    A save that is written by hand counts as one: it voids the approval too.
    """
    approve(kept)
    with writing(kept) as connection:
        connection.execute(
            insert(drafts.saves).values(
                draft_id="d-1", revision=9, identity=BEN, name="Ben", at=NOW, digest="x"
            )
        )
        assert connection.execute(select(drafts.approvals)).first() is None


def test_firings_are_counted_and_requests_read_again(store: Engine) -> None:
    """
    Each rule is counted by its whole name, for one agency, ruleset and span; requests come newest
    first, piece by piece.
    """
    told = [
        ("d-1", "a", "ours", ["talk", "gun"], NOW),
        ("d-2", "a", "ours", ["talk"], NOW + timedelta(seconds=1)),
        ("d-3", "a", "theirs", ["talk"], NOW),
        ("d-4", "b", "ours", ["talk"], NOW),
        ("d-5", "a", "ours", ["talk"], NOW - timedelta(days=91)),
    ]
    rows = [
        {
            "record_id": record_id,
            "agency": agency,
            "call_id": record_id,
            "host_id": "h",
            "journal_number": number,
            "decided_at": at,
            "responders": ["988"],
            "rules": rules,
            "police": False,
            "fallback": False,
            "ruleset_name": name,
            "body": {"request": {"facts": {"caller": "self"}}},
            "stored_at": NOW,
        }
        for number, (record_id, agency, name, rules, at) in enumerate(told)
    ]
    with writing(store) as connection:
        connection.execute(insert(decisions), rows)
    found = fired_since(store, "a", "ours", NOW - timedelta(days=90))
    assert (found.decisions, dict(found.rules)) == (2, {"talk": 2, "gun": 1})
    first = stored_requests.before(store, "a", None, 2)
    assert [one.decision_id for one in first] == ["d-2", "d-3"]
    assert first[0].request == {"facts": {"caller": "self"}}
    last = Cursor(first[-1].decided_at, first[-1].decision_id)
    rest = stored_requests.before(store, "a", last, 9)
    assert [one.decision_id for one in rest] == ["d-1", "d-5"]
