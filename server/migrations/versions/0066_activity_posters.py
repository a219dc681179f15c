"""Posters of activities."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0066"
down_revision = "0065"


def upgrade() -> None:
    """Add the table, and the index by which posters without an activity are found."""
    op.create_table(
        "activity_poster",
        sa.Column("small", sa.LargeBinary(), nullable=False),
        sa.Column("name", sa.String(40), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_activity_poster"),
        sa.UniqueConstraint("digest", name="uq_activity_poster_digest"),
    )
    op.create_index("ix_activity_poster_used_at", "activity_poster", ["used_at"])
    op.create_index("ix_activity_poster", "activity", ["poster"])


def downgrade() -> None:
    """Drop them."""
    op.drop_index("ix_activity_poster", "activity")
    op.drop_table("activity_poster")
