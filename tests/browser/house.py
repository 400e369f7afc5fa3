"""
A running service with people in it: who signs in, what is on record, and which pages there are.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Page

from tests.whole_service import fetch

WAIT_S_MAX = 30.0

# Calls that differ: what is known, who comes, and what goes to review. All made up.
CALLS: tuple[dict[str, Any], ...] = (
    {
        "call_id": "EXAMPLE-1",
        "facts": {"caller": "with_person", "suicide": "plan", "weapon": "none", "violence": "none"},
        "remarks": "CALLER SAYS SON TALKS OF SUICIDE, CALM, NO WEAPONS SEEN",
        "fact_sources": {"weapon": {"from": "saw"}, "suicide": {"from": "told"}},
    },
    {"call_id": "EXAMPLE-2", "facts": {"caller": "self", "suicide": "ideation", "weapon": "none"}},
    {
        "call_id": "EXAMPLE-3",
        "facts": {"caller": "with_person", "weapon": "firearm", "weapon_access": "in_hand"},
        "remarks": "HAS A KNIFE NOW. RP DENIES WEAPONS. UNK IF OD, HX OF SI LAST YEAR",
    },
    {
        "call_id": "EXAMPLE-4",
        "facts": {"caller": "with_person", "weapon": "none", "violence": "none"},
        "availability": {"mobile_crisis": False},
    },
    {"call_id": "EXAMPLE-5", "facts": {"breathing": "absent"}},
    {"call_id": "EXAMPLE-6", "incident_type": {"registry": "local", "code": "Q7"}},
    {"call_id": "EXAMPLE-6", "incident_type": {"registry": "local", "code": "Q-07"}},
    {"call_id": "EXAMPLE-7", "incident_type": {"registry": "mpds", "code": "6-D-1"}},
)


@dataclass
class House:
    """
    A running service: its address, its credentials, and what `seed` put in.
    """

    url: str
    credentials: dict[str, Any]
    decisions: dict[str, str] = field(default_factory=dict)
    reviews: dict[str, str] = field(default_factory=dict)

    def api(self, path: str, role: str, body: Any = None) -> Any:
        """
        Ask the API with the key of a role (`dispatch`, `supervisor`, `admin`, `second_admin`).
        """
        return fetch(f"{self.url}{path}", self.credentials[f"{role}_key"], body)

    def sign_in(self, page: Page, who: str) -> None:
        """
        Sign in as one of the people of the first start (`dispatcher`, `supervisor`, …).
        """
        page.goto(f"{self.url}/sign-in")
        page.get_by_label("Work email").fill(self.credentials[who]["email"])
        page.get_by_label("Password").fill(self.credentials[who]["password"])
        page.get_by_role("button", name="Sign in", exact=True).click()
        page.get_by_role("button", name="Sign out").wait_for()

    def sign_out(self, page: Page) -> None:
        """
        Sign out.
        """
        page.get_by_role("button", name="Sign out").click()
        page.get_by_label("Work email").wait_for()


def until(ask: Callable[[], Any]) -> Any:
    """
    Ask until the answer is something.
    """
    end = time.monotonic() + WAIT_S_MAX
    while time.monotonic() < end:
        found = ask()
        if found:
            return found
        time.sleep(0.1)
    raise TimeoutError(ask.__name__)


def seed(house: House) -> House:
    """
    Take calls, report what was sent, and wait until the workers have made of it what they make.
    """
    if house.decisions:
        return house
    for call in CALLS:
        made = house.api("/v1/decisions", "dispatch", call)
        house.decisions[call["call_id"]] = made["decision_id"]
    told = dict(CALLS[0]["facts"]) | {"weapon": "blade"}
    house.api("/v1/decisions", "dispatch", {"call_id": "EXAMPLE-1", "facts": told})
    for call_id, report in (
        ("EXAMPLE-1", {"responders": ["mobile_crisis", "988"]}),
        ("EXAMPLE-2", {"responders": ["mobile_crisis"], "reason": "person_refused"}),
        ("EXAMPLE-3", {"responders": ["law_enforcement"], "reason": "team_unavailable"}),
    ):
        house.api(f"/v1/decisions/{house.decisions[call_id]}/dispatch", "dispatch", report)
    nobody = {"responders": [], "reason": "caller_refused", "call_back_at": _in_an_hour()}
    house.api(f"/v1/decisions/{house.decisions['EXAMPLE-4']}/dispatch", "dispatch", nobody)
    until(lambda: len(_listed(house, "/v1/decisions", "supervisor")) >= len(CALLS) + 1)
    _review(house)
    _draft(house)
    _map(house)
    return house


def _review(house: House) -> None:
    """
    Claim one review as the supervisor, and answer another.
    """
    wanted = {house.decisions[name] for name in ("EXAMPLE-2", "EXAMPLE-3")}
    path = "/v1/reviews?state=open"

    def both() -> dict[str, str]:
        found = {one["decision_id"]: one["review_id"] for one in _listed(house, path, "supervisor")}
        return found if wanted <= set(found) else {}

    reviews = until(both)
    house.reviews["answered"] = reviews[house.decisions["EXAMPLE-2"]]
    house.reviews["claimed"] = reviews[house.decisions["EXAMPLE-3"]]
    for review_id in house.reviews.values():
        house.api(f"/v1/reviews/{review_id}/claim", "supervisor", {})
    answer = {"would_send": ["mobile_crisis", "988"]}
    house.api(f"/v1/reviews/{house.reviews['answered']}/answer", "supervisor", answer)


def _draft(house: House) -> None:
    """
    Save a draft that waits a little longer for a rule, and have it checked.
    """
    content = house.api("/v1/rulesets/national-baseline", "admin")["content"]
    content["needs"][0]["why"] = f"{content['needs'][0]['why']} (changed in an example.)"
    path = "/v1/rulesets/national-baseline/draft"
    fetch(f"{house.url}{path}", house.credentials["admin_key"], content, method="PUT")
    check = house.api(f"{path}/check", "admin", {})["check_id"]
    until(lambda: house.api(f"/v1/checks/{check}", "admin")["state"] == "done")


def _map(house: House) -> None:
    """
    Say what two codes of the agency mean.
    """
    for code, facts, comment in (
        ("SUI-T", {"behavioral_health": True, "suicide": "intent"}, "threatens suicide"),
        ("NOISE CMPL", {}, None),
    ):
        told = {"registry": "local", "code": code, "facts": facts, "comment": comment}
        path = f"{house.url}/v1/incident-types/mapped"
        fetch(path, house.credentials["admin_key"], told, method="PUT")


def _listed(house: House, path: str, role: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = house.api(path, role)["items"]
    return found


def _in_an_hour() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))
