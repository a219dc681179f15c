"""Addresses of projector pages."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0059"
down_revision = "0058"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "hall_screen",
        sa.Column("activity_id", BIG, nullable=False, autoincrement=False),
        sa.Column("ref", sa.String(40), nullable=False),
        sa.Column("code_hash", sa.String(64), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["activity_id"], ["activity.id"], name="fk_hall_screen_activity_id_activity"
        ),
        sa.PrimaryKeyConstraint("activity_id", name="pk_hall_screen"),
        sa.UniqueConstraint("ref", name="uq_hall_screen_ref"),
        sa.UniqueConstraint("code_hash", name="uq_hall_screen_code_hash"),
    )


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("hall_screen")
