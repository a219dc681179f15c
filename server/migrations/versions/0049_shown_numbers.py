"""The number by which a citizen without a nickname is shown, stored to be searched."""

from __future__ import annotations

from hashlib import sha256

import sqlalchemy as sa
from alembic import op

revision = "0049"
down_revision = "0048"

_BATCH = 5000
_CITIZEN = sa.table(
    "citizen",
    sa.column("id", sa.BigInteger()),
    sa.column("ref", sa.String()),
    sa.column("shown_number", sa.String()),
)


def upgrade() -> None:
    """Add the column, fill it in batches, then index it."""
    # The default spares SQLite a copy of a table that many others refer to.
    column = sa.Column("shown_number", sa.String(4), nullable=False, server_default="")
    op.add_column("citizen", column)
    _fill_numbers(op.get_bind())
    op.create_index("ix_citizen_shown_number", "citizen", ["shown_number"])


def _fill_numbers(bind: sa.Connection) -> None:
    last = 0
    while True:
        wanted = sa.select(_CITIZEN.c.id, _CITIZEN.c.ref).where(_CITIZEN.c.id > last)
        rows = bind.execute(wanted.order_by(_CITIZEN.c.id).limit(_BATCH)).all()
        if not rows:
            return
        filled = (
            sa.update(_CITIZEN)
            .where(_CITIZEN.c.id == sa.bindparam("row_id"))
            .values(shown_number=sa.bindparam("number"))
        )
        bind.execute(filled, [{"row_id": row.id, "number": _number(row.ref)} for row in rows])
        last = rows[-1].id


def _number(ref: str) -> str:
    return f"{int.from_bytes(sha256(ref.encode()).digest()[:4]) % 10_000:04d}"


def downgrade() -> None:
    """Drop the column."""
    op.drop_index("ix_citizen_shown_number", "citizen")
    op.drop_column("citizen", "shown_number")
