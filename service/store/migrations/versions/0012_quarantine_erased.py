"""
Let retention and erasures reach what is in quarantine: which call it is about, when it was told,
and whether words about a person may be in it. A journal that was removed is noted as gone.
"""

import json

import sqlalchemy as sa
from alembic import op

from service.store.database import Instant

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """
    Add the columns. Of what is there its head names the call, it counts as told when it was stored,
    and words may be in it: the first purge looks.
    """
    with op.batch_alter_table("quarantined") as table:
        table.add_column(sa.Column("call_id", sa.Text(), nullable=True))
        table.add_column(sa.Column("told_at", Instant(), nullable=True))
        table.add_column(
            sa.Column("has_words", sa.Boolean(), nullable=False, server_default=sa.true())
        )
    _fill()
    with op.batch_alter_table("quarantined") as table:
        table.alter_column("told_at", existing_type=Instant(), nullable=False)
        table.alter_column("has_words", existing_type=sa.Boolean(), server_default=None)
    op.create_index("ix_quarantined_agency_told_at", "quarantined", ["agency", "told_at"])
    op.add_column("journal_positions", sa.Column("gone_at", Instant(), nullable=True))


def _fill() -> None:
    connection = op.get_bind()
    there = sa.table(
        "quarantined",
        sa.column("host_id", sa.String()),
        sa.column("journal_number", sa.BigInteger()),
        sa.column("head", sa.LargeBinary()),
        sa.column("call_id", sa.Text()),
        sa.column("told_at", Instant()),
        sa.column("stored_at", Instant()),
    )
    connection.execute(there.update().values(told_at=there.c.stored_at))
    found = connection.execute(sa.select(there.c.host_id, there.c.journal_number, there.c.head))
    for host_id, number, head in found.all():
        call_id = json.loads(head).get("call_id")
        if isinstance(call_id, str) and call_id.isprintable() and call_id:
            is_it = (there.c.host_id == host_id) & (there.c.journal_number == number)
            connection.execute(there.update().where(is_it).values(call_id=call_id))
