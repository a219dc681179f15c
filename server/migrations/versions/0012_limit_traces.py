"""Keyed hashes of erased citizens' WeChat ids, so that limits of a running season still hold."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "limit_trace",
        sa.Column("id", BIG, nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("citizen_id", BIG, nullable=False),
        sa.Column("erased_at", TIME, nullable=False),
        sa.Column("keep_until", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_limit_trace"),
        sa.UniqueConstraint("hash", "citizen_id", name="uq_limit_trace_hash_citizen_id"),
        sa.ForeignKeyConstraint(
            ["citizen_id"], ["citizen.id"], name="fk_limit_trace_citizen_id_citizen"
        ),
    )
    op.create_index("ix_limit_trace_citizen_id", "limit_trace", ["citizen_id"])
    op.create_index("ix_limit_trace_keep_until", "limit_trace", ["keep_until"])


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("limit_trace")
