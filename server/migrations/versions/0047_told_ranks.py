"""The progress of the messages about a publication to people with a final rank."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0047"
down_revision = "0046"


def upgrade() -> None:
    """Add the column; nobody gets a late message about ranks published before."""
    with op.batch_alter_table("sealed_version") as table:
        table.add_column(sa.Column("told_rank", sa.Integer(), nullable=False, server_default="0"))
    op.execute("UPDATE sealed_version SET told_rank = rank_count WHERE published_at IS NOT NULL")


def downgrade() -> None:
    """Drop the column."""
    with op.batch_alter_table("sealed_version") as table:
        table.drop_column("told_rank")
