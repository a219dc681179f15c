"""Units: organisers, associations, members."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add the table of units."""
    op.create_table(
        "unit",
        sa.Column("id", BIG, nullable=False),
        sa.Column("ref", sa.String(40), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("full_name", sa.String(100)),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("level", sa.String(40), nullable=False),
        sa.Column("city", sa.String(6)),
        sa.Column("county", sa.String(6)),
        sa.Column("assumed", sa.Boolean(), nullable=False),
        sa.Column("valid_from", sa.Date()),
        sa.Column("valid_to", sa.Date()),
        sa.PrimaryKeyConstraint("id", name="pk_unit"),
        sa.UniqueConstraint("ref", name="uq_unit_ref"),
        sa.CheckConstraint(
            "level IN ('national', 'region', 'city', 'county')", name=op.f("ck_unit_level")
        ),
        sa.CheckConstraint(
            "county IS NULL OR city IS NOT NULL", name=op.f("ck_unit_county_in_city")
        ),
        sa.CheckConstraint(
            "valid_from IS NULL OR valid_to IS NULL OR valid_from <= valid_to",
            name=op.f("ck_unit_validity"),
        ),
    )
    op.create_index("ix_unit_city", "unit", ["city"])
    op.create_index("ix_unit_county", "unit", ["county"])


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("unit")
