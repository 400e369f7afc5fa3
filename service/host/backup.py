"""
Copy aside everything that this host must not lose, while the service runs.

The journal is copied before the store: what was answered before the backup began is then in the
journal's copy, or was stored already and is in the store's. What is in both is stored once, since
the store knows each record by its journal and number. The keys go into a folder of their own:
whoever has the one must not have the other. The manifest is written last, so that a backup that was
cut short is not taken for a whole one.
"""

import hashlib
import os
import secrets
import shutil
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import orjson
from sqlalchemy import Engine

from service import PROGRAM_VERSION
from service.encryption import open_key_ring, sampling_key, session_key
from service.errors import CrisisRouterError, StoreUnavailableError
from service.host.database_programs import Say, dump
from service.instants import iso
from service.journal.aside import FOLDER as ASIDE
from service.journal.aside import sync
from service.settings import Settings
from service.store.database import available, open_store, reading
from service.tuning.live_rules import KEPT

FORM: Final = 1
MANIFEST: Final = "manifest.json"
JOURNAL: Final = "journal.sqlite"
STORES: Final = {"sqlite": "store.sqlite", "postgresql": "store.dump"}
CONFIG: Final = "last_good_config"
KEYS: Final = ("encryption_keys", "session_key", "sampling_key")
CREDENTIALS: Final = "credentials.json"
_OF_BACKUP: Final = (JOURNAL, *STORES.values(), ASIDE, CONFIG, KEPT)
_OF_KEYS: Final = (*KEYS, CREDENTIALS)
PAGES: Final = 2_000  # of a database, copied between two looks at the progress: 8 MB
_CHUNK: Final = 1 << 20

Heads = Callable[[Engine], Mapping[str, Any]]


def back_up(
    settings: Settings,
    folders: tuple[Path, Path],
    now: datetime,
    say: Say,
    *,
    programs: Path | None = None,
    heads: Heads | None = None,
) -> dict[str, Any]:
    """
    Write a backup into the first of two folders and its keys into the second; give the manifest.

    *programs* is where PostgreSQL's own are; None looks on the path. *heads* gives the head of each
    agency's chain.

    Raises:
        CrisisRouterError: a folder is in use or in the wrong place, or something cannot be copied.
    """
    folder, keys = (one.expanduser().absolute() for one in folders)
    _refuse_together(folder, keys, settings.home)
    store = open_store(settings.database_url, wait_s_max=settings.store_wait_s_max)
    try:
        with _begun(folder, _OF_BACKUP), _begun(keys, _OF_KEYS), writing_files(folder):
            backup_id = secrets.token_hex(8)
            copy_sqlite(settings.journal_path, folder / JOURNAL, say)
            # After the journal: one that is set aside meanwhile is in the copy already.
            _copy_aside(settings.home / ASIDE, folder / ASIDE, say)
            # Before the copy: a head that was told is then in the chain that is copied.
            found = dict(heads(store)) if heads else {}
            kind = store.dialect.name
            if kind == "sqlite":
                _copy_store(store, folder / STORES[kind], say)
            else:
                dump(settings, folder / STORES[kind], programs, say)
            _copy_config(settings.home, folder)
            with writing_files(keys):
                _write_keys(settings, keys)
            told = {
                "form": FORM,
                "backup_id": backup_id,
                "made_at": iso(now),
                "program": PROGRAM_VERSION,
                "store": kind,
                "migration": _migration(store),
                "journal": _journal_of(folder / JOURNAL),
                "config": str(settings.config),
                "chain_heads": found,
            }
            with writing_files(keys):
                write_manifest(keys, {"form": FORM, "backup_id": backup_id, "made_at": iso(now)})
            return write_manifest(folder, told)
    finally:
        store.dispose()


def make_empty(folder: Path) -> None:
    """
    Make a folder for its owner only, or take one that is empty.

    Raises:
        CrisisRouterError: something is in it.
    """
    with writing_files(folder):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise CrisisRouterError(f"`{folder}` is not empty: choose another folder, or empty it")
        folder.chmod(0o700)


@contextmanager
def _begun(folder: Path, names: Iterable[str]) -> Iterator[None]:
    """
    Make a folder, or take an empty one; where the backup fails take away what it wrote there, by
    these *names*, and the folder if it made it, so that it can be tried again.
    """
    was_there = folder.exists()
    make_empty(folder)
    try:
        yield
    except BaseException:
        with suppress(OSError):  # what the backup failed by is what has to be said
            _take_away(folder, names)
            if not was_there:
                folder.rmdir()
        raise


def _take_away(folder: Path, names: Iterable[str]) -> None:
    for name in (*names, MANIFEST, f".{MANIFEST}"):
        for path in (folder / name, folder / f"{name}-journal"):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)


@contextmanager
def writing_files(folder: Path) -> Iterator[None]:
    """
    Turn what the system says of files into one plain error; what is made is for its owner only.

    Where the system names no file it was one of those written, into *folder*; of a copy it names
    both, and which of them is at fault its words say.
    """
    was = os.umask(0o077)
    try:
        yield
    except OSError as error:
        what = f"`{error.filename or folder}`"
        if error.filename2:
            what = f"{what} cannot be copied to `{error.filename2}`"
        raise CrisisRouterError(f"{what}: {error.strerror}") from error
    except sqlite3.Error as error:
        raise CrisisRouterError(f"a copy in `{folder}` cannot be read: {error}") from error
    finally:
        os.umask(was)


def copy_sqlite(source: Path, target: Path, say: Say) -> None:
    """
    Copy a SQLite file that others write to, as it was at one moment.
    """
    address = f"{source.absolute().as_uri()}?mode=rw"
    with (
        _naming(source, target),
        closing(sqlite3.connect(address, uri=True, isolation_level=None)) as connection,
    ):
        _copy_open(connection, target, say)


@contextmanager
def _naming(source: Path | str, target: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise CrisisRouterError(f"`{source}` cannot be copied to `{target}`: {error}") from error


def _copy_open(source: sqlite3.Connection, target: Path, say: Say) -> None:
    # Within one transaction that reads: a copy that began anew at each write would never end under
    # load.
    source.execute("BEGIN")
    source.execute("SELECT count(*) FROM sqlite_master").fetchone()

    def progress(_status: int, left: int, total: int) -> None:
        say(f"{target.name}: {total - left:,} of {total:,} pages")

    try:
        with closing(sqlite3.connect(target)) as copy:
            source.backup(copy, pages=PAGES, progress=progress)
    finally:
        source.execute("ROLLBACK")
    with closing(sqlite3.connect(target)) as copy:
        if copy.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
            raise CrisisRouterError(
                f"the copy `{target}` is damaged: so is what it was copied from"
            )


def _copy_store(store: Engine, target: Path, say: Say) -> None:
    source = str(store.url.database)
    with _naming(source, target), available(), closing(store.raw_connection()) as raw:
        driver: Any = raw.driver_connection
        _copy_open(driver, target, say)


def _copy_aside(source: Path, target: Path, say: Say) -> None:
    for path in sorted(source.glob("*.sqlite")):
        target.mkdir(mode=0o700, exist_ok=True)
        try:
            copy_sqlite(path, target / path.name, say)
        except CrisisRouterError:
            if not path.exists():
                continue  # the store has all of it by now
            # A damaged one: what can be read of it is for the shipper to say.
            shutil.copyfile(path, target / path.name)


def _copy_config(home: Path, folder: Path) -> None:
    if (home / CONFIG).is_dir():
        for path in sorted((home / CONFIG).rglob("*.yaml")):
            place = folder / path.relative_to(home)
            place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            shutil.copyfile(path, place)
    if (home / KEPT).exists():
        shutil.copyfile(home / KEPT, folder / KEPT)


def _write_keys(settings: Settings, folder: Path) -> None:
    open_key_ring(settings)  # there is one, and it can be read
    ring = settings.encryption_keys or (settings.home / KEYS[0]).read_text().strip()
    values = (ring, session_key(settings), sampling_key(settings))
    for name, value in zip(KEYS, values, strict=True):
        (folder / name).write_text(value + "\n")
    if (settings.home / CREDENTIALS).exists():
        shutil.copyfile(settings.home / CREDENTIALS, folder / CREDENTIALS)


def write_manifest(folder: Path, told: Mapping[str, Any]) -> dict[str, Any]:
    """
    Write what a folder holds, each file with its digest, once all of it is on disk.
    """
    files = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            path.chmod(0o600)
            sync(path)
            files[str(path.relative_to(folder))] = {
                "sha256": sha256(path),
                "bytes": path.stat().st_size,
            }
    manifest = {**told, "files": files}
    draft = folder / f".{MANIFEST}"
    draft.write_bytes(orjson.dumps(manifest, option=orjson.OPT_INDENT_2))
    sync(draft)
    draft.replace(folder / MANIFEST)
    for path in (*(one for one in folder.rglob("*") if one.is_dir()), folder):
        sync(path)
    return manifest


def sha256(path: Path) -> str:
    """
    Give the SHA-256 of a file.
    """
    found = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            found.update(chunk)
    return found.hexdigest()


def _refuse_together(folder: Path, keys: Path, home: Path) -> None:
    real, real_keys = folder.resolve(), keys.resolve()
    if real == real_keys or real in real_keys.parents or real_keys in real.parents:
        raise CrisisRouterError(
            f"`{keys}` must not be in the backup, nor the backup in it: whoever finds the one must"
            " not have the other; give another folder with --keys"
        )
    if home.resolve() in (real, real_keys, *real.parents, *real_keys.parents):
        raise CrisisRouterError(f"a backup in the home `{home}` would be lost with it")


def _journal_of(path: Path) -> dict[str, Any]:
    with closing(sqlite3.connect(path)) as connection:
        host = connection.execute("SELECT value FROM host WHERE name = 'host_id'").fetchone()
        highest = connection.execute("SELECT max(number) FROM records").fetchone()
    return {"host_id": host[0], "highest": highest[0] or 0}


def _migration(store: Engine) -> str:
    with reading(store) as connection:
        found = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    if found is None:
        raise StoreUnavailableError("the store has no tables yet: start the service first")
    return str(found)
