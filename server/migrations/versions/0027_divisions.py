"""The group of a contest that an entry belongs to."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"


def upgrade() -> None:
    """Add the column with its index."""
    op.add_column("entry", sa.Column("division", sa.String(20), nullable=True))
    op.create_index("ix_entry_contest_id_division", "entry", ["contest_id", "division"])


def downgrade() -> None:
    """Drop both."""
    op.drop_index("ix_entry_contest_id_division", "entry")
    op.drop_column("entry", "division")
