"""The columns of an outbox row as steps 0018 and later add them to a table.

Frozen with the first release that holds them: another shape of these columns is another step.
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
    """Add the columns, their check and their index; all rows are in no queue at first.

    Written out because SQLite adds a check with its column only, without copying the table.
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
    """Take them away.

    SQLite drops a check with its column where it was written there, as on a table that no step has
    copied since; `drop_copied_outbox_columns` is for the others.
    """
    op.drop_index(_index(table), table_name=table)
    for name in _COLUMNS:
        op.drop_column(table, name)


def drop_copied_outbox_columns(table: str) -> None:
    """Take them away from a table that no other table refers to."""
    op.drop_index(_index(table), table_name=table)
    with op.batch_alter_table(table) as changed:
        changed.drop_constraint(op.f(f"ck_{table}_outbox_state"), type_="check")
        for name in _COLUMNS:
            changed.drop_column(name)


def map_states(
    table: str, read: str, before: tuple[str, ...], written: str, after: tuple[str, ...]
) -> None:
    """Write the words of one column into another, each in its new spelling."""
    named = sa.table(table, sa.column(read), sa.column(written))
    for word, spelling in zip(before, after, strict=True):
        changed = sa.update(named).where(named.c[read] == word).values({written: spelling})
        op.execute(changed)


def _index(table: str) -> str:
    return f"ix_{table}_outbox_state_outbox_due_at"
