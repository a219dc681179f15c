"""Practice: questions left out of a contest, practices with answers, reports about questions."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)
JSON = sa.JSON(none_as_null=True)


def upgrade() -> None:
    """Add the tables of practice."""
    op.add_column(
        "contest", sa.Column("left_out", JSON, nullable=False, server_default=sa.text("'[]'"))
    )
    op.create_table(
        "practice",
        _id(),
        sa.Column("ref", sa.String(40), nullable=False),
        sa.Column("citizen_id", BIG, nullable=False),
        sa.Column("paper", JSON, nullable=False),
        sa.Column("made_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_practice"),
        sa.UniqueConstraint("ref", name="uq_practice_ref"),
        _to("practice", "citizen_id", "citizen"),
    )
    op.create_index("ix_practice_citizen_id", "practice", ["citizen_id"])
    _answers()
    _reports()


def _answers() -> None:
    op.create_table(
        "practice_answer",
        _id(),
        sa.Column("practice_id", BIG, nullable=False),
        sa.Column("question_id", BIG, nullable=False),
        sa.Column("chosen", JSON, nullable=False),
        sa.Column("correct", sa.Boolean(), nullable=False),
        sa.Column("answered_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_practice_answer"),
        sa.UniqueConstraint(
            "practice_id", "question_id", name="uq_practice_answer_practice_id_question_id"
        ),
        _to("practice_answer", "practice_id", "practice"),
        _to("practice_answer", "question_id", "question"),
    )


def _reports() -> None:
    op.create_table(
        "question_report",
        _id(),
        sa.Column("ref", sa.String(40), nullable=False),
        sa.Column("citizen_id", BIG, nullable=False),
        sa.Column("question_id", BIG, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("words", sa.String(40), nullable=False),
        sa.Column("made_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_question_report"),
        sa.UniqueConstraint("ref", name="uq_question_report_ref"),
        sa.UniqueConstraint(
            "citizen_id", "question_id", name="uq_question_report_citizen_id_question_id"
        ),
        sa.CheckConstraint(
            "words IN ('passed', 'review', 'unchecked')", name=op.f("ck_question_report_words")
        ),
        _to("question_report", "citizen_id", "citizen"),
        _to("question_report", "question_id", "question"),
    )
    op.create_index("ix_question_report_question_id", "question_report", ["question_id"])


def downgrade() -> None:
    """Drop the tables."""
    for name in ("question_report", "practice_answer", "practice"):
        op.drop_table(name)
    op.drop_column("contest", "left_out")


def _id() -> sa.Column[Any]:
    return sa.Column("id", BIG, nullable=False)


def _to(table: str, column: str, other: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{other}.id"], name=f"fk_{table}_{column}_{other}")
