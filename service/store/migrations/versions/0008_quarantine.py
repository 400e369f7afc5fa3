"""
Make the tables of what the store can never take, and of how far it has each journal.
"""

import sqlalchemy as sa
from alembic import op

from service.store.database import Instant

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """
    Make the tables. The position of a journal that the store has records of already begins at 0,
    and catches up as more of it is stored.
    """
    op.create_table(
        "quarantined",
        sa.Column("host_id", sa.String(length=64), nullable=False),
        sa.Column("journal_number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("record_id", sa.String(length=200), nullable=True),
        sa.Column("agency", sa.String(length=64), nullable=True),
        sa.Column("kind", sa.String(length=32), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("head", sa.LargeBinary(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("stored_at", Instant(), nullable=False),
        sa.Column("settled_at", Instant(), nullable=True),
        sa.Column("settled_by", sa.String(length=80), nullable=True),
        sa.PrimaryKeyConstraint("host_id", "journal_number", name=op.f("pk_quarantined")),
    )
    op.create_index(
        "ix_quarantined_settled_at_stored_at", "quarantined", ["settled_at", "stored_at"]
    )
    op.create_table(
        "journal_positions",
        sa.Column("host_id", sa.String(length=64), nullable=False),
        sa.Column("through", sa.BigInteger(), nullable=False),
        sa.Column("highest", sa.BigInteger(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("host_id", name=op.f("pk_journal_positions")),
    )
