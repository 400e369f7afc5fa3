"""
Who goes, found without reasons and questions, is who `decide` would send.
"""

import datetime as dt
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from service.routing.decide import Router, decide, kinds_of
from service.routing.recommendation import Call
from tests.routing import spaces

DAY = dt.date(2026, 11, 24)
routers = st.one_of(
    st.just(spaces.BASELINE),
    spaces.rulesets().map(lambda document: spaces.CONFIG.publish(document, 1).router),
)
available = st.dictionaries(
    st.sampled_from(["988", "mobile_crisis", "ems", "co_responder", "law_enforcement"]),
    st.booleans(),
)


@given(routers, spaces.raw_facts(), available)
def test_who_goes_is_who_decide_sends(
    router: Router, raw: dict[str, Any], stated: dict[str, bool]
) -> None:
    """
    For every call, ruleset and availability both name the same kinds.
    """
    call = Call(spaces.call_facts(raw))
    assert decide(call, router, stated, DAY).kinds == kinds_of(call, router, stated, DAY)
