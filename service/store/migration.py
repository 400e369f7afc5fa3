"""
Bring the tables of the store up to date.

It is apart from `database` because loading Alembic takes time that processes that answer calls do
not have.

    migrate(settings.database_url)
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, inspect

from service.errors import StoreUnavailableError
from service.store.database import available, open_store, reading, writing

MIGRATIONS = Path(__file__).resolve().parent / "migrations"
_LOCK = 7_238_114_905  # any number, the same in every process of ours


def is_current(engine: Engine) -> bool:
    """
    Tell whether the store has every migration.

    Raises:
        StoreUnavailableError: the store cannot be reached.
    """
    path = _sqlite_path(engine)
    if path is not None and not path.exists():
        return False  # connecting would make it, readable by everybody
    newest = max(path.name.split("_")[0] for path in MIGRATIONS.glob("versions/[0-9]*.py"))
    with reading(engine) as connection:
        if not inspect(connection).has_table("alembic_version"):
            return False
        found = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    return bool(found == newest)


def migrate(url: str) -> None:
    """
    Bring the tables of the store up to date, all or nothing; two processes may do it at once.

    Raises:
        StoreUnavailableError: the store cannot be reached.
    """
    engine = open_store(url)
    try:
        with _alone(engine), writing(engine) as connection:
            if engine.dialect.name == "postgresql":
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
            config = Config()
            config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    finally:
        engine.dispose()


@contextmanager
def _alone(engine: Engine) -> Iterator[None]:
    # Two connections that turn a new SQLite file to WAL at the same moment fail; no busy handler is
    # asked.
    path = _sqlite_path(engine)
    if path is None:
        yield
        return
    try:
        lock = os.open(path.with_name(path.name + ".lock"), os.O_CREAT | os.O_RDWR, 0o600)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        raise StoreUnavailableError(
            f"the store `{path}` cannot be made: {error.strerror}"
        ) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with available(), engine.connect() as connection:
            # Past SQLAlchemy, which would begin a transaction, and in one the mode cannot change.
            connection.connection.cursor().execute("PRAGMA journal_mode = WAL")
        yield
    finally:
        os.close(lock)


def _sqlite_path(engine: Engine) -> Path | None:
    is_sqlite = engine.dialect.name == "sqlite"
    return Path(str(engine.url.database)).absolute() if is_sqlite else None
