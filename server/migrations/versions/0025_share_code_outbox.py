"""Missing poster codes become rows of an outbox."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from server.migrations.outbox_columns import add_outbox_columns, drop_outbox_columns

revision = "0025"
down_revision = "0024"

_WHEN = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Queue cards without a code."""
    add_outbox_columns("share")
    op.execute(
        sa.text(
            "UPDATE share SET outbox_state = 'queued', outbox_since = made_at, "
            "outbox_due_at = code_after WHERE code_after IS NOT NULL"
        )
    )
    op.drop_index("ix_share_code_after", table_name="share")
    op.drop_column("share", "code_after")


def downgrade() -> None:
    """Move the time back to its old column."""
    op.add_column("share", sa.Column("code_after", _WHEN, nullable=True))
    op.execute(
        sa.text(
            "UPDATE share SET code_after = outbox_due_at "
            "WHERE outbox_state IN ('queued', 'claimed')"
        )
    )
    drop_outbox_columns("share")
    op.create_index("ix_share_code_after", "share", ["code_after"])
