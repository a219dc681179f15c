"""Receipts of both apps, with the time at which their message is looked for."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0063"
down_revision = "0062"

_CHECK = "ck_send_receipt_kind"
_KINDS = "'template', 'mass', 'subscription'"
_DUE = sa.text("due_at IS NOT NULL")


def upgrade() -> None:
    """Add the columns and the kind; a word may be unknown."""
    with op.batch_alter_table("send_receipt") as table:
        table.add_column(sa.Column("template_id", sa.String(64), nullable=True))
        table.add_column(sa.Column("due_at", sa.DateTime(timezone=True), nullable=True))
        table.alter_column("word", existing_type=sa.String(40), nullable=True)
        table.drop_constraint(op.f(_CHECK), type_="check")
        table.create_check_constraint(op.f(_CHECK), f"kind IN ({_KINDS}, 'official_subscription')")
    op.create_index(
        "ix_send_receipt_due_at",
        "send_receipt",
        ["due_at"],
        sqlite_where=_DUE,
        postgresql_where=_DUE,
    )
    op.create_index(op.f("ix_send_receipt_received_at"), "send_receipt", ["received_at"])


def downgrade() -> None:
    """Drop the columns, and the receipts that the older tables cannot hold."""
    op.execute("DELETE FROM send_receipt WHERE word IS NULL OR kind = 'official_subscription'")
    op.drop_index(op.f("ix_send_receipt_received_at"), table_name="send_receipt")
    op.drop_index("ix_send_receipt_due_at", table_name="send_receipt")
    with op.batch_alter_table("send_receipt") as table:
        table.drop_constraint(op.f(_CHECK), type_="check")
        table.create_check_constraint(op.f(_CHECK), f"kind IN ({_KINDS})")
        table.alter_column("word", existing_type=sa.String(40), nullable=False)
        table.drop_column("due_at")
        table.drop_column("template_id")
