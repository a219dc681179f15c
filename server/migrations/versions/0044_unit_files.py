"""Files of units."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0044"
down_revision = "0043"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_OWNED = ("owner", "owner_city", "owner_county")


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "unit_file",
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
        sa.PrimaryKeyConstraint("id", name="pk_unit_file"),
        sa.UniqueConstraint("ref", name="uq_unit_file_ref"),
        sa.CheckConstraint(
            "state IN ('waiting', 'checked', 'confirmed', 'stored', 'dropped')",
            name=op.f("ck_unit_file_state"),
        ),
    )
    for column in _OWNED:
        op.create_index(f"ix_unit_file_{column}", "unit_file", [column])


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("unit_file")
