"""Drafts of contests: the form that made them, and why they were returned."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0046"
down_revision = "0045"


def upgrade() -> None:
    """Add the columns."""
    op.add_column("contest", sa.Column("form_key", sa.String(40), nullable=True))
    op.add_column("contest", sa.Column("returned_reason", sa.String(300), nullable=True))
    op.create_index("uq_contest_form_key", "contest", ["form_key"], unique=True)


def downgrade() -> None:
    """Drop the columns."""
    op.drop_index("uq_contest_form_key", "contest")
    for column in ("returned_reason", "form_key"):
        op.drop_column("contest", column)
