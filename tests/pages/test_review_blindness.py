"""
No page tells a reviewer the answer before they have given their own, and a queue costs the same
queries however long it is.
"""

from collections.abc import Iterator

from flask.testing import FlaskClient

from service.store import alerts, reviews
from service.store.alerts import Alert
from service.store.database import writing
from service.store.reviews import Review
from tests.api.conftest import Api
from tests.api.reporting import CALM, decided
from tests.api.reviewing import claim, give_answer, to_review
from tests.pages.browsing import Service
from tests.pages.log import opened, queries


def addresses(service: Service, decision_id: str, call_id: str) -> Iterator[str]:
    """
    Give the address of every page, with the decision and its call in their places.
    """
    for rule in service.app.url_map.iter_rules():
        path = str(rule)
        if "GET" not in (rule.methods or ()) or path.startswith(("/v1/", "/static", "/docs")):
            continue
        path = path.replace("<path:call_id>", call_id)
        for name in rule.arguments:
            path = path.replace(f"<{name}>", decision_id)
        yield path


def test_no_page_tells_the_answer_of_a_claimed_call(
    service: Service, api: Api, supervisor: FlaskClient
) -> None:
    """
    Claimed by key, the call is hidden on every page of the same person until they have answered.
    """
    other = decided(api, "hidden-pages", {**CALM, "weapon": "blade"})["decision_id"]
    review_id, decision_id = to_review(api, "hidden-pages")
    assert claim(api, review_id).status_code == 200
    refused = set()
    for about in (decision_id, other):
        for path in addresses(service, about, "hidden-pages"):
            response = supervisor.get(path)
            assert response.status_code != 500, path
            if response.status_code == 403:
                refused.add(path.replace(about, "ID"))
            elif response.status_code == 200:
                assert about not in response.text, path
    wanted = {"/decisions/ID", "/decisions/ID/try", "/calls/hidden-pages"}
    assert wanted <= refused
    assert give_answer(api, review_id).status_code == 200
    assert decision_id in opened(supervisor, f"/decisions/{decision_id}")


def test_the_queue_asks_the_store_a_fixed_number_of_times(
    service: Service, api: Api, supervisor: FlaskClient
) -> None:
    """
    A queue of one and a queue of forty cost the same queries.
    """
    to_review(api, "counted")
    with queries(service.parts) as short:
        opened(supervisor, "/reviews")
    now = service.parts.now()
    with writing(service.parts.store) as connection:
        for number in range(40):
            name = f"counted-{number}"
            made = Review(
                id=reviews.new_id(),
                agency="example",
                decision_id=name,
                call_id=name,
                reasons=("override",),
                is_sample=False,
                selected_at=now,
                due_at=now,
            )
            reviews.add(connection, made)
    with queries(service.parts) as long:
        opened(supervisor, "/reviews")
    assert len(short) == len(long)
    assert len(long) <= 9


def test_pages_say_that_an_alert_waits_for_the_answer(
    service: Service, api: Api, supervisor: FlaskClient
) -> None:
    """
    An alert about a claimed call is not shown, and the page of alerts and every other say that one
    waits and which review to answer; then it stands there.
    """
    review_id, decision_id = to_review(api, "waits")
    assert claim(api, review_id).status_code == 200
    now = service.parts.now()
    about = (alerts.new_id(), "example", "nobody_sent", decision_id, "waits")
    alerts.create(service.parts.store, Alert(*about, "Nobody was sent.", now, now))
    said = "One alert is about the call whose review you hold."
    for path in ("/alerts", "/reviews"):
        shown = supervisor.get(path).text
        assert said in shown
        assert f'<a href="/reviews/{review_id}">Answer that review</a>' in shown
        assert "Nobody was sent." not in shown
    give_answer(api, review_id)
    for path in ("/alerts", "/reviews"):
        shown = supervisor.get(path).text
        assert said not in shown
        assert "Nobody was sent." in shown
