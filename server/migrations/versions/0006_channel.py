"""Followers, replies to texts and codes, processed messages, late replies."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
WHEN = sa.DateTime(timezone=True)

ASKINGS = ("wanted", "claimed", "known", "none")
MODES = ("exact", "contains")
SCENE_MODES = ("exact", "prefix")
RULE_STATES = ("on", "off")
LATE_STATES = ("queued", "claimed", "said", "refused", "unknown")


def upgrade() -> None:
    """Create the nine tables."""
    _followers()
    _replies()
    _counters()
    _messages()


def downgrade() -> None:
    """Drop the nine tables."""
    for table in (
        "scene_code",
        "late_reply",
        "seen_message",
        "unmatched_text",
        "keyword_version",
        "scene_reply",
        "keyword_rule",
        "scene_visit",
        "follower",
    ):
        op.drop_table(table)


def _followers() -> None:
    op.create_table(
        "follower",
        sa.Column("id", BIG, nullable=False),
        sa.Column("citizen_id", BIG, nullable=False),
        sa.Column("subscribed", sa.Boolean(), nullable=False),
        sa.Column("state_at", WHEN, nullable=False),
        sa.Column("subscribed_at", WHEN, nullable=True),
        sa.Column("unsubscribed_at", WHEN, nullable=True),
        sa.Column("first_scene", sa.String(64), nullable=True),
        sa.Column("first_scene_at", WHEN, nullable=True),
        sa.Column("last_scene", sa.String(64), nullable=True),
        sa.Column("last_scene_at", WHEN, nullable=True),
        sa.Column("last_event_at", WHEN, nullable=False),
        sa.Column("asking", sa.String(40), nullable=False),
        sa.Column("ask_at", WHEN, nullable=False),
        sa.Column("ask_count", sa.Integer(), nullable=False),
        _check("follower", "asking", ASKINGS),
        sa.PrimaryKeyConstraint("id", name="pk_follower"),
        sa.UniqueConstraint("citizen_id", name="uq_follower_citizen_id"),
        _citizen("follower"),
    )
    op.create_index("ix_follower_asking_ask_at", "follower", ["asking", "ask_at"])
    op.create_index(
        "ix_follower_subscribed_unsubscribed_at", "follower", ["subscribed", "unsubscribed_at"]
    )
    op.create_table(
        "scene_visit",
        sa.Column("id", BIG, nullable=False),
        sa.Column("citizen_id", BIG, nullable=False),
        sa.Column("scene", sa.String(64), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("at", WHEN, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_scene_visit"),
        sa.UniqueConstraint(
            "citizen_id", "scene", "day", name="uq_scene_visit_citizen_id_scene_day"
        ),
        _citizen("scene_visit"),
    )
    op.create_index("ix_scene_visit_scene_day", "scene_visit", ["scene", "day"])


def _replies() -> None:
    op.create_table(
        "keyword_rule",
        sa.Column("id", BIG, nullable=False),
        sa.Column("slug", sa.String(40), nullable=False),
        sa.Column("words", sa.JSON(), nullable=False),
        sa.Column("mode", sa.String(40), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("starts_at", WHEN, nullable=True),
        sa.Column("ends_at", WHEN, nullable=True),
        sa.Column("daily_from", sa.SmallInteger(), nullable=True),
        sa.Column("daily_to", sa.SmallInteger(), nullable=True),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("answer", sa.String(60), nullable=True),
        sa.Column("state", sa.String(40), nullable=False),
        sa.Column("edited", sa.Boolean(), nullable=False),
        sa.Column("hits", sa.BigInteger(), nullable=False),
        _one_reply("keyword_rule"),
        sa.CheckConstraint(
            "(daily_from IS NULL) = (daily_to IS NULL)",
            name=op.f("ck_keyword_rule_daily_window"),
        ),
        _check("keyword_rule", "mode", MODES),
        _check("keyword_rule", "state", RULE_STATES),
        sa.PrimaryKeyConstraint("id", name="pk_keyword_rule"),
        sa.UniqueConstraint("slug", name="uq_keyword_rule_slug"),
    )
    op.create_table(
        "scene_reply",
        sa.Column("id", BIG, nullable=False),
        sa.Column("scene", sa.String(64), nullable=False),
        sa.Column("mode", sa.String(40), nullable=False),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("answer", sa.String(60), nullable=True),
        sa.Column("state", sa.String(40), nullable=False),
        sa.Column("edited", sa.Boolean(), nullable=False),
        _one_reply("scene_reply"),
        _check("scene_reply", "mode", SCENE_MODES),
        _check("scene_reply", "state", RULE_STATES),
        sa.PrimaryKeyConstraint("id", name="pk_scene_reply"),
        sa.UniqueConstraint("scene", "mode", name="uq_scene_reply_scene_mode"),
    )
    op.create_table(
        "scene_code",
        sa.Column("scene", sa.String(64), nullable=False),
        sa.Column("ticket", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("picture_url", sa.Text(), nullable=False),
        sa.Column("made_at", WHEN, nullable=False),
        sa.PrimaryKeyConstraint("scene", name="pk_scene_code"),
    )


def _counters() -> None:
    op.create_table(
        "keyword_version",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_keyword_version"),
    )
    op.create_table(
        "unmatched_text",
        sa.Column("id", BIG, nullable=False),
        sa.Column("text", sa.String(64), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("last_at", WHEN, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_unmatched_text"),
        sa.UniqueConstraint("text", name="uq_unmatched_text_text"),
    )
    op.create_index("ix_unmatched_text_count", "unmatched_text", ["count"])


def _messages() -> None:
    op.create_table(
        "seen_message",
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("citizen_id", BIG, nullable=True),
        sa.Column("reply", sa.Text(), nullable=False),
        sa.Column("at", WHEN, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_seen_message"),
        _citizen("seen_message"),
    )
    op.create_index("ix_seen_message_citizen_id", "seen_message", ["citizen_id"])
    op.create_index("ix_seen_message_at", "seen_message", ["at"])
    op.create_table(
        "late_reply",
        sa.Column("id", BIG, nullable=False),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("citizen_id", BIG, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("state", sa.String(40), nullable=False),
        sa.Column("reason", sa.String(40), nullable=True),
        sa.Column("made_at", WHEN, nullable=False),
        sa.Column("due_at", WHEN, nullable=False),
        sa.Column("claimed_at", WHEN, nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        _check("late_reply", "state", LATE_STATES),
        sa.PrimaryKeyConstraint("id", name="pk_late_reply"),
        sa.UniqueConstraint("key", name="uq_late_reply_key"),
        _citizen("late_reply"),
    )
    op.create_index("ix_late_reply_citizen_id", "late_reply", ["citizen_id"])
    op.create_index("ix_late_reply_state_due_at", "late_reply", ["state", "due_at"])


def _citizen(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["citizen_id"], ["citizen.id"], name=f"fk_{table}_citizen_id_citizen"
    )


def _one_reply(table: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(
        "(text IS NULL) <> (answer IS NULL)", name=op.f(f"ck_{table}_one_reply")
    )


def _check(table: str, column: str, values: tuple[str, ...]) -> sa.CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return sa.CheckConstraint(f"{column} IN ({listed})", name=op.f(f"ck_{table}_{column}"))
