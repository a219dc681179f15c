"""Picture checks become rows of an outbox."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from server.migrations.outbox_columns import add_outbox_columns, drop_outbox_columns

revision = "0022"
down_revision = "0021"

_WHEN = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Queue waiting pictures; for the others store when WeChat was asked."""
    add_outbox_columns("avatar")
    op.add_column("avatar", sa.Column("asked_at", _WHEN, nullable=True))
    op.execute(sa.text("UPDATE avatar SET asked_at = ask_after WHERE state = 'asked'"))
    op.execute(
        sa.text(
            "UPDATE avatar SET outbox_state = 'queued', outbox_since = made_at, "
            "outbox_due_at = ask_after WHERE state = 'waiting'"
        )
    )
    op.drop_index("ix_avatar_state_ask_after", table_name="avatar")
    op.drop_column("avatar", "ask_after")
    op.create_index("ix_avatar_state_asked_at", "avatar", ["state", "asked_at"])


def downgrade() -> None:
    """Merge both times into one column."""
    op.drop_index("ix_avatar_state_asked_at", table_name="avatar")
    op.add_column("avatar", sa.Column("ask_after", _WHEN, nullable=True))
    op.execute(sa.text("UPDATE avatar SET ask_after = COALESCE(asked_at, outbox_due_at, made_at)"))
    drop_outbox_columns("avatar")
    op.drop_column("avatar", "asked_at")
    with op.batch_alter_table("avatar") as table:
        table.alter_column("ask_after", existing_type=_WHEN, nullable=False)
    op.create_index("ix_avatar_state_ask_after", "avatar", ["state", "ask_after"])
