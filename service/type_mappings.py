"""
Map type codes that the files of `config/incident_types` do not know, or know otherwise than the
agency does: what nobody knew, the most frequent first, and what an administrator said of it.

Every process that answers calls reads a mapping within two seconds.
"""

import datetime as dt
import uuid
from collections.abc import Callable, Mapping
from typing import Any, Final

from marshmallow import ValidationError, fields, validate
from sqlalchemy import Engine

from service.access import Actor
from service.audit import Audit
from service.errors import ConflictError
from service.incident_types import IncidentTypes, faults_of, sayable
from service.instants import iso
from service.request import Strict, fault, no_nul, text
from service.routing.facts import Fact, Vocabulary
from service.store import agencies, audit, mapped_types, unmapped_types
from service.store.database import writing
from service.store.mapped_types import Mapped
from service.store.unmapped_types import Unmapped
from service.type_codes import CHARACTERS_MAX, normalised

REGISTRY_CHARACTERS_MAX: Final = 60  # as a call's `incident_type` takes it
COMMENT_CHARACTERS_MAX: Final = 500
MAPPED_MAX: Final = 5_000  # every process holds them all; a registry of more belongs into a file
SUBJECT: Final = "incident type"

Shown = dict[str, Any]


class TypeFacts(fields.Field[dict[str, Any]]):
    """
    What a code is to say: facts of the vocabulary, never that there is no danger.
    """

    def __init__(self, vocabulary: Vocabulary, **kwargs: Any) -> None:
        said = {name: _described(vocabulary.facts[name]) for name in vocabulary.asked}
        described = {"type": "object", "additionalProperties": False, "properties": said}
        super().__init__(metadata=described, **kwargs)
        self.vocabulary = vocabulary

    def _deserialize(
        self, value: Any, attr: str | None, data: Any, **kwargs: Any
    ) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            raise ValidationError("must be an object of facts; {} for a code that says nothing")
        faults = {}
        for one in faults_of(self.vocabulary, value):
            hint = f": did you mean `{one.near}`?" if one.near else ""
            faults[one.fact] = [fault(f"{one.text}{hint}", one.allowed)]
        if faults:
            raise ValidationError(faults)
        return dict(value)


def _described(fact: Fact) -> dict[str, Any]:
    if fact.kind == "number":
        return {"type": "integer", "minimum": fact.values[0], "maximum": fact.values[-1]}
    return {"enum": list(sayable(fact))}


def _is_code(told: str) -> None:
    if not normalised(told):
        raise ValidationError("has neither letters nor numbers, so no call can be found by it")


def mapping_schema(vocabulary: Vocabulary) -> type[Strict]:
    """
    Make the schema of a mapping; the facts are the vocabulary's.
    """

    class TypeMapping(Strict):
        """
        A type code, and what it says.
        """

        registry = text(REGISTRY_CHARACTERS_MAX, required=True)
        code = fields.String(
            required=True, validate=[validate.Length(1, CHARACTERS_MAX), no_nul, _is_code]
        )
        facts = TypeFacts(vocabulary, required=True)
        comment = fields.String(
            allow_none=True, validate=[validate.Length(0, COMMENT_CHARACTERS_MAX), no_nul]
        )

    return TypeMapping


class TypeMappings:
    """
    Codes of one agency at a time: the actor's. One per process; any thread may call it.
    """

    def __init__(
        self,
        store: Engine,
        trail: Audit,
        vocabulary: Vocabulary,
        types: IncidentTypes,
        now: Callable[[], dt.datetime],
    ) -> None:
        self._store = store
        self._trail = trail
        self._types = types
        self._now = now
        self.schema = mapping_schema(vocabulary)()

    def unmapped(
        self, actor: Actor, cursor: str | None, limit: int
    ) -> tuple[list[Shown], str | None]:
        """
        Give codes that nobody knows, the most frequent first, and the cursor of the next page.

        A code that a file has come to know since it was counted is passed over.

        Raises:
            StoreUnavailableError, CursorError: as the store says.
        """
        found: list[Unmapped] = []
        while True:
            rows, cursor = unmapped_types.page(self._store, actor.agency, cursor, limit + 1)
            found += [one for one in rows if not self._is_known(one)]
            if len(found) > limit:
                return [_unmapped(one) for one in found[:limit]], unmapped_types.cursor_after(
                    found[limit - 1]
                )
            if cursor is None:
                return [_unmapped(one) for one in found], None

    def _is_known(self, one: Unmapped) -> bool:
        return self._types.signals(one.registry, one.text) is not None

    def mapped(
        self, actor: Actor, cursor: str | None, limit: int
    ) -> tuple[list[Shown], str | None]:
        """
        Give what the agency says itself, the newest first, and the cursor of the next page.

        Raises:
            StoreUnavailableError, CursorError: as the store says.
        """
        found, following = mapped_types.page(self._store, actor.agency, cursor, limit)
        return [_mapped(one) for one in found], following

    def find(self, actor: Actor, registry: str, code: str) -> Shown | None:
        """
        Give what the agency says of a code, or None.

        Raises:
            StoreUnavailableError: the store cannot be reached.
        """
        named = self._types.normalised(registry, code)
        found = mapped_types.find(self._store, actor.agency, *named)
        return _mapped(found) if found else None

    def put(self, actor: Actor, told: Mapping[str, Any]) -> Shown:
        """
        Say what a code means to the actor's agency, in place of what it said before.

        Raises:
            ValidationError: what was told has faults; all are named.
            ConflictError: `too_many_mappings`.
            StoreUnavailableError: nothing was changed.
        """
        read = self.schema.load(told)
        registry, code = self._types.normalised(read["registry"], read["code"])
        comment = (read.get("comment") or "").strip() or None
        made = Mapped(
            *(actor.agency, registry, code, uuid.uuid4().hex, read["code"].strip()),
            facts=read["facts"],
            comment=comment,
            mapped_by=actor.identity,
            mapped_name=actor.name,
            mapped_at=self._now(),
        )
        with writing(self._store) as connection:
            agencies.locked(connection, actor.agency)
            before = mapped_types.put(connection, made)
            if mapped_types.count(connection, actor.agency) > MAPPED_MAX:
                text = f"an agency maps {MAPPED_MAX:,} codes at most: put them into a file"
                raise ConflictError("too_many_mappings", text)
            facts = {"before": dict(before.facts) if before else None, "after": dict(made.facts)}
            subject = (SUBJECT, f"{registry} {code}")
            detail = {"code": made.text, "facts": facts, "comment": comment}
            audit.add(connection, self._trail.entry(actor, "mapped type", subject, **detail))
        return _mapped(made)

    def undo(self, actor: Actor, registry: str, code: str) -> bool:
        """
        Take back what the agency said of a code; False if it said nothing.

        Raises:
            StoreUnavailableError: nothing was changed.
        """
        name, spelling = self._types.normalised(registry, code)
        with writing(self._store) as connection:
            agencies.locked(connection, actor.agency)
            taken = mapped_types.take(connection, actor.agency, name, spelling)
            if taken is None:
                return False
            subject = (SUBJECT, f"{name} {spelling}")
            facts = {"before": dict(taken.facts), "after": None}
            audit.add(connection, self._trail.entry(actor, "took back type", subject, facts=facts))
        return True


def _unmapped(one: Unmapped) -> Shown:
    return {
        "registry": one.registry,
        "code": one.text,
        "count": one.count,
        "first_seen_at": iso(one.first_seen_at),
        "last_seen_at": iso(one.last_seen_at),
    }


def _mapped(one: Mapped) -> Shown:
    return {
        "registry": one.registry,
        "code": one.text,
        "facts": dict(one.facts),
        "comment": one.comment,
        "mapped_by": one.mapped_name,
        "mapped_at": iso(one.mapped_at),
    }
