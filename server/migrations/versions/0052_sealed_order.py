"""The order of a version of final ranks until its rows are stored."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0052"
down_revision = "0051"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "sealed_order",
        sa.Column("id", BIG, nullable=False),
        sa.Column("version_id", BIG, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_sealed_order"),
        sa.UniqueConstraint("version_id", "number", name="uq_sealed_order_version_id_number"),
        sa.ForeignKeyConstraint(
            ["version_id"],
            ["sealed_version.id"],
            name="fk_sealed_order_version_id_sealed_version",
        ),
    )


def downgrade() -> None:
    """Drop the table; versions that are being made start again."""
    op.drop_table("sealed_order")
    op.execute(
        "DELETE FROM sealed_part WHERE version_id IN"
        " (SELECT id FROM sealed_version WHERE state = 'building')"
    )
    op.execute(
        "DELETE FROM sealed_rank WHERE version_id IN"
        " (SELECT id FROM sealed_version WHERE state = 'building')"
    )
