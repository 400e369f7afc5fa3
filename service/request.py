"""
The request for a recommendation: marshmallow is the contract, and the vocabulary its facts.

Schemas are made once for a vocabulary. They name every fault of a body at once, with the place, the
value that is wrong and the nearest right one; they never ask a database, and never repeat a
caller's words.
"""

import datetime as dt
import math
from collections.abc import Mapping
from typing import Any, Final

from marshmallow import RAISE, Schema, ValidationError, fields, validate

from service.quick_schema import Quick
from service.routing.facts import Fact, Vocabulary, age_group_of
from service.routing.problems import nearest

CALL_ID_CHARACTERS_MAX: Final = 200
REASON_CHARACTERS_MAX: Final = 500
DISMISSED_MAX: Final = 50
# Who says a fact. What is only assumed, stands in an address's history or was read out of a code
# may raise the answer and cannot calm it; no source means told.
SOURCES: Final = ("saw", "told", "assumed", "premise", "code", "protected_record")
GUESSES: Final = frozenset(("assumed", "premise", "code"))
YEAR_MIN, YEAR_MAX = 1970, 2999  # outside, a CAD has sent no time at all
SIGNAL_SOURCES: Final = ("incident_type", "remarks")
SIGNALS_CONTRADICT: Final = "signals_contradict"  # the code of the warning


def fault(message: str, allowed: tuple[object, ...] = ()) -> dict[str, Any]:
    """
    Make one fault of a body; `allowed` lists what could stand there.
    """
    return {"message": message, "allowed": list(allowed)} if allowed else {"message": message}


class OneOf(validate.OneOf):
    """
    Take one of a list, and name the list, with the nearest of it, where something else came.
    """

    def __call__(self, value: Any) -> Any:
        """
        Give *value* if it is one of them.
        """
        choices = tuple(str(one) for one in self.choices)
        if value in self.choices:
            return value
        near = nearest(str(value)[:60], choices)
        hint = f": did you mean `{near}`?" if near else f": it is one of {', '.join(choices)}"
        shown = str(value)[:60]
        raise ValidationError([fault(f"`{shown}` cannot stand here{hint}", choices)])


def not_named(said: object, what: str, allowed: tuple[str, ...]) -> dict[str, Any]:
    """
    Say that something is not one of the names that are allowed, and which one is near.
    """
    shown = f"`{said[:60]}`" if isinstance(said, str) else "what was sent"
    near = nearest(said, allowed) if isinstance(said, str) else None
    hint = f": did you mean `{near}`?" if near else ""
    return fault(f"{shown} is not {what}{hint}", allowed)


class Names(fields.Field[list[str]]):
    """
    Names of a list, each once; what is wrong with them is said in words that a kind of list may
    set otherwise.
    """

    no_list = "must be a list"
    too_many = "has more entries than there are names: give each once"
    each_once = "name each once"

    def __init__(self, allowed: tuple[str, ...], what: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.allowed = allowed
        self.what = what

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> list[str]:
        if not isinstance(value, list):
            raise ValidationError(self.no_list)
        if len(value) > len(self.allowed):
            raise ValidationError(self.too_many)
        faults: dict[int, Any] = {}
        for place, one in enumerate(value):
            if one not in self.allowed:
                faults[place] = [not_named(one, self.what, self.allowed)]
            elif one in value[:place]:
                faults[place] = [fault(f"`{one}` stands twice: {self.each_once}")]
        if faults:
            raise ValidationError(faults)
        return list(value)


def no_nul(text: str) -> None:
    """
    Refuse a NUL, which databases cannot keep.
    """
    if "\0" in text:
        raise ValidationError("must not hold a NUL character")


class Instant(fields.Field[str]):
    """
    A time with its offset, such as 2026-11-23T02:15:00-08:00; kept as it was written.
    """

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        if not isinstance(value, str) or len(value) > 40:
            raise ValidationError("must be a time such as 2026-11-23T02:15:00-08:00")
        try:
            at = dt.datetime.fromisoformat(value)
            at.astimezone(dt.UTC)
        except (ValueError, OverflowError) as error:
            raise ValidationError("must be a time such as 2026-11-23T02:15:00-08:00") from error
        if at.tzinfo is None:
            raise ValidationError("has no offset from UTC: write 2026-11-23T02:15:00-08:00 or …Z")
        if not YEAR_MIN <= at.year <= YEAR_MAX:
            raise ValidationError(f"must lie in the years {YEAR_MIN} to {YEAR_MAX}")
        return value


class Degrees(fields.Field[float]):
    """
    A coordinate in degrees, within plus or minus *limit*.
    """

    def __init__(self, limit: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.limit = limit

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> float:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or not math.isfinite(value) or abs(value) > self.limit:
            raise ValidationError(f"must be a number from -{self.limit:g} to {self.limit:g}")
        return float(value)


class Flag(fields.Field[bool]):
    """
    True or false, and nothing that could be taken for it.
    """

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bool:
        if not isinstance(value, bool):
            raise ValidationError("must be true or false")
        return value


class Facts(fields.Field[dict[str, Any]]):
    """
    The facts of a call, read against the vocabulary; null is left out, "unknown" stays.
    """

    def __init__(self, vocabulary: Vocabulary, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.vocabulary = vocabulary

    def _deserialize(
        self, value: Any, attr: str | None, data: Any, **kwargs: Any
    ) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            raise ValidationError("must be an object of facts and their values")
        faults: dict[str, Any] = {}
        told: dict[str, Any] = {}
        known = self.vocabulary.facts
        for name, one in value.items():
            fact = known.get(name)
            if fact is None:
                faults[name] = [fault(_not_a_fact(name, self.vocabulary))]
            elif one is not None and one != "unknown" and not fact.has(one):
                faults[name] = [_not_a_value(fact, one)]
            elif one is not None:
                told[name] = one
        age, group = told.get("age"), told.get("age_group")
        if isinstance(age, int) and group not in (None, "unknown", age_group_of(age)):
            text = f"disagrees with `age`: leave it out, or say `{age_group_of(age)}`"
            faults["age_group"] = [fault(text)]
        if faults:
            raise ValidationError(faults)
        return told


def _not_a_fact(name: str, vocabulary: Vocabulary) -> str:
    near = nearest(name, tuple(vocabulary.facts))
    hint = (
        f": did you mean `{near}`?" if near else ": see the description of this API for the names"
    )
    return f"`{name[:60]}` is not a fact of the vocabulary{hint}"


def _not_a_value(fact: Fact, value: object) -> dict[str, Any]:
    said = str(value)[:60] if isinstance(value, str | int | float) else "what was sent"
    if fact.kind == "number":
        return fault(
            f"`{said}` will not do: must be a whole number from {fact.values[0]} to"
            f" {fact.values[-1]}, or `unknown`"
        )
    if fact.kind == "flag":
        return fault(
            f"`{said}` will not do: must be true, false or `unknown`", (True, False, "unknown")
        )
    near = nearest(value, [str(one) for one in fact.values]) if isinstance(value, str) else None
    hint = f": did you mean `{near}`?" if near else ""
    return fault(f"`{said}` is not a value of `{fact.name}`{hint}", (*fact.values, "unknown"))


class ByName(fields.Field[dict[str, Any]]):
    """
    An object whose keys are names of *allowed*, each with a value of *inner*.
    """

    def __init__(self, allowed: tuple[str, ...], inner: fields.Field[Any], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.allowed = allowed
        self.inner = inner

    def _deserialize(
        self, value: Any, attr: str | None, data: Any, **kwargs: Any
    ) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            raise ValidationError("must be an object")
        faults: dict[str, Any] = {}
        found: dict[str, Any] = {}
        for name, one in value.items():
            if name not in self.allowed:
                near = nearest(name, self.allowed)
                hint = f": did you mean `{near}`?" if near else ""
                faults[name] = [fault(f"`{name[:60]}` cannot stand here{hint}", self.allowed)]
                continue
            try:
                found[name] = self.inner.deserialize(one)
            except ValidationError as error:
                faults[name] = error.messages
        if faults:
            raise ValidationError(faults)
        return found


class Strict(Schema):
    """
    A schema that refuses keys it does not know.
    """

    class Meta:
        """
        Refuse unknown keys, in nested schemas too.
        """

        unknown = RAISE


def text(characters_max: int, **kwargs: Any) -> fields.String:
    """
    Make a field of text: not empty, bounded, and without NUL.
    """
    return fields.String(validate=[validate.Length(1, characters_max), no_nul], **kwargs)


class IncidentType(Quick, Strict):
    """
    A CAD's type code, and the registry it is from.
    """

    registry = text(60, required=True)
    code = text(200, required=True)


class Location(Quick, Strict):
    """
    Where the person is, in degrees (WGS 84).
    """

    lat = Degrees(90, required=True)
    lon = Degrees(180, required=True)


class FactSource(Quick, Strict):
    """
    Who says a fact, and when.
    """

    says = fields.String(data_key="from", required=True, validate=OneOf(SOURCES))
    at = Instant()


def decision_schema(vocabulary: Vocabulary, remarks_characters_max: int) -> type[Schema]:
    """
    Make the schema of `POST /v1/decisions` for a vocabulary.
    """
    kinds = tuple(vocabulary.responders)
    names = tuple(vocabulary.facts)
    channels = vocabulary.facts["channel"].values

    class Dismissed(Quick, Strict):
        """
        A signal that a person takes back, and why.
        """

        fact = fields.String(required=True, validate=OneOf(vocabulary.asked))
        source = fields.String(required=True, validate=OneOf(SIGNAL_SOURCES))
        reason = text(REASON_CHARACTERS_MAX, required=True)

    class DecisionRequest(Quick, Strict):
        """
        A call, as a dispatch system tells it; only `call_id` is required.
        """

        call_id = text(CALL_ID_CHARACTERS_MAX, required=True)
        received_at = Instant(allow_none=True)
        channel = fields.String(validate=OneOf(channels), allow_none=True)
        facts = Facts(vocabulary, allow_none=True)
        incident_type = fields.Nested(IncidentType, allow_none=True)
        remarks = fields.String(
            validate=[validate.Length(0, remarks_characters_max), no_nul], allow_none=True
        )
        location = fields.Nested(Location, allow_none=True)
        availability = ByName(kinds, Flag(), allow_none=True)
        fact_sources = ByName(names, fields.Nested(FactSource), allow_none=True)
        dismissed = fields.List(
            fields.Nested(Dismissed), validate=validate.Length(0, DISMISSED_MAX), allow_none=True
        )

        def agree(self, data: Mapping[str, Any]) -> None:
            """
            Refuse a channel that is said twice and differently: the body's is the fact of that
            name.
            """
            channel, told = data.get("channel"), (data.get("facts") or {}).get("channel")
            if channel and told not in (None, "unknown", channel):
                raise ValidationError("disagrees with `facts.channel`: say it once", "channel")

    return DecisionRequest


def simulation_schema(decision: type[Schema]) -> type[Schema]:
    """
    Make the schema of `POST /v1/simulations`: a decision's, with the ruleset to try it under.
    """

    class SimulationRequest(decision):  # type: ignore[misc,valid-type]  # made for a vocabulary
        """
        A call to try, under the agency's ruleset, another one by name, or a whole one as an object.
        """

        ruleset = fields.Raw(
            allow_none=True,
            metadata={
                "type": ["string", "object", "null"],
                "description": "`name`, `name@version`, or a whole ruleset",
            },
        )

    return SimulationRequest
