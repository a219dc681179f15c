"""The base tables: stored answers of idempotent requests, and leases of sweeps."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
WHEN = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Create both tables."""
    op.create_table(
        "kept_answer",
        sa.Column("id", BIG, nullable=False),
        sa.Column("caller", sa.String(40), nullable=False),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("body", sa.Text(), nullable=True),
        sa.Column("claimed_at", WHEN, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_kept_answer"),
        sa.UniqueConstraint("caller", "key", name="uq_kept_answer_caller_key"),
    )
    op.create_index("ix_kept_answer_claimed_at", "kept_answer", ["claimed_at"])
    op.create_table(
        "lease",
        sa.Column("name", sa.String(60), nullable=False),
        sa.Column("holder", sa.String(40), nullable=False),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("until", WHEN, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_lease"),
    )


def downgrade() -> None:
    """Drop both tables."""
    op.drop_table("lease")
    op.drop_table("kept_answer")
