"""
Make the chain of every agency's log, and the table of its verifications.
"""

import secrets

import sqlalchemy as sa
from alembic import op

from service.instants import iso
from service.store.database import Instant
from service.verify_log import digest_of

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

BATCH = 1_000
_JSON = ("responders", "rules", "released", "body", "detail")
_INSTANTS = ("decided_at", "received_at", "reported_at", "call_back_at", "stored_at", "at")
_FLAGS = ("police", "fallback", "override")
# Table, kind, the column of its id, that of its time, and what its digest is of.
_THERE = (
    (
        *("decisions", "decision", "record_id", "stored_at"),
        (
            *("record_id", "agency", "call_id", "host_id", "journal_number", "decided_at"),
            *("received_at", "urgency", "responders", "rules", "police", "fallback"),
            *("ruleset_name", "ruleset_version", "ruleset_digest", "mode", "fingerprint", "body"),
        ),
    ),
    (
        *("dispatches", "dispatch", "record_id", "stored_at"),
        (
            *("record_id", "agency", "decision_id", "call_id", "host_id", "journal_number"),
            *("reported_at", "responders", "override", "released", "reason", "call_back_at"),
            *("by_key", "by_person", "fingerprint", "body"),
        ),
    ),
    (
        *("decision_repeats", "repeat", "record_id", "stored_at"),
        (
            *("record_id", "agency", "host_id", "journal_number", "decided_at", "fingerprint"),
            *("body",),
        ),
    ),
    (
        *("audit", "audit", "id", "at"),
        (
            *("id", "agency", "at", "identity", "name", "role", "address", "act"),
            *("subject_kind", "subject_id", "detail"),
        ),
    ),
)


def upgrade() -> None:
    """
    Make the tables, link what is there, and add the triggers that keep every link.
    """
    chain = op.create_table(
        "chain",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("agency", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("subject_id", sa.String(length=200), nullable=False),
        sa.Column("host_id", sa.String(length=64), nullable=False),
        sa.Column("journal_number", sa.BigInteger(), nullable=False),
        sa.Column("salt", sa.String(length=32), nullable=True),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("place", sa.BigInteger(), nullable=True),
        sa.Column("hash", sa.String(length=64), nullable=True),
        sa.Column("sealed_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_chain")),
        sa.UniqueConstraint("agency", "place", name=op.f("uq_chain_agency_place")),
        sa.UniqueConstraint(
            *("kind", "subject_id", "host_id", "journal_number"),
            name=op.f("uq_chain_kind_subject_id_host_id_journal_number"),
        ),
    )
    op.create_index("ix_chain_host_id_journal_number", "chain", ["host_id", "journal_number"])
    op.create_index(
        "ix_chain_unsealed",
        "chain",
        ["seq"],
        sqlite_where=sa.text("place IS NULL"),
        postgresql_where=sa.text("place IS NULL"),
    )
    _make_verifications()
    _link_what_is_there(chain)
    _keep()


def _make_verifications() -> None:
    op.create_table(
        "verifications",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("agency", sa.String(length=64), nullable=False),
        sa.Column("whole", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("requested_by", sa.String(length=80), nullable=False),
        sa.Column("requested_at", Instant(), nullable=False),
        sa.Column("held_until", Instant(), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("from_place", sa.BigInteger(), nullable=False),
        sa.Column("through", sa.BigInteger(), nullable=False),
        sa.Column("head", sa.String(length=64), nullable=False),
        sa.Column("finished_at", Instant(), nullable=True),
        sa.Column("good", sa.Boolean(), nullable=True),
        sa.Column("fault", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_verifications")),
    )
    op.create_index(
        "ix_verifications_agency_requested_at", "verifications", ["agency", "requested_at"]
    )
    op.create_index(
        "ix_verifications_state_requested_at", "verifications", ["state", "requested_at"]
    )


def _link_what_is_there(chain: sa.Table) -> None:
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SET LOCAL statement_timeout = 0")  # to sort a long log
    for name, kind, key, time, columns in _THERE:
        there = sa.table(name, *(sa.column(one, _type(one)) for one in {*columns, time}))
        query = sa.select(there).order_by(there.c[time], there.c[key])
        rows = connection.execute(query, execution_options={"yield_per": BATCH})
        for batch in rows.partitions():
            made = [_link(kind, key, time, columns, row._mapping) for row in batch]
            connection.execute(chain.insert(), made)


def _type(name: str) -> sa.types.TypeEngine:
    if name in _JSON:
        return sa.JSON()
    if name in _INSTANTS:
        return Instant()
    return sa.Boolean() if name in _FLAGS else sa.types.NullType()


def _link(kind: str, key: str, time: str, columns: tuple[str, ...], row: sa.RowMapping) -> dict:
    salt = secrets.token_hex(16)
    content = {
        one: iso(row[one]) if one in _INSTANTS and row[one] is not None else row[one]
        for one in columns
    }
    return {
        "agency": row["agency"],
        "kind": kind,
        "subject_id": row[key],
        "host_id": row.get("host_id", ""),
        "journal_number": row.get("journal_number", 0),
        "salt": salt,
        "digest": digest_of(salt, content),
        "at": row[time],
    }


# What never changes in a link; a place is given once, and a salt can only go.
_FIXED = ("seq", "agency", "kind", "subject_id", "host_id", "journal_number", "digest", "at")
_ONCE = ("place", "hash", "sealed_at")


def _keep() -> None:
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    differs = "IS NOT" if is_sqlite else "IS DISTINCT FROM"
    changed = [f"NEW.{one} {differs} OLD.{one}" for one in _FIXED]
    changed += [f"(OLD.place IS NOT NULL AND NEW.{one} {differs} OLD.{one})" for one in _ONCE]
    changed.append(f"(NEW.salt IS NOT NULL AND NEW.salt {differs} OLD.salt)")
    when = " OR ".join(changed)
    if is_sqlite:
        refuse = "BEGIN SELECT RAISE(ABORT, 'the log is never changed'); END"
        op.execute(f"CREATE TRIGGER chain_keeps_update BEFORE UPDATE ON chain WHEN {when} {refuse}")
        op.execute(f"CREATE TRIGGER chain_keeps_delete BEFORE DELETE ON chain {refuse}")
        return
    op.execute(
        "CREATE FUNCTION chain_is_kept() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION 'the log is never changed'; END $$"
    )
    op.execute(
        "CREATE TRIGGER chain_keeps_update BEFORE UPDATE ON chain FOR EACH ROW"
        f" WHEN ({when}) EXECUTE FUNCTION chain_is_kept()"
    )
    op.execute(
        "CREATE TRIGGER chain_keeps_delete BEFORE DELETE OR TRUNCATE ON chain"
        " FOR EACH STATEMENT EXECUTE FUNCTION chain_is_kept()"
    )


def downgrade() -> None:
    """
    Remove the tables.
    """
    op.drop_table("verifications")
    op.drop_table("chain")
    if op.get_bind().dialect.name != "sqlite":
        op.execute("DROP FUNCTION chain_is_kept()")
