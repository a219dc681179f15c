"""Letters shared by many inboxes, what was read, and the limit on messages nobody asked for."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0065"
down_revision = "0064"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_WHEN = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Add the tables and columns."""
    op.create_table(
        "shared_letter",
        sa.Column("id", BIG, nullable=False),
        sa.Column("key", sa.String(100), nullable=False),
        sa.Column("title", sa.String(100), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("page", sa.String(200), nullable=True),
        sa.Column("posted_at", _WHEN, nullable=False),
        sa.Column("withdrawn_at", _WHEN, nullable=True),
        sa.Column("withdrawn_reason", sa.String(200), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_shared_letter"),
        sa.UniqueConstraint("key", name="uq_shared_letter_key"),
    )
    op.create_table(
        "outreach",
        sa.Column("id", BIG, nullable=False),
        sa.Column("citizen_id", BIG, nullable=False),
        sa.Column("key", sa.String(100), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("at", _WHEN, nullable=False),
        sa.ForeignKeyConstraint(
            ["citizen_id"], ["citizen.id"], name="fk_outreach_citizen_id_citizen"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_outreach"),
        sa.UniqueConstraint("citizen_id", "key", name="uq_outreach_citizen_id_key"),
    )
    op.create_index("ix_outreach_citizen_id_day", "outreach", ["citizen_id", "day"])
    op.create_index("ix_outreach_at", "outreach", ["at"])
    with op.batch_alter_table("inbox_message") as table:
        table.add_column(sa.Column("letter_id", BIG, nullable=True))
        table.add_column(sa.Column("read_at", _WHEN, nullable=True))
        table.alter_column("title", existing_type=sa.String(100), nullable=True)
        table.alter_column("body", existing_type=sa.Text(), nullable=True)
        table.create_foreign_key(
            "fk_inbox_message_letter_id_shared_letter", "shared_letter", ["letter_id"], ["id"]
        )
        table.create_check_constraint(
            op.f("ck_inbox_message_has_text"),
            "letter_id IS NOT NULL OR (title IS NOT NULL AND body IS NOT NULL)",
        )
    # Earlier messages are not shown as new.
    op.execute(sa.text("UPDATE inbox_message SET read_at = posted_at"))
    op.add_column(
        "push", sa.Column("counted", sa.Boolean(), server_default=sa.false(), nullable=False)
    )


def downgrade() -> None:
    """Drop them; copies of shared letters are lost with their texts."""
    op.drop_column("push", "counted")
    op.execute(sa.text("DELETE FROM inbox_message WHERE letter_id IS NOT NULL"))
    with op.batch_alter_table("inbox_message") as table:
        table.drop_constraint(op.f("ck_inbox_message_has_text"), type_="check")
        table.drop_constraint("fk_inbox_message_letter_id_shared_letter", type_="foreignkey")
        table.alter_column("title", existing_type=sa.String(100), nullable=False)
        table.alter_column("body", existing_type=sa.Text(), nullable=False)
        table.drop_column("read_at")
        table.drop_column("letter_id")
    op.drop_table("outreach")
    op.drop_table("shared_letter")
