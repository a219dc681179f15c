"""The columns of an outbox row, for migrations 0018 and later.

Frozen with the first release that contains them: a change of these columns needs a new migration.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

_WHEN = sa.DateTime(timezone=True)
_COLUMNS = (
    "outbox_reason",
    "outbox_tries",
    "outbox_claim",
    "outbox_until",
    "outbox_due_at",
    "outbox_since",
    "outbox_state",
)
_STATES = "'queued', 'claimed', 'done', 'given_up', 'in_doubt'"


def add_outbox_columns(table: str) -> None:
    """Add the columns, their check and their index; existing rows are in no queue.

    Written as SQL, because SQLite only adds a check without copying the table when it is part of
    the column.
    """
    check = f"CONSTRAINT ck_{table}_outbox_state CHECK (outbox_state IN ({_STATES}))"
    op.execute(f"ALTER TABLE {table} ADD COLUMN outbox_state VARCHAR(40) {check}")
    for name in ("outbox_since", "outbox_due_at", "outbox_until"):
        op.add_column(table, sa.Column(name, _WHEN, nullable=True))
    op.add_column(table, sa.Column("outbox_claim", sa.String(40), nullable=True))
    op.add_column(
        table, sa.Column("outbox_tries", sa.Integer(), nullable=False, server_default="0")
    )
    op.add_column(table, sa.Column("outbox_reason", sa.String(40), nullable=True))
    op.create_index(_index(table), table, ["outbox_state", "outbox_due_at"])


def drop_outbox_columns(table: str) -> None:
    """Drop the columns.

    SQLite drops a check with its column when it is part of the column, as on a table that no
    migration has copied since; `drop_copied_outbox_columns` is for the others.
    """
    op.drop_index(_index(table), table_name=table)
    for name in _COLUMNS:
        op.drop_column(table, name)


def drop_copied_outbox_columns(table: str) -> None:
    """Drop the columns of a table that no other table refers to."""
    op.drop_index(_index(table), table_name=table)
    with op.batch_alter_table(table) as changed:
        changed.drop_constraint(op.f(f"ck_{table}_outbox_state"), type_="check")
        for name in _COLUMNS:
            changed.drop_column(name)


def map_states(
    table: str, read: str, before: tuple[str, ...], written: str, after: tuple[str, ...]
) -> None:
    """Copy the states of one column to another, in the new spelling."""
    named = sa.table(table, sa.column(read), sa.column(written))
    for word, spelling in zip(before, after, strict=True):
        changed = sa.update(named).where(named.c[read] == word).values({written: spelling})
        op.execute(changed)


def _index(table: str) -> str:
    return f"ix_{table}_outbox_state_outbox_due_at"
