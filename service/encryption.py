"""
Seal text about a person before it reaches a disk, and keep this host's secrets.

AES-GCM with a ring of keys, the newest first: new text is sealed with the first, old text opens
with any. A sealed text opens only for the record that it was sealed for.

    ring = open_key_ring(settings)
    ring.open(ring.seal("she is alone", "r-1"), "r-1")
"""

import base64
import binascii
import os
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import structlog
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from service.errors import KeyNotHereError, SealedTextError, SettingsError
from service.settings import Settings

log = structlog.get_logger()
LOOK_EVERY_S = 1.0  # how often a process looks whether the file of the keys is another one
_KEY_BYTES = 32
_NONCE_BYTES = 12
_PREFIX = "enc"
Otherwise = TypeVar("Otherwise")


class KeyRing:
    """
    Seal and open texts with the keys of *text*: `id:base64,id:base64`, the newest first.

    With a *path* the keys are those of that file, and a change of it is in force within
    `LOOK_EVERY_S` in every process that has the ring; what it holds is swapped as one reference.

    Raises:
        SettingsError: a key is not readable or has a wrong length; says how to make a right one.
    """

    def __init__(self, text: str, path: Path | None = None) -> None:
        self._keys = _read_keys(text)
        self._path = path
        self._stamp = _stamp(path)
        self._looked_at = time.monotonic()

    def __repr__(self) -> str:
        """
        Name the keys and never show one.
        """
        return f"KeyRing({', '.join(self._keys)})"

    @property
    def names(self) -> tuple[str, ...]:
        """
        Give the ids of the keys, the newest first.
        """
        return tuple(self._now())

    def seal(self, text: str, record_id: str) -> str:
        """
        Give *text* as `enc:<key id>:<base64>`, to be opened only for the same record.
        """
        keys = self._now()
        newest, nonce = next(iter(keys)), os.urandom(_NONCE_BYTES)
        sealed = keys[newest].encrypt(nonce, text.encode(), record_id.encode())
        return f"{_PREFIX}:{newest}:{base64.b64encode(nonce + sealed).decode()}"

    def open(self, sealed: str, record_id: str) -> str:
        """
        Give the text that was sealed for this record.

        Raises:
            SealedTextError: its key is not in the ring, or it was altered or belongs to another
                record.
        """
        prefix, _, rest = sealed.partition(":")
        name, _, encoded = rest.partition(":")
        if prefix != _PREFIX or not encoded:
            raise SealedTextError(
                "the text is not a sealed one: it must read `enc:<key id>:<base64>`"
            )
        keys = self._now()
        if name not in keys:
            keys = self._look()  # another process may have made it a moment ago
        if name not in keys:
            raise KeyNotHereError(name)
        try:
            data = base64.b64decode(encoded, validate=True)
            nonce, cipher = data[:_NONCE_BYTES], data[_NONCE_BYTES:]
            return keys[name].decrypt(nonce, cipher, record_id.encode()).decode()
        except (binascii.Error, InvalidTag, ValueError) as error:
            raise SealedTextError(
                "the sealed text does not open: it was altered, or belongs to another record"
            ) from error

    def open_or(self, sealed: str, record_id: str, otherwise: Otherwise) -> str | Otherwise:
        """
        Give the text as `open` does, or *otherwise* where it does not open here.
        """
        try:
            return self.open(sealed, record_id)
        except SealedTextError:
            return otherwise

    def _now(self) -> dict[str, AESGCM]:
        if self._path is not None and time.monotonic() - self._looked_at > LOOK_EVERY_S:
            return self._look()
        return self._keys

    def _look(self) -> dict[str, AESGCM]:
        """
        Take the keys of the file, if it changed; one that cannot be read changes nothing.
        """
        stamp = _stamp(self._path)
        self._looked_at = time.monotonic()
        if self._path is not None and stamp is not None and stamp != self._stamp:
            try:
                self._keys = _read_keys(self._path.read_text())
                self._stamp = stamp
            except (OSError, SettingsError) as error:
                log.error("keys_not_read", error=type(error).__name__)
        return self._keys


def open_key_ring(settings: Settings) -> KeyRing:
    """
    Read the keys from the settings, or from `encryption_keys` in the home.

    The file is made at the first start.

    Raises:
        SettingsError: a key is of no use, or the file can be neither read nor made.
    """
    if settings.encryption_keys:
        return KeyRing(settings.encryption_keys)
    path = key_file(settings)
    return KeyRing(made_once(path, new_key), path)


def key_file(settings: Settings) -> Path:
    """
    Give the file of the home that holds the keys, where no setting does.
    """
    return settings.home / "encryption_keys"


def _read_keys(text: str) -> dict[str, AESGCM]:
    keys: dict[str, AESGCM] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, _, encoded = part.partition(":")
        keys.setdefault(name, AESGCM(_key(name, encoded)))
    if not keys:
        raise SettingsError(f"`CRISIS_ROUTER_ENCRYPTION_KEYS` has no key: {_WAY_OUT}")
    return keys


def _stamp(path: Path | None) -> tuple[int, int, int] | None:
    try:
        found = path.stat() if path is not None else None
    except OSError:
        return None
    return (found.st_ino, found.st_mtime_ns, found.st_size) if found else None


def session_key(settings: Settings) -> str:
    """
    Give the key that signs forms and sign-ins.

    It is the setting, or one made in the home at the first start.
    """
    return settings.session_key or made_once(
        settings.home / "session_key", lambda: secrets.token_urlsafe(32)
    )


def sampling_key(settings: Settings) -> str:
    """
    Give the key that draws the random sample of reviews.

    It is the setting, or one made in the home at the first start. With several hosts it must be the
    setting, for each must draw alike.
    """
    return settings.sampling_key or made_once(
        settings.home / "sampling_key", lambda: secrets.token_urlsafe(32)
    )


def new_key() -> str:
    """
    Make a key with an id of its own, as the ring reads it.
    """
    return f"k{secrets.token_hex(4)}:{base64.b64encode(AESGCM.generate_key(256)).decode()}"


def made_once(path: Path, make: Callable[[], str]) -> str:
    """
    Read a secret from *path*, mode 0600.

    The first to ask makes it, and everybody reads the same one.

    Raises:
        SettingsError: the file can be neither read nor made.
    """
    try:
        if not path.exists():
            draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
            write_secret(draft, make() + "\n")
            try:
                # A link appears whole or not at all, and fails where another process was first.
                os.link(draft, path)
            except FileExistsError:
                pass
            finally:
                draft.unlink()
        return path.read_text().strip()
    except OSError as error:
        raise SettingsError(f"`{path}` can be neither read nor made: {error.strerror}") from error


def write_secret(path: Path, text: str) -> None:
    """
    Write a new file that only its owner can read, on disk when this returns.
    """
    with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


_WAY_OUT = (
    "give `id:base64` with 32 random bytes, such as"
    " `k1:$(head -c 32 /dev/urandom | base64)`, the newest first, separated by commas"
)


def _key(name: str, encoded: str) -> bytes:
    try:
        key = base64.b64decode(encoded, validate=True)
    except binascii.Error:
        key = b""
    if not name or len(key) != _KEY_BYTES:
        shown = name if encoded else "?"  # without a colon the whole part may be the secret
        raise SettingsError(
            f"key `{shown}` of `CRISIS_ROUTER_ENCRYPTION_KEYS` is not 32 bytes in base64:"
            f" {_WAY_OUT}"
        )
    return key
