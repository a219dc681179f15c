"""Review of questions, and imports by organizers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_WHEN = sa.DateTime(timezone=True)
_OWNED = ("owner", "owner_city", "owner_county")
_COLUMNS = (
    ("sent_at", _WHEN),
    ("writer_id", BIG),
    ("decider_id", BIG),
    ("remark", sa.String(300)),
    ("batch", sa.String(40)),
)


def _owner_columns() -> list[sa.Column[str]]:
    return [
        sa.Column("owner", sa.String(40), nullable=False),
        sa.Column("owner_city", sa.String(6), nullable=True),
        sa.Column("owner_county", sa.String(6), nullable=True),
    ]


def upgrade() -> None:
    """Add the columns of the review, and both tables of imports."""
    for name, kind in _COLUMNS:
        op.add_column("question", sa.Column(name, kind, nullable=True))
    op.create_index("ix_question_batch", "question", ["batch"])
    op.create_index("ix_question_sent_at", "question", ["sent_at"])
    op.create_table(
        "question_import",
        sa.Column("id", BIG, nullable=False),
        sa.Column("ref", sa.String(40), nullable=False),
        sa.Column("file_name", sa.String(200), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.Column("said", sa.JSON(), nullable=False),
        sa.Column("report", sa.JSON(), nullable=True),
        sa.Column("state", sa.String(40), nullable=False),
        sa.Column("done_rows", sa.Integer(), nullable=False),
        sa.Column("total_rows", sa.Integer(), nullable=False),
        sa.Column("writer_id", BIG, nullable=False),
        sa.Column("made_at", _WHEN, nullable=False),
        *_owner_columns(),
        sa.PrimaryKeyConstraint("id", name="pk_question_import"),
        sa.UniqueConstraint("ref", name="uq_question_import_ref"),
        sa.CheckConstraint(
            "state IN ('waiting', 'checked', 'confirmed', 'stored', 'dropped')",
            name=op.f("ck_question_import_state"),
        ),
    )
    op.create_table(
        "question_heading",
        sa.Column("id", BIG, nullable=False),
        sa.Column("title", sa.String(80), nullable=False),
        sa.Column("meaning", sa.String(20), nullable=False),
        *_owner_columns(),
        sa.PrimaryKeyConstraint("id", name="pk_question_heading"),
        sa.UniqueConstraint("owner", "title", name="uq_question_heading_owner_title"),
    )
    for table in ("question_import", "question_heading"):
        for column in _OWNED:
            op.create_index(f"ix_{table}_{column}", table, [column])


def downgrade() -> None:
    """Drop what was added."""
    op.drop_table("question_heading")
    op.drop_table("question_import")
    op.drop_index("ix_question_sent_at", table_name="question")
    op.drop_index("ix_question_batch", table_name="question")
    for name, _ in reversed(_COLUMNS):
        op.drop_column("question", name)
