"""Queues that an operator has paused."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"

WHEN = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "outbox_pause",
        sa.Column("queue", sa.String(60), nullable=False),
        sa.Column("paused_at", WHEN, nullable=False),
        sa.Column("until", WHEN, nullable=True),
        sa.Column("reason", sa.String(200), nullable=False),
        sa.PrimaryKeyConstraint("queue", name="pk_outbox_pause"),
    )


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("outbox_pause")
