"""Statistics of questions: counts by contest, figures and signs of doubt."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0036"

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TALLY_DUE = "state <> 'open' AND tally IN (0, 2)"
_DUE: Any = {"sqlite_where": sa.text(_TALLY_DUE), "postgresql_where": sa.text(_TALLY_DUE)}
_KEY = ("question_id", "contest_id", "paper_size")


def upgrade() -> None:
    """Add the tables, and the mark of counted papers."""
    op.add_column("attempt", sa.Column("tally", sa.Integer(), nullable=False, server_default="0"))
    op.create_index("ix_attempt_tally_due", "attempt", ["id"], **_DUE)
    _create_tally(
        "item_tally",
        *("dealt", "omitted", "correct", "strong"),
        *("rest_sum", "rest_squares", "rest_right", "time_ms"),
    )
    _create_tally("option_tally", "chosen", "strong", "rest_sum", more_key=("option_no",))
    op.create_table(
        "item_figure",
        sa.Column("question_id", _BIG, nullable=False),
        sa.Column("dealt", sa.BigInteger(), nullable=False),
        sa.Column("facility", sa.Double(), nullable=True),
        sa.Column("discrimination", sa.Double(), nullable=True),
        sa.Column("signs", sa.String(120), nullable=False),
        sa.Column("accepted", sa.String(120), nullable=False),
        sa.Column("doubtful", sa.Boolean(), nullable=False),
        sa.Column("counted_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("question_id", name="pk_item_figure"),
        _refer_to("item_figure", "question"),
    )
    op.create_index("ix_item_figure_doubtful", "item_figure", ["doubtful"])


def downgrade() -> None:
    """Drop the tables."""
    for name in ("item_figure", "option_tally", "item_tally"):
        op.drop_table(name)
    op.drop_index("ix_attempt_tally_due", table_name="attempt")
    op.drop_column("attempt", "tally")


def _create_tally(name: str, *counts: str, more_key: tuple[str, ...] = ()) -> None:
    key = (*_KEY, *more_key)
    op.create_table(
        name,
        *(
            sa.Column(one, _BIG if one.endswith("_id") else sa.Integer(), nullable=False)
            for one in key
        ),
        *(sa.Column(one, sa.BigInteger(), nullable=False) for one in counts),
        sa.PrimaryKeyConstraint(*key, name=f"pk_{name}"),
        _refer_to(name, "question"),
        _refer_to(name, "contest"),
    )


def _refer_to(name: str, table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [f"{table}_id"], [f"{table}.id"], name=f"fk_{name}_{table}_id_{table}"
    )
