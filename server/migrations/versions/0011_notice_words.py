"""The notice's original wording, beside the titles and dates of a shifted edition."""

from __future__ import annotations

from datetime import date, timedelta

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Add the columns; existing rows already have the notice's wording in titles and dates."""
    # Both databases can add a NOT NULL column only with a default.
    year = sa.Column("notice_year", sa.Integer(), nullable=False, server_default="0")
    op.add_column("campaign", year)
    for table in ("campaign", "programme"):
        words = sa.Column("notice_text", sa.String(200), nullable=False, server_default="")
        op.add_column(table, words)
        op.execute(
            f"UPDATE {table} SET notice_text ="  # noqa: S608 - two fixed names
            " CASE WHEN date_text IS NULL THEN title ELSE date_text || ' ' || title END"
        )
    _fill_years()


def _fill_years() -> None:
    campaign = sa.table(
        "campaign",
        sa.column("id", sa.Integer),
        sa.column("start_on", sa.Date),
        sa.column("shift_weeks", sa.Integer),
        sa.column("notice_year", sa.Integer),
    )
    connection = op.get_bind()
    for row in connection.execute(sa.select(campaign)).all():
        start: date = row.start_on
        year = (start - timedelta(weeks=row.shift_weeks)).year
        connection.execute(
            sa.update(campaign).where(campaign.c.id == row.id).values(notice_year=year)
        )


def downgrade() -> None:
    """Drop the columns."""
    op.drop_column("campaign", "notice_year")
    op.drop_column("campaign", "notice_text")
    op.drop_column("programme", "notice_text")
