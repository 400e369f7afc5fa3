"""
The calls that are timed: random ones with facts as often as real calls name them, and whole
requests.

How often a call names a fact is counted in the scenarios of the national baseline, which come from
published cases and criteria.
"""

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from service.routing.facts import CallFacts, Fact, Vocabulary
from service.scenarios import Scenario, read_scenarios
from service.settings import shipped_config

RULESET = "national-baseline"
KNOWN_MIN, KNOWN_MAX = 4, 12
ONE_IN_ASKED, ONE_IN_ASSUMED = 8, 10  # facts that nobody knows, and facts that are only a guess
REMARKS = (
    "CALLER SAYS HE HAS NOT SLEPT FOR DAYS AND PACES IN THE KITCHEN. SISTER IS WITH HIM AND CALM."
    " HE ASKS FOR SOMEBODY TO TALK WITH. NO DOG. GATE CODE IS WITH THE DOORMAN."
)

FACTS, CODE, REMARK = "facts", "code and facts", "code, facts, remark"
KINDS = (FACTS, CODE, REMARK)
NUMBER = "@@@"
REMARK_CHARACTERS = 200
CODES = (
    *("CRISIS COMPLAINT - GENERAL", "SUICIDE - IP/JO SUICIDAL PERSON AND ATTEMPTS"),
    *(
        "PERSON IN BEHAVIORAL/EMOTIONAL CRISIS",
        "SERVICE - WELFARE CHECK",
        "DISTURBANCE, MISCELLANEOUS/OTHER",
    ),
)
SENTENCES = (
    "RP ADV SON TALKING ABOUT SUICIDE, DENIES WEAPONS.",
    "HE HAS NOT SLEPT FOR DAYS AND PACES IN THE KITCHEN.",
    "SISTER IS WITH HIM AND CALM.",
    "NO GUNS IN THE HOUSE, UNK IF KNIVES.",
    "HX OF ATTEMPT LAST YEAR BY PILLS.",
    "SAYS SHE TOOK 12 OF HER PILLS AN HOUR AGO.",
    "HEARING VOICES, NO MEDS 3 WKS.",
    "WANTS TO TALK WITH SOMEBODY, WILL WAIT OUTSIDE.",
    "NEG INJ, NEG ALCOHOL, CRYING.",
    "MALE IN A RED JACKET, WALKING SOUTH IN THE ROAD.",
    "HE THREW A CHAIR, NOBODY HURT.",
    "CALLER IS A NEIGHBOUR AND CANNOT SEE HER NOW.",
    "GATE CODE IS WITH THE DOORMAN. NO DOG.",
)


@dataclass(frozen=True, slots=True)
class Weights:
    """
    How often each fact is drawn: once, and once more for every scenario that names it.
    """

    facts: tuple[Fact, ...]
    of_name: Mapping[str, int]

    def draw(
        self, rng: random.Random, count: int, among: Sequence[Fact] | None = None
    ) -> list[Fact]:
        """
        Draw *count* facts, none twice, the heavy ones more often.
        """
        facts = self.facts if among is None else among
        # The largest of u ** (1 / weight) are a weighted sample without replacement.
        # Source: Efraimidis and Spirakis 2006, doi:10.1016/j.ipl.2005.11.003
        drawn = [(rng.random() ** (1 / self.of_name[fact.name]), fact.name, fact) for fact in facts]
        return [fact for _, _, fact in sorted(drawn, reverse=True)[:count]]


def scenarios() -> tuple[Scenario, ...]:
    """
    Read the scenarios of the national baseline.
    """
    return read_scenarios(shipped_config() / "rulesets" / RULESET / "scenarios.yaml")


def read_weights(vocabulary: Vocabulary) -> Weights:
    """
    Count how often the scenarios name each fact that a call can carry.
    """
    named = Counter(name for one in scenarios() for name in one.request["facts"])
    facts = tuple(vocabulary.facts[name] for name in vocabulary.asked)
    return Weights(facts, {fact.name: 1 + named[fact.name] for fact in facts})


def random_calls(
    vocabulary: Vocabulary, weights: Weights, rng: random.Random, count: int
) -> list[CallFacts]:
    """
    Draw calls of 4 to 12 known facts, the mildest value as often as all others together.
    """
    return [_random_call(vocabulary, weights, rng) for _ in range(count)]


def _random_call(vocabulary: Vocabulary, weights: Weights, rng: random.Random) -> CallFacts:
    raw: dict[str, object] = {}
    for fact in weights.draw(rng, rng.randint(KNOWN_MIN, KNOWN_MAX)):
        raw[fact.name] = fact.values[0] if rng.random() < 0.5 else rng.choice(fact.values)
    if "age" in raw:
        raw.pop("age_group", None)
    assumed = [name for name in raw if rng.randrange(ONE_IN_ASSUMED * len(raw)) == 0]
    if rng.randrange(ONE_IN_ASKED) == 0:
        raw |= {fact.name: "unknown" for fact in weights.draw(rng, 2) if fact.name not in raw}
    return CallFacts.of(vocabulary, raw, assumed)


def requests() -> list[dict[str, Any]]:
    """
    Give one whole request for each scenario, as a dispatch system would send it: with a code,
    remarks, a place, and who is free.
    """
    whole = []
    for place, scenario in enumerate(scenarios()):
        request: dict[str, Any] = {
            "received_at": "2026-11-24T02:15:00-08:00",
            "channel": scenario.request["facts"].get("channel", "voice"),
            "incident_type": {"registry": "seattle", "code": "CRISIS COMPLAINT - GENERAL"},
            "remarks": REMARKS,
            "location": {"lat": 47.6097, "lon": -122.3331},
            "availability": {"mobile_crisis": place % 4 != 0, "ems": True},
            **scenario.request,
        }
        named = next(iter(request["facts"]), None)
        if named:
            request["fact_sources"] = {named: {"from": "told"}}
        whole.append(request)
    return whole


def bodies(vocabulary: Vocabulary, rng: random.Random, kind: str, count: int) -> list[bytes]:
    """
    Give *count* different requests of a kind as JSON, with `NUMBER` where their call id counts:
    random facts, a random code, and a remark of 200 characters of random sentences.
    """
    made = []
    for facts in random_calls(vocabulary, read_weights(vocabulary), rng, count):
        told: dict[str, Any] = {**facts.known, **dict.fromkeys(facts.asked, "unknown")}
        if "age" in told:
            told.pop("age_group", None)
        body: dict[str, Any] = {"call_id": f"BENCHMARK-{NUMBER}", "facts": told}
        if kind != FACTS:
            body["incident_type"] = {"registry": "seattle", "code": rng.choice(CODES)}
        if kind == REMARK:
            body["remarks"] = _remark(rng)
        made.append(orjson.dumps(body))
    return made


def _remark(rng: random.Random) -> str:
    text = " ".join(rng.sample(SENTENCES, len(SENTENCES)))
    return text[:REMARK_CHARACTERS]
