"""
Keep a link for each thing that must not change: its digest, its place in its agency's log, and the
hash that joins it to the one before.

A link is added, unsealed, in the transaction that stores the thing; the sealer gives places, one
sealer at a time. Triggers of the database refuse to change a sealed link or to remove any. What a
digest and a hash are of is said in `service/verify_log.py` alone.
"""

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import orjson
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Engine,
    Index,
    Integer,
    String,
    Table,
    UniqueConstraint,
    bindparam,
    func,
    select,
    text,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from service.instants import iso
from service.store import quarantined
from service.store.database import Instant, dump_json, metadata, reading, take_turns, writing
from service.verify_log import GENESIS, digest_of, hash_of

NOBODYS: Final = ""  # the log of records of which nobody knows whose they are
SALT_BYTES: Final = 16
# What the digest of a thing is of. INVARIANT (digests_last): a list never changes once released.
CONTENT: Final[Mapping[str, tuple[str, ...]]] = {
    "decision": (
        *("record_id", "agency", "call_id", "host_id", "journal_number", "decided_at"),
        *("received_at", "urgency", "responders", "rules", "police", "fallback", "ruleset_name"),
        *("ruleset_version", "ruleset_digest", "mode", "fingerprint", "body"),
    ),
    "dispatch": (
        *("record_id", "agency", "decision_id", "call_id", "host_id", "journal_number"),
        *("reported_at", "responders", "override", "released", "reason", "call_back_at"),
        *("by_key", "by_person", "fingerprint", "body"),
    ),
    "repeat": (
        *("record_id", "agency", "host_id", "journal_number", "decided_at", "fingerprint"),
        *("body",),
    ),
    "audit": (
        *("id", "agency", "at", "identity", "name", "role", "address", "act", "subject_kind"),
        *("subject_id", "detail"),
    ),
    "quarantined": (
        *("host_id", "journal_number", "record_id", "agency", "kind", "reason", "head", "body"),
    ),
}
KIND_OF_TABLE: Final = {
    "decisions": "decision",
    "dispatches": "dispatch",
    "decision_repeats": "repeat",
    "audit": "audit",
}

chain = Table(
    "chain",
    metadata,
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("agency", String(64), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("subject_id", String(200), nullable=False),
    # An entry of the audit trail is of no journal: its host is empty and its number 0.
    Column("host_id", String(64), nullable=False),
    Column("journal_number", BigInteger, nullable=False),
    Column("salt", String(2 * SALT_BYTES)),
    Column("digest", String(64), nullable=False),
    Column("at", Instant, nullable=False),
    Column("place", BigInteger),
    Column("hash", String(64)),
    Column("sealed_at", Instant),
    UniqueConstraint("agency", "place"),
    UniqueConstraint("kind", "subject_id", "host_id", "journal_number"),
    Index("ix_chain_host_id_journal_number", "host_id", "journal_number"),
    Index(
        "ix_chain_unsealed",
        "seq",
        sqlite_where=text("place IS NULL"),
        postgresql_where=text("place IS NULL"),
    ),
)


@dataclass(frozen=True, slots=True)
class Link:
    """
    One link; `place`, `hash` and `sealed_at` are None until it is sealed, `salt` once its content
    is erased.
    """

    agency: str
    kind: str
    subject_id: str
    host_id: str
    journal_number: int
    salt: str | None
    digest: str
    at: datetime
    place: int | None
    hash: str | None
    sealed_at: datetime | None

    def names(self) -> dict[str, Any]:
        """
        Give what its hash is of, as an export names it.
        """
        return {
            "place": self.place,
            "kind": self.kind,
            "id": self.subject_id,
            "host_id": self.host_id,
            "number": self.journal_number,
            "digest": self.digest,
            "hash": self.hash,
        }


@dataclass(frozen=True, slots=True)
class Head:
    """
    The newest sealed link of a log: its place, which is the count of sealed records, its hash, and
    when it was sealed. An empty log has place 0.
    """

    place: int = 0
    hash: str = GENESIS
    sealed_at: datetime | None = None


def add(connection: Connection, kind: str, rows: Iterable[Mapping[str, Any]], at: datetime) -> None:
    """
    Add the links of new rows of a kind within the transaction that stores them.
    """
    made = [_values(kind, row, at) for row in rows]
    if not made:
        return
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    # With something to return, all rows go in one statement.
    added = dialect.insert(chain).on_conflict_do_nothing().returning(chain.c.seq)
    connection.execute(added, made)


def content_of(kind: str, row: Mapping[str, Any]) -> dict[str, Any]:
    """
    Give what the digest of a row is of, as JSON has it: the same before it is stored and after.
    """
    picked = {name: row[name] for name in CONTENT[kind]}
    if kind == "quarantined":
        # As an object where it is one, so that a text in it can go and the digest stays.
        picked["body"] = quarantined.object_of(row["body"]) or row["body"]
    content = {name: _plain(value) for name, value in picked.items()}
    read_back: dict[str, Any] = orjson.loads(dump_json(content))
    return read_back


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return iso(value)
    # What could not be read may be any bytes.
    return value.hex() if isinstance(value, bytes) else value


def subject_of(kind: str, row: Mapping[str, Any]) -> str:
    """
    Give the id by which a log names a row of a kind.
    """
    if kind == "quarantined":
        # It may have no id of its own that can be read.
        return f"{row['host_id']}:{row['journal_number']}"
    return str(row["id" if kind == "audit" else "record_id"])


def _values(kind: str, row: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    salt = secrets.token_hex(SALT_BYTES)
    return {
        "agency": row["agency"] or NOBODYS,
        "kind": kind,
        "subject_id": subject_of(kind, row),
        "host_id": row.get("host_id", ""),
        "journal_number": row.get("journal_number", 0),
        "salt": salt,
        "digest": digest_of(salt, content_of(kind, row)),
        "at": at,
    }


def seal(engine: Engine, at: datetime, limit: int) -> int:
    """
    Give up to *limit* unsealed links their places, and count them; one sealer at a time.

    Raises:
        StoreUnavailableError: the store cannot be reached; nothing was sealed.
    """
    unsealed = select(chain).where(chain.c.place.is_(None)).order_by(chain.c.seq).limit(limit)
    # Most looks find nothing, and a look that only reads keeps no writer waiting.
    with reading(engine) as connection:
        if connection.execute(unsealed.with_only_columns(chain.c.seq).limit(1)).first() is None:
            return 0
    with writing(engine) as connection:
        take_turns(connection, "seal the logs")
        heads: dict[str, Head] = {}
        sealed = []
        for row in connection.execute(unsealed):
            link, agency = _link(row._mapping), row.agency
            last = heads.get(agency) or _head(connection, agency)
            place = last.place + 1
            found = hash_of(agency, link.names(), last.hash, place)
            heads[agency] = Head(place, found, at)
            sealed.append({"s": row.seq, "p": place, "h": found})
        if sealed:
            is_meant = chain.c.seq == bindparam("s")
            values = {"place": bindparam("p"), "hash": bindparam("h"), "sealed_at": at}
            connection.execute(update(chain).where(is_meant).values(values), sealed)
    return len(sealed)


def drop_salts(
    connection: Connection, agency: str, kinds: Sequence[str], subject_ids: Sequence[str]
) -> None:
    """
    Forget, within the transaction that erases records whole, what their digests were salted with:
    then no digest leads back to what was erased, not even by trying.
    """
    of_these = chain.c.kind.in_(kinds) & chain.c.subject_id.in_(subject_ids)
    connection.execute(update(chain).where(of_these, chain.c.agency == agency).values(salt=None))


def head(engine: Engine, agency: str) -> Head:
    """
    Give the head of an agency's log.
    """
    with reading(engine) as connection:
        return _head(connection, agency)


def unsealed_count(engine: Engine, agency: str) -> int:
    """
    Count an agency's links that wait for their place.
    """
    query = select(func.count()).where(chain.c.place.is_(None), chain.c.agency == agency)
    with reading(engine) as connection:
        return connection.execute(query).scalar_one()


def agencies(engine: Engine) -> tuple[str, ...]:
    """
    Give the agencies that have a log, in order; that of nobody first.
    """
    found: list[str] = []
    with reading(engine) as connection:
        # From one to the next through the index, since a list of all rows is long.
        query = select(func.min(chain.c.agency))
        following = connection.execute(query).scalar_one()
        while following is not None:
            found.append(following)
            after = query.where(chain.c.agency > following)
            following = connection.execute(after).scalar_one()
    return tuple(found)


def at_place(engine: Engine, agency: str, place: int) -> Link | None:
    """
    Give the link at a place of an agency's log, or None.
    """
    query = select(chain).where(chain.c.agency == agency, chain.c.place == place)
    with reading(engine) as connection:
        row = connection.execute(query).first()
    return _link(row._mapping) if row else None


def of_subject(engine: Engine, agency: str, kind: str, subject_id: str) -> Link | None:
    """
    Give the link of a record of this agency, or None.
    """
    query = select(chain).where(
        chain.c.kind == kind, chain.c.subject_id == subject_id, chain.c.agency == agency
    )
    with reading(engine) as connection:
        row = connection.execute(query.limit(1)).first()
    return _link(row._mapping) if row else None


def after(engine: Engine, agency: str, place: int, limit: int) -> tuple[Link, ...]:
    """
    Give up to *limit* sealed links of an agency behind a place, in the order of their places.
    """
    query = (
        select(chain)
        .where(chain.c.agency == agency, chain.c.place > place)
        .order_by(chain.c.place)
        .limit(limit)
    )
    with reading(engine) as connection:
        return tuple(_link(row._mapping) for row in connection.execute(query))


def _head(connection: Connection, agency: str) -> Head:
    query = (
        select(chain.c.place, chain.c.hash, chain.c.sealed_at)
        .where(chain.c.agency == agency, chain.c.place.is_not(None))
        .order_by(chain.c.place.desc())
        .limit(1)
    )
    row = connection.execute(query).first()
    return Head(*row) if row else Head()


def _link(row: Mapping[Any, Any]) -> Link:
    return Link(**{name: row[name] for name in Link.__slots__})


def linked(connection: Connection, kind: str, subject_ids: Sequence[str]) -> set[str]:
    """
    Tell which of these ids have a link of this kind.
    """
    query = select(chain.c.subject_id).where(
        chain.c.kind == kind, chain.c.subject_id.in_(subject_ids)
    )
    return set(connection.execute(query).scalars())
