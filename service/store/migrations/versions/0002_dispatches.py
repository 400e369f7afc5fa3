"""
Make the table of what was really sent.
"""

import sqlalchemy as sa
from alembic import op

from service.store.database import Instant

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """
    Make the table.
    """
    op.create_table(
        "dispatches",
        sa.Column("record_id", sa.String(length=200), nullable=False),
        sa.Column("agency", sa.String(length=64), nullable=False),
        sa.Column("decision_id", sa.String(length=200), nullable=False),
        sa.Column("call_id", sa.Text(), nullable=False),
        sa.Column("host_id", sa.String(length=64), nullable=False),
        sa.Column("journal_number", sa.BigInteger(), nullable=False),
        sa.Column("reported_at", Instant(), nullable=False),
        sa.Column("responders", sa.JSON(), nullable=False),
        sa.Column("override", sa.Boolean(), nullable=False),
        sa.Column("released", sa.JSON(), nullable=False),
        sa.Column("reason", sa.String(length=60), nullable=True),
        sa.Column("call_back_at", Instant(), nullable=True),
        sa.Column("by_key", sa.String(length=64), nullable=True),
        sa.Column("by_person", sa.String(length=64), nullable=True),
        sa.Column("fingerprint", sa.Text(), nullable=True),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("stored_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("record_id", name=op.f("pk_dispatches")),
        sa.UniqueConstraint(
            "host_id", "journal_number", name=op.f("uq_dispatches_host_id_journal_number")
        ),
    )
    op.create_index(
        "ix_dispatches_agency_decision_id_reported_at_record_id",
        "dispatches",
        ["agency", "decision_id", "reported_at", "record_id"],
        unique=False,
    )


def downgrade() -> None:
    """
    Remove the table.
    """
    op.drop_index(
        "ix_dispatches_agency_decision_id_reported_at_record_id", table_name="dispatches"
    )
    op.drop_table("dispatches")
