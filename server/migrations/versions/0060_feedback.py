"""Feedback about activities, and the attendance by which absences were noted."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0060"
down_revision = "0059"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add the tables."""
    op.create_table(
        "activity_feedback",
        sa.Column("id", BIG, nullable=False),
        sa.Column("activity_id", BIG, nullable=False),
        sa.Column("citizen_id", BIG, nullable=False),
        sa.Column("rating", sa.SmallInteger(), nullable=False),
        sa.Column("words", sa.String(500), nullable=False),
        sa.Column("words_check", sa.String(40), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["activity_id"], ["activity.id"], name="fk_activity_feedback_activity_id_activity"
        ),
        sa.ForeignKeyConstraint(
            ["citizen_id"], ["citizen.id"], name="fk_activity_feedback_citizen_id_citizen"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_activity_feedback"),
        sa.UniqueConstraint(
            "activity_id", "citizen_id", name="uq_activity_feedback_activity_id_citizen_id"
        ),
        sa.CheckConstraint("rating >= 1 AND rating <= 5", name=op.f("ck_activity_feedback_rating")),
        sa.CheckConstraint(
            "words_check IN ('passed', 'review', 'unchecked')",
            name=op.f("ck_activity_feedback_words_check"),
        ),
    )
    op.create_index("ix_activity_feedback_citizen_id", "activity_feedback", ["citizen_id"])
    op.create_table(
        "noted_attendance",
        sa.Column("activity_id", BIG, nullable=False, autoincrement=False),
        sa.Column("admitted", sa.Integer(), nullable=False),
        sa.Column("last_scan_id", BIG, nullable=False),
        sa.Column("noted_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["activity_id"], ["hall.activity_id"], name="fk_noted_attendance_activity_id_hall"
        ),
        sa.PrimaryKeyConstraint("activity_id", name="pk_noted_attendance"),
    )


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("noted_attendance")
    op.drop_table("activity_feedback")
