"""Codes of channels, and the openings of their web pages."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0070"
down_revision = "0069"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TARGETS = ("announcement", "activity")
_STATES = ("queued", "claimed", "done", "given_up", "in_doubt")


def _enum(name: str, values: tuple[str, ...]) -> sa.Enum:
    return sa.Enum(
        *values,
        name=op.f(f"ck_channel_code_{name}"),
        native_enum=False,
        create_constraint=True,
        length=40,
    )


def upgrade() -> None:
    """Add the tables."""
    op.create_table(
        "channel_code",
        sa.Column("id", BIG, nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("target", _enum("target", _TARGETS), nullable=False),
        sa.Column("target_ref", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=20), nullable=False),
        sa.Column("picture", sa.LargeBinary(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("stopped_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outbox_state", _enum("outbox_state", _STATES), nullable=True),
        sa.Column("outbox_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outbox_due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outbox_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outbox_claim", sa.String(length=40), nullable=True),
        sa.Column("outbox_tries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("outbox_reason", sa.String(length=40), nullable=True),
        sa.Column("owner", sa.String(length=40), nullable=False),
        sa.Column("owner_city", sa.String(length=6), nullable=True),
        sa.Column("owner_county", sa.String(length=6), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_channel_code")),
        sa.UniqueConstraint("code", name=op.f("uq_channel_code_code")),
    )
    for column in ("owner", "owner_city", "owner_county", "target_ref"):
        op.create_index(f"ix_channel_code_{column}", "channel_code", [column])
    op.create_index(
        "ix_channel_code_outbox_state_outbox_due_at",
        "channel_code",
        ["outbox_state", "outbox_due_at"],
    )
    op.create_table(
        "code_opening",
        sa.Column("code_id", BIG, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("opens", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["code_id"], ["channel_code.id"], name=op.f("fk_code_opening_code_id_channel_code")
        ),
        sa.PrimaryKeyConstraint("code_id", "day", name=op.f("pk_code_opening")),
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_table("code_opening")
    op.drop_table("channel_code")
