"""Pictures of announcements."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0068"
down_revision = "0067"


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "announcement_picture",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_announcement_picture")),
        sa.UniqueConstraint("digest", name=op.f("uq_announcement_picture_digest")),
    )
    op.create_index("ix_announcement_picture_used_at", "announcement_picture", ["used_at"])


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("announcement_picture")
