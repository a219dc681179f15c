"""The count by which a restored database is recognised."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0071"
down_revision = "0070"


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "outbox_mark",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("count", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_outbox_mark"),
    )


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("outbox_mark")
