"""
Bring a backup back into an empty home and an empty store.

The restored journal goes aside and is shipped from there; a new one with a new host id begins, so
that no number is ever given twice.
"""

import shutil
import uuid
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import orjson
from sqlalchemy import Engine, inspect, update
from sqlalchemy.engine import make_url

from service.errors import CrisisRouterError, SettingsError
from service.host.backup import (
    CONFIG,
    CREDENTIALS,
    FORM,
    JOURNAL,
    KEYS,
    MANIFEST,
    STORES,
    make_empty,
    sha256,
    writing_files,
)
from service.host.database_programs import Say, load
from service.journal.aside import FOLDER as ASIDE
from service.journal.aside import sync
from service.settings import Settings
from service.store.database import open_store, reading, writing
from service.store.migration import MIGRATIONS
from service.store.sessions import sessions
from service.tuning.live_rules import KEPT

UNFINISHED: Final = ".restoring"  # there while a restore is under way, and after one cut short


def restore(
    settings: Settings,
    folders: tuple[Path, Path],
    now: datetime,
    say: Say,
    *,
    programs: Path | None = None,
) -> dict[str, Any]:
    """
    Bring back a backup, its folder and that of its keys; give the manifest.

    Every file is compared with its digest first. All sign-ins are ended: who was let go since the
    backup must not be in again.

    Raises:
        CrisisRouterError: home or store are not empty, an earlier restore was cut short, the backup
            is not whole, or was made by a newer program; nothing was changed then.
    """
    folder, keys = (one.expanduser().absolute() for one in folders)
    manifest, of_keys = checked(folder, say), checked(keys, say)
    if of_keys["backup_id"] != manifest["backup_id"]:
        raise CrisisRouterError(f"the keys in `{keys}` are of another backup than `{folder}`")
    newest = max(path.name.split("_")[0] for path in MIGRATIONS.glob("versions/[0-9]*.py"))
    if manifest["migration"] > newest:
        raise CrisisRouterError(
            f"the backup was made by a newer program ({manifest['program']}): install that one"
        )
    store = open_store(settings.database_url, wait_s_max=settings.store_wait_s_max)
    try:
        _refuse_full(settings, store, manifest["store"])
        with writing_files(settings.home):
            make_empty(settings.home)
            (settings.home / UNFINISHED).touch(mode=0o600)
            _bring_keys(keys, settings.home)
            _bring_files(folder, settings.home, manifest)
            if manifest["store"] == "sqlite":
                _copy(folder / STORES["sqlite"], _sqlite_file(settings))
            else:
                load(settings, folder / STORES["postgresql"], programs, say)
            with writing(store) as connection:
                still = sessions.c.ended_at.is_(None)
                connection.execute(update(sessions).where(still).values(ended_at=now))
            (settings.home / UNFINISHED).unlink()
            sync(settings.home)
    finally:
        store.dispose()
    return manifest


def refuse_unfinished(home: Path) -> None:
    """
    Start nothing in a home that a restore has left half done.

    Raises:
        SettingsError: a restore was cut short there.
    """
    if (home / UNFINISHED).exists():
        raise SettingsError(
            f"a restore into `{home}` was cut short: empty the folder, its hidden file"
            f" `{UNFINISHED}` too, and the store, and restore again"
        )


def checked(folder: Path, say: Say) -> dict[str, Any]:
    """
    Read the manifest of a folder, and compare every file with its digest.

    Raises:
        CrisisRouterError: it is no whole backup; every file that is missing or changed is named.
    """
    try:
        manifest: dict[str, Any] = orjson.loads((folder / MANIFEST).read_bytes())
        form, files = manifest["form"], dict(manifest["files"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CrisisRouterError(
            f"`{folder}` has no `{MANIFEST}` that can be read: it is no backup, or one that was cut"
            " short"
        ) from error
    if form != FORM:
        raise CrisisRouterError(f"`{folder}` is of a form that this program does not know: {form}")
    wrong = []
    for name, told in files.items():
        path = folder / name
        say(f"checking {name}")
        if not path.resolve().is_relative_to(folder.resolve()) or not path.is_file():
            wrong.append(f"`{name}` is missing")
        elif sha256(path) != told["sha256"]:
            wrong.append(f"`{name}` was changed")
    if wrong:
        raise CrisisRouterError(f"`{folder}` is not as it was made: {', '.join(wrong)}")
    return manifest


def _refuse_full(settings: Settings, store: Engine, kind: str) -> None:
    if store.dialect.name != kind:
        raise CrisisRouterError(
            f"the backup is of a {kind} store: set CRISIS_ROUTER_DATABASE_URL to an empty one of"
            " that kind"
        )
    home = settings.home
    refuse_unfinished(home)
    if home.exists() and any(home.iterdir()):
        raise CrisisRouterError(
            f"the home `{home}` is not empty: a restore overwrites nothing; move it away, or choose"
            " another with CRISIS_ROUTER_HOME=/folder"
        )
    if kind == "sqlite":
        if _sqlite_file(settings).exists():
            raise CrisisRouterError(f"`{_sqlite_file(settings)}` is there already: move it away")
        return
    with reading(store) as connection:
        count = len(inspect(connection).get_table_names())
    if count:
        raise CrisisRouterError(
            f"the database is not empty, it has {count} tables: make a new one with createdb"
        )


def _sqlite_file(settings: Settings) -> Path:
    return Path(str(make_url(settings.database_url).database)).absolute()


def _bring_keys(keys: Path, home: Path) -> None:
    for name in (*KEYS, CREDENTIALS):
        if (keys / name).exists():
            _copy(keys / name, home / name)


def _bring_files(folder: Path, home: Path, manifest: dict[str, Any]) -> None:
    host = manifest["journal"]["host_id"]
    # Of a name of its own: the same backup may be restored beside one that still waits.
    _copy(folder / JOURNAL, home / ASIDE / f"restored-{host}-{uuid.uuid4().hex[:8]}.sqlite")
    for name in manifest["files"]:
        if name == KEPT or Path(name).parts[0] in (ASIDE, CONFIG):
            _copy(folder / name, home / name)


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    target.chmod(0o600)
    sync(target)
    sync(target.parent)
