"""Titles of question banks: a place may have several."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0050"
down_revision = "0049"


def upgrade() -> None:
    """Add the column; the bank of a place has no title."""
    column = sa.Column("title", sa.String(60), nullable=False, server_default="")
    op.add_column("bank", column)


def downgrade() -> None:
    """Drop the column."""
    op.drop_column("bank", "title")
