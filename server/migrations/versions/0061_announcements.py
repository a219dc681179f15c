"""Announcements and their approvals."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0061"
down_revision = "0060"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _one_of(table: str, column: str, *values: str) -> sa.CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return sa.CheckConstraint(f"{column} IN ({listed})", name=op.f(f"ck_{table}_{column}"))


def upgrade() -> None:
    """Add the tables."""
    op.create_table(
        "announcement",
        sa.Column("id", BIG, nullable=False),
        sa.Column("ref", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(40), nullable=False),
        sa.Column("purpose", sa.String(40), nullable=False),
        sa.Column("title", sa.String(length=80), nullable=False),
        sa.Column("body", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("page", sa.String(length=200), nullable=True),
        sa.Column("picture", sa.String(length=40), nullable=True),
        sa.Column("topic", sa.String(length=20), nullable=True),
        sa.Column("activity_ref", sa.String(length=40), nullable=True),
        sa.Column("corrects_id", BIG, nullable=True),
        sa.Column(
            "ladder", sa.JSON(none_as_null=True), server_default=sa.text("'[]'"), nullable=False
        ),
        sa.Column(
            "contents", sa.JSON(none_as_null=True), server_default=sa.text("'{}'"), nullable=False
        ),
        sa.Column(
            "audience", sa.JSON(none_as_null=True), server_default=sa.text("'{}'"), nullable=False
        ),
        sa.Column("send_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("per_day", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=True),
        sa.Column("counted", sa.Integer(), nullable=True),
        sa.Column(
            "approvals_needed", sa.SmallInteger(), server_default=sa.text("1"), nullable=False
        ),
        sa.Column("audience_size", sa.Integer(), nullable=True),
        sa.Column("letter_id", BIG, nullable=True),
        sa.Column("next_row", BIG, nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("paused_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("pause_reason", sa.String(length=40), nullable=True),
        sa.Column("pause_detail", sa.String(length=80), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("writer_id", BIG, nullable=True),
        sa.Column("remark", sa.String(length=300), nullable=True),
        sa.Column("form_key", sa.String(length=40), nullable=True),
        sa.Column("owner", sa.String(length=40), nullable=False),
        sa.Column("owner_city", sa.String(length=6), nullable=True),
        sa.Column("owner_county", sa.String(length=6), nullable=True),
        sa.CheckConstraint("per_day IS NULL OR per_day >= 1", name=op.f("ck_announcement_per_day")),
        sa.ForeignKeyConstraint(
            ["corrects_id"],
            ["announcement.id"],
            name=op.f("fk_announcement_corrects_id_announcement"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_announcement")),
        sa.UniqueConstraint("ref", name=op.f("uq_announcement_ref")),
        _one_of(
            "announcement",
            "state",
            "draft",
            "review",
            "scheduled",
            "sending",
            "paused",
            "done",
            "cancelled",
        ),
        _one_of("announcement", "purpose", "news", "change", "correction"),
    )
    op.create_index(
        op.f("ix_announcement_corrects_id"), "announcement", ["corrects_id"], unique=False
    )
    op.create_index(op.f("ix_announcement_owner"), "announcement", ["owner"], unique=False)
    op.create_index(
        op.f("ix_announcement_owner_city"), "announcement", ["owner_city"], unique=False
    )
    op.create_index(
        op.f("ix_announcement_owner_county"), "announcement", ["owner_county"], unique=False
    )
    op.create_index(
        "ix_announcement_state_starts_at", "announcement", ["state", "starts_at"], unique=False
    )
    op.create_index(op.f("ix_announcement_topic"), "announcement", ["topic"], unique=False)
    op.create_index("uq_announcement_form_key", "announcement", ["form_key"], unique=True)
    op.create_table(
        "announcement_approval",
        sa.Column("id", BIG, nullable=False),
        sa.Column("announcement_id", BIG, nullable=False),
        sa.Column("organizer_id", BIG, nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("counted", sa.Integer(), nullable=False),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["announcement_id"],
            ["announcement.id"],
            name=op.f("fk_announcement_approval_announcement_id_announcement"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_announcement_approval")),
        sa.UniqueConstraint(
            "announcement_id",
            "organizer_id",
            name=op.f("uq_announcement_approval_announcement_id_organizer_id"),
        ),
    )
    op.create_table(
        "channel_use",
        sa.Column("on_day", sa.Date(), nullable=False),
        sa.Column("channel", sa.String(40), nullable=False),
        sa.Column("calls", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("on_day", "channel", name=op.f("pk_channel_use")),
        _one_of(
            "channel_use",
            "channel",
            "mini_subscription",
            "official_subscription",
            "template",
            "customer_message",
            "mass",
            "inbox",
        ),
    )


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("channel_use")
    op.drop_table("announcement_approval")
    op.drop_table("announcement")
