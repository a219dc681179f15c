"""The former start of a moved activity, and messages that ignore quiet hours."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0072"
down_revision = "0071"


def upgrade() -> None:
    """Add the columns."""
    op.add_column("activity", sa.Column("moved_from", sa.DateTime(timezone=True)))
    op.add_column(
        "push", sa.Column("urgent", sa.Boolean(), server_default=sa.false(), nullable=False)
    )


def downgrade() -> None:
    """Drop the columns."""
    op.drop_column("push", "urgent")
    op.drop_column("activity", "moved_from")
