"""
Make the tables of legal holds, erasures and disclosures, with the triggers that put two persons
behind every erasure and none past a hold, and the indexes of records that hold words.
"""

import sqlalchemy as sa
from alembic import op

from service.store.database import Instant

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

SEALED = "CAST(body AS TEXT) LIKE '%\"enc:%'"
INDEXES = (
    ("decisions", "decided_at"),
    ("decision_repeats", "decided_at"),
    ("dispatches", "reported_at"),
)
HELD = """EXISTS (SELECT 1 FROM legal_holds AS h WHERE h.agency = NEW.agency
  AND h.lifted_at IS NULL AND (h.call_id IS NULL OR h.call_id = NEW.call_id))"""
# What each trigger of SQLite does; the functions of PostgreSQL below do the same.
SQLITE = {
    "legal_holds_keep": """
BEFORE UPDATE ON legal_holds
WHEN OLD.lifted_at IS NOT NULL OR NEW.id <> OLD.id OR NEW.agency <> OLD.agency
  OR NEW.call_id IS NOT OLD.call_id OR NEW.authority <> OLD.authority OR NEW.matter <> OLD.matter
  OR NEW.reason <> OLD.reason OR NEW.placed_by <> OLD.placed_by OR NEW.placed_at <> OLD.placed_at
BEGIN SELECT RAISE(ABORT, 'a legal hold is only ever lifted, once'); END""",
    "legal_holds_keep_delete": """
BEFORE DELETE ON legal_holds
BEGIN SELECT RAISE(ABORT, 'a legal hold is only ever lifted, once'); END""",
    "erasures_begin": f"""
BEFORE INSERT ON erasures
WHEN NEW.confirmed_by IS NOT NULL OR NEW.withdrawn_by IS NOT NULL OR {HELD}
BEGIN SELECT RAISE(ABORT, 'an erasure is first asked for, and never under a legal hold'); END""",
    "erasures_confirm": f"""
BEFORE UPDATE ON erasures
WHEN OLD.confirmed_by IS NOT NULL OR OLD.withdrawn_by IS NOT NULL OR NEW.id <> OLD.id
  OR NEW.agency <> OLD.agency OR NEW.call_id <> OLD.call_id OR NEW.reason <> OLD.reason
  OR NEW.asked_by <> OLD.asked_by OR NEW.asked_at <> OLD.asked_at
  OR (NEW.confirmed_by IS NOT NULL AND {HELD})
BEGIN SELECT RAISE(ABORT, 'an erasure ends once, as it was asked for, and under no hold'); END""",
    "erasures_keep_delete": """
BEFORE DELETE ON erasures
BEGIN SELECT RAISE(ABORT, 'an erasure is never removed'); END""",
    "disclosures_keep": """
BEFORE UPDATE ON disclosures
BEGIN SELECT RAISE(ABORT, 'a disclosure is never changed'); END""",
    "disclosures_keep_delete": """
BEFORE DELETE ON disclosures
BEGIN SELECT RAISE(ABORT, 'a disclosure is never changed'); END""",
}
# The same on PostgreSQL: when, on which table, and the body of its function.
POSTGRESQL = {
    "legal_holds_keep": (
        "BEFORE UPDATE ON legal_holds FOR EACH ROW",
        """
  IF OLD.lifted_at IS NOT NULL OR (NEW.id, NEW.agency, NEW.authority, NEW.matter, NEW.reason,
    NEW.placed_by, NEW.placed_at) <> (OLD.id, OLD.agency, OLD.authority, OLD.matter, OLD.reason,
    OLD.placed_by, OLD.placed_at) OR NEW.call_id IS DISTINCT FROM OLD.call_id THEN
    RAISE integrity_constraint_violation USING MESSAGE = 'a legal hold is only ever lifted, once';
  END IF;
  RETURN NEW;""",
    ),
    "legal_holds_stay": (
        "BEFORE DELETE OR TRUNCATE ON legal_holds FOR EACH STATEMENT",
        """
  RAISE integrity_constraint_violation USING MESSAGE = 'a legal hold is only ever lifted, once';""",
    ),
    "erasures_begin": (
        "BEFORE INSERT ON erasures FOR EACH ROW",
        f"""
  IF NEW.confirmed_by IS NOT NULL OR NEW.withdrawn_by IS NOT NULL OR {HELD} THEN
    RAISE integrity_constraint_violation
      USING MESSAGE = 'an erasure is first asked for, and never under a legal hold';
  END IF;
  RETURN NEW;""",
    ),
    "erasures_confirm": (
        "BEFORE UPDATE ON erasures FOR EACH ROW",
        f"""
  IF OLD.confirmed_by IS NOT NULL OR OLD.withdrawn_by IS NOT NULL
    OR (NEW.id, NEW.agency, NEW.call_id, NEW.reason, NEW.asked_by, NEW.asked_at)
      <> (OLD.id, OLD.agency, OLD.call_id, OLD.reason, OLD.asked_by, OLD.asked_at)
    OR (NEW.confirmed_by IS NOT NULL AND {HELD}) THEN
    RAISE integrity_constraint_violation
      USING MESSAGE = 'an erasure ends once, as it was asked for, and under no hold';
  END IF;
  RETURN NEW;""",
    ),
    "erasures_stay": (
        "BEFORE DELETE OR TRUNCATE ON erasures FOR EACH STATEMENT",
        """
  RAISE integrity_constraint_violation USING MESSAGE = 'an erasure is never removed';""",
    ),
    "disclosures_stay": (
        "BEFORE UPDATE OR DELETE OR TRUNCATE ON disclosures FOR EACH STATEMENT",
        """
  RAISE integrity_constraint_violation USING MESSAGE = 'a disclosure is never changed';""",
    ),
}


def upgrade() -> None:
    """
    Make the tables, their triggers and the indexes.
    """
    _make_holds()
    _make_erasures()
    _make_disclosures()
    for table, at in INDEXES:
        op.create_index(
            f"ix_{table}_sealed",
            table,
            ["agency", at, "record_id"],
            sqlite_where=sa.text(SEALED),
            postgresql_where=sa.text(SEALED),
        )
    if op.get_bind().dialect.name == "sqlite":
        for name, what in SQLITE.items():
            op.execute(sa.text(f"CREATE TRIGGER {name} {what.strip()}"))
        return
    for name, (when, body) in POSTGRESQL.items():
        op.execute(
            f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN{body}\nEND $$"
        )
        op.execute(f"CREATE TRIGGER {name} {when} EXECUTE FUNCTION {name}()")


def _make_holds() -> None:
    op.create_table(
        "legal_holds",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("agency", sa.String(length=64), nullable=False),
        sa.Column("call_id", sa.Text(), nullable=True),
        sa.Column("authority", sa.Text(), nullable=False),
        sa.Column("matter", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("placed_by", sa.String(length=80), nullable=False),
        sa.Column("placed_name", sa.Text(), nullable=False),
        sa.Column("placed_at", Instant(), nullable=False),
        sa.Column("lifted_by", sa.String(length=80), nullable=True),
        sa.Column("lifted_name", sa.Text(), nullable=True),
        sa.Column("lifted_at", Instant(), nullable=True),
        sa.Column("lift_reason", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_legal_holds")),
    )
    op.create_index(
        "ix_legal_holds_agency_placed_at_id", "legal_holds", ["agency", "placed_at", "id"]
    )


def _make_erasures() -> None:
    op.create_table(
        "erasures",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("agency", sa.String(length=64), nullable=False),
        sa.Column("call_id", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("asked_by", sa.String(length=80), nullable=False),
        sa.Column("asked_name", sa.Text(), nullable=False),
        sa.Column("asked_at", Instant(), nullable=False),
        sa.Column("confirmed_by", sa.String(length=80), nullable=True),
        sa.Column("confirmed_name", sa.Text(), nullable=True),
        sa.Column("confirmed_at", Instant(), nullable=True),
        sa.Column("withdrawn_by", sa.String(length=80), nullable=True),
        sa.Column("withdrawn_name", sa.Text(), nullable=True),
        sa.Column("withdrawn_at", Instant(), nullable=True),
        sa.CheckConstraint("asked_by LIKE 'person:%'", name=op.f("ck_erasures_asked_by_a_person")),
        sa.CheckConstraint(
            "confirmed_by IS NULL OR (confirmed_by <> asked_by AND confirmed_by LIKE 'person:%')",
            name=op.f("ck_erasures_two_persons"),
        ),
        sa.CheckConstraint(
            "confirmed_by IS NULL OR withdrawn_by IS NULL", name=op.f("ck_erasures_one_end")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erasures")),
    )
    op.create_index("ix_erasures_agency_asked_at_id", "erasures", ["agency", "asked_at", "id"])
    op.create_index("ix_erasures_confirmed_at", "erasures", ["confirmed_at"])
    op.create_table(
        "erasures_on_hosts",
        sa.Column("erasure_id", sa.String(length=32), nullable=False),
        sa.Column("host_id", sa.String(length=64), nullable=False),
        sa.Column("records", sa.Integer(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["erasure_id"], ["erasures.id"], name=op.f("fk_erasures_on_hosts_erasure_id")
        ),
        sa.PrimaryKeyConstraint("erasure_id", "host_id", name=op.f("pk_erasures_on_hosts")),
    )


def _make_disclosures() -> None:
    op.create_table(
        "disclosures",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("agency", sa.String(length=64), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("disclosed_by", sa.String(length=80), nullable=False),
        sa.Column("disclosed_name", sa.Text(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("records", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_disclosures")),
    )
    op.create_index("ix_disclosures_agency_at_id", "disclosures", ["agency", "at", "id"])
