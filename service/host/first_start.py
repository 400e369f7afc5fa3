"""
Make what a host needs before its processes start.

That is its folder, keys, journal, the tables of the store, and, in an empty store, one agency with
its people and keys.

Whatever is there already is left alone, so that every start may call it, and one that was cut short
is finished.
"""

import json
import os
import secrets
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import structlog
from sqlalchemy import Engine

from service.encryption import open_key_ring, sampling_key, session_key, write_secret
from service.errors import JournalUnavailableError, SettingsError, StoreUnavailableError
from service.host.restore import refuse_unfinished
from service.journal import create_journal
from service.settings import Settings
from service.store import agencies, keys, people
from service.store.database import open_store, writing
from service.store.migration import is_current, migrate
from service.tuning.shipped_rules import give_shipped

log = structlog.get_logger()

AGENCY = "example"
RULESET = "national-baseline"
CREDENTIALS = "credentials.json"
_PREPARED = ".prepared"  # there once this host and the store have met
# Who is made: the name in the credentials, the role, and the name that pages show.
_PEOPLE = (
    ("dispatcher", "dispatch", "Example Dispatcher"),
    ("supervisor", "supervisor", "Example Supervisor"),
    ("admin", "admin", "Example Administrator"),
    ("second_admin", "admin", "Second Administrator"),
)


@dataclass(frozen=True, slots=True)
class SignIn:
    """
    What one person signs in with.
    """

    email: str
    password: str


@dataclass(frozen=True, slots=True, repr=False)
class Credentials:
    """
    The keys and sign-ins of the first start, in the shape of `credentials.json`. Never logged.
    """

    dispatch_key: str
    supervisor_key: str
    admin_key: str
    second_admin_key: str
    dispatcher: SignIn
    supervisor: SignIn
    admin: SignIn
    second_admin: SignIn


def prepare(settings: Settings) -> Credentials | None:
    """
    Make what is missing; give the credentials if this start made them, else None.

    Raises:
        SettingsError: the home cannot be written, or a key is of no use; says what to do.
        JournalUnavailableError: the disk is full or fails, and this host never ran.
        StoreUnavailableError: the store is away and this host never ran: it has no keys to judge
            requests by.
    """
    refuse_unfinished(settings.home)
    make_home(settings.home)
    open_key_ring(settings)
    session_key(settings)
    sampling_key(settings)
    _make_journal(settings)
    store = open_store(settings.database_url, wait_s_max=settings.store_wait_s_max)
    try:
        if not is_current(store):
            migrate(settings.database_url)
        credentials = _first_agency(settings, store)
        give_shipped(settings, store, datetime.now(UTC))
    except StoreUnavailableError as error:
        if not is_prepared(settings):
            raise
        # Calls are answered with the store away; the shipper brings it up to date when it is back.
        log.warning("store_away_at_start", reason=str(error))
        return None
    finally:
        store.dispose()
    (settings.home / _PREPARED).touch(mode=0o600)
    return credentials


def _make_journal(settings: Settings) -> None:
    try:
        create_journal(settings.journal_path)
    except JournalUnavailableError as error:
        if not is_prepared(settings):
            raise
        # Calls are answered without it, and say so; the shipper makes it when there is room.
        log.error("journal_away_at_start", reason=str(error))


def is_prepared(settings: Settings) -> bool:
    """
    Tell whether this host was made ready once, and has met its store.
    """
    return (settings.home / _PREPARED).exists()


def make_home(home: Path) -> None:
    """
    Make the folder of this host's state, for its owner only, and see that it can be written.

    Raises:
        SettingsError: it cannot.
    """
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        trial = home / f".trial.{os.getpid()}"
        trial.touch(mode=0o600)
        trial.unlink()
    except OSError as error:
        raise SettingsError(
            f"`{home}` cannot be written ({error.strerror}):"
            " choose another folder with CRISIS_ROUTER_HOME=/folder"
        ) from error


def _draft(settings: Settings) -> Path:
    return settings.home / f".{CREDENTIALS}.new"


def _first_agency(settings: Settings, store: Engine) -> Credentials | None:
    draft, final = _draft(settings), settings.home / CREDENTIALS
    if not draft.exists():
        if agencies.all_agencies(store):
            return None
        # The secrets are on disk before the store has their digests: a start that is cut short in
        # between finds them here, and no key exists that nobody knows.
        _write_draft(draft, _new_credentials())
    credentials = _read(draft)
    if not _is_made(store, credentials):
        if agencies.all_agencies(store):
            # Another host on the same store was first; its credentials are the ones that work.
            draft.unlink()
            return None
        _make(store, credentials)
    draft.replace(final)
    return credentials


def _new_credentials() -> Credentials:
    people_made = {
        name: SignIn(f"{name.replace('_', '-')}@example.org", secrets.token_urlsafe(12))
        for name, _, _ in _PEOPLE
    }
    return Credentials(
        dispatch_key=keys.new_key(),
        supervisor_key=keys.new_key(),
        admin_key=keys.new_key(),
        second_admin_key=keys.new_key(),
        **people_made,
    )


def _write_draft(draft: Path, credentials: Credentials) -> None:
    part = draft.with_name(f"{draft.name}.{os.getpid()}")
    part.unlink(missing_ok=True)
    write_secret(part, json.dumps(asdict(credentials), indent=2) + "\n")
    part.replace(draft)


def _read(path: Path) -> Credentials:
    found: Mapping[str, dict[str, str] | str] = json.loads(path.read_text())
    read = {
        name: SignIn(**value) if isinstance(value, dict) else value for name, value in found.items()
    }
    return Credentials(**read)  # type: ignore[arg-type]  # each name has its own type, as it was written


def _is_made(store: Engine, credentials: Credentials) -> bool:
    ours = keys.digest(credentials.dispatch_key)
    return any(key.secret_digest == ours for key in keys.all_keys(store))


def _make(store: Engine, credentials: Credentials) -> None:
    now = datetime.now(UTC)
    sign_ins = {name: getattr(credentials, name) for name, _, _ in _PEOPLE}
    with ThreadPoolExecutor(
        os.cpu_count()
    ) as pool:  # a hash takes long, and lets go of the interpreter
        hashes = list(pool.map(people.hash_password, (one.password for one in sign_ins.values())))
    with writing(store) as connection:
        agencies.add(connection, agencies.Agency(AGENCY, "Example agency", "UTC", RULESET, now))
        ids = {}
        for (name, role, shown), password_hash in zip(_PEOPLE, hashes, strict=True):
            ids[name] = people.new_id()
            people.add(
                connection,
                people.Person(
                    ids[name], AGENCY, sign_ins[name].email, shown, role, password_hash, now
                ),
            )
        for name, role, owner in (
            ("dispatch", "dispatch", None),
            ("supervisor", "supervisor", "supervisor"),
            ("admin", "admin", "admin"),
            ("second_admin", "admin", "second_admin"),
        ):
            digest = keys.digest(getattr(credentials, f"{name}_key"))
            label = f"first start: {name.replace('_', ' ')}"
            person_id = ids[owner] if owner else None
            key = keys.Key(keys.new_id(), AGENCY, digest, role, person_id, label, now)
            keys.add(connection, key)
