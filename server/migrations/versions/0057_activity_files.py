"""Files of activities."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0057"
down_revision = "0056"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_OWNED = ("owner", "owner_city", "owner_county")


def upgrade() -> None:
    """Add the tables."""
    op.create_table(
        "activity_file",
        sa.Column("id", BIG, nullable=False),
        sa.Column("ref", sa.String(40), nullable=False),
        sa.Column("file_name", sa.String(200), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.Column("said", sa.JSON(), nullable=False),
        sa.Column("report", sa.JSON(), nullable=True),
        sa.Column("state", sa.String(40), nullable=False),
        sa.Column("writer_id", BIG, nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("owner", sa.String(40), nullable=False),
        sa.Column("owner_city", sa.String(6), nullable=True),
        sa.Column("owner_county", sa.String(6), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_activity_file"),
        sa.UniqueConstraint("ref", name="uq_activity_file_ref"),
        sa.CheckConstraint(
            "state IN ('waiting', 'checked', 'confirmed', 'stored', 'dropped')",
            name=op.f("ck_activity_file_state"),
        ),
    )
    op.create_table(
        "activity_heading",
        sa.Column("id", BIG, nullable=False),
        sa.Column("title", sa.String(80), nullable=False),
        sa.Column("meaning", sa.String(20), nullable=False),
        sa.Column("owner", sa.String(40), nullable=False),
        sa.Column("owner_city", sa.String(6), nullable=True),
        sa.Column("owner_county", sa.String(6), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_activity_heading"),
        sa.UniqueConstraint("owner", "title", name="uq_activity_heading_owner_title"),
    )
    for table in ("activity_file", "activity_heading"):
        for column in _OWNED:
            op.create_index(f"ix_{table}_{column}", table, [column])


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("activity_heading")
    op.drop_table("activity_file")
