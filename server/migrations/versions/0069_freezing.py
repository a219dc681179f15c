"""Announcements whose recipients are frozen in the background."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0069"
down_revision = "0068"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TABLE, _CHECK, _INDEX = "announcement", "ck_announcement_state", "ix_announcement_rows_left"
_STATES = "'draft', 'review', 'scheduled', 'sending', 'paused', 'done', 'cancelled'"


def upgrade() -> None:
    """Add the state and the columns."""
    with op.batch_alter_table(_TABLE) as table:
        table.add_column(sa.Column("frozen_count", sa.Integer(), nullable=True))
        table.add_column(sa.Column("frozen_to", BIG, nullable=True))
        table.add_column(
            sa.Column("rows_left", sa.Boolean(), server_default=sa.false(), nullable=False)
        )
        table.drop_constraint(op.f(_CHECK), type_="check")
        table.create_check_constraint(op.f(_CHECK), f"state IN ('freezing', {_STATES})")
    where = sa.text("rows_left")
    op.create_index(_INDEX, _TABLE, ["id"], sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    """Drop them; what is being frozen is in review again, and rows that are left are ended."""
    op.execute(
        "DELETE FROM announcement_recipient WHERE announcement_id IN"
        " (SELECT id FROM announcement WHERE state = 'freezing' OR"
        " (rows_left AND state IN ('draft', 'review')))"
    )
    op.execute(
        "UPDATE announcement_recipient SET state = 'cancelled', reason = 'cancelled',"
        " outbox_state = NULL, outbox_due_at = NULL WHERE state = 'queued' AND announcement_id IN"
        " (SELECT id FROM announcement WHERE rows_left AND state = 'cancelled')"
    )
    op.execute(
        "DELETE FROM announcement_approval WHERE announcement_id IN"
        " (SELECT id FROM announcement WHERE state = 'freezing')"
    )
    op.execute("UPDATE announcement SET state = 'review' WHERE state = 'freezing'")
    op.drop_index(_INDEX, _TABLE)
    with op.batch_alter_table(_TABLE) as table:
        table.drop_constraint(op.f(_CHECK), type_="check")
        table.create_check_constraint(op.f(_CHECK), f"state IN ({_STATES})")
        for name in ("rows_left", "frozen_to", "frozen_count"):
            table.drop_column(name)
