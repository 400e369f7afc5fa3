"""
Sign people in and out: password, second factor, limits of a session, and the lock after failures.

A session is good for one browser until it is signed out, idle for too long or too old; an
administrator ends it at once. With the store away nobody can sign in, and those who are in go on.
"""

import datetime as dt
import hashlib
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import structlog
from sqlalchemy import Connection, Engine

from service.access import Actor
from service.accounts.passwords import PASSWORD_CHARACTERS_MAX, fault_in
from service.accounts.second_factor import SecondFactor
from service.audit import Audit
from service.encryption import KeyRing
from service.errors import StoreUnavailableError
from service.settings import Settings
from service.store import audit, people, sessions
from service.store.database import writing
from service.store.people import Person
from service.store.sessions import Session
from service.surroundings import Surroundings

log = structlog.get_logger()

# Each hash takes 64 MiB and 0.2 s: a storm of sign-ins must not take the calls' breath away.
HASHES_AT_ONCE, HASH_WAIT_S_MAX = 2, 5.0
TOUCH_EVERY_S = 60


@dataclass(frozen=True, slots=True)
class SignedIn:
    """
    A session that began, and the token that opens it: shown to one browser, kept nowhere.
    """

    token: str
    session: Session


@dataclass(frozen=True, slots=True)
class Denied:
    """
    Why somebody is not signed in, in words for them; `status` is that of the page.
    """

    words: str
    status: int = 403


WRONG = Denied(
    "That is not a sign-in of ours. Look at the address and the password, and try again."
)
WRONG_CODE = Denied(
    "That code is not right now. Wait for the next one, and type it without spaces."
)
LOCKED = Denied(
    "Too many tries failed. Wait a quarter of an hour, or ask an administrator of your agency to"
    " set a new password.",
    429,
)
BUSY = Denied("Many people sign in at this moment. Try again in a few seconds.", 503)
STORE_AWAY = Denied(
    "Nobody can sign in now: the store cannot be reached. Calls are answered over the API, and"
    " whoever is signed in goes on.",
    503,
)


class SignIn:
    """
    Signs people in. One per process; any thread may call it.
    """

    def __init__(
        self,
        settings: Settings,
        store: Engine,
        key_ring: KeyRing,
        surroundings: Surroundings,
        *,
        trail: Audit,
        now: Callable[[], dt.datetime],
    ) -> None:
        self._settings = settings
        self._store = store
        self.second_factor = SecondFactor(key_ring, now)
        self._surroundings = surroundings
        self._trail = trail
        self._now = now
        self._hashing = threading.BoundedSemaphore(HASHES_AT_ONCE)

    @cached_property
    def _nobody(self) -> Person:
        """
        Give a person whose password nobody has: judged where there is no such person, so that time
        does not tell who there is.
        """
        hashed = people.hash_password(sessions.new_token())
        return Person("", "", "", "", "", hashed, self._now())

    def sign_in(self, email: str, password: str, address: str) -> SignedIn | Denied:
        """
        Begin a session for the person of this address and password.

        It is not whole while a code of the authenticator or a new password is still owed. After too
        many failures, of the account or from the address, even the right password is refused until
        the time has passed. The words are the same whether there is such a person or not.
        """
        account = account_of(email)
        try:
            if self._is_locked(account, address):
                return LOCKED
            person = people.find_by_email(self._store, email) if "\0" not in email else None
            is_right = self._is_password(person or self._nobody, password)
            if is_right is None:
                return BUSY
            if person is None or not is_right:
                return self._failed(person, account, address)
            return self._begin(person, account, address)
        except StoreUnavailableError:
            return STORE_AWAY

    def give_code(self, token: str, code: str, address: str) -> SignedIn | Denied:
        """
        Make a session whole with a code of the person's authenticator; each code is taken once.
        """
        try:
            session = sessions.find(self._store, sessions.digest(token))
            person = self._person_of(session)
            if session is None or person is None or person.totp_secret is None:
                return WRONG
            account = account_of(person.email)
            if self._is_locked(account, address):
                return LOCKED
            step = self.second_factor.step_of(person.id, person.totp_secret, code)
            if step is None or not self._take_step(person, step):
                self._failed(person, account, address)
                return WRONG_CODE
            return self._go_on(person, token, session)
        except StoreUnavailableError:
            return STORE_AWAY

    def set_up(self, token: str, sealed: str, code: str, address: str) -> SignedIn | Denied:
        """
        Take a new authenticator, once a code of it is right; *sealed* is what
        `SecondFactor.new_secret` gave.
        """
        try:
            session = sessions.find(self._store, sessions.digest(token))
            person = self._person_of(session)
            if session is None or person is None or person.totp_secret is not None:
                return WRONG
            step = self.second_factor.step_of(person.id, sealed, code)
            if step is None:
                return WRONG_CODE
            with writing(self._store) as connection:
                people.set_totp(connection, person.id, sealed, step)
                entry = self._trail.entry(
                    actor_of(person, address), "set up an authenticator", ("person", person.id)
                )
                audit.add(connection, entry)
            return self._go_on(replace(person, totp_secret=sealed), token, session)
        except StoreUnavailableError:
            return STORE_AWAY

    def owed(self, session: Session) -> str | None:
        """
        Tell what a session that is not whole still owes: `password`, a new one; `code`, of the
        authenticator; `authenticator`, one to be set up; None for a whole one.

        Raises:
            StoreUnavailableError: the store cannot be reached.
        """
        person = None if session.is_whole else self._person_of(session)
        return _owed(person) if person is not None else None

    def change_password(self, token: str, old: str, new: str, address: str) -> SignedIn | Denied:
        """
        Set a person's own password, and end every other session of theirs.
        """
        try:
            session = sessions.find(self._store, sessions.digest(token))
            person = self._person_of(session)
            if session is None or person is None:
                return WRONG
            account = account_of(person.email)
            if self._is_locked(account, address):
                return LOCKED
            if not self._is_password(person, old):
                self._failed(person, account, address)
                return Denied("The old password is not right.")
            fault = fault_in(new, person.email, self._settings.password_characters_min)
            if fault is not None:
                return Denied(fault, 422)
            if new == old:
                return Denied("The new password is the old one. Choose another.", 422)
            return self._keep_password(person, token, session, new)
        except StoreUnavailableError:
            return STORE_AWAY

    def session_of(self, token: str) -> Session | None:
        """
        Give the session that a browser's token opens, or None where it has ended, was idle for too
        long or is too old. With the store away, what was seen last holds.
        """
        digest, now = sessions.digest(token), self._now()
        if self._surroundings.seen.has_store:
            try:
                return self._stored_session(digest, now)
            except StoreUnavailableError:
                log.warning("session_from_last_look")
        found = self._surroundings.seen.sessions.get(digest)
        # Nobody can be noted to be busy now; the whole life of a session still has its end.
        return found if found is not None and self._is_young(found, now) else None

    def end(self, session: Session, address: str) -> None:
        """
        Sign out: the token opens nothing any more, wherever it is.

        Raises:
            StoreUnavailableError: the store cannot be reached, and the session goes on.
        """
        actor = actor_in(session, address)
        with writing(self._store) as connection:
            sessions.end(connection, session.token_digest, self._now())
            entry = self._trail.entry(actor, "signed out", ("person", session.person_id))
            audit.add(connection, entry)

    def _stored_session(self, digest: str, now: dt.datetime) -> Session | None:
        found = sessions.find(self._store, digest)
        if found is None or not self._is_good(found, now):
            return None
        if (now - found.seen_at).total_seconds() > TOUCH_EVERY_S:
            sessions.touch(self._store, digest, now)
        return found

    def _is_good(self, session: Session, now: dt.datetime) -> bool:
        idle_s = (now - session.seen_at).total_seconds()
        return self._is_young(session, now) and idle_s < self._settings.session_idle_s_max

    def _is_young(self, session: Session, now: dt.datetime) -> bool:
        return (now - session.started_at).total_seconds() < self._settings.session_s_max

    def _is_locked(self, account: str, address: str) -> bool:
        since = self._now() - dt.timedelta(seconds=self._settings.lockout_s)
        of_account, of_address = sessions.count_failures(self._store, account, address, since)
        return (
            of_account >= self._settings.lockout_account_tries
            or of_address >= self._settings.lockout_address_tries
        )

    def _is_password(self, person: Person, password: str) -> bool | None:
        """
        Tell whether it is the person's password; None where too many are judged at once.
        """
        if not 0 < len(password) <= PASSWORD_CHARACTERS_MAX:
            return False
        if not self._hashing.acquire(timeout=HASH_WAIT_S_MAX):
            return None
        try:
            return people.is_password(person, password)
        finally:
            self._hashing.release()

    def _failed(self, person: Person | None, account: str, address: str) -> Denied:
        sessions.note_failure(self._store, account, address, self._now())
        if person is not None:
            actor = actor_of(person, address)
            self._trail.note(actor, "failed to sign in", ("person", person.id))
        else:
            log.warning("sign_in_of_nobody", address=address)
        return WRONG

    def _begin(self, person: Person, account: str, address: str) -> SignedIn:
        token, now = sessions.new_token(), self._now()
        is_whole = _owed(person) is None
        session = Session(
            sessions.digest(token),
            *(person.id, person.agency, person.role, person.name),
            is_whole=is_whole,
            address=address,
            started_at=now,
            seen_at=now,
        )
        with writing(self._store) as connection:
            sessions.add(connection, session)
            if is_whole:
                self._note_in(connection, person, account, address)
        return SignedIn(token, session)

    def _go_on(self, person: Person, token: str, session: Session) -> SignedIn:
        """
        Make a session whole, unless a new password is still owed; under a new token, since what it
        opens has changed.
        """
        if session.is_whole or person.must_change_password:
            return SignedIn(token, session)  # the password comes first, so the code counts again
        fresh = sessions.new_token()
        whole = replace(session, token_digest=sessions.digest(fresh), is_whole=True)
        with writing(self._store) as connection:
            sessions.end(connection, session.token_digest, self._now())
            sessions.add(connection, whole)
            self._note_in(connection, person, account_of(person.email), session.address or "")
        return SignedIn(fresh, whole)

    def _note_in(self, connection: Connection, person: Person, account: str, address: str) -> None:
        sessions.forget_failures(connection, account)
        entry = self._trail.entry(actor_of(person, address), "signed in", ("person", person.id))
        audit.add(connection, entry)

    def _keep_password(
        self, person: Person, token: str, session: Session, new: str
    ) -> SignedIn | Denied:
        if not self._hashing.acquire(timeout=HASH_WAIT_S_MAX):
            return BUSY
        try:
            hashed = people.hash_password(new)
        finally:
            self._hashing.release()
        now, fresh = self._now(), sessions.new_token()
        still_owed = _owed(replace(person, must_change_password=False))
        is_whole = session.is_whole or still_owed is None
        kept = replace(
            session,
            token_digest=sessions.digest(fresh),
            is_whole=is_whole,
            started_at=now,
            seen_at=now,
        )
        actor = actor_of(person, session.address)
        with writing(self._store) as connection:
            people.set_password(connection, person.id, hashed, now, must_change=False)
            sessions.end_all(connection, person.id, now)
            sessions.add(connection, kept)
            entry = self._trail.entry(actor, "changed their password", ("person", person.id))
            audit.add(connection, entry)
        return SignedIn(fresh, kept)

    def _person_of(self, session: Session | None) -> Person | None:
        if session is None:
            return None
        return people.find(self._store, session.agency, session.person_id)

    def _take_step(self, person: Person, step: int) -> bool:
        with writing(self._store) as connection:
            return people.take_step(connection, person.id, step)


def _owed(person: Person) -> str | None:
    if person.must_change_password:
        return "password"
    if person.totp_secret is not None:
        return "code"
    return "authenticator" if person.totp_required else None


def account_of(email: str) -> str:
    """
    Give the digest by which failures of an account are counted: what was typed is not kept.
    """
    return hashlib.sha256(email.strip().lower().encode(errors="replace")).hexdigest()


def actor_of(person: Person, address: str | None) -> Actor:
    """
    Give a person as an actor.
    """
    return Actor(person.agency, person.role, None, person.id, person.name, address)


def actor_in(session: Session, address: str | None) -> Actor:
    """
    Give who is signed in as an actor.
    """
    return Actor(session.agency, session.role, None, session.person_id, session.name, address)
