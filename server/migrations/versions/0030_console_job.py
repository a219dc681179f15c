"""Organizers' long work: imports, exports, new scorings."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from server.migrations.outbox_columns import add_outbox_columns

revision = "0030"
down_revision = "0029"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_WHEN = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "console_job",
        sa.Column("id", BIG, nullable=False),
        sa.Column("ref", sa.String(40), nullable=False),
        sa.Column("job", sa.String(60), nullable=False),
        sa.Column("title", sa.String(80), nullable=False),
        sa.Column("title_facts", sa.JSON(), nullable=False),
        sa.Column("organizer", sa.Integer(), nullable=False),
        sa.Column("acts_as", sa.JSON(), nullable=False),
        sa.Column("arguments", sa.JSON(), nullable=False),
        sa.Column("input_file", sa.LargeBinary(), nullable=True),
        sa.Column("cancellable", sa.Boolean(), nullable=False),
        sa.Column("cancel_asked", sa.Boolean(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("settled", sa.Boolean(), nullable=False),
        sa.Column("failed", sa.Boolean(), nullable=False),
        sa.Column("said", sa.String(80), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("result_file", sa.LargeBinary(), nullable=True),
        sa.Column("result_title", sa.String(120), nullable=False),
        sa.Column("result_media", sa.String(100), nullable=False),
        sa.Column("created_at", _WHEN, nullable=False),
        sa.Column("ended_at", _WHEN, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_console_job"),
        sa.UniqueConstraint("ref", name="uq_console_job_ref"),
    )
    for column in ("organizer", "ended_at"):
        op.create_index(f"ix_console_job_{column}", "console_job", [column])
    add_outbox_columns("console_job")


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("console_job")
