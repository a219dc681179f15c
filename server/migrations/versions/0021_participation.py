"""Participations of citizens; `rebuild-participation` adds those of the past."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "participation",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("citizen_id", _BIG, nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("source_ref", sa.String(40), nullable=False),
        sa.Column("programme", sa.String(60), nullable=True),
        sa.Column("city", sa.String(6), nullable=True),
        sa.Column("county", sa.String(6), nullable=True),
        sa.Column("unit_id", _BIG, nullable=True),
        sa.Column("on_day", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_participation"),
        sa.UniqueConstraint("kind", "source_ref", name="uq_participation_kind_source_ref"),
    )
    op.create_index("ix_participation_citizen_id_on_day", "participation", ["citizen_id", "on_day"])
    op.create_index(
        "ix_participation_place", "participation", ["programme", "city", "county", "on_day"]
    )


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("participation")
