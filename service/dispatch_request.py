"""
The report of what was really sent: what it may say, and what it owes an explanation for.

What was asked for is handed in; nothing here looks it up, and every fault of a body is named at
once.
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from marshmallow import Schema, ValidationError, fields, validate

from service.answers import in_ladder_order
from service.request import (
    REASON_CHARACTERS_MAX,
    Instant,
    Names,
    Strict,
    fault,
    no_nul,
    not_named,
)
from service.routing.facts import Vocabulary
from service.rulesets import OTHER

EMS: Final = frozenset(("ems",))
# An officer comes with either kind: to send the one for the other releases nobody.
POLICE: Final = frozenset(("co_responder", "law_enforcement"))


@dataclass(frozen=True, slots=True)
class Asked:
    """
    Whom a decision asked for, and whom any earlier revision of its call did.

    `is_whole` is false where earlier revisions may be elsewhere and could not be looked up.
    """

    call_id: str
    recommended: frozenset[str]
    before: frozenset[str]
    is_whole: bool

    def is_override(self, sent: Iterable[str]) -> bool:
        """
        Tell whether others were sent than this decision recommends.
        """
        return frozenset(sent) != self.recommended

    def released(self, sent: Iterable[str]) -> list[str]:
        """
        Give the kinds of EMS and police that this or an earlier revision asked for and that are
        not sent.
        """
        going, wanted = frozenset(sent), self.recommended | self.before
        let_go = [wanted & kinds for kinds in (EMS, POLICE) if not going & kinds]
        return in_ladder_order(frozenset().union(*let_go))


class Kinds(Names):
    """
    Kinds of responder, each once.
    """

    no_list = "must be a list of kinds of responder"
    too_many = "has more entries than there are kinds: name each once"
    each_once = "name each kind once"

    def __init__(self, allowed: tuple[str, ...], **kwargs: Any) -> None:
        super().__init__(allowed, "a kind of responder", **kwargs)


def dispatch_schema(vocabulary: Vocabulary) -> type[Schema]:
    """
    Make the schema of `POST /v1/decisions/{id}/dispatch` for a vocabulary. Which reason is right is
    judged by `read_report`: each agency has its own.
    """
    told = "Why it differs: one of the agency's reasons, which `/v1/agency` lists by their ids"

    class DispatchRequest(Strict):
        """
        What was really sent, and why it differs from what was recommended.
        """

        responders = Kinds(tuple(vocabulary.responders), required=True)
        reason = fields.Raw(allow_none=True, metadata={"description": told, "type": "string"})
        comment = fields.String(
            validate=[validate.Length(0, REASON_CHARACTERS_MAX), no_nul], allow_none=True
        )
        call_back_at = Instant(allow_none=True)

    return DispatchRequest


def read_report(
    schema: Schema,
    document: Mapping[str, Any],
    asked: Asked,
    reasons: tuple[str, ...],
    at: dt.datetime,
) -> dict[str, Any]:
    """
    Read a report against the schema and against what was asked for; *at* is now.

    Raises:
        ValidationError: it has faults, or owes a reason, a comment or a call-back; all are named.
    """
    faults: dict[str, Any] = {}
    told: Mapping[str, Any]
    try:
        told = schema.load(document)
    except ValidationError as error:
        faults = dict(error.messages_dict)
        told = error.valid_data if isinstance(error.valid_data, Mapping) else {}
    for name, one in _owed(told, asked, reasons, at):
        # A member that cannot be read at all is told of once.
        faults.setdefault(name, [one])
    if faults:
        raise ValidationError(faults)
    return {
        "responders": told["responders"],
        "reason": told.get("reason"),
        "comment": told.get("comment") or None,
        "call_back_at": told.get("call_back_at"),
    }


def _owed(
    told: Mapping[str, Any], asked: Asked, reasons: tuple[str, ...], at: dt.datetime
) -> list[tuple[str, dict[str, Any]]]:
    owed: list[tuple[str, dict[str, Any]]] = []
    sent, reason = told.get("responders"), told.get("reason")
    why = _why_a_reason(sent, asked) if sent is not None and reason is None else None
    if why:
        owed.append(("reason", fault(f"{why}: give a reason", reasons)))
    if reason is not None and reason not in reasons:
        owed.append(("reason", not_named(reason, "a reason of this agency", reasons)))
    if reason == OTHER and not (told.get("comment") or "").strip():
        owed.append(("comment", fault(f"the reason `{OTHER}` needs a comment")))
    if sent == [] and told.get("call_back_at") is None:
        owed.append(("call_back_at", fault("nobody is sent: say when the caller is called back")))
    elif sent == [] and dt.datetime.fromisoformat(told["call_back_at"]) <= at:
        owed.append(("call_back_at", fault("must be in the future: nobody is sent until then")))
    return owed


def _why_a_reason(sent: list[str], asked: Asked) -> str | None:
    """
    Say what in a report needs a reason, or None where nothing does.
    """
    if not sent:
        return "nobody is sent"
    if asked.is_override(sent):
        return "what was sent is not what was recommended"
    released = asked.released(sent)
    if released:
        named = ", ".join(f"`{kind}`" for kind in released)
        return f"an earlier revision of the call asked for {named}, which is not sent"
    return None
