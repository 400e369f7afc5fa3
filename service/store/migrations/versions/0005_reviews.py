"""
Make the tables of reviews, findings, openings and the random sample.
"""

import sqlalchemy as sa
from alembic import op

from service.store.database import Instant

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """
    Make the tables, and the indexes by which new records are found.
    """
    op.create_index("ix_decisions_stored_at", "decisions", ["stored_at"])
    op.create_index("ix_dispatches_stored_at", "dispatches", ["stored_at"])
    _make_reviews()
    _make_findings()
    op.create_table(
        "openings",
        sa.Column("agency", sa.String(length=64), nullable=False),
        sa.Column("identity", sa.String(length=80), nullable=False),
        sa.Column("decision_id", sa.String(length=200), nullable=False),
        sa.Column("opened_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("agency", "identity", "decision_id", name=op.f("pk_openings")),
    )
    op.create_table(
        "sample_tickets",
        sa.Column("agency", sa.String(length=64), nullable=False),
        sa.Column("call_id", sa.Text(), nullable=False),
        sa.Column("week", sa.String(length=8), nullable=False),
        sa.Column("ticket", sa.String(length=64), nullable=False),
        sa.Column("decision_id", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("agency", "call_id", name=op.f("pk_sample_tickets")),
    )
    op.create_index(
        "ix_sample_tickets_agency_week_ticket", "sample_tickets", ["agency", "week", "ticket"]
    )
    op.create_table(
        "considered_for_review",
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("record_id", sa.String(length=200), nullable=False),
        sa.Column("stored_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "record_id", name=op.f("pk_considered_for_review")),
    )
    op.create_index(
        "ix_considered_for_review_kind_stored_at", "considered_for_review", ["kind", "stored_at"]
    )


def _make_reviews() -> None:
    op.create_table(
        "reviews",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("agency", sa.String(length=64), nullable=False),
        sa.Column("decision_id", sa.String(length=200), nullable=False),
        sa.Column("call_id", sa.Text(), nullable=False),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.Column("is_sample", sa.Boolean(), nullable=False),
        sa.Column("selected_at", Instant(), nullable=False),
        sa.Column("due_at", Instant(), nullable=False),
        sa.Column("claimed_by", sa.String(length=80), nullable=True),
        sa.Column("claimed_name", sa.Text(), nullable=True),
        sa.Column("claimed_until", Instant(), nullable=True),
        sa.Column("answered_at", Instant(), nullable=True),
        sa.Column("would_send", sa.JSON(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reviews")),
        sa.UniqueConstraint("agency", "decision_id", name=op.f("uq_reviews_agency_decision_id")),
    )
    for names in (
        ("agency", "due_at", "id"),
        ("agency", "answered_at", "id"),
        ("agency", "claimed_by"),
        ("agency", "call_id"),
    ):
        op.create_index(f"ix_reviews_{'_'.join(names)}", "reviews", list(names))


def _make_findings() -> None:
    op.create_table(
        "findings",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("agency", sa.String(length=64), nullable=False),
        sa.Column("review_id", sa.String(length=32), nullable=False),
        sa.Column("decision_id", sa.String(length=200), nullable=False),
        sa.Column("call_id", sa.Text(), nullable=False),
        sa.Column("found_at", Instant(), nullable=False),
        sa.Column("found_by", sa.String(length=80), nullable=False),
        sa.Column("found_name", sa.Text(), nullable=False),
        sa.Column("verdict", sa.String(length=20), nullable=False),
        sa.Column("should_have_sent", sa.JSON(), nullable=False),
        sa.Column("wrong_facts", sa.JSON(), nullable=False),
        sa.Column("wrong_rule", sa.Text(), nullable=True),
        sa.Column("comment", sa.Text(), nullable=True),
        sa.Column("rules", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_findings")),
        sa.UniqueConstraint("agency", "review_id", name=op.f("uq_findings_agency_review_id")),
        sa.CheckConstraint(
            "verdict IN ('right', 'under_triaged', 'over_triaged', 'cannot_tell')",
            name=op.f("ck_findings_verdict"),
        ),
    )
    op.create_index("ix_findings_agency_found_at_id", "findings", ["agency", "found_at", "id"])
    op.create_index("ix_findings_agency_decision_id", "findings", ["agency", "decision_id"])


def downgrade() -> None:
    """
    Remove the tables and the indexes.
    """
    for name in ("considered_for_review", "sample_tickets", "openings", "findings", "reviews"):
        op.drop_table(name)
    op.drop_index("ix_dispatches_stored_at", "dispatches")
    op.drop_index("ix_decisions_stored_at", "decisions")
