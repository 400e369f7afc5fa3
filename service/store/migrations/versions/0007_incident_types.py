"""
Make the tables of type codes: those that nobody knew, and what an agency says itself of its own.
"""

import sqlalchemy as sa
from alembic import op

from service.store.database import Instant

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """
    Make the tables. Decisions that are stored already are not counted: they do not say in which
    spelling their code was looked up.
    """
    op.create_table(
        "unmapped_incident_types",
        sa.Column("agency", sa.String(length=64), nullable=False),
        sa.Column("registry", sa.String(length=200), nullable=False),
        sa.Column("code", sa.String(length=200), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("first_seen_at", Instant(), nullable=False),
        sa.Column("last_seen_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint(
            "agency", "registry", "code", name=op.f("pk_unmapped_incident_types")
        ),
    )
    op.create_index(
        "ix_unmapped_incident_types_agency_count", "unmapped_incident_types", ["agency", "count"]
    )
    op.create_table(
        "mapped_incident_types",
        sa.Column("agency", sa.String(length=64), nullable=False),
        sa.Column("registry", sa.String(length=200), nullable=False),
        sa.Column("code", sa.String(length=200), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("comment", sa.Text(), nullable=True),
        sa.Column("mapped_by", sa.String(length=80), nullable=False),
        sa.Column("mapped_name", sa.Text(), nullable=False),
        sa.Column("mapped_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint(
            "agency", "registry", "code", name=op.f("pk_mapped_incident_types")
        ),
    )
    op.create_index(
        "ix_mapped_incident_types_agency_mapped_at_id",
        "mapped_incident_types",
        ["agency", "mapped_at", "id"],
    )
