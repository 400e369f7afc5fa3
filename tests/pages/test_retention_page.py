"""
The page of retention: holds, erasures by two people, and what an erased decision looks like.
"""

import datetime as dt
import re
from html import unescape

from flask.testing import FlaskClient

from service.store import people
from tests.pages.browsing import Clock, Service, decision_id_of, post, signed_in, tell
from tests.pages.log import decide, ship
from tests.pages.test_decision_page import words_of

PATH = "/admin/retention"


def test_two_people_erase_a_call_and_a_hold_stops_them(
    service: Service, browser: FlaskClient, admin: FlaskClient, supervisor: FlaskClient
) -> None:
    """
    Asked for on the page, not offered to the same person, who may only withdraw it, refused to them
    and under a hold, which is named; confirmed by another the decision says that it was erased, on
    its page and in the list.
    """
    made = decision_id_of(tell(browser, "page-erased", "weapon=firearm"))
    ship(service.parts)
    assert PATH in admin.get("/admin").text
    shown = admin.get(PATH)
    assert "90 days" in words_of(shown.text)
    assert "6 years" in words_of(shown.text)
    wrong = post(admin, f"{PATH}/erasures", shown, call_id="no-such-call", reason="r")
    assert (wrong.status_code, "no call with this id" in words_of(wrong.text)) == (422, True)
    assert post(admin, f"{PATH}/erasures", shown, call_id="page-erased").status_code == 422
    asked = post(admin, f"{PATH}/erasures", shown, call_id="page-erased", reason="form 12")
    assert asked.status_code == 303
    mine = admin.get(PATH).text
    assert "Waits for another person" in mine
    assert "Erase for good" not in mine
    assert "/withdraw" in mine
    second = signed_in(service, service.credentials.second_admin)
    found = re.search(r'action="([^"]+/confirm)"', second.get(PATH).text)
    assert found
    own = post(admin, found[1], shown)
    assert (own.status_code, "another person must confirm" in words_of(own.text)) == (409, True)
    hold = {"call_id": "", "authority": "County court", "matter": "26-1", "reason": "order"}
    assert post(admin, f"{PATH}/holds", shown, **{**hold, "matter": ""}).status_code == 422
    assert post(admin, f"{PATH}/holds", shown, **hold).status_code == 303
    page = second.get(PATH)
    assert "Erase for good" not in page.text
    row = words_of(page.text).partition("Waits for another person")[2].partition("Withdraw")[0]
    assert "County court (26-1)" in row
    held = post(second, found[1], page)
    assert (held.status_code, "County court (26-1)" in unescape(held.text)) == (409, True)
    lift = re.search(r'action="([^"]+/lift)"', page.text)
    assert lift
    assert post(second, lift[1], page).status_code == 422
    assert post(second, lift[1], page, reason="closed").status_code == 303
    assert "Erase for good" in second.get(PATH).text
    assert post(second, found[1], page).headers["Location"] == f"{PATH}?done=confirmed"
    told = words_of(second.get(f"{PATH}?done=confirmed").text)
    assert "Erased from the store" in told
    assert "not yet on host" in told
    ship(service.parts)
    for client in (supervisor, browser):
        listed = client.get("/decisions")
        assert "one person asked for it and another confirmed it" in words_of(listed.text)
    # What the journal still has goes within seconds; here it is done at once.
    service.parts.journal.erase_call("example", "page-erased", dt.datetime.now(dt.UTC))
    for address in (f"/decisions/{made}", f"/decisions/{made}/try"):
        gone = supervisor.get(address)
        assert (gone.status_code, "This decision was erased" in gone.text) == (410, True)
    assert supervisor.get("/calls/page-erased").status_code == 404


def test_whom_the_asker_could_be_is_told_why_they_may_not_confirm(
    house: Service, clock: Clock
) -> None:
    """
    Whose account the asker changed within a day is offered no confirmation and reads why; when the
    day has passed they are.
    """
    decide(house, "page-asked")
    ship(house.parts)
    admin = signed_in(house, house.credentials.admin)
    second = people.find_by_email(house.parts.store, house.credentials.second_admin.email)
    assert second is not None
    path = f"/admin/people/{second.id}"
    changed = post(admin, path, admin.get(path), act="change", name="Renamed", role="admin")
    assert changed.status_code == 303
    post(admin, f"{PATH}/erasures", admin.get(PATH), call_id="page-asked", reason="form 12")
    other = signed_in(house, house.credentials.second_admin)
    shown = other.get(PATH).text
    assert "Erase for good" not in shown
    assert "made your account or set its password within the last 24 hours" in words_of(shown)
    clock.move(24 * 3600 + 1)
    later = signed_in(house, house.credentials.second_admin).get(PATH).text
    assert "Erase for good" in later
    assert "made your account" not in later
