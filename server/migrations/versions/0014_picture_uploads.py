"""Uploaded picture files, from which a worker makes small pictures."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "picture_upload",
        sa.Column("id", BIG, nullable=False),
        sa.Column("ref", sa.String(40), nullable=False),
        sa.Column("citizen_id", BIG, nullable=False),
        sa.Column("content", sa.LargeBinary()),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("take_after", TIME),
        sa.Column("given_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_picture_upload"),
        sa.UniqueConstraint("ref", name="uq_picture_upload_ref"),
        sa.UniqueConstraint("citizen_id", name="uq_picture_upload_citizen_id"),
        sa.ForeignKeyConstraint(
            ["citizen_id"], ["citizen.id"], name="fk_picture_upload_citizen_id_citizen"
        ),
    )
    op.create_index("ix_picture_upload_take_after", "picture_upload", ["take_after"])


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("picture_upload")
