"""Pictures of questions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0039"
down_revision = "0038"


def upgrade() -> None:
    """Add the table of pictures and the columns of questions."""
    op.create_table(
        "question_picture",
        sa.Column("name", sa.String(40), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_question_picture"),
        sa.UniqueConstraint("digest", name="uq_question_picture_digest"),
    )
    op.create_index("ix_question_picture_used_at", "question_picture", ["used_at"])
    op.add_column("question", sa.Column("picture", sa.String(40), nullable=True))
    op.add_column(
        "question", sa.Column("picture_alt", sa.String(200), nullable=False, server_default="")
    )
    op.create_index("ix_question_picture", "question", ["picture"])


def downgrade() -> None:
    """Drop them."""
    op.drop_index("ix_question_picture", "question")
    op.drop_column("question", "picture_alt")
    op.drop_column("question", "picture")
    op.drop_table("question_picture")
