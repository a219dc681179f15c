"""Headings of files of units as assigned by hand."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0045"
down_revision = "0044"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_OWNED = ("owner", "owner_city", "owner_county")


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "unit_heading",
        sa.Column("id", BIG, nullable=False),
        sa.Column("title", sa.String(80), nullable=False),
        sa.Column("meaning", sa.String(20), nullable=False),
        sa.Column("owner", sa.String(40), nullable=False),
        sa.Column("owner_city", sa.String(6), nullable=True),
        sa.Column("owner_county", sa.String(6), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_unit_heading"),
        sa.UniqueConstraint("owner", "title", name="uq_unit_heading_owner_title"),
    )
    for column in _OWNED:
        op.create_index(f"ix_unit_heading_{column}", "unit_heading", [column])


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("unit_heading")
