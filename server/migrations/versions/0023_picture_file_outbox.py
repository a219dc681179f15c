"""Uploaded picture files become rows of an outbox."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from server.migrations.outbox_columns import (
    add_outbox_columns,
    drop_copied_outbox_columns,
)

revision = "0023"
down_revision = "0022"

_WHEN = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Queue waiting files; the others were unreadable."""
    add_outbox_columns("picture_upload")
    op.execute(
        sa.text(
            "UPDATE picture_upload SET outbox_state = 'queued', outbox_since = given_at, "
            "outbox_due_at = take_after, outbox_tries = tries WHERE take_after IS NOT NULL"
        )
    )
    op.execute(
        sa.text(
            "UPDATE picture_upload SET outbox_state = 'given_up', outbox_reason = 'unreadable' "
            "WHERE take_after IS NULL"
        )
    )
    op.drop_index("ix_picture_upload_take_after", table_name="picture_upload")
    with op.batch_alter_table("picture_upload") as table:
        table.drop_constraint("uq_picture_upload_ref", type_="unique")
        for name in ("ref", "tries", "take_after"):
            table.drop_column(name)


def downgrade() -> None:
    """Restore names of files, and times of waiting ones."""
    with op.batch_alter_table("picture_upload") as table:
        table.add_column(sa.Column("ref", sa.String(40), nullable=True))
        table.add_column(sa.Column("tries", sa.Integer(), nullable=True))
        table.add_column(sa.Column("take_after", _WHEN, nullable=True))
    op.execute(
        sa.text(
            "UPDATE picture_upload SET ref = 'upl_' || id || '_of_before', tries = outbox_tries"
        )
    )
    op.execute(
        sa.text(
            "UPDATE picture_upload SET take_after = outbox_due_at "
            "WHERE outbox_state IN ('queued', 'claimed')"
        )
    )
    drop_copied_outbox_columns("picture_upload")
    with op.batch_alter_table("picture_upload") as table:
        table.alter_column("ref", existing_type=sa.String(40), nullable=False)
        table.alter_column("tries", existing_type=sa.Integer(), nullable=False)
        table.create_unique_constraint("uq_picture_upload_ref", ["ref"])
    op.create_index("ix_picture_upload_take_after", "picture_upload", ["take_after"])
