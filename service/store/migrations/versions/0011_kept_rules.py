"""
Make the table that keeps by digest whatever decided: rulesets, and the tables they were read with.
"""

import sqlalchemy as sa
from alembic import op

from service.store.database import Instant

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """
    Make the table; the first start fills it with what is in force.
    """
    op.create_table(
        "kept_rules",
        sa.Column("digest", sa.String(length=80), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("kept_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_kept_rules")),
    )
