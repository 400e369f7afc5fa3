"""
Connect to the store, SQLite or PostgreSQL by its address.

It must not know any noun: each has a file of its own beside this one, with its table and its
queries.

    engine = open_store(settings.database_url)
    with writing(engine) as connection: ...
"""

import hashlib
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Final

import orjson
from sqlalchemy import JSON, Connection, DateTime, Dialect, Engine, MetaData, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.types import TypeDecorator

from service.errors import SettingsError, StoreUnavailableError

_BUSY_S = 5.0
_STATEMENT_MS_MAX = 15_000
_POOL = {"pool_size": 4, "max_overflow": 8, "pool_recycle": 1800, "pool_pre_ping": True}

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Instant(TypeDecorator[datetime]):
    """
    Keep a point in time as aware UTC on every database; SQLite would drop the zone.

    What stands in its place and is no time, which SQLite lets anybody write, is given as one that
    no record has, at its end of the order: it keeps no other row from being read, and the digest of
    its record does not fit.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Any] | None:
        """
        Read what the database gives.
        """
        read = super().result_processor(dialect, coltype)

        def process(value: Any) -> Any:
            try:
                return read(value) if read is not None else value
            except (ValueError, TypeError, OverflowError):
                return NO_TIMES[_sorts_last(value)]

        return process

    def process_bind_param(
        self,
        value: datetime | None,
        dialect: Dialect,
    ) -> datetime | None:
        """
        Turn an aware time to UTC on its way in.
        """
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time in the store needs a zone")
        return value.astimezone(UTC)

    def process_result_value(
        self,
        value: datetime | None,
        dialect: Dialect,
    ) -> datetime | None:
        """
        Give every time back as aware UTC.
        """
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


# Before and after all that is recorded, and far from where a zone would leave the calendar.
NO_TIMES: Final = (datetime(1, 1, 3, tzinfo=UTC), datetime(9999, 12, 29, tzinfo=UTC))
UNREADABLE: Final = "unreadable"


def _sorts_last(value: Any) -> bool:
    # SQLite sorts numbers before texts, and bytes behind them.
    return isinstance(value, bytes) or (isinstance(value, str) and value > "2")


class Recorded(TypeDecorator[Any]):
    """
    Keep JSON of one shape, an object or a list.

    What was put in its place by hand or by a disk, and is no JSON or of another shape, is given as
    an object or a list that nobody records, which says `unreadable`: it keeps no other row from
    being read, and the digest of its record does not fit. Null stays None where it may be.
    """

    impl = JSON
    cache_ok = True

    def __init__(self, shape: type = dict, *, may_be_none: bool = False) -> None:
        super().__init__(none_as_null=may_be_none)
        self.shape = shape
        self.may_be_none = may_be_none

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Any] | None:
        """
        Read what the database gives.
        """
        read = super().result_processor(dialect, coltype)
        unreadable: Any = {UNREADABLE: True} if self.shape is dict else [UNREADABLE]

        def process(value: Any) -> Any:
            if value is None and self.may_be_none:
                return None
            try:
                found = read(value) if read is not None else value
            except (ValueError, TypeError):
                return unreadable
            return found if isinstance(found, self.shape) else unreadable

        return process


def dump_json(value: Any) -> str:
    """
    Write JSON as the store keeps it: compact, in the given order.
    """
    return orjson.dumps(value).decode()


def open_store(url: str, *, wait_s_max: float = 2.0) -> Engine:
    """
    Make an engine for *url*; nothing is connected until it is used. One per process.

    `wait_s_max` is the longest wait for a connection; PostgreSQL knows whole seconds, from 2 on.

    Raises:
        SettingsError: the address is of neither database.
    """
    address = read_url(url)
    if address.get_backend_name() == "sqlite":
        engine = create_engine(
            address,
            hide_parameters=True,
            connect_args={"timeout": _BUSY_S},
            json_serializer=dump_json,
            json_deserializer=orjson.loads,
            pool_timeout=wait_s_max,
            **_POOL,
        )
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    engine = create_engine(
        address,
        hide_parameters=True,
        connect_args={
            "connect_timeout": max(2, round(wait_s_max)),
            # A database that hangs, or a network that swallows packets, must not hold a thread for
            # minutes.
            "keepalives_idle": 10,
            "keepalives_interval": 5,
            "keepalives_count": 3,
            "tcp_user_timeout": 10_000,
        },
        json_serializer=dump_json,
        json_deserializer=orjson.loads,
        pool_timeout=wait_s_max,
        **_POOL,
    )
    event.listen(engine, "connect", _prepare_postgresql)
    return engine


def read_url(url: str) -> URL:
    """
    Read the address of a store; `postgres://` and `postgresql://` mean psycopg 3.

    Raises:
        SettingsError: it is neither SQLite nor PostgreSQL.
    """
    try:
        address = make_url(url)
    except ArgumentError as error:
        raise SettingsError(f"`CRISIS_ROUTER_DATABASE_URL` cannot be read: {_URLS}") from error
    if address.drivername in ("postgres", "postgresql", "postgresql+psycopg"):
        return address.set(drivername="postgresql+psycopg")
    if address.drivername in ("sqlite", "sqlite+pysqlite") and address.database:
        return address
    raise SettingsError(f"`CRISIS_ROUTER_DATABASE_URL` names no store that is known: {_URLS}")


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """
    Open a connection for queries.

    Raises:
        StoreUnavailableError: the store cannot be reached, or does not answer.
    """
    with available(_place(engine)), engine.connect() as connection:
        yield connection


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """
    Open one transaction, committed when the block ends without an error.

    Raises:
        StoreUnavailableError: the store cannot be reached, or does not answer.
    """
    # SQLite: a transaction that turns from reading to writing fails at once where another one
    # writes; one that says so at its start waits for its turn.
    writer = engine.execution_options(crisis_router_writes=True)
    with available(_place(engine)), writer.begin() as connection:
        yield connection


def _place(engine: Engine) -> str:
    # Where it is, and never by whose name and password.
    url = engine.url
    if not url.host:
        return f"the store `{url.database}`"
    port = f":{url.port}" if url.port else ""
    return f"the store `{url.database}` at `{url.host}{port}`"


# What a server says, and what of it may be passed on: its own words may hold values of a record.
_REASONS: Final = (
    ("refused", "nobody listens there"),
    ("authentication failed", "its user or password is refused"),
    ("no password supplied", "it asks for a password"),
    ("does not exist", "it has no such database or user"),
    ("too many", "it takes no more connections"),
    ("timeout", "it did not answer in time"),
    ("resolve", "nobody knows a host of that name"),
    ("disk is full", "its disk is full"),
    ("disk I/O", "its disk is full or fails"),
)


def _reason(error: DBAPIError) -> str:
    told = str(error.orig)
    found = (words for word, words in _REASONS if word in told)
    return next(found, type(error.orig).__name__)


@contextmanager
def available(place: str = "the store") -> Iterator[None]:
    """
    Turn what a driver says when the store is away into one error of ours, which says where the
    store is and why it is away, as far as that can be told.

    Raises:
        StoreUnavailableError: in place of the driver's error.
    """
    try:
        yield
    except PoolTimeoutError as error:
        raise StoreUnavailableError("the store has no free connection") from error
    except DBAPIError as error:
        if is_away(error):
            text = f"{place} cannot be reached: {_reason(error)}"
            raise StoreUnavailableError(text) from error
        raise


def scrub(engine: Engine) -> bool:
    """
    Let nothing that was erased stand in a log beside the store; False where somebody still reads
    it. PostgreSQL does so by itself: its VACUUM frees what was replaced.

    Raises:
        StoreUnavailableError: the store cannot be reached.
    """
    if engine.dialect.name != "sqlite":
        return True
    with available(), engine.connect() as connection:
        # Past SQLAlchemy, which would begin a transaction, and in one no log can be cut.
        cursor = connection.connection.cursor()
        is_busy = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        cursor.close()
    return not is_busy


def compact(engine: Engine) -> bool:
    """
    Write the whole file of SQLite anew, so that no piece of what was erased stays in an unused part
    of a page, where moving its neighbours may have left it; then as `scrub`. Writers wait
    meanwhile, readers do not.

    Raises:
        StoreUnavailableError: the store cannot be reached.
    """
    if engine.dialect.name == "sqlite":
        with available(), engine.connect() as connection:
            # Past SQLAlchemy, as in `scrub`.
            connection.connection.cursor().execute("VACUUM").close()
    return scrub(engine)


def take_turns(connection: Connection, name: str) -> None:
    """
    Let transactions that give the same name run one after the other, until each ends. SQLite has
    one writer at a time anyhow.
    """
    if connection.dialect.name != "postgresql":
        return
    lock = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)
    connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({lock})")


def is_away(error: SQLAlchemyError) -> bool:
    """
    Tell whether *error* says that the store is away, and not that it refused what it was given.
    """
    return isinstance(error, DBAPIError) and type(error).__name__ in (
        "OperationalError",
        "InterfaceError",
        "InternalError",
    )


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    # sqlite3's own guesses at when a transaction begins are turned off; `_begin_sqlite` says it.
    connection.isolation_level = None
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA synchronous = FULL")
    # What is erased is written over, and stands in no free page.
    connection.execute("PRAGMA secure_delete = ON")


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("crisis_router_writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _prepare_postgresql(connection: Any, _record: object) -> None:
    was = connection.autocommit
    connection.autocommit = True
    connection.execute(f"SET statement_timeout = {_STATEMENT_MS_MAX}")
    connection.execute("SET TIME ZONE 'UTC'")
    # The journal forgets what the store confirmed: a server that is killed must still have it,
    # whatever its own configuration says. A stronger value (replicas) stays.
    connection.execute(
        "SELECT set_config('synchronous_commit', 'on', false)"
        " WHERE current_setting('synchronous_commit') IN ('off', 'local')"
    )
    connection.autocommit = was


_URLS = (
    "give `sqlite:////folder/store.sqlite` or `postgresql://user:password@host:5432/name`,"
    " or leave it out for SQLite in the home"
)
