"""
The page of the state: where records are, whether the log verifies, and that it stands with anything
away.
"""

import datetime as dt
import re
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import delete, insert, select, update

from service import journals
from service.alerts import raise_for_missing
from service.chain import logs
from service.journal.aside import FOLDER
from service.store import chain, journal_positions
from service.store.database import writing
from service.store.decisions import decisions
from tests.pages.browsing import Clock, Service, acts, post, signed_in
from tests.pages.log import decide, opened, ship
from tests.quarantining import REASON, bug_of_ours, quarantine_all, quarantine_nobodys

SECRET = "OKAPI WORDS"
AWAY = "Not known while the store is away"


def words_of(text: str) -> str:
    """
    Give the text of a page without its tags, in one line.
    """
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text))


def verify(house: Service) -> None:
    """
    Seal and verify, as the workers do.
    """
    store, now = house.parts.store, house.parts.now
    while chain.seal(store, now(), 1_000):
        pass
    while logs.work(store, now, lambda: 0.0) is not None:
        pass


def test_it_says_where_records_are(house: Service) -> None:
    """
    What waits, what of each journal is in the store, what is missing of another host's, and what
    was set aside.
    """
    admin = signed_in(house, house.credentials.admin)
    assert "Nothing of any journal is in the store yet" in opened(admin, "/state")
    decide(house, "here")
    own = house.parts.journal.host_id
    text = words_of(opened(admin, "/state"))
    assert own in text
    assert "1 record, the oldest for" in text
    ship(house.parts)
    now = house.parts.now()
    other, older = "ab" * 16, now - dt.timedelta(minutes=2)
    journal_positions.note_highest(house.parts.store, other, 7, older)
    folder = house.parts.settings.home / FOLDER
    folder.mkdir()
    (folder / f"damaged-{other}-0123456789ab.sqlite").touch()
    (folder / "damaged-unknown-0123456789ab.sqlite.shipped").touch()
    text = words_of(opened(admin, "/state"))
    assert "Waiting for the store nothing" in text
    assert f"{own[:12]} this one All numbers 1 to 1" in text
    assert f"{other[:12]} Records missing first 1 to 7 of 7" in text
    assert f"A damaged journal of host {other[:12]}" in text
    assert "a host that nobody can tell: nothing of it can be read" in text


def test_numbers_that_came_a_moment_ago_are_on_their_way(house: Service) -> None:
    """
    What lacks for less than a minute is not called missing.
    """
    admin = signed_in(house, house.credentials.admin)
    journal_positions.note_highest(house.parts.store, "ab" * 16, 7, house.parts.now())
    assert "On the way all through 0, of 7" in words_of(opened(admin, "/state"))


def test_the_log_is_verified_from_the_page(house: Service, clock: Clock) -> None:
    """
    Head and anchor are shown; the button asks the workers; what they found stands there, a fault in
    words.
    """
    supervisor = signed_in(house, house.credentials.supervisor)
    decide(house, "verified")
    ship(house.parts)
    verify(house)
    head = chain.head(house.parts.store, "example")
    shown = supervisor.get("/state")
    assert f"{head.place}:{head.hash}" in shown.text
    assert "Not yet." in shown.text
    for is_good in (True, False):
        clock.move(60)
        pressed = post(supervisor, "/state/verify", shown)
        assert pressed.location == "/state?done=asked#log"
        assert "Not done yet" in opened(supervisor, "/state?done=asked")
        verify(house)
        text = words_of(opened(supervisor, "/state"))
        assert ("Verifies" in text) == is_good
        with writing(house.parts.store) as connection:
            connection.execute(update(decisions).values(police=False, urgency="none"))
    assert "Alteration at place" in text
    assert "asked for verification" in acts(house)
    admin = signed_in(house, house.credentials.admin)
    assert "/state/verify" not in admin.get("/state").text
    assert post(admin, "/state/verify", admin.get("/state")).status_code == 403


def test_a_record_in_quarantine_is_stored_again_from_the_page(house: Service) -> None:
    """
    It is named with its reason and never by what it says; an administrator has it stored once the
    program can read it, and the trail says so.
    """
    admin = signed_in(house, house.credentials.admin)
    supervisor = signed_in(house, house.credentials.supervisor)
    decision_id = decide(house, "poison", remarks=SECRET)
    ((host_id, number),) = quarantine_all(house.parts)
    quarantine_nobodys(house.parts, 1)
    path = f"/state/quarantine/{host_id}/{number}/retry"
    for client, may in ((admin, True), (supervisor, False)):
        text = opened(client, "/state")
        assert decision_id in text
        assert REASON in text
        assert SECRET not in text
        assert f"crisis-router quarantine show {host_id} {number}" in text
        assert "1 more, of which nobody can tell whose it is" in text
        assert (path in text) == may
    shown = admin.get("/state")
    with bug_of_ours():
        refused = post(admin, path, shown)
    assert refused.status_code == 409
    assert f"Record {number} stays in quarantine: {REASON}." in refused.text
    assert post(admin, path, shown).location == "/state?done=stored#quarantine"
    assert post(admin, path, shown).status_code == 409
    assert "Nothing. What the store cannot take" in opened(admin, "/state")
    assert opened(supervisor, f"/decisions/{decision_id}")
    assert acts(house).count("stored out of quarantine") == 1
    nobody = f"/state/quarantine/{'f0' * 16}/1/retry"
    for there in (nobody, f"/state/quarantine/nowhere/{2**70}/retry"):
        assert post(admin, there, shown).status_code == 404


def test_what_is_gone_from_the_store_is_not_said_to_be_there(house: Service, clock: Clock) -> None:
    """
    A number that was stored and is gone is missing in the state as soon as its alert was raised,
    which says what to do; stored again, all are there.
    """
    ids = [decide(house, f"gone {number}") for number in range(3)]
    ship(house.parts)
    store = house.parts.store
    admin = signed_in(house, house.credentials.admin)
    assert "Records missing" not in opened(admin, "/state")
    with writing(store) as connection:
        is_it = decisions.c.record_id == ids[1]
        (row,) = connection.execute(select(decisions).where(is_it)).mappings()
        connection.execute(delete(decisions).where(is_it))
    clock.move(120)
    raised = raise_for_missing(store, house.parts.now())
    assert raised == 1
    text = opened(admin, "/state")
    assert "Records missing" in text
    assert f"first {row['journal_number']}<" in text
    assert "If it was stored and is gone" in text
    told = journals.in_store(store, house.parts.now())["newest"][0]["missing"]
    assert told == {"first": row["journal_number"], "last": row["journal_number"]}
    with writing(store) as connection:
        connection.execute(insert(decisions).values(dict(row)))
    assert "Records missing" not in opened(admin, "/state")


def test_the_page_of_a_decision_in_quarantine_says_so(house: Service) -> None:
    """
    Its page, and that on which it is tried again, say that it is kept and where, and nothing of it.
    """
    decision_id = decide(house, "poison", remarks=SECRET)
    ((host_id, number),) = quarantine_all(house.parts)
    house.parts.journal.forget(house.parts.now() + dt.timedelta(days=60))
    supervisor = signed_in(house, house.credentials.supervisor)
    for address in (f"/decisions/{decision_id}", f"/decisions/{decision_id}/try"):
        text = opened(supervisor, address, 404)
        assert "This record is in quarantine" in text
        assert f"crisis-router quarantine show {host_id} {number}" in text
        assert 'href="/state#quarantine"' in text
        assert SECRET not in text
    assert "There is nothing here" in opened(supervisor, "/decisions/no-such-one", 404)


def test_a_record_is_left_in_quarantine_from_the_page(house: Service) -> None:
    """
    One that no program will read is left there by an administrator, and then asks for nothing.
    """
    admin = signed_in(house, house.credentials.admin)
    supervisor = signed_in(house, house.credentials.supervisor)
    decision_id = decide(house, "poison")
    ((host_id, number),) = quarantine_all(house.parts)
    path = f"/state/quarantine/{host_id}/{number}/leave"
    shown = admin.get("/state")
    assert path in shown.text
    assert path not in opened(supervisor, "/state")
    assert post(supervisor, path, supervisor.get("/state")).status_code == 403
    assert post(admin, path, shown).location == "/state?done=left#quarantine"
    text = opened(admin, "/state?done=left")
    assert "The record stays in quarantine." in text
    assert "1 was left there for good" in text
    assert decision_id not in text
    assert acts(house).count("left in quarantine") == 1
    assert post(admin, path.replace("leave", "retry"), shown).status_code == 303
    assert post(admin, path, shown).status_code == 409
    assert post(admin, f"/state/quarantine/nowhere/{number}/leave", shown).status_code == 404


def test_it_stands_with_store_and_queue_away(house: Service) -> None:
    """
    What only the store knows is said not to be known, and this host's journal is told all the same.
    """
    supervisor = signed_in(house, house.credentials.supervisor)
    decide(house, "away")
    house.parts.surroundings.look()  # the session is known from now on
    house.parts.store.dispose()
    path = Path(str(house.parts.store.url.database))
    path.rename(path.with_suffix(".gone"))
    path.mkdir()
    # Also before the next look has found that the store is away.
    for _ in range(2):
        text = words_of(opened(supervisor, "/state"))
        assert text.count(AWAY) == 3
        assert "1 record, the oldest for" in text
        house.parts.surroundings.look()


@pytest.mark.parametrize("kind", ["rubbish", "folder"])
def test_it_stands_with_the_journal_damaged(house: Service, kind: str) -> None:
    """
    A damaged journal is set aside and told; where none can be read at all the page says so.
    """
    supervisor: FlaskClient = signed_in(house, house.credentials.supervisor)
    path = house.parts.settings.journal_path
    house.parts.journal.backlog()
    path.unlink()
    if kind == "folder":
        path.mkdir()
    else:
        path.write_bytes(b"no database at all" * 1000)
    text = words_of(opened(supervisor, "/state"))
    assert ("Cannot be read" in text) == (kind == "folder")
    assert ("A damaged journal" in text) == (kind == "rubbish")
