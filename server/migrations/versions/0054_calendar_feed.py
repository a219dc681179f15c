"""Calendar feeds of citizens."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0054"
down_revision = "0053"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "calendar_feed",
        sa.Column("id", BIG, nullable=False),
        sa.Column("ref", sa.String(40), nullable=False),
        sa.Column("citizen_id", BIG, nullable=False),
        sa.ForeignKeyConstraint(
            ["citizen_id"], ["citizen.id"], name="fk_calendar_feed_citizen_id_citizen"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_calendar_feed"),
        sa.UniqueConstraint("ref", name="uq_calendar_feed_ref"),
        sa.UniqueConstraint("citizen_id", name="uq_calendar_feed_citizen_id"),
    )


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("calendar_feed")
