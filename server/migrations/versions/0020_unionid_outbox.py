"""Reading unionids becomes an outbox."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from server.migrations.outbox_columns import (
    add_outbox_columns,
    drop_copied_outbox_columns,
    map_states,
)

revision = "0020"
down_revision = "0019"

_WORDS = ("wanted", "claimed", "known")
_OUTBOX = ("queued", "claimed", "done")


def upgrade() -> None:
    """Move its state to the columns of an outbox; followers without a unionid are in no queue."""
    add_outbox_columns("follower")
    op.execute(
        sa.text(
            "UPDATE follower SET outbox_since = ask_at, outbox_due_at = ask_at, "
            "outbox_until = CASE WHEN asking = 'claimed' THEN ask_at END, "
            "outbox_tries = ask_count WHERE asking IN ('wanted', 'claimed')"
        )
    )
    map_states("follower", "asking", _WORDS, "outbox_state", _OUTBOX)
    op.drop_index("ix_follower_asking_ask_at", table_name="follower")
    with op.batch_alter_table("follower") as table:
        table.drop_constraint(op.f("ck_follower_asking"), type_="check")
        table.drop_column("asking")
        table.drop_column("ask_count")


def downgrade() -> None:
    """Move it back."""
    with op.batch_alter_table("follower") as table:
        table.add_column(sa.Column("asking", sa.String(40), nullable=True))
        table.add_column(sa.Column("ask_count", sa.Integer(), nullable=True))
    op.execute(
        sa.text(
            "UPDATE follower SET asking = 'none', ask_count = outbox_tries, "
            "ask_at = COALESCE(outbox_due_at, ask_at)"
        )
    )
    map_states("follower", "outbox_state", _OUTBOX, "asking", _WORDS)
    drop_copied_outbox_columns("follower")
    with op.batch_alter_table("follower") as table:
        table.alter_column("asking", existing_type=sa.String(40), nullable=False)
        table.alter_column("ask_count", existing_type=sa.Integer(), nullable=False)
        table.create_check_constraint(
            op.f("ck_follower_asking"), "asking IN ('wanted', 'claimed', 'known', 'none')"
        )
    op.create_index("ix_follower_asking_ask_at", "follower", ["asking", "ask_at"])
