"""Shares of results, visits by codes, and the WeChat groups that boards are shown for."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Add the tables."""
    _share()
    _visit()
    _groups()


def _share() -> None:
    op.create_table(
        "share",
        _id(),
        sa.Column("ref", sa.String(32), nullable=False),
        sa.Column("citizen_id", BIG, nullable=False),
        sa.Column("attempt_id", BIG, nullable=False),
        sa.Column("code_picture", sa.LargeBinary()),
        sa.Column("code_after", TIME),
        sa.Column("made_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_share"),
        sa.UniqueConstraint("ref", name="uq_share_ref"),
        sa.UniqueConstraint("attempt_id", name="uq_share_attempt_id"),
        _to("share", "citizen_id", "citizen"),
        _to("share", "attempt_id", "attempt"),
    )
    op.create_index("ix_share_citizen_id", "share", ["citizen_id"])
    op.create_index("ix_share_code_after", "share", ["code_after"])


def _visit() -> None:
    op.create_table(
        "visit",
        _id(),
        sa.Column("citizen_id", BIG, nullable=False),
        sa.Column("scene", sa.String(64), nullable=False),
        sa.Column("on_day", sa.Date(), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_visit"),
        sa.UniqueConstraint(
            "citizen_id", "scene", "on_day", name="uq_visit_citizen_id_scene_on_day"
        ),
        _to("visit", "citizen_id", "citizen"),
    )
    op.create_index("ix_visit_scene_on_day", "visit", ["scene", "on_day"])


def _groups() -> None:
    op.create_table(
        "wechat_group",
        _id(),
        sa.Column("ref", sa.String(40), nullable=False),
        sa.Column("opengid_hash", sa.String(64), nullable=False),
        sa.Column("made_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_wechat_group"),
        sa.UniqueConstraint("ref", name="uq_wechat_group_ref"),
        sa.UniqueConstraint("opengid_hash", name="uq_wechat_group_opengid_hash"),
    )
    op.create_table(
        "group_member",
        _id(),
        sa.Column("group_id", BIG, nullable=False),
        sa.Column("citizen_id", BIG, nullable=False),
        sa.Column("joined_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_group_member"),
        sa.UniqueConstraint("group_id", "citizen_id", name="uq_group_member_group_id_citizen_id"),
        _to("group_member", "group_id", "wechat_group"),
        _to("group_member", "citizen_id", "citizen"),
    )
    op.create_index("ix_group_member_citizen_id", "group_member", ["citizen_id"])


def downgrade() -> None:
    """Drop the tables."""
    for name in ("group_member", "wechat_group", "visit", "share"):
        op.drop_table(name)


def _id() -> sa.Column[Any]:
    return sa.Column("id", BIG, nullable=False)


def _to(table: str, column: str, other: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{other}.id"], name=f"fk_{table}_{column}_{other}")
