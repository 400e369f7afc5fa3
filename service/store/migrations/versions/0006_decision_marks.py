"""
Make lists of decisions quick: marks by which they are filtered, and indexes in the order of time.
"""

import sqlalchemy as sa
from alembic import op

from service.store import decision_marks
from service.store.database import Instant

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

BATCH = 1_000
_DECISIONS = sa.table(
    "decisions",
    sa.column("record_id", sa.String),
    sa.column("agency", sa.String),
    sa.column("decided_at", Instant),
    sa.column("urgency", sa.String),
    sa.column("responders", sa.JSON),
    sa.column("rules", sa.JSON),
    sa.column("fallback", sa.Boolean),
)


def upgrade() -> None:
    """
    Make the table and the indexes, and mark the decisions that are there.
    """
    op.create_table(
        "decision_marks",
        sa.Column("agency", sa.String(length=64), nullable=False),
        sa.Column("mark", sa.String(length=220), nullable=False),
        sa.Column("decided_at", Instant(), nullable=False),
        sa.Column("record_id", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint(
            "agency", "mark", "decided_at", "record_id", name=op.f("pk_decision_marks")
        ),
        sqlite_with_rowid=False,
    )
    op.drop_index("ix_decisions_agency_call_id", "decisions")
    op.create_index(
        "ix_decisions_agency_call_id_decided_at_record_id",
        "decisions",
        ["agency", "call_id", "decided_at", "record_id"],
        postgresql_ops={"call_id": "text_pattern_ops"},
    )
    op.create_index(
        "ix_dispatches_agency_override_decision_id",
        "dispatches",
        ["agency", "override", "decision_id"],
    )
    _mark_what_is_there()


def _mark_what_is_there() -> None:
    connection, last = op.get_bind(), ""
    while True:
        rows = connection.execute(
            sa.select(_DECISIONS)
            .where(_DECISIONS.c.record_id > last)
            .order_by(_DECISIONS.c.record_id)
            .limit(BATCH)
        ).all()
        if not rows:
            return
        decision_marks.add(connection, [dict(row._mapping) for row in rows])
        last = rows[-1].record_id
