"""
Let somebody say that a record stays in quarantine for good, so that it asks for nothing more.
"""

import sqlalchemy as sa
from alembic import op

from service.store.database import Instant

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """
    Add who said it, and when.
    """
    op.add_column("quarantined", sa.Column("left_at", Instant(), nullable=True))
    op.add_column("quarantined", sa.Column("left_by", sa.String(80), nullable=True))
