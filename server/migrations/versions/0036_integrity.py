"""Signs of cheating, holds of entries, and devices as keyed hashes."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0035"

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_WHEN = sa.DateTime(timezone=True)
_IN_FORCE: Any = {
    "sqlite_where": sa.text("state <> 'released'"),
    "postgresql_where": sa.text("state <> 'released'"),
}


def upgrade() -> None:
    """Add the tables, and the mark of held entries."""
    op.add_column("entry", sa.Column("held_at", _WHEN, nullable=True))
    op.create_index("ix_attempt_contest_id_closed_at", "attempt", ["contest_id", "closed_at"])
    _create_devices()
    _create_flags()
    _create_cases()


def downgrade() -> None:
    """Drop the tables."""
    for name in ("integrity_case", "integrity_flag", "integrity_mark", "device_use"):
        op.drop_table(name)
    op.drop_index("ix_attempt_contest_id_closed_at", table_name="attempt")
    op.drop_column("entry", "held_at")


def _create_devices() -> None:
    op.create_table(
        "device_use",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("citizen_id", _BIG, nullable=False),
        sa.Column("device", sa.String(64), nullable=False),
        sa.Column("used_at", _WHEN, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_device_use"),
        sa.UniqueConstraint("citizen_id", "device", name="uq_device_use_citizen_id_device"),
    )
    op.create_index("ix_device_use_device", "device_use", ["device"])
    op.create_index("ix_device_use_used_at", "device_use", ["used_at"])
    op.create_table(
        "integrity_mark",
        sa.Column("contest_id", _BIG, nullable=False),
        sa.Column("inspected_until", _WHEN, nullable=False),
        sa.PrimaryKeyConstraint("contest_id", name="pk_integrity_mark"),
        sa.ForeignKeyConstraint(
            ["contest_id"], ["contest.id"], name="fk_integrity_mark_contest_id_contest"
        ),
    )


def _create_flags() -> None:
    op.create_table(
        "integrity_flag",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("ref", sa.String(40), nullable=False),
        sa.Column("entry_id", _BIG, nullable=False),
        sa.Column("signal", sa.String(40), nullable=False),
        sa.Column("evidence", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("found_at", _WHEN, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_integrity_flag"),
        sa.UniqueConstraint("ref", name="uq_integrity_flag_ref"),
        sa.UniqueConstraint("entry_id", "signal", name="uq_integrity_flag_entry_id_signal"),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["entry.id"], name="fk_integrity_flag_entry_id_entry"
        ),
        sa.CheckConstraint(
            "signal IN ('speed', 'same_answers', 'shared_device', 'perfect_hour', 'impossible')",
            name=op.f("ck_integrity_flag_signal"),
        ),
    )


def _create_cases() -> None:
    op.create_table(
        "integrity_case",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("ref", sa.String(40), nullable=False),
        sa.Column("entry_id", _BIG, nullable=False),
        sa.Column("state", sa.String(40), nullable=False),
        sa.Column("hold_reason", sa.Text(), nullable=False),
        sa.Column("holder_id", sa.BigInteger(), nullable=False),
        sa.Column("held_at", _WHEN, nullable=False),
        sa.Column("appeal", sa.Text(), nullable=True),
        sa.Column("appeal_words", sa.String(40), nullable=True),
        sa.Column("appealed_at", _WHEN, nullable=True),
        sa.Column("decision_reason", sa.Text(), nullable=True),
        sa.Column("decider_id", sa.BigInteger(), nullable=True),
        sa.Column("decided_at", _WHEN, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_integrity_case"),
        sa.UniqueConstraint("ref", name="uq_integrity_case_ref"),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["entry.id"], name="fk_integrity_case_entry_id_entry"
        ),
        sa.CheckConstraint(
            "state IN ('held', 'appealed', 'upheld', 'released')",
            name=op.f("ck_integrity_case_state"),
        ),
        sa.CheckConstraint(
            "appeal_words IN ('passed', 'review', 'unchecked')",
            name=op.f("ck_integrity_case_appeal_words"),
        ),
    )
    op.create_index("ix_integrity_case_entry_id", "integrity_case", ["entry_id"])
    op.create_index(
        "uq_integrity_case_in_force", "integrity_case", ["entry_id"], unique=True, **_IN_FORCE
    )
