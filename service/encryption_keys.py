"""
Look after the ring of keys that seals text about a person: make a new one, see what uses an old
one, and end it when nothing does.

It is the ring of one home; every process of it takes the new keys within seconds, without a
restart. Hosts that share a store share their keys by the setting, and a setting needs a restart.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine

from service.encryption import KeyRing, key_file, new_key, open_key_ring, write_secret
from service.errors import CrisisRouterError
from service.journal import Journal
from service.settings import Settings
from service.store import key_use

SETTLED_S = 30.0  # longer than any process goes on with the keys of before


class EncryptionKeys:
    """
    The ring of one home, its store and its journal.
    """

    def __init__(self, settings: Settings, store: Engine, journal: Journal) -> None:
        self._settings = settings
        self._store = store
        self._journal = journal

    def listed(self) -> tuple[tuple[str, int], ...]:
        """
        Give the id of each key, the newest first, and how many sealed texts need it, in the store
        and in this host's journal.

        Raises:
            StoreUnavailableError, JournalUnavailableError: it cannot be counted.
        """
        names = open_key_ring(self._settings).names
        return tuple((name, self._used(name)) for name in names)

    def rotate(self) -> str:
        """
        Put a new key before the others, and give its id.

        Raises:
            CrisisRouterError: the keys are those of the setting.
        """
        with self._alone() as path:
            made = new_key()
            _write(path, f"{made},{path.read_text().strip()}")
        return made.partition(":")[0]

    def retire(self, name: str) -> None:
        """
        Take a key out of the ring, for good.

        Raises:
            CrisisRouterError: the keys are those of the setting, there is no such key, it is the
                newest, or sealed texts still need it.
        """
        with self._alone() as path:
            parts = [one.strip() for one in path.read_text().split(",") if one.strip()]
            names = KeyRing(",".join(parts)).names
            if name not in names:
                raise CrisisRouterError(f"there is no key `{name}`: {', '.join(names)}")
            if name == names[0]:
                raise CrisisRouterError(
                    f"`{name}` is the newest key, which seals: make a new one first, with"
                    " crisis-router keys rotate"
                )
            if time.time() - path.stat().st_mtime < SETTLED_S:
                # Another process may have sealed with it after it was no longer the newest.
                text = "the keys were changed a moment ago: try again in a minute"
                raise CrisisRouterError(text)
            used = self._used(name)
            if used:
                texts = "1 sealed text needs" if used == 1 else f"{used} sealed texts need"
                raise CrisisRouterError(
                    f"{texts} key `{name}`: retention erases words in time, then it can be retired"
                )
            _write(path, ",".join(one for one in parts if one.partition(":")[0] != name))

    def _used(self, name: str) -> int:
        return key_use.count(self._store, name) + self._journal.sealed_with(name)

    @contextmanager
    def _alone(self) -> Iterator[Path]:
        if self._settings.encryption_keys:
            raise CrisisRouterError(
                "the keys are those of CRISIS_ROUTER_ENCRYPTION_KEYS: change it, the newest key"
                " first, and start each part again"
            )
        path = key_file(self._settings)
        lock = os.open(path.with_name(f".{path.name}.lock"), os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield path
        except OSError as error:
            raise CrisisRouterError(f"`{path}` cannot be changed: {error.strerror}") from error
        finally:
            os.close(lock)


def _write(path: Path, text: str) -> None:
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    write_secret(draft, f"{text}\n")
    draft.replace(path)
