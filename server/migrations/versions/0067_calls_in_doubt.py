"""An index of recipients whose call is in doubt."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0067"
down_revision = "0066"

_NAME, _TABLE = "ix_announcement_recipient_in_doubt", "announcement_recipient"
_IN_DOUBT = sa.text("state = 'in_doubt'")


def upgrade() -> None:
    """Add the index."""
    op.create_index(
        _NAME, _TABLE, ["announcement_id"], sqlite_where=_IN_DOUBT, postgresql_where=_IN_DOUBT
    )


def downgrade() -> None:
    """Drop the index."""
    op.drop_index(_NAME, _TABLE)
