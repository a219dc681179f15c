"""Pushes as rows of an outbox."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from server.migrations.outbox_columns import (
    add_outbox_columns,
    drop_copied_outbox_columns,
    map_states,
)

revision = "0019"
down_revision = "0018"

_WHEN = sa.DateTime(timezone=True)
_STATES = ("queued", "claimed", "sent", "refused", "unknown")
_OUTBOX = ("queued", "claimed", "done", "given_up", "in_doubt")


def upgrade() -> None:
    """Move state, time, attempts and reason to the columns of an outbox."""
    add_outbox_columns("push")
    op.execute(
        sa.text(
            "UPDATE push SET outbox_since = made_at, outbox_due_at = due_at, "
            "outbox_until = CASE WHEN state = 'claimed' THEN claimed_at END, "
            "outbox_tries = tries, outbox_reason = reason"
        )
    )
    map_states("push", "state", _STATES, "outbox_state", _OUTBOX)
    for name in ("ix_push_queued_due_at", "ix_push_claimed_claimed_at"):
        op.drop_index(name, table_name="push")
    with op.batch_alter_table("push") as table:
        table.drop_constraint(op.f("ck_push_state"), type_="check")
        for name in ("state", "reason", "due_at", "claimed_at", "tries"):
            table.drop_column(name)


def downgrade() -> None:
    """Move them back."""
    with op.batch_alter_table("push") as table:
        table.add_column(sa.Column("state", sa.String(40), nullable=True))
        table.add_column(sa.Column("reason", sa.String(40), nullable=True))
        table.add_column(sa.Column("due_at", _WHEN, nullable=True))
        table.add_column(sa.Column("claimed_at", _WHEN, nullable=True))
        table.add_column(sa.Column("tries", sa.Integer(), nullable=True))
    op.execute(
        sa.text(
            "UPDATE push SET reason = outbox_reason, due_at = outbox_due_at, "
            "claimed_at = outbox_until, tries = outbox_tries"
        )
    )
    map_states("push", "outbox_state", _OUTBOX, "state", _STATES)
    drop_copied_outbox_columns("push")
    with op.batch_alter_table("push") as table:
        table.alter_column("state", existing_type=sa.String(40), nullable=False)
        table.alter_column("due_at", existing_type=_WHEN, nullable=False)
        table.alter_column("tries", existing_type=sa.Integer(), nullable=False)
        listed = ", ".join(f"'{state}'" for state in _STATES)
        table.create_check_constraint(op.f("ck_push_state"), f"state IN ({listed})")
    for state, column in (("queued", "due_at"), ("claimed", "claimed_at")):
        where = sa.text(f"state = '{state}'")
        op.create_index(
            f"ix_push_{state}_{column}",
            "push",
            [column],
            sqlite_where=where,
            postgresql_where=where,
        )
