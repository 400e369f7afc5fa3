"""
Show and change what an agency sets: its name, its time zone, its reasons for a dispatch, what goes
to review, whether remarks are kept, and how long everything is.

Two people who change the same settings are told apart by the digest of what each of them read.
"""

import datetime as dt
import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any, Final
from zoneinfo import available_timezones

from marshmallow import ValidationError, fields, validate
from sqlalchemy import Engine

from service.access import Actor
from service.accounts.people import name_field
from service.agency_settings import (
    RETENTION_LEAST,
    RETENTION_MOST,
    REVIEW_LEAST,
    AgencyDefaults,
    AgencySettings,
    Retention,
    ReviewRules,
    settings_of,
)
from service.audit import Audit
from service.errors import ConflictError
from service.request import Flag, Strict
from service.routing.problems import nearest
from service.rulesets import OTHER
from service.store import agencies, audit
from service.store.agencies import Agency
from service.store.database import writing

TIME_ZONE_CHARACTERS_MAX: Final = 64
REASONS_MAX: Final = 30  # a list that a dispatcher chooses from at a glance is shorter still
# The most that each number may be: a whole share, and more than a year or a day is a slip.
REVIEW_MOST: Final[Mapping[str, int]] = {
    "sample_percent": 100,
    "sample_per_week": 10_000,
    "due_days": 365,
    "claim_minutes": 1_440,
}
KEEP_REMARKS: Final = (
    "whether the words of a remark are kept, sealed; otherwise a remark is read for its signals and"
    " written nowhere, and only they are recorded; left out, it stays as it is"
)
RETENTION: Final = (
    "how long words about a person are kept, in days, and the rest of a record, in years; then it"
    " is erased, unless a legal hold stands; left out, it stays as it is"
)
_REASON_ID = re.compile(r"[a-z][a-z0-9_]{0,59}")


class TimeZone(fields.Field[str]):
    """
    A time zone by its IANA name.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(metadata={"type": "string", "examples": ["America/New_York"]}, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        known = available_timezones()
        if not isinstance(value, str) or value not in known:
            is_name = isinstance(value, str) and 0 < len(value) <= TIME_ZONE_CHARACTERS_MAX
            near = nearest(value, tuple(known)) if is_name else None
            hint = f"did you mean `{near}`?" if near else "give one such as `America/New_York`"
            raise ValidationError(f"is not a time zone: {hint}")
        return value


class Amount(fields.Field[float]):
    """
    A number within its limits, whole where *is_whole*.
    """

    def __init__(self, least: float, most: float, *, is_whole: bool, **kwargs: Any) -> None:
        described = {"type": "integer" if is_whole else "number"}
        super().__init__(metadata={**described, "minimum": least, "maximum": most}, **kwargs)
        self.least = least
        self.most = most
        self.is_whole = is_whole

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> float:
        is_number = isinstance(value, int if self.is_whole else int | float)
        if not is_number or isinstance(value, bool) or not self.least <= value <= self.most:
            kind = "a whole number" if self.is_whole else "a number"
            raise ValidationError(f"must be {kind} from {self.least:g} to {self.most:g}")
        return float(value) if not self.is_whole else int(value)


def _is_reason_id(text: str) -> None:
    if not _REASON_ID.fullmatch(text):
        raise ValidationError("must be 1 to 60 small letters, digits and _, a letter first")


class Reason(Strict):
    """
    A reason for a dispatch: what a report names, and what a person reads.
    """

    id = fields.String(required=True, validate=_is_reason_id)
    label = name_field(required=True)


def _are_reasons(listed: list[Mapping[str, Any]]) -> None:
    names = [one["id"] for one in listed]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValidationError(f"`{twice[0]}` stands twice: give each reason an id of its own")
    if OTHER not in names:
        raise ValidationError(f"must hold `{OTHER}`, for what the others do not say")


def _review_fields() -> dict[str, Any]:
    return {
        name: Flag(required=True)
        if least is None
        else Amount(least, REVIEW_MOST[name], is_whole=name != "sample_percent", required=True)
        for name, least in REVIEW_LEAST.items()
    }


REVIEW_SCHEMA: Final = Strict.from_dict(_review_fields(), name="ReviewRules")


RETENTION_SCHEMA: Final = Strict.from_dict(
    {
        name: Amount(least, RETENTION_MOST[name], is_whole=True, required=True)
        for name, least in RETENTION_LEAST.items()
    },
    name="Retention",
)


class AgencyRequest(Strict):
    """
    What an agency sets, all of it.
    """

    name = name_field(required=True)
    time_zone = TimeZone(required=True)
    dispatch_reasons = fields.List(
        fields.Nested(Reason),
        required=True,
        validate=[validate.Length(1, REASONS_MAX), _are_reasons],
    )
    review = fields.Nested(REVIEW_SCHEMA, required=True)
    keep_remarks = Flag(metadata={"description": KEEP_REMARKS})
    retention = fields.Nested(RETENTION_SCHEMA, metadata={"description": RETENTION})


AGENCY_REQUEST: Final = AgencyRequest()


class Agencies:
    """
    Settings of one agency at a time: the actor's. One per process; any thread may call it.
    """

    def __init__(
        self,
        store: Engine,
        trail: Audit,
        defaults: Callable[[], AgencyDefaults],
        now: Callable[[], dt.datetime],
    ) -> None:
        self._store = store
        self._trail = trail
        self._defaults = defaults
        self._now = now

    def find(self, actor: Actor) -> dict[str, Any] | None:
        """
        Give what the actor's agency is and has set, or None if it is not in the store.

        Raises:
            StoreUnavailableError: the store cannot be reached.
        """
        found = agencies.find(self._store, actor.agency)
        return self.shown(found) if found else None

    def shown(self, agency: Agency) -> dict[str, Any]:
        """
        Give an agency as the API and the pages show it.
        """
        held = settings_of(agency.settings, self._defaults())
        return {
            "agency_id": agency.id,
            "name": agency.name,
            "time_zone": agency.time_zone,
            "ruleset": agency.ruleset,
            "dispatch_reasons": _listed(held),
            "review": asdict(held.review),
            "keep_remarks": held.keep_remarks,
            "retention": asdict(held.retention),
        }

    def change(
        self, actor: Actor, told: Mapping[str, Any], tag: str | None
    ) -> dict[str, Any] | None:
        """
        Set all that an agency sets, if what it has set is still what *tag* stands for; with None
        whatever it is. Gives the agency as it is then, or None if it is not in the store.

        Raises:
            ValidationError: what was told has faults; all are named.
            ConflictError: `changed_since`: somebody else changed it, and *tag* is of before.
        """
        read = AGENCY_REQUEST.load(told)
        with writing(self._store) as connection:
            before = agencies.locked(connection, actor.agency)
            if before is None:
                return None
            shown = self.shown(before)
            read = {name: shown[name] for name in ("keep_remarks", "retention")} | read
            if tag is not None and tag != tag_of(shown):
                text = "somebody else changed these settings since they were read: read them again"
                raise ConflictError("changed_since", text)
            after = {**shown, **read}
            changed = [name for name in read if after[name] != shown[name]]
            if changed:
                own = {**before.settings, **self._own(read)}
                own = {name: value for name, value in own.items() if value is not None}
                agencies.set_settings(
                    connection, actor.agency, own, read["time_zone"], read["name"].strip()
                )
                detail = {name: _brief(name, shown, after) for name in changed}
                entry = self._trail.entry(
                    actor, "changed settings", ("agency", actor.agency), **detail
                )
                audit.add(connection, entry)
        return self.find(actor)

    def _own(self, read: Mapping[str, Any]) -> dict[str, Any]:
        """
        Give what differs from what every agency starts with; None for what does not.
        """
        defaults = self._defaults()
        standing = defaults.dispatch_reasons
        reasons = {one["id"]: one["label"] for one in read["dispatch_reasons"]}
        review = ReviewRules(**read["review"])
        return {
            "dispatch_reasons": reasons if not _are_same(reasons, standing) else None,
            "review": asdict(review) if review != defaults.review else None,
            "keep_remarks": (
                read["keep_remarks"] if read["keep_remarks"] != defaults.keep_remarks else None
            ),
            "retention": (
                read["retention"] if Retention(**read["retention"]) != defaults.retention else None
            ),
        }


def tag_of(shown: Mapping[str, Any]) -> str:
    """
    Give the digest by which a change knows what it changes; it stands in the `ETag`.
    """
    return hashlib.sha256(json.dumps(shown, sort_keys=True).encode()).hexdigest()[:32]


def _are_same(reasons: Mapping[str, str], others: Mapping[str, str]) -> bool:
    # Their order is the agency's too.
    return list(reasons.items()) == list(others.items())


def _listed(held: AgencySettings) -> list[dict[str, str]]:
    return [{"id": name, "label": label} for name, label in held.dispatch_reasons.items()]


def _brief(name: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """
    Say in an entry of the trail what was and what is; of review and retention, what changed.
    """
    if name not in ("review", "retention"):
        return {"before": before[name], "after": after[name]}
    return {
        rule: {"before": before[name][rule], "after": value}
        for rule, value in after[name].items()
        if value != before[name][rule]
    }
