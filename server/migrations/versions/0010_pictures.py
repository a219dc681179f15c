"""Citizens' pictures with WeChat's verdicts on them, and their phone numbers, sealed."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Add the tables."""
    _avatar()
    _verdict()
    _phone()


def _avatar() -> None:
    op.create_table(
        "avatar",
        _id(),
        sa.Column("name", sa.String(40), nullable=False),
        sa.Column("citizen_id", BIG, nullable=False),
        sa.Column("picture", sa.LargeBinary()),
        sa.Column("state", sa.String(40), nullable=False),
        sa.Column("trace_id", sa.String(128)),
        sa.Column("ask_after", TIME, nullable=False),
        sa.Column("made_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_avatar"),
        sa.UniqueConstraint("name", name="uq_avatar_name"),
        sa.UniqueConstraint("trace_id", name="uq_avatar_trace_id"),
        sa.CheckConstraint(
            "state IN ('waiting', 'asked', 'shown', 'review', 'refused', 'unchecked')",
            name=op.f("ck_avatar_state"),
        ),
        _to("avatar", "citizen_id", "citizen"),
    )
    op.create_index("ix_avatar_citizen_id", "avatar", ["citizen_id"])
    op.create_index("ix_avatar_state_ask_after", "avatar", ["state", "ask_after"])


def _verdict() -> None:
    op.create_table(
        "media_verdict",
        sa.Column("trace_id", sa.String(128), nullable=False),
        sa.Column("verdict", sa.String(40), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("trace_id", name="pk_media_verdict"),
        sa.CheckConstraint(
            "verdict IN ('pass', 'review', 'risky', 'failed')",
            name=op.f("ck_media_verdict_verdict"),
        ),
    )
    op.create_index("ix_media_verdict_at", "media_verdict", ["at"])


def _phone() -> None:
    op.create_table(
        "phone",
        _id(),
        sa.Column("ref", sa.String(40), nullable=False),
        sa.Column("citizen_id", BIG, nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("blind", sa.String(64), nullable=False),
        sa.Column("given_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_phone"),
        sa.UniqueConstraint("ref", name="uq_phone_ref"),
        sa.UniqueConstraint("citizen_id", name="uq_phone_citizen_id"),
        _to("phone", "citizen_id", "citizen"),
    )
    op.create_index("ix_phone_blind", "phone", ["blind"])


def downgrade() -> None:
    """Drop the tables."""
    for name in ("phone", "media_verdict", "avatar"):
        op.drop_table(name)


def _id() -> sa.Column[Any]:
    return sa.Column("id", BIG, nullable=False)


def _to(table: str, column: str, other: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{other}.id"], name=f"fk_{table}_{column}_{other}")
