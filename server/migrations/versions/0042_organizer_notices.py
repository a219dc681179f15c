"""Notices of pending tasks to organizers' own WeChat."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from server.migrations.outbox_columns import add_outbox_columns

revision = "0042"
down_revision = "0041"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_WHEN = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Add the table and the choice; drop an unused column."""
    op.drop_column("organizer_wechat", "told_at")
    on: sa.Column[bool] = sa.Column(
        "notices_on", sa.Boolean(), nullable=False, server_default=sa.true()
    )
    op.add_column("organizer_wechat", on)
    op.create_table(
        "organizer_notice",
        sa.Column("id", BIG, nullable=False),
        sa.Column("organizer_id", BIG, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("made_at", _WHEN, nullable=False),
        sa.ForeignKeyConstraint(
            ["organizer_id"], ["organizer.id"], name="fk_organizer_notice_organizer_id_organizer"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_organizer_notice"),
        sa.UniqueConstraint("organizer_id", "day", name="uq_organizer_notice_organizer_id_day"),
    )
    add_outbox_columns("organizer_notice")


def downgrade() -> None:
    """Drop the table and the choice."""
    op.drop_table("organizer_notice")
    op.drop_column("organizer_wechat", "notices_on")
    op.add_column("organizer_wechat", sa.Column("told_at", _WHEN, nullable=True))
