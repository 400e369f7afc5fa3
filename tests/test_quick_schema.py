"""
The quick reading of a request against marshmallow's own, which is its model.
"""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from marshmallow import Schema, ValidationError

from service.request import decision_schema
from service.rulesets import load_config

SCHEMA = decision_schema(load_config().vocabulary, 1000)()
RIGHT: dict[str, list[Any]] = {
    "call_id": ["c-1"],
    "received_at": ["2026-11-24T02:15:00-08:00", None],
    "channel": ["voice", "text"],
    "facts": [{"weapon": "none", "age": 9}, {"channel": "text"}, {}],
    "incident_type": [{"code": "B", "registry": "a"}],
    "remarks": ["HE IS CALM", ""],
    "location": [{"lon": -122.3, "lat": 47}],
    "availability": [{"ems": True}],
    "fact_sources": [{"weapon": {"at": "2026-01-01T00:00:00Z", "from": "told"}}],
    "dismissed": [[{"fact": "weapon", "source": "remarks", "reason": "r"}]],
}
WRONG = [
    *(None, "", "x\0", 5, True, [], {}, "x" * 2000, {"lat": 1}, {"lat": 1, "lon": 500}),
    *({"registry": "", "code": "b", "more": 1}, {"weapon": "nothing", "nope": 1}),
    *({"weapon": {"from": "he"}}, {"ems": "x"}, [{"fact": "nope"}]),
]


@st.composite
def bodies(draw: st.DrawFn) -> dict[str, Any]:
    """
    Draw a body: most members right, some of them not, some that nobody knows.
    """
    names = draw(st.lists(st.sampled_from([*RIGHT, "more"]), unique=True))
    return {
        name: draw(st.one_of(st.sampled_from(RIGHT.get(name, [1])), st.sampled_from(WRONG)))
        for name in names
    }


def read(load: Any, body: dict[str, Any]) -> tuple[str, Any]:
    """
    Give what a reading finds: the members in their order, or every fault.
    """
    try:
        return "read", [*load(body).items()]
    except ValidationError as error:
        return "faults", error.messages


@given(bodies())
def test_it_finds_what_the_long_way_finds(body: dict[str, Any]) -> None:
    """
    The same members in the same order, or the same faults.
    """
    assert read(SCHEMA.load, body) == read(lambda one: Schema.load(SCHEMA, one), body)
