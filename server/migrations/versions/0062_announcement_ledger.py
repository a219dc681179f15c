"""The ledger of announcements: recipients, sends, mass batches, receipts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0062"
down_revision = "0061"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _one_of(table: str, column: str, *values: str) -> sa.CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return sa.CheckConstraint(f"{column} IN ({listed})", name=op.f(f"ck_{table}_{column}"))


def upgrade() -> None:
    """Add the tables."""
    op.create_table(
        "mass_batch",
        sa.Column("id", BIG, nullable=False),
        sa.Column("announcement_id", BIG, nullable=False),
        sa.Column("client_msg_id", sa.String(length=64), nullable=False),
        sa.Column("media_id", sa.String(length=128), nullable=True),
        sa.Column("message_id", sa.String(length=40), nullable=True),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=40), nullable=True),
        sa.Column("total_count", sa.Integer(), nullable=True),
        sa.Column("filter_count", sa.Integer(), nullable=True),
        sa.Column("sent_count", sa.Integer(), nullable=True),
        sa.Column("error_count", sa.Integer(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outbox_state", sa.String(40), nullable=True),
        sa.Column("outbox_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outbox_due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outbox_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outbox_claim", sa.String(length=40), nullable=True),
        sa.Column("outbox_tries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("outbox_reason", sa.String(length=40), nullable=True),
        sa.ForeignKeyConstraint(
            ["announcement_id"],
            ["announcement.id"],
            name=op.f("fk_mass_batch_announcement_id_announcement"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mass_batch")),
        sa.UniqueConstraint("client_msg_id", name=op.f("uq_mass_batch_client_msg_id")),
        _one_of("mass_batch", "outbox_state", "queued", "claimed", "done", "given_up", "in_doubt"),
    )
    op.create_index(
        "ix_mass_batch_announcement_id", "mass_batch", ["announcement_id"], unique=False
    )
    op.create_index("ix_mass_batch_message_id", "mass_batch", ["message_id"], unique=False)
    op.create_index(
        "ix_mass_batch_outbox_state_outbox_due_at",
        "mass_batch",
        ["outbox_state", "outbox_due_at"],
        unique=False,
    )
    op.create_table(
        "announcement_recipient",
        sa.Column("id", BIG, nullable=False),
        sa.Column("announcement_id", BIG, nullable=False),
        sa.Column("citizen_id", BIG, nullable=False),
        sa.Column("state", sa.String(40), nullable=False),
        sa.Column("channel", sa.String(40), nullable=True),
        sa.Column("reason", sa.String(length=40), nullable=True),
        sa.Column("receipt", sa.String(40), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outbox_state", sa.String(40), nullable=True),
        sa.Column("outbox_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outbox_due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outbox_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outbox_claim", sa.String(length=40), nullable=True),
        sa.Column("outbox_tries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("outbox_reason", sa.String(length=40), nullable=True),
        sa.ForeignKeyConstraint(
            ["announcement_id"],
            ["announcement.id"],
            name=op.f("fk_announcement_recipient_announcement_id_announcement"),
        ),
        sa.ForeignKeyConstraint(
            ["citizen_id"],
            ["citizen.id"],
            name=op.f("fk_announcement_recipient_citizen_id_citizen"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_announcement_recipient")),
        sa.UniqueConstraint(
            "announcement_id",
            "citizen_id",
            name=op.f("uq_announcement_recipient_announcement_id_citizen_id"),
        ),
        _one_of(
            "announcement_recipient",
            "state",
            "queued",
            "claimed",
            "in_doubt",
            "sent",
            "refused",
            "unknown",
            "cancelled",
        ),
        _one_of(
            "announcement_recipient",
            "channel",
            "mini_subscription",
            "official_subscription",
            "template",
            "customer_message",
            "mass",
            "inbox",
        ),
        _one_of("announcement_recipient", "receipt", "delivered", "blocked", "failed"),
        _one_of(
            "announcement_recipient",
            "outbox_state",
            "queued",
            "claimed",
            "done",
            "given_up",
            "in_doubt",
        ),
    )
    op.create_index(
        "ix_announcement_recipient_citizen_id",
        "announcement_recipient",
        ["citizen_id"],
        unique=False,
    )
    op.create_index(
        "ix_announcement_recipient_outbox_state_outbox_due_at",
        "announcement_recipient",
        ["outbox_state", "outbox_due_at"],
        unique=False,
    )
    op.create_table(
        "send_receipt",
        sa.Column("id", BIG, nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("message_id", sa.String(length=40), nullable=False),
        sa.Column("citizen_id", BIG, nullable=True),
        sa.Column("word", sa.String(40), nullable=False),
        sa.Column("status", sa.String(length=60), nullable=False),
        sa.Column("counts", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("applied_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["citizen_id"], ["citizen.id"], name=op.f("fk_send_receipt_citizen_id_citizen")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_send_receipt")),
        sa.UniqueConstraint("kind", "message_id", name=op.f("uq_send_receipt_kind_message_id")),
        _one_of("send_receipt", "kind", "template", "mass", "subscription"),
        _one_of("send_receipt", "word", "delivered", "blocked", "failed"),
    )
    op.create_index(
        "ix_send_receipt_applied_at_received_at",
        "send_receipt",
        ["applied_at", "received_at"],
        unique=False,
    )
    op.create_index(
        op.f("ix_send_receipt_citizen_id"), "send_receipt", ["citizen_id"], unique=False
    )
    op.create_table(
        "send_try",
        sa.Column("id", BIG, nullable=False),
        sa.Column("recipient_id", BIG, nullable=False),
        sa.Column("channel", sa.String(40), nullable=False),
        sa.Column("state", sa.String(40), nullable=False),
        sa.Column("client_msg_id", sa.String(length=32), nullable=False),
        sa.Column("grant_id", BIG, nullable=True),
        sa.Column("mass_batch_id", BIG, nullable=True),
        sa.Column("message_id", sa.String(length=40), nullable=True),
        sa.Column("reason", sa.String(length=40), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["mass_batch_id"], ["mass_batch.id"], name=op.f("fk_send_try_mass_batch_id_mass_batch")
        ),
        sa.ForeignKeyConstraint(
            ["recipient_id"],
            ["announcement_recipient.id"],
            name=op.f("fk_send_try_recipient_id_announcement_recipient"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_send_try")),
        sa.UniqueConstraint("client_msg_id", name=op.f("uq_send_try_client_msg_id")),
        sa.UniqueConstraint(
            "recipient_id", "channel", name=op.f("uq_send_try_recipient_id_channel")
        ),
        _one_of(
            "send_try",
            "channel",
            "mini_subscription",
            "official_subscription",
            "template",
            "customer_message",
            "mass",
            "inbox",
        ),
        _one_of("send_try", "state", "claimed", "accepted", "refused", "in_doubt", "unknown"),
    )
    op.create_index("ix_send_try_mass_batch_id", "send_try", ["mass_batch_id"], unique=False)
    op.create_index("ix_send_try_message_id", "send_try", ["message_id"], unique=False)


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("send_try")
    op.drop_table("send_receipt")
    op.drop_table("announcement_recipient")
    op.drop_table("mass_batch")
