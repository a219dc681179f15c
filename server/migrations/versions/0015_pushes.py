"""Queued pushes, and the page that an inbox message opens."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
WHEN = sa.DateTime(timezone=True)
_OPEN = sa.text("used_at IS NULL AND revoked_at IS NULL")


def upgrade() -> None:
    """Add the table, the column and the index for finding grants of a template."""
    op.add_column("inbox_message", sa.Column("page", sa.String(200), nullable=True))
    op.create_index(
        "ix_message_grant_open_template_id_citizen_id",
        "message_grant",
        ["template_id", "citizen_id"],
        sqlite_where=_OPEN,
        postgresql_where=_OPEN,
    )
    _push()
    for state, column in (("queued", "due_at"), ("claimed", "claimed_at")):
        where = sa.text(f"state = '{state}'")
        op.create_index(
            f"ix_push_{state}_{column}",
            "push",
            [column],
            sqlite_where=where,
            postgresql_where=where,
        )


def _push() -> None:
    op.create_table(
        "push",
        sa.Column("id", BIG, nullable=False),
        sa.Column("citizen_id", BIG, nullable=False),
        sa.Column("key", sa.String(100), nullable=False),
        sa.Column("template_id", sa.String(64), nullable=False),
        sa.Column("page", sa.String(200), nullable=False),
        sa.Column("fields", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("state", sa.String(40), nullable=False),
        sa.Column("reason", sa.String(40), nullable=True),
        sa.Column("due_at", WHEN, nullable=False),
        sa.Column("expires_at", WHEN, nullable=False),
        sa.Column("claimed_at", WHEN, nullable=True),
        sa.Column("grant_id", BIG, nullable=True),
        sa.Column("message_id", sa.String(40), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("made_at", WHEN, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_push"),
        sa.ForeignKeyConstraint(["citizen_id"], ["citizen.id"], name="fk_push_citizen_id_citizen"),
        sa.UniqueConstraint("citizen_id", "key", name="uq_push_citizen_id_key"),
        sa.CheckConstraint(
            "state IN ('queued', 'claimed', 'sent', 'refused', 'unknown')",
            name=op.f("ck_push_state"),
        ),
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_table("push")
    op.drop_index("ix_message_grant_open_template_id_citizen_id", table_name="message_grant")
    op.drop_column("inbox_message", "page")
