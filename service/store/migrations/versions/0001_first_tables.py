"""
Make the first tables: agencies, people, keys, decisions.
"""

import sqlalchemy as sa
from alembic import op

from service.store.database import Instant

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """
    Make the tables.
    """
    op.create_table(
        "agencies",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("time_zone", sa.String(length=64), nullable=False),
        sa.Column("ruleset", sa.String(length=200), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agencies")),
    )
    op.create_table(
        "decision_repeats",
        sa.Column("host_id", sa.String(length=64), nullable=False),
        sa.Column("journal_number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("record_id", sa.String(length=200), nullable=False),
        sa.Column("agency", sa.String(length=64), nullable=False),
        sa.Column("decided_at", Instant(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=True),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("stored_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("host_id", "journal_number", name=op.f("pk_decision_repeats")),
    )
    op.create_index(
        op.f("ix_decision_repeats_record_id"), "decision_repeats", ["record_id"], unique=False
    )
    op.create_table(
        "decisions",
        sa.Column("record_id", sa.String(length=200), nullable=False),
        sa.Column("agency", sa.String(length=64), nullable=False),
        sa.Column("call_id", sa.Text(), nullable=False),
        sa.Column("host_id", sa.String(length=64), nullable=False),
        sa.Column("journal_number", sa.BigInteger(), nullable=False),
        sa.Column("decided_at", Instant(), nullable=False),
        sa.Column("received_at", Instant(), nullable=True),
        sa.Column("urgency", sa.String(length=32), nullable=True),
        sa.Column("responders", sa.JSON(), nullable=False),
        sa.Column("rules", sa.JSON(), nullable=False),
        sa.Column("police", sa.Boolean(), nullable=False),
        sa.Column("fallback", sa.Boolean(), nullable=False),
        sa.Column("ruleset_name", sa.Text(), nullable=True),
        sa.Column("ruleset_version", sa.Integer(), nullable=True),
        sa.Column("ruleset_digest", sa.Text(), nullable=True),
        sa.Column("mode", sa.String(length=32), nullable=True),
        sa.Column("fingerprint", sa.Text(), nullable=True),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("stored_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("record_id", name=op.f("pk_decisions")),
        sa.UniqueConstraint(
            "host_id", "journal_number", name=op.f("uq_decisions_host_id_journal_number")
        ),
    )
    op.create_index("ix_decisions_agency_call_id", "decisions", ["agency", "call_id"], unique=False)
    op.create_index(
        "ix_decisions_agency_decided_at_record_id",
        "decisions",
        ["agency", "decided_at", "record_id"],
        unique=False,
    )
    op.create_table(
        "people",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("agency", sa.String(length=64), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("disabled_at", Instant(), nullable=True),
        sa.CheckConstraint(
            "role IN ('dispatch', 'supervisor', 'admin', 'auditor')", name=op.f("ck_people_role")
        ),
        sa.ForeignKeyConstraint(["agency"], ["agencies.id"], name=op.f("fk_people_agency")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_people")),
        sa.UniqueConstraint("email", name=op.f("uq_people_email")),
    )
    op.create_index(op.f("ix_people_agency"), "people", ["agency"], unique=False)
    op.create_table(
        "keys",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("agency", sa.String(length=64), nullable=False),
        sa.Column("secret_digest", sa.String(length=64), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("person_id", sa.String(length=32), nullable=True),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("revoked_at", Instant(), nullable=True),
        sa.CheckConstraint(
            "role IN ('dispatch', 'supervisor', 'admin', 'auditor')", name=op.f("ck_keys_role")
        ),
        sa.ForeignKeyConstraint(["agency"], ["agencies.id"], name=op.f("fk_keys_agency")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_keys_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_keys")),
        sa.UniqueConstraint("secret_digest", name=op.f("uq_keys_secret_digest")),
    )
    op.create_index(op.f("ix_keys_agency"), "keys", ["agency"], unique=False)


def downgrade() -> None:
    """
    Remove the tables.
    """
    op.drop_index(op.f("ix_keys_agency"), table_name="keys")
    op.drop_table("keys")
    op.drop_index(op.f("ix_people_agency"), table_name="people")
    op.drop_table("people")
    op.drop_index("ix_decisions_agency_decided_at_record_id", table_name="decisions")
    op.drop_index("ix_decisions_agency_call_id", table_name="decisions")
    op.drop_table("decisions")
    op.drop_index(op.f("ix_decision_repeats_record_id"), table_name="decision_repeats")
    op.drop_table("decision_repeats")
    op.drop_table("agencies")
