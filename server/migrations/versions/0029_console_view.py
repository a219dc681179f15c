"""Organizers' column choices and saved filters."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "console_view",
        sa.Column("id", BIG, nullable=False),
        sa.Column("ref", sa.String(40), nullable=False),
        sa.Column("organizer", sa.Integer(), nullable=False),
        sa.Column("list_slug", sa.String(60), nullable=False),
        sa.Column("title", sa.String(40), nullable=False),
        sa.Column("columns", sa.JSON(), nullable=False),
        sa.Column("filter_query", sa.String(1000), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_console_view"),
        sa.UniqueConstraint("ref", name="uq_console_view_ref"),
        sa.UniqueConstraint(
            "organizer", "list_slug", "title", name="uq_console_view_organizer_list_slug_title"
        ),
    )


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("console_view")
