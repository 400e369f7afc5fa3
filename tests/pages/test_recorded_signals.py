"""
Signals on record: on the page of a decision, in a review that is blind still, and where the words
of the remark are not kept.
"""

import re
from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient

from service.access import command_line
from tests.api.conftest import Api
from tests.api.reviewing import claim, give_answer, queue, review_of, select
from tests.api.test_remarks import set_agency
from tests.pages.browsing import Service, sign_in, tell, token_of
from tests.pages.log import NASTY, decide, opened
from tests.pages.pressing import form_of, press
from tests.pages.test_decision_page import section, words_of

AGAINST = "HAS A KNIFE. RP DENIES WEAPONS. HX OF SI"
FOUND = "“HAS A KNIFE” says knife or blade (1); “DENIES WEAPONS” says none (2)."
DISMISSED = [{"fact": "suicide", "source": "remarks", "reason": f"Not him {NASTY}"}]


@pytest.fixture
def forgetful(api: Api) -> Iterator[Api]:
    """
    Let the agency keep no remarks for one test.
    """
    set_agency(api, keep_remarks=False)
    yield api
    set_agency(api, keep_remarks=True)


def marks(text: str) -> list[tuple[str, str]]:
    """
    Give the innermost marks of a page: class and words.
    """
    return re.findall(r'<mark class="([^"]*)">([^<]+)</mark>', text)


def test_the_story_marks_evidence_and_says_what_counted(
    service: Service, supervisor: FlaskClient
) -> None:
    """
    Each signal stands with its words, whether it counted and why not; one that was taken back has
    the reason; what contradicts itself is said in a sentence.
    """
    made = decide(service, "RECORDED-1", remarks=AGAINST, dismissed=DISMISSED)
    text = opened(supervisor, f"/decisions/{made}")
    assert ("ev", "HAS A KNIFE") in marks(text)
    assert ("ev ev-absent", "DENIES WEAPONS") in marks(text)
    told = section(text, 1)
    assert f"Weapon: {FOUND} The riskier counts." in told
    assert "“ HAS A KNIFE ” Weapon: knife or blade from the remarks: nobody told" in told
    assert "Counted" in told
    assert "“ HX OF SI ” Suicide , in the past" in told
    assert "Why: “ Not him &lt;script&gt;" in told
    assert "Taken back" in told
    assert "<script>alert" not in text


def test_overlapping_evidence_has_both_marks(service: Service, supervisor: FlaskClient) -> None:
    """
    Words that are evidence of two outcomes stand once, within both marks, with both numbers.
    """
    made = decide(service, "RECORDED-2", remarks="UNK IF OD")
    text = opened(supervisor, f"/decisions/{made}")
    document = service.parts.records.find("example", made)
    assert document is not None
    outcomes = {one["outcome"] for one in document["signals"]}
    copy = re.search(r'<p class="words remark-read"[^>]*>(.*?)</p>', text, re.DOTALL)
    assert copy
    assert re.sub(r"<[^>]+>", "", copy[1]) == "UNK IF OD"
    assert len(outcomes) == max(one.count("<mark") for one in copy[1].split("</mark>"))


def test_a_remark_that_is_not_kept_leaves_what_was_read(
    service: Service, forgetful: Api, supervisor: FlaskClient
) -> None:
    """
    Without the words the signals are listed all the same, with a sentence that says why there is
    nothing to read; also where nothing was read in them.
    """
    made = decide(service, "RECORDED-3", remarks=AGAINST)
    text = opened(supervisor, f"/decisions/{made}")
    told = section(text, 1)
    assert "There was one, and its words are not kept" in told
    assert "Weapon: knife or blade" in told
    assert "Weapon: the remarks says knife or blade (1); the remarks says none (2)." in told
    assert "HAS A KNIFE" not in text
    made = decide(service, "RECORDED-4", remarks="NOTHING OF NOTE")
    assert "its words are not kept" in section(opened(supervisor, f"/decisions/{made}"), 1)


def test_the_trial_of_a_call_whose_remark_is_gone_knows_what_was_read(
    service: Service, forgetful: Api, supervisor: FlaskClient
) -> None:
    """
    Trying such a call again counts what was read then, so that nothing moves for want of the words.
    """
    made = decide(service, "RECORDED-5", remarks="HE HAS A GUN IN HIS HAND")
    path = f"/decisions/{made}/try"
    page = supervisor.get(path)
    data = {"csrf_token": token_of(page.text)}
    tried = supervisor.post(path, data=data | {"ruleset": "national-baseline"})
    assert tried.status_code == 200
    assert "The same responders on both sides." in tried.text


def test_a_call_taken_up_without_its_remark_is_not_calmer(service: Service, forgetful: Api) -> None:
    """
    What counted of a remark that is not kept is told again as read out of a code, in sight, so that
    the next revision recommends what this one did.
    """
    client = service.app.test_client()
    assert sign_in(client, service.credentials.dispatcher).status_code == 303
    first = tell(client, "RECORDED-6", remarks="HE HAS A GUN IN HIS HAND")
    assert "The words are not kept, only what was read in them." in first.text
    page = client.get("/", query_string={"call": "RECORDED-6"})
    assert "as read out of a code; look it over" in page.text
    assert dict(form_of(page).fields)["remarks"] == ""
    page = press(client, page, "recommend")
    before, after = service.parts.records.of_call("example", "RECORDED-6")
    assert after["request"]["facts"]["weapon"] == "firearm"
    assert after["request"]["fact_sources"]["weapon"]["says"] == "code"
    assert after["recommendation"]["responders"] == before["recommendation"]["responders"]


def test_a_contradiction_is_reviewed_blind(
    service: Service, api: Api, supervisor: FlaskClient
) -> None:
    """
    A call that contradicts itself comes to review. The reviewer sees the remark, its evidence and
    what contradicts what, and neither the recommendation nor the reason before they answer.
    """
    made = decide(service, "RECORDED-7", remarks=AGAINST)
    select(api.parts)
    review_id = review_of(api, made)
    claimed = claim(api, review_id)
    assert claimed.status_code == 200
    assert claimed.json["reasons"] is None
    call = claimed.json["call"]
    assert [one["fact"] for one in call["signals"]][:2] == ["weapon", "weapon"]
    assert call["contradictions"][0].startswith("Weapon: ")
    assert "recommendation" not in call
    text = opened(supervisor, f"/reviews/{review_id}")
    assert ("ev", "HAS A KNIFE") in marks(text)
    assert f"Weapon: {FOUND}" in words_of(text)
    assert "contradicts itself" not in text
    assert "Co-responder</" not in text.split("<form")[0]
    assert give_answer(api, review_id).status_code == 200
    answered = opened(supervisor, f"/reviews/{review_id}")
    assert "What the call says of something contradicts itself." in answered
    done = opened(supervisor, "/reviews?state=done")
    assert "What the call says of something contradicts itself" in done


def test_contradictions_can_be_left_out_of_review(service: Service, api: Api) -> None:
    """
    An agency that turns the reason off gets no review of it.
    """
    held = service.parts.agencies.find(command_line("example"))
    assert held is not None
    rules = held["review"]
    off = {"contradiction": False, "sample_per_week": 0, "sample_percent": 0}
    set_agency(api, review={**rules, **off})
    made = decide(service, "RECORDED-8", remarks=AGAINST)
    select(api.parts)
    assert made not in [one["decision_id"] for one in queue(api)]
    set_agency(api, review=rules)
