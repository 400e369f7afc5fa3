"""
Facts from a protected record (42 CFR part 2) stand on no page without the notice.
"""

import re

from flask.testing import FlaskClient

from service.disclosures import NOTICE
from service.store import reviews
from tests.api.reviewing import select
from tests.pages.browsing import Service, acts
from tests.pages.log import decide, opened, send
from tests.pages.test_reviews import press

FACTS = {"weapon": "firearm", "weapon_access": "in_hand", "suicide": "plan"}
SOURCES = {name: {"from": "protected_record"} for name in ("weapon", "weapon_access")}


def protected(service: Service, call_id: str) -> str:
    """
    Put a call with a protected fact on record, and what was sent for it.
    """
    made = decide(service, call_id, facts=FACTS, fact_sources=SOURCES)
    send(service, made, responders=["988"], reason="closer_unit")
    select(service.parts)
    return made


def test_every_page_of_the_call_has_the_notice(service: Service, supervisor: FlaskClient) -> None:
    """
    The decision, a trial of it, the revisions side by side and the call taken up again; and that
    each was read is in the trail. A call without such a fact has no notice.
    """
    made, plain = protected(service, "PART2-1"), decide(service, "PLAIN-1")
    decide(service, "PART2-1", facts={**FACTS, "child_present": True}, fact_sources=SOURCES)
    select(service.parts)
    for path in (f"/decisions/{made}", f"/decisions/{made}/try", "/calls/PART2-1"):
        before = acts(service).count("read")
        assert NOTICE in opened(supervisor, path), path
        assert acts(service).count("read") == before + 1
    for path in (f"/decisions/{plain}", f"/decisions/{plain}/try", "/calls/PLAIN-1"):
        assert NOTICE not in opened(supervisor, path), path


def test_a_call_taken_up_again_has_the_notice(service: Service, browser: FlaskClient) -> None:
    """
    The call-taker who goes on with it sees the facts, and the notice beside them.
    """
    protected(service, "PART2-2")
    assert NOTICE in opened(browser, "/?call=PART2-2")
    assert NOTICE not in opened(browser, "/")


def test_a_review_has_the_notice_before_and_after_the_answer(
    service: Service, supervisor: FlaskClient
) -> None:
    """
    On its page both times, and in the API.
    """
    made = protected(service, "PART2-3")
    found, _ = reviews.page(service.parts.store, "example", is_open=True, limit=1000)
    address = next(f"/reviews/{one.id}" for one in found if one.decision_id == made)
    assert press(supervisor, f"{address}/claim").status_code == 303
    assert NOTICE in opened(supervisor, address)
    headers = {"Authorization": f"Bearer {service.credentials.supervisor_key}"}
    shown = service.app.test_client().get(f"/v1{address}", headers=headers).json
    assert shown["call"]["redisclosure_notice"] == NOTICE
    press(supervisor, f"{address}/answer", address, would_send=["988"])
    assert NOTICE in opened(supervisor, address)


def row_of(client: FlaskClient, call_id: str) -> str:
    """
    Give the row of a call in the list, in small letters.
    """
    text = opened(client, f"/decisions?q={call_id}")
    row = re.search(rf"<tr.*?{call_id}.*?</tr>", text, re.DOTALL)
    assert row is not None
    return row[0].lower()


def test_the_list_leaves_the_fact_out(service: Service, supervisor: FlaskClient) -> None:
    """
    A row of the list says what else was known, and nothing of the protected record; the same told
    by a caller stands there.
    """
    protected(service, "PART2-4")
    decide(service, "PLAIN-4", facts=FACTS)
    select(service.parts)
    withheld, plain = row_of(supervisor, "PART2-4"), row_of(supervisor, "PLAIN-4")
    assert "suicide" in withheld
    assert "gun" in plain
    assert "gun" not in withheld
