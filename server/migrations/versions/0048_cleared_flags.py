"""Flags that an organizer found to be without fault."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0048"
down_revision = "0047"


def upgrade() -> None:
    """Add the columns."""
    op.add_column(
        "integrity_flag", sa.Column("cleared_at", sa.DateTime(timezone=True), nullable=True)
    )
    op.add_column("integrity_flag", sa.Column("cleared_by", sa.BigInteger(), nullable=True))
    op.add_column("integrity_flag", sa.Column("cleared_reason", sa.String(300), nullable=True))


def downgrade() -> None:
    """Drop the columns."""
    for column in ("cleared_reason", "cleared_by", "cleared_at"):
        op.drop_column("integrity_flag", column)
