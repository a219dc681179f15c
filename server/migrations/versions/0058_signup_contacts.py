"""The instant at which the contacts of a sign-up were erased."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0058"
down_revision = "0057"


def upgrade() -> None:
    """Add the column, and the index that finds what is left to erase."""
    op.add_column("signup", sa.Column("contacts_erased_at", sa.DateTime(timezone=True)))
    kept = sa.text("contacts_erased_at IS NULL")
    op.create_index(
        "ix_signup_contacts_activity_id",
        "signup",
        ["activity_id"],
        sqlite_where=kept,
        postgresql_where=kept,
    )


def downgrade() -> None:
    """Drop both."""
    op.drop_index("ix_signup_contacts_activity_id", "signup")
    op.drop_column("signup", "contacts_erased_at")
