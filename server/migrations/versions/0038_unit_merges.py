"""Units can be merged into another one."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0038"
down_revision = "0037"

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add the columns."""
    with op.batch_alter_table("unit") as table:
        table.add_column(sa.Column("merged_into", _BIG, nullable=True))
        table.add_column(sa.Column("merge_ended_at", sa.DateTime(timezone=True), nullable=True))
        table.create_foreign_key("fk_unit_merged_into_unit", "unit", ["merged_into"], ["id"])
    op.create_index("ix_unit_merged_into", "unit", ["merged_into"])


def downgrade() -> None:
    """Drop the columns."""
    op.drop_index("ix_unit_merged_into", "unit")
    with op.batch_alter_table("unit") as table:
        table.drop_constraint("fk_unit_merged_into_unit", type_="foreignkey")
        table.drop_column("merge_ended_at")
        table.drop_column("merged_into")
