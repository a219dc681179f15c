"""Owners of contests, banks, questions, keyword rules and codes; at first always the region."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"

_TABLES = ("bank", "question", "contest", "keyword_rule", "scene_code")
_CODES = ("owner_city", "owner_county")


def upgrade() -> None:
    """Add the columns; a row without codes belongs to the region.

    The default fills existing rows. PostgreSQL drops it afterwards; SQLite would have to copy the
    table for that, so it keeps the default.
    """
    for table in _TABLES:
        op.add_column(
            table, sa.Column("owner", sa.String(40), nullable=False, server_default="region")
        )
        if op.get_bind().dialect.name == "postgresql":
            op.alter_column(table, "owner", server_default=None)
        for code in _CODES:
            op.add_column(table, sa.Column(code, sa.String(6), nullable=True))
        for column in ("owner", *_CODES):
            op.create_index(f"ix_{table}_{column}", table, [column])


def downgrade() -> None:
    """Drop the columns."""
    for table in _TABLES:
        for column in ("owner", *_CODES):
            op.drop_index(f"ix_{table}_{column}", table_name=table)
            op.drop_column(table, column)
