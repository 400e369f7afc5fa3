"""
What a reviewer may say: whom they would have sent, and what they found.

Every fault of a body is named at once, with what could stand there. Which rules may be named is
handed in; nothing here looks it up.
"""

from collections.abc import Collection, Mapping
from typing import Any, Final

from marshmallow import Schema, ValidationError, fields, validate

from service.dispatch_request import Kinds
from service.request import Names, Strict, fault, no_nul, not_named
from service.routing.facts import Vocabulary
from service.store.findings import FAULTED, VERDICTS

COMMENT_CHARACTERS_MAX: Final = 2_000
RULE_CHARACTERS_MAX: Final = 200
RULES_SHOWN_MAX: Final = 400  # a 422 lists no more rules than this


class Name(fields.Field[str]):
    """
    One name of a list.
    """

    def __init__(self, allowed: tuple[str, ...], what: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.allowed = allowed
        self.what = what

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        if value not in self.allowed:
            raise ValidationError([not_named(value, self.what, self.allowed)])
        return str(value)


def answer_schema(vocabulary: Vocabulary) -> Schema:
    """
    Make the schema of `POST /v1/reviews/{id}/answer` for a vocabulary.
    """
    kinds = tuple(vocabulary.responders)

    class ReviewAnswer(Strict):
        """
        Whom the reviewer would have sent, said before the recommendation is shown.
        """

        would_send = Kinds(kinds, required=True, validate=_somebody(kinds))

    return ReviewAnswer()


def _somebody(kinds: tuple[str, ...]) -> Any:
    def somebody(value: list[str]) -> None:
        if not value:
            text = "name at least one: somebody always comes or answers"
            raise ValidationError([fault(text, kinds)])

    return somebody


def finding_schema(vocabulary: Vocabulary) -> Schema:
    """
    Make the schema of `POST /v1/reviews/{id}/finding` for a vocabulary. Which rule may be named is
    judged by `read_finding`.
    """

    class ReviewFinding(Strict):
        """
        What a reviewer found; only `verdict` is required.
        """

        verdict = Name(VERDICTS, "a verdict", required=True)
        should_have_sent = Kinds(tuple(vocabulary.responders), allow_none=True)
        wrong_facts = Names(tuple(vocabulary.facts), "a fact of the vocabulary", allow_none=True)
        wrong_rule = fields.String(
            validate=[validate.Length(1, RULE_CHARACTERS_MAX), no_nul], allow_none=True
        )
        comment = fields.String(
            validate=[validate.Length(0, COMMENT_CHARACTERS_MAX), no_nul], allow_none=True
        )

    return ReviewFinding()


def read_finding(
    schema: Schema,
    document: Mapping[str, Any],
    rules: Collection[str],
    recommended: Collection[str] = (),
) -> dict[str, Any]:
    """
    Read a finding against the schema and the *rules* that may be named. Who finds that too little
    or too much was *recommended* cannot name the very same.

    Raises:
        ValidationError: it has faults; all are named.
    """
    faults: dict[str, Any] = {}
    told: Mapping[str, Any]
    try:
        told = schema.load(document)
    except ValidationError as error:
        faults = dict(error.messages_dict)
        told = error.valid_data if isinstance(error.valid_data, Mapping) else {}
    rule = told.get("wrong_rule")
    if rule is not None and rule not in rules and "wrong_rule" not in faults:
        allowed = tuple(rules)[:RULES_SHOWN_MAX]
        faults["wrong_rule"] = [not_named(rule, "a rule that fired or of the ruleset", allowed)]
    wanted = told.get("should_have_sent") or []
    if wanted and set(wanted) == set(recommended) and told.get("verdict") in FAULTED:
        text = "is what was recommended: name others, or leave it out, or find that it was right"
        faults.setdefault("should_have_sent", [text])
    if faults:
        raise ValidationError(faults)
    return {
        "verdict": told["verdict"],
        "should_have_sent": wanted,
        "wrong_facts": told.get("wrong_facts") or [],
        "wrong_rule": rule,
        "comment": (told.get("comment") or "").strip() or None,
    }
