"""
Look after the keys that systems and people call the API with. A secret is shown once.
"""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from marshmallow import ValidationError, fields, validate
from sqlalchemy import Engine

from service.access import MAY, Actor
from service.accounts.people import name_field
from service.audit import Audit
from service.errors import ConflictError
from service.instants import iso
from service.request import OneOf, Strict, fault
from service.store import audit, keys, people
from service.store.database import writing
from service.store.keys import Key


class KeyRequest(Strict):
    """
    A key that is to be made: of a role, or of a person, whose role it then has.
    """

    label = name_field(required=True)
    role = fields.String(validate=OneOf(tuple(MAY)), allow_none=True)
    person_id = fields.String(validate=validate.Length(1, 32), allow_none=True)


KEY_REQUEST: Final = KeyRequest()


@dataclass(frozen=True, slots=True)
class MadeKey:
    """
    A key and its secret, which is shown once.
    """

    key: dict[str, Any]
    secret: str = field(repr=False)


class AccessKeys:
    """
    The keys of one agency at a time: the actor's. One per process; any thread may call it.
    """

    def __init__(self, store: Engine, trail: Audit, now: Callable[[], dt.datetime]) -> None:
        self._store = store
        self._trail = trail
        self._now = now

    def page(
        self, actor: Actor, cursor: str | None, limit: int
    ) -> tuple[list[dict[str, Any]], str | None]:
        """
        Give keys without their secrets, the newest first, and the cursor of the next page.

        Raises:
            CursorError: the cursor is not one that a page gave.
        """
        found, following = keys.page(self._store, actor.agency, cursor, limit)
        owners = {one.id: one.name for one in people.of_agency(self._store, actor.agency)}
        return [shown(one, owners.get(one.person_id or "")) for one in found], following

    def make(self, actor: Actor, told: Mapping[str, Any]) -> MadeKey:
        """
        Make a key.

        Raises:
            ValidationError: what was told has faults; all are named.
            ConflictError: `not_your_key`: a key acts as its person, and an administrator's must not
                be in the hands of another one.
        """
        read = KEY_REQUEST.load(told)
        role, owner = self._whose(actor, read)
        secret = keys.new_key()
        owner_id, owner_name = owner or (None, None)
        made = Key(
            *(keys.new_id(), actor.agency, keys.digest(secret), role, owner_id),
            *(read["label"].strip(), self._now()),
        )
        detail = {"role": role, "label": made.label, "person": owner_id}
        with writing(self._store) as connection:
            keys.add(connection, made)
            audit.add(connection, self._trail.entry(actor, "made", ("key", made.id), **detail))
        return MadeKey(shown(made, owner_name), secret)

    def end(self, actor: Actor, key_id: str) -> bool:
        """
        End a key; False if the agency has no such key that still works. Every process knows it
        within a second or two.
        """
        if not (key_id.isascii() and key_id.isalnum()):
            return False
        with writing(self._store) as connection:
            if not keys.end(connection, actor.agency, key_id, self._now()):
                return False
            audit.add(connection, self._trail.entry(actor, "ended", ("key", key_id)))
        return True

    def _whose(self, actor: Actor, read: Mapping[str, Any]) -> tuple[str, tuple[str, str] | None]:
        """
        Give the role of a key that is to be made, and the id and name of its person, if any.
        """
        role, person_id = read.get("role"), read.get("person_id")
        if person_id is None:
            if role is None:
                raise ValidationError({"role": [fault("is required", tuple(MAY))]})
            return role, None
        person = people.find(self._store, actor.agency, person_id) if _is_id(person_id) else None
        if person is None or person.disabled_at is not None:
            text = "is nobody of this agency who may sign in: see the list of people"
            raise ValidationError({"person_id": [text]})
        if role not in (None, person.role):
            text = f"must be the person's own role, `{person.role}`, or be left out"
            raise ValidationError({"role": [fault(text, (person.role,))]})
        is_other = actor.person_id != person.id and not actor.is_command_line
        if person.role == "admin" and is_other:
            # Two people stand behind a change of the rules, and a key acts as its person.
            text = "a key of another administrator is made by that person"
            raise ConflictError("not_your_key", text)
        return person.role, (person.id, person.name)


def shown(key: Key, owner: str | None) -> dict[str, Any]:
    """
    Give a key as the API and the pages show it: never its secret or digest.
    """
    return {
        "key_id": key.id,
        "role": key.role,
        "label": key.label,
        "person_id": key.person_id,
        "person": owner,
        "created_at": iso(key.created_at),
        "ended_at": iso(key.revoked_at) if key.revoked_at else None,
    }


def _is_id(text: str) -> bool:
    return text.isascii() and text.isalnum()
