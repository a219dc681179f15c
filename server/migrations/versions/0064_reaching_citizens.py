"""Topics that citizens turned off, announcements off, and windows for customer messages."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0064"
down_revision = "0063"


def upgrade() -> None:
    """Add the columns."""
    op.add_column(
        "citizen", sa.Column("muted_topics", sa.JSON(), server_default="[]", nullable=False)
    )
    op.add_column(
        "citizen",
        sa.Column("announcements_off", sa.Boolean(), server_default=sa.false(), nullable=False),
    )
    op.add_column("follower", sa.Column("heard_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column(
        "follower", sa.Column("window_used", sa.SmallInteger(), server_default="0", nullable=False)
    )


def downgrade() -> None:
    """Drop the columns."""
    for table, name in (
        ("follower", "window_used"),
        ("follower", "heard_at"),
        ("citizen", "announcements_off"),
        ("citizen", "muted_topics"),
    ):
        op.drop_column(table, name)
