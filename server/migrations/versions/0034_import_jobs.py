"""Imports run as long jobs, which hold their progress."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"

_COLUMNS = ("done_rows", "total_rows")


def upgrade() -> None:
    """Drop the progress of imports."""
    for name in _COLUMNS:
        op.drop_column("question_import", name)


def downgrade() -> None:
    """Add the progress again; nothing is running."""
    for name in _COLUMNS:
        op.add_column(
            "question_import", sa.Column(name, sa.Integer(), nullable=False, server_default="0")
        )
