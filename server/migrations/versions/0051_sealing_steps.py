"""Versions of final ranks that are still being made, in steps."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0051"
down_revision = "0050"

_CHECK = "ck_sealed_version_state"
_STATES = "'draft', 'published', 'replaced', 'dropped'"


def upgrade() -> None:
    """Add the state and the column."""
    with op.batch_alter_table("sealed_version") as table:
        table.add_column(sa.Column("sealing_facts", sa.JSON(), nullable=True))
        table.drop_constraint(op.f(_CHECK), type_="check")
        table.create_check_constraint(op.f(_CHECK), f"state IN ('building', {_STATES})")


def downgrade() -> None:
    """Drop the column, and versions that were not finished."""
    op.execute(
        "DELETE FROM sealed_part WHERE version_id IN"
        " (SELECT id FROM sealed_version WHERE state = 'building')"
    )
    op.execute(
        "DELETE FROM sealed_rank WHERE version_id IN"
        " (SELECT id FROM sealed_version WHERE state = 'building')"
    )
    op.execute(
        "UPDATE seal_change SET version_id = NULL WHERE version_id IN"
        " (SELECT id FROM sealed_version WHERE state = 'building')"
    )
    op.execute(
        "UPDATE contest SET sealed_at = NULL WHERE final_id IS NULL AND id IN"
        " (SELECT contest_id FROM sealed_version WHERE state = 'building')"
    )
    op.execute("DELETE FROM sealed_version WHERE state = 'building'")
    with op.batch_alter_table("sealed_version") as table:
        table.drop_constraint(op.f(_CHECK), type_="check")
        table.create_check_constraint(op.f(_CHECK), f"state IN ({_STATES})")
        table.drop_column("sealing_facts")
