"""Late replies as rows of an outbox."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from server.migrations.outbox_columns import (
    add_outbox_columns,
    drop_copied_outbox_columns,
    map_states,
)

revision = "0018"
down_revision = "0017"

_WHEN = sa.DateTime(timezone=True)
_STATES = ("queued", "claimed", "said", "refused", "unknown")
_OUTBOX = ("queued", "claimed", "done", "given_up", "in_doubt")


def upgrade() -> None:
    """Move state, time, attempts and reason to the columns of an outbox."""
    add_outbox_columns("late_reply")
    op.execute(
        sa.text(
            "UPDATE late_reply SET outbox_since = made_at, outbox_due_at = due_at, "
            "outbox_until = CASE WHEN state = 'claimed' THEN claimed_at END, "
            "outbox_tries = tries, outbox_reason = reason"
        )
    )
    map_states("late_reply", "state", _STATES, "outbox_state", _OUTBOX)
    op.drop_index("ix_late_reply_state_due_at", table_name="late_reply")
    with op.batch_alter_table("late_reply") as table:
        table.drop_constraint(op.f("ck_late_reply_state"), type_="check")
        for name in ("state", "reason", "due_at", "claimed_at", "tries"):
            table.drop_column(name)


def downgrade() -> None:
    """Move them back."""
    with op.batch_alter_table("late_reply") as table:
        table.add_column(sa.Column("state", sa.String(40), nullable=True))
        table.add_column(sa.Column("reason", sa.String(40), nullable=True))
        table.add_column(sa.Column("due_at", _WHEN, nullable=True))
        table.add_column(sa.Column("claimed_at", _WHEN, nullable=True))
        table.add_column(sa.Column("tries", sa.Integer(), nullable=True))
    op.execute(
        sa.text(
            "UPDATE late_reply SET reason = outbox_reason, due_at = outbox_due_at, "
            "claimed_at = outbox_until, tries = outbox_tries"
        )
    )
    map_states("late_reply", "outbox_state", _OUTBOX, "state", _STATES)
    drop_copied_outbox_columns("late_reply")
    with op.batch_alter_table("late_reply") as table:
        table.alter_column("state", existing_type=sa.String(40), nullable=False)
        table.alter_column("due_at", existing_type=_WHEN, nullable=False)
        table.alter_column("tries", existing_type=sa.Integer(), nullable=False)
        listed = ", ".join(f"'{state}'" for state in _STATES)
        table.create_check_constraint(op.f("ck_late_reply_state"), f"state IN ({listed})")
    op.create_index("ix_late_reply_state_due_at", "late_reply", ["state", "due_at"])
