"""
What a check of a draft tells somebody who is still to review a decision.
"""

import datetime as dt
from typing import Any

from service.store.checks import Check
from service.tuning.checks import without


def check_with(result: Any) -> Check:
    """
    Make a check that is done.
    """
    values = dict.fromkeys(Check.__slots__)
    at = dt.datetime(2026, 11, 25, tzinfo=dt.UTC)
    return Check(**{**values, "requested_at": at, "state": "done", "result": result})


def test_a_check_names_no_decision_that_is_to_be_reviewed() -> None:
    """
    Examples of moved calls leave out what the reader may not see; the counts stay as they are.
    """
    move = {"from": ["ems"], "to": ["988"], "count": 3, "examples": ["d-1", "d-2"]}
    found = without(check_with({"changes": {"moves": [move], "moved": 3}}), frozenset({"d-1"}))
    assert found.result == {"changes": {"moves": [{**move, "examples": ["d-2"]}], "moved": 3}}
    for result in (None, {"changes": None}, {"changes": {"moves": []}}):
        assert without(check_with(result), frozenset({"d-1"})).result == result
