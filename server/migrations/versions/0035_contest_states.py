"""Contests can be drafts, and can be paused."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add the columns; existing contests are published."""
    op.add_column("contest", sa.Column("published_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("contest", sa.Column("paused_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("contest", sa.Column("drafted_by", _BIG, nullable=True))
    op.execute("UPDATE contest SET published_at = made_at")


def downgrade() -> None:
    """Drop the columns."""
    for column in ("drafted_by", "paused_at", "published_at"):
        op.drop_column("contest", column)
