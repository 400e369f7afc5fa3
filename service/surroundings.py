"""
What a process knows of the world around it: agencies, keys, and whether the store and the queue can
be reached.

One thread looks every second and swaps one reference, so that no request ever waits for a network.
What it saw last is kept on disk: a process that starts with the store away still knows the keys.
"""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import orjson
import structlog
from redis.exceptions import RedisError
from sqlalchemy import Engine

from service.errors import StoreUnavailableError
from service.incident_types import NO_OWN_TYPES, Facts, OwnTypes
from service.kept_file import KeptFile
from service.redis_client import ALIVE_KEY, ALIVE_S, connect
from service.settings import Settings
from service.store import agencies, keys, mapped_types, quarantined, sessions
from service.store.agencies import Agency
from service.store.keys import Key
from service.store.sessions import Session

log = structlog.get_logger()
LOOK_AGAIN_S = 0.1  # keys that nobody has cost the store no more than ten looks a second
QUARANTINED_MAX: Final = 1000  # are counted, so that a look costs little whatever went wrong


@dataclass(frozen=True, slots=True)
class Seen:
    """
    One look around. Keys and sessions are found by the digest of their secret; agencies, and what
    they say themselves of type codes, by the agency's id.
    """

    agencies: Mapping[str, Agency] = field(default_factory=dict)
    keys: Mapping[str, Key] = field(default_factory=dict)
    sessions: Mapping[str, Session] = field(default_factory=dict)
    has_store: bool = False
    has_queue: bool = False
    # By the id of a person who has a key; not kept on disk.
    names: Mapping[str, str] = field(default_factory=dict)
    own_types: Mapping[str, OwnTypes] = field(default_factory=dict)
    # How many records are in quarantine, by agency; None where nobody ever saw it. Not kept on
    # disk, and no change of what is.
    quarantined: Mapping[str | None, int] | None = field(default=None, compare=False)

    def types_of(self, agency: str) -> OwnTypes:
        """
        Give what an agency says itself of its type codes.
        """
        return self.own_types.get(agency, NO_OWN_TYPES)

    def quarantined_of(self, agency: str | None) -> int | None:
        """
        Count what is in quarantine of an agency, or None stands for all; at most `QUARANTINED_MAX`.
        A record whose agency could not be read may be anybody's. None: nobody ever saw it.
        """
        found = self.quarantined
        if found is None:
            return None
        if agency is None:
            return sum(found.values())
        return found.get(agency, 0) + found.get(None, 0)

    def name_of(self, key: Key) -> str:
        """
        Name who acts by a key: its person, else what the key is for.
        """
        return self.names.get(key.person_id or "", key.label)

    def key(self, secret: str) -> Key | None:
        """
        Give the key with this secret, or None; a revoked one is not among them.
        """
        return self.keys.get(keys.digest(secret))


class Surroundings:
    """
    Looks around, again and again, in a thread of its own; `seen` is the last look.
    """

    def __init__(self, settings: Settings, store: Engine) -> None:
        self._settings = settings
        self._store = store
        self._queue = connect(settings.redis_url) if settings.redis_url else None
        self._kept = KeptFile(settings.home / "last_seen.json", "look_not_kept")
        self._stopping = threading.Event()
        self._looking = threading.Lock()
        self._seen = _read_kept(self._kept.path)
        self._is_first_look = True
        self._on_look: Callable[[], object] = lambda: None
        self._looked_at = self._queue_since = time.monotonic()
        self.look()
        self._thread = threading.Thread(target=self._run, name="surroundings", daemon=True)
        self._thread.start()

    @property
    def look_age_s(self) -> float:
        """
        Give how long ago the last whole look was, in seconds.
        """
        return time.monotonic() - self._looked_at

    @property
    def seen(self) -> Seen:
        """
        Give the last look; a frozen value, safe to hold.
        """
        return self._seen

    def key(self, secret: str) -> Key | None:
        """
        Give the key with this secret, or None.

        One that the last look did not see may have been made since, by another process: then a look
        is taken at once, a few times a second at most, so that a new key works from its first call.
        """
        found = self._seen.key(secret)
        if found is not None or not self._seen.has_store:
            return found
        with self._looking:
            if self.look_age_s > LOOK_AGAIN_S:
                self._look()
        return self._seen.key(secret)

    def look(self) -> None:
        """
        Look once: read agencies and keys, and ask the queue for a sign of life. Never raises.
        """
        with self._looking:
            self._look()

    def _look(self) -> None:
        # Two looks at once could leave the older one in force.
        before = self._seen
        has_queue = self._has_queue()
        try:
            found_agencies = {one.id: one for one in agencies.all_agencies(self._store)}
            found_keys = {one.secret_digest: one for one in keys.all_keys(self._store)}
            found_sessions = {one.token_digest: one for one in self._open_sessions()}
            found_names = keys.owners(self._store)
            found_types = mapped_types.own_types(self._store)
            in_quarantine = quarantined.by_agency(self._store, QUARANTINED_MAX)
        except StoreUnavailableError:
            found = replace(before, has_store=False, has_queue=has_queue)
        else:
            found = Seen(
                *(found_agencies, found_keys, found_sessions),
                has_store=True,
                has_queue=has_queue,
                names=found_names,
                own_types=found_types,
                quarantined=in_quarantine,
            )
        is_whole = found.has_store and found.has_queue
        if found.has_queue and (not before.has_queue or self._is_first_look):
            self._queue_since = time.monotonic()
        has_changed = (found.has_store, found.has_queue) != (before.has_store, before.has_queue)
        if has_changed and not (is_whole and self._is_first_look):
            say = log.info if is_whole else log.warning
            say("surroundings", has_store=found.has_store, has_queue=found.has_queue)
        self._is_first_look = False
        self._seen = found
        self._looked_at = time.monotonic()
        is_other = replace(found, has_store=True, has_queue=True) != replace(
            before, has_store=True, has_queue=True
        )
        if is_other or self._kept.is_due:
            self._kept.put(_written(found))
        self._on_look()

    def on_look(self, tell: Callable[[], object]) -> None:
        """
        Call *tell* after each look.
        """
        self._on_look = tell

    def alive(self, name: str) -> bool | None:
        """
        Tell whether a part of the workers gave a sign of life in the last seconds; None if the
        queue is away, or came back so lately that the signs in it may be lost.
        """
        if self._queue is None:
            return None
        try:
            if self._queue.exists(ALIVE_KEY.format(part=name)):
                return True
        except RedisError:
            return None
        return False if time.monotonic() - self._queue_since > ALIVE_S else None

    def close(self) -> None:
        """
        Stop looking.
        """
        self._stopping.set()
        self._thread.join(timeout=2)

    def _run(self) -> None:
        while not self._stopping.wait(self._settings.keys_refresh_s):
            try:
                self.look()
            except Exception as fault:  # noqa: BLE001  # a look that fails must not be the last one
                log.error("look_failed", error=type(fault).__name__)

    def _open_sessions(self) -> tuple[Session, ...]:
        now = datetime.now(UTC)
        started = now - timedelta(seconds=self._settings.session_s_max)
        return sessions.all_open(self._store, started_after=started)

    def _has_queue(self) -> bool:
        if self._queue is None:
            return False
        try:
            return bool(self._queue.ping())
        except RedisError:
            return False


def _written(seen: Seen) -> str:
    """
    Write a look as it is kept; it holds digests of keys, never a secret.
    """
    document = {
        "agencies": [_fields(one) for one in seen.agencies.values()],
        "keys": [_fields(one) for one in seen.keys.values()],
        "sessions": [_fields(one) for one in seen.sessions.values()],
        "own_types": [
            {"agency": agency, "registry": registry, "code": code, "facts": facts}
            for agency, own in seen.own_types.items()
            for (registry, code), facts in own.items()
        ],
    }
    return orjson.dumps(document).decode()


def _fields(row: Agency | Key | Session) -> dict[str, Any]:
    return {name: getattr(row, name) for name in row.__slots__}


def _read_kept(path: Path) -> Seen:
    try:
        document = orjson.loads(path.read_bytes())
        found_agencies = [Agency(**_with_times(one)) for one in document["agencies"]]
        found_keys = [Key(**_with_times(one)) for one in document["keys"]]
        found_sessions = [Session(**_with_times(one)) for one in document["sessions"]]
        found_types: dict[str, dict[tuple[str, str], Facts]] = {}
        for one in document.get("own_types", ()):  # a file of before there were any has none
            own = found_types.setdefault(one["agency"], {})
            own[one["registry"], one["code"]] = one["facts"]
    except (OSError, ValueError, KeyError, TypeError):
        return Seen()
    return Seen(
        {one.id: one for one in found_agencies},
        {one.secret_digest: one for one in found_keys},
        {one.token_digest: one for one in found_sessions},
        own_types=found_types,
    )


def _with_times(row: Mapping[str, Any]) -> dict[str, Any]:
    read: Callable[[str], datetime] = datetime.fromisoformat
    return {
        name: read(value) if name.endswith("_at") and value else value
        for name, value in row.items()
    }
