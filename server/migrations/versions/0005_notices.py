"""Permissions to push, and the inbox."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
WHEN = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Create both tables."""
    op.create_table(
        "message_grant",
        sa.Column("id", BIG, nullable=False),
        sa.Column("citizen_id", BIG, nullable=False),
        sa.Column("template_id", sa.String(64), nullable=False),
        sa.Column("client_at", WHEN, nullable=True),
        sa.Column("event_at", WHEN, nullable=True),
        sa.Column("made_at", WHEN, nullable=False),
        sa.Column("used_at", WHEN, nullable=True),
        sa.Column("revoked_at", WHEN, nullable=True),
        sa.CheckConstraint(
            "client_at IS NOT NULL OR event_at IS NOT NULL", name=op.f("ck_message_grant_told")
        ),
        sa.PrimaryKeyConstraint("id", name="pk_message_grant"),
        sa.ForeignKeyConstraint(
            ["citizen_id"], ["citizen.id"], name="fk_message_grant_citizen_id_citizen"
        ),
    )
    op.create_index(
        "ix_message_grant_citizen_id_template_id", "message_grant", ["citizen_id", "template_id"]
    )
    op.create_table(
        "inbox_message",
        sa.Column("id", BIG, nullable=False),
        sa.Column("ref", sa.String(40), nullable=False),
        sa.Column("citizen_id", BIG, nullable=False),
        sa.Column("key", sa.String(100), nullable=False),
        sa.Column("title", sa.String(100), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("not_pushed_reason", sa.String(40), nullable=True),
        sa.Column("posted_at", WHEN, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_inbox_message"),
        sa.UniqueConstraint("ref", name="uq_inbox_message_ref"),
        sa.UniqueConstraint("citizen_id", "key", name="uq_inbox_message_citizen_id_key"),
        sa.ForeignKeyConstraint(
            ["citizen_id"], ["citizen.id"], name="fk_inbox_message_citizen_id_citizen"
        ),
    )
    op.create_index(
        "ix_inbox_message_citizen_id_posted_at_ref",
        "inbox_message",
        ["citizen_id", "posted_at", "ref"],
    )


def downgrade() -> None:
    """Drop both tables."""
    op.drop_table("inbox_message")
    op.drop_table("message_grant")
