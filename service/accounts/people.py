"""
Look after the people of an agency: who they are, what role they have, and how they get in.

Passwords made here are shown once and must be changed at the first sign-in. Nobody can lock an
agency out: the last administrator who may sign in stays one, and nobody takes their own access.
"""

import datetime as dt
import re
import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from marshmallow import ValidationError, fields, validate
from sqlalchemy import Connection, Engine

from service.access import MAY, Actor
from service.accounts.sign_in import account_of
from service.audit import Audit
from service.errors import ConflictError
from service.instants import iso
from service.request import Flag, OneOf, Strict
from service.store import agencies, audit, keys, people, sessions
from service.store.cursor import Cursor, no_cursor, read_cursor, write_cursor
from service.store.database import reading, writing
from service.store.people import Person

NAME_CHARACTERS_MAX: Final = 200
EMAIL_CHARACTERS_MAX: Final = 254  # Source: RFC 5321, as corrected by erratum 1690 of RFC 3696
PASSWORD_BYTES: Final = 12  # of chance in a first password: 16 characters
HASHES_AT_ONCE: Final = 2  # each takes 64 MiB and 0.2 s
_EMAIL = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")


def one_line(text: str) -> None:
    """
    Refuse text that is not one line of signs that can be seen: NUL, line breaks, half characters.
    """
    if not text.isprintable() or not text.strip():
        raise ValidationError("must be one line of signs that can be seen")


def name_field(**kwargs: Any) -> fields.String:
    """
    Make a field for a name or a label.
    """
    return fields.String(validate=[validate.Length(1, NAME_CHARACTERS_MAX), one_line], **kwargs)


def _is_email(text: str) -> None:
    if not text.isprintable() or not _EMAIL.fullmatch(text):
        raise ValidationError("must be an e-mail address such as ada@example.org")


class PersonRequest(Strict):
    """
    Somebody who is to sign in.
    """

    email = fields.String(
        required=True, validate=[validate.Length(1, EMAIL_CHARACTERS_MAX), _is_email]
    )
    name = name_field(required=True)
    role = fields.String(required=True, validate=OneOf(tuple(MAY)))


class PersonChange(Strict):
    """
    What is to change about a person; whatever is left out stays.
    """

    name = name_field()
    role = fields.String(validate=OneOf(tuple(MAY)))
    disabled = Flag()
    totp_required = Flag()


PERSON_REQUEST: Final = PersonRequest()
PERSON_CHANGE: Final = PersonChange()


@dataclass(frozen=True, slots=True)
class Issued:
    """
    A person and the password that was made for them, which is shown once.
    """

    person: dict[str, Any]
    password: str = field(repr=False)


class People:
    """
    The people of one agency at a time: the actor's. One per process; any thread may call it.
    """

    def __init__(self, store: Engine, trail: Audit, now: Callable[[], dt.datetime]) -> None:
        self._store = store
        self._trail = trail
        self._now = now
        self._hashing = threading.BoundedSemaphore(HASHES_AT_ONCE)

    def page(
        self, actor: Actor, cursor: str | None, limit: int
    ) -> tuple[list[dict[str, Any]], str | None]:
        """
        Give people by e-mail address, and the cursor of the next page.

        Raises:
            CursorError: the cursor is not one that a page gave.
        """
        after = read_cursor(cursor).id if cursor is not None else ""
        if len(after) > EMAIL_CHARACTERS_MAX:
            raise no_cursor()
        found, has_more = people.page(self._store, actor.agency, after, limit)
        following = write_cursor(Cursor(self._now(), found[-1].email)) if has_more else None
        return [shown(one) for one in found], following

    def find(self, actor: Actor, person_id: str) -> dict[str, Any] | None:
        """
        Give a person, or None if the agency has none with this id.
        """
        found = people.find(self._store, actor.agency, person_id) if _is_id(person_id) else None
        return shown(found) if found else None

    def warnings(self, actor: Actor) -> list[dict[str, str]]:
        """
        Say what is dangerous about who has access: with one administrator nothing can be published.
        """
        with reading(self._store) as connection:
            count = people.count_administrators(connection, actor.agency)
        if count > 1:
            return []
        who = "nobody is an administrator who may" if count == 0 else "only one administrator may"
        text = f"{who} sign in: rules cannot be published until two can, so add another"
        return [{"code": "too_few_administrators", "message": text}]

    def add(self, actor: Actor, told: Mapping[str, Any]) -> Issued:
        """
        Add a person, with a first password that must be changed at the first sign-in.

        Raises:
            ValidationError: what was told has faults; all are named.
            ConflictError: `email_taken`: somebody signs in with this address already.
        """
        read = PERSON_REQUEST.load(told)
        if people.find_by_email(self._store, read["email"]) is not None:
            raise ConflictError("email_taken", "somebody signs in with this e-mail address already")
        password, password_hash = self._new_password()
        person = Person(
            people.new_id(),
            actor.agency,
            read["email"].lower(),
            read["name"].strip(),
            read["role"],
            password_hash,
            self._now(),
            must_change_password=True,
        )
        detail = {"email": person.email, "name": person.name, "role": person.role}
        with writing(self._store) as connection:
            people.add(connection, person)
            self._write(connection, actor, "added", person.id, detail)
        return Issued(shown(person), password)

    def change(
        self, actor: Actor, person_id: str, told: Mapping[str, Any]
    ) -> dict[str, Any] | None:
        """
        Change a person's name or role, let them in or not, or ask for a second factor; None if the
        agency has no such person.

        A new role ends their sessions and keys, since each key has a role; being disabled ends
        their sessions, and their keys rest until they are enabled again.

        Raises:
            ValidationError: what was told has faults; all are named.
            ConflictError: `own_role`, `own_access`, `last_admin`: it would lock somebody out.
        """
        read = PERSON_CHANGE.load(told)
        with writing(self._store) as connection:
            found = self._for_change(connection, actor, person_id)
            if found is None:
                return None
            values = self._changed(found, read)
            _refuse_own(actor, found, values)
            self._refuse_lockout(connection, found, values)
            if values:
                people.change(connection, actor.agency, person_id, **values)
                self._follow(connection, found, values)
                for act, detail in _told(found, values):
                    self._write(connection, actor, act, person_id, detail)
            after = people.within(connection, actor.agency, person_id)
        return shown(after) if after else None

    def reset_password(self, actor: Actor, person_id: str) -> Issued | None:
        """
        Make a new password, which must be changed at the next sign-in, and end the person's
        sessions; None if the agency has no such person.

        Raises:
            ConflictError: `own_password`: one's own is changed with the old one, on /account.
        """
        if not self.find(actor, person_id):
            return None
        if actor.person_id == person_id:
            text = "change your own password on /account, where the old one is asked for"
            raise ConflictError("own_password", text)
        password, password_hash = self._new_password()
        now = self._now()
        values = {
            "password_hash": password_hash,
            "password_changed_at": now,
            "must_change_password": True,
        }
        found = self._reset(actor, person_id, "reset password", values)
        return Issued(found, password) if found else None

    def reset_totp(self, actor: Actor, person_id: str) -> dict[str, Any] | None:
        """
        Forget a person's authenticator, so that they set one up anew, and end their sessions; None
        if the agency has no such person.

        Raises:
            ConflictError: `own_totp`: nobody drops their own second factor.
        """
        if actor.person_id == person_id:
            text = "another administrator resets your second factor, so that a stolen session"
            raise ConflictError("own_totp", f"{text} cannot drop it")
        values = {"totp_secret": None, "totp_last_step": None}
        return self._reset(actor, person_id, "reset second factor", values)

    def end_sessions(self, actor: Actor, person_id: str) -> int | None:
        """
        End every session of a person, and count them; None if the agency has no such person.
        """
        with writing(self._store) as connection:
            if self._for_change(connection, actor, person_id) is None:
                return None
            count = sessions.end_all(connection, person_id, self._now())
            self._write(connection, actor, "ended sessions", person_id, {"count": count})
        return count

    def _reset(
        self, actor: Actor, person_id: str, act: str, values: Mapping[str, Any]
    ) -> dict[str, Any] | None:
        with writing(self._store) as connection:
            found = self._for_change(connection, actor, person_id)
            if found is None:
                return None
            people.change(connection, actor.agency, person_id, **values)
            # Whoever was locked out for too many failures gets in with what is new.
            sessions.forget_failures(connection, account_of(found.email))
            sessions.end_all(connection, person_id, self._now())
            self._write(connection, actor, act, person_id, {})
            after = people.within(connection, actor.agency, person_id)
        return shown(after) if after else None

    def _new_password(self) -> tuple[str, str]:
        password = secrets.token_urlsafe(PASSWORD_BYTES)
        with self._hashing:
            return password, people.hash_password(password)

    def _for_change(self, connection: Connection, actor: Actor, person_id: str) -> Person | None:
        # One change of an agency's people at a time: two administrators cannot disable each other.
        agencies.locked(connection, actor.agency)
        return people.within(connection, actor.agency, person_id) if _is_id(person_id) else None

    def _changed(self, found: Person, read: Mapping[str, Any]) -> dict[str, Any]:
        values = {name: read[name] for name in ("name", "role", "totp_required") if name in read}
        values = {name: one for name, one in values.items() if one != getattr(found, name)}
        if "disabled" in read and read["disabled"] != (found.disabled_at is not None):
            values["disabled_at"] = self._now() if read["disabled"] else None
        return values

    def _refuse_lockout(
        self, connection: Connection, found: Person, values: Mapping[str, Any]
    ) -> None:
        is_one = found.role == "admin" and found.disabled_at is None
        stays_one = (
            values.get("role", found.role) == "admin"
            and values.get("disabled_at", found.disabled_at) is None
        )
        if is_one and not stays_one:
            if people.count_administrators(connection, found.agency, besides=found.id) == 0:
                text = "this is the last administrator who may sign in: make another one first"
                raise ConflictError("last_admin", text)

    def _follow(self, connection: Connection, found: Person, values: Mapping[str, Any]) -> None:
        now = self._now()
        if "role" in values:
            keys.end_all_of(connection, found.id, now)
        if "role" in values or values.get("disabled_at") is not None:
            sessions.end_all(connection, found.id, now)

    def _write(
        self,
        connection: Connection,
        actor: Actor,
        act: str,
        person_id: str,
        detail: Mapping[str, Any],
    ) -> None:
        audit.add(connection, self._trail.entry(actor, act, ("person", person_id), **detail))


def shown(person: Person) -> dict[str, Any]:
    """
    Give a person as the API and the pages show them: never a hash or a secret.
    """
    return {
        "person_id": person.id,
        "email": person.email,
        "name": person.name,
        "role": person.role,
        "disabled": person.disabled_at is not None,
        "disabled_at": person.disabled_at and iso(person.disabled_at),
        "created_at": iso(person.created_at),
        "password_changed_at": person.password_changed_at and iso(person.password_changed_at),
        "must_change_password": person.must_change_password,
        "totp_required": person.totp_required,
        "totp_set_up": person.totp_secret is not None,
    }


def _refuse_own(actor: Actor, found: Person, values: Mapping[str, Any]) -> None:
    if actor.person_id != found.id:
        return
    if "role" in values:
        raise ConflictError("own_role", "nobody changes their own role: ask another administrator")
    if "disabled_at" in values:
        raise ConflictError("own_access", "nobody disables themself: ask another administrator")
    if values.get("totp_required") is False:
        text = "nobody drops their own second factor: ask another administrator"
        raise ConflictError("own_totp", text)


def _told(found: Person, values: Mapping[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """
    Give an entry of the trail for each thing that changed: its act and its detail.
    """
    acts = []
    changed = {name: values[name] for name in ("name", "role") if name in values}
    if changed:
        before = {f"{name}_before": getattr(found, name) for name in changed}
        acts.append(("changed", {**before, **changed}))
    if "disabled_at" in values:
        acts.append(("disabled" if values["disabled_at"] else "enabled", {}))
    if "totp_required" in values:
        asked = "asked for" if values["totp_required"] else "no longer asked for"
        acts.append((f"{asked} a second factor", {}))
    return acts


def _is_id(text: str) -> bool:
    return text.isalnum() and text.isascii() and len(text) <= 32
