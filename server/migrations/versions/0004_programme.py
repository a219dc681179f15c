"""The campaign, its programmes, and who organises them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
PRECISIONS = "precision IN ('day', 'xun', 'month', 'end_of_month')"


def upgrade() -> None:
    """Add the four tables."""
    _campaign()
    _programme()
    op.create_table(
        "campaign_host",
        sa.Column("id", BIG, nullable=False),
        sa.Column("campaign_id", BIG, nullable=False),
        sa.Column("unit_id", BIG, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_campaign_host"),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaign.id"], name="fk_campaign_host_campaign_id_campaign"
        ),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name="fk_campaign_host_unit_id_unit"),
        sa.UniqueConstraint("campaign_id", "unit_id", name="uq_campaign_host_campaign_id_unit_id"),
    )
    op.create_table(
        "programme_organiser",
        sa.Column("id", BIG, nullable=False),
        sa.Column("programme_id", BIG, nullable=False),
        sa.Column("unit_id", BIG, nullable=False),
        sa.Column("role", sa.String(40), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_programme_organiser"),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programme.id"], name="fk_programme_organiser_programme_id_programme"
        ),
        sa.ForeignKeyConstraint(
            ["unit_id"], ["unit.id"], name="fk_programme_organiser_unit_id_unit"
        ),
        sa.UniqueConstraint(
            "programme_id",
            "unit_id",
            "role",
            name="uq_programme_organiser_programme_id_unit_id_role",
        ),
        sa.CheckConstraint(
            "role IN ('host', 'undertaker')", name=op.f("ck_programme_organiser_role")
        ),
    )


def _campaign() -> None:
    op.create_table(
        "campaign",
        sa.Column("id", BIG, nullable=False),
        sa.Column("ref", sa.String(40), nullable=False),
        sa.Column("slug", sa.String(60), nullable=False),
        sa.Column("title", sa.String(100), nullable=False),
        sa.Column("title_za", sa.String(200)),
        sa.Column("theme", sa.String(100), nullable=False),
        sa.Column("region_code", sa.String(6), nullable=False),
        sa.Column("date_text", sa.String(60), nullable=False),
        sa.Column("start_on", sa.Date(), nullable=False),
        sa.Column("end_on", sa.Date(), nullable=False),
        sa.Column("precision", sa.String(40), nullable=False),
        sa.Column("shift_weeks", sa.Integer(), nullable=False),
        sa.Column("phone", sa.String(40)),
        sa.Column("target", sa.JSON(), nullable=False),
        sa.Column("summary", sa.JSON(), nullable=False),
        sa.Column("summary_on", sa.Date(), nullable=False),
        sa.Column("loaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_campaign"),
        sa.UniqueConstraint("ref", name="uq_campaign_ref"),
        sa.UniqueConstraint("slug", name="uq_campaign_slug"),
        sa.CheckConstraint("start_on <= end_on", name=op.f("ck_campaign_window")),
        sa.CheckConstraint(PRECISIONS, name=op.f("ck_campaign_precision")),
    )


def _programme() -> None:
    op.create_table(
        "programme",
        sa.Column("id", BIG, nullable=False),
        sa.Column("ref", sa.String(40), nullable=False),
        sa.Column("campaign_id", BIG, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("form", sa.String(40)),
        sa.Column("slug", sa.String(60), nullable=False),
        sa.Column("title", sa.String(100), nullable=False),
        sa.Column("date_text", sa.String(60)),
        sa.Column("start_on", sa.Date()),
        sa.Column("end_on", sa.Date()),
        sa.Column("precision", sa.String(40)),
        sa.Column("place", sa.String(100)),
        sa.Column("place_code", sa.String(6)),
        sa.Column("owner_id", BIG, nullable=False),
        sa.Column("owner_assumed", sa.Boolean(), nullable=False),
        sa.Column("open_list", sa.Boolean(), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_programme"),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaign.id"], name="fk_programme_campaign_id_campaign"
        ),
        sa.ForeignKeyConstraint(["owner_id"], ["unit.id"], name="fk_programme_owner_id_unit"),
        sa.UniqueConstraint("ref", name="uq_programme_ref"),
        sa.UniqueConstraint("campaign_id", "slug", name="uq_programme_campaign_id_slug"),
        sa.CheckConstraint("kind IN ('theme', 'joint')", name=op.f("ck_programme_kind")),
        sa.CheckConstraint(PRECISIONS, name=op.f("ck_programme_precision")),
        sa.CheckConstraint("start_on <= end_on", name=op.f("ck_programme_window")),
        sa.CheckConstraint(
            "(start_on IS NULL) = (end_on IS NULL)"
            " AND (start_on IS NULL) = (precision IS NULL)"
            " AND (start_on IS NULL) = (date_text IS NULL)",
            name=op.f("ck_programme_dates_together"),
        ),
    )


def downgrade() -> None:
    """Drop the tables."""
    for table in ("programme_organiser", "campaign_host", "programme", "campaign"):
        op.drop_table(table)
