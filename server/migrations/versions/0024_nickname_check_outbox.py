"""Nickname checks become rows of an outbox."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from server.migrations.outbox_columns import add_outbox_columns, drop_outbox_columns

revision = "0024"
down_revision = "0023"

_WHEN = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Queue nicknames that wait for WeChat; other tables refer to this one, so no copy."""
    add_outbox_columns("citizen")
    op.execute(
        sa.text(
            "UPDATE citizen SET outbox_state = 'queued', outbox_since = pending_since, "
            "outbox_due_at = check_after "
            "WHERE nickname_state = 'checking' AND check_after IS NOT NULL"
        )
    )
    op.drop_index("ix_citizen_nickname_state_check_after", table_name="citizen")
    op.drop_column("citizen", "check_after")


def downgrade() -> None:
    """Move the time back to its old column."""
    op.add_column("citizen", sa.Column("check_after", _WHEN, nullable=True))
    op.execute(sa.text("UPDATE citizen SET check_after = outbox_due_at"))
    drop_outbox_columns("citizen")
    op.create_index(
        "ix_citizen_nickname_state_check_after", "citizen", ["nickname_state", "check_after"]
    )
