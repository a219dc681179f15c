"""Group and hour of each participation, and the figures that are counted from participations."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_NOTED = "citizen_id, city, county, unit_id, audience, on_day, hour"
_EVENTS = {"insert": (("NEW", 1),), "update": (("OLD", -1), ("NEW", 1)), "delete": (("OLD", -1),)}
_FIGURES = ("figure_funnel", "figure_group", "figure_hour", "figure_day", "participant")


def upgrade() -> None:
    """Add the columns, fill them from the papers, and add the tables."""
    op.add_column("participation", sa.Column("audience", sa.String(40), nullable=True))
    op.add_column("participation", sa.Column("hour", sa.SmallInteger(), nullable=True))
    op.add_column(
        "participation",
        sa.Column("completed", sa.Boolean(), nullable=False, server_default=sa.true()),
    )
    _fill_columns()
    op.create_table(
        "participation_change",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("sign", sa.SmallInteger(), nullable=False),
        sa.Column("citizen_id", _BIG, nullable=False),
        *_place_columns(),
        sa.Column("audience", sa.String(40), nullable=True),
        sa.Column("on_day", sa.Date(), nullable=False),
        sa.Column("hour", sa.SmallInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_participation_change"),
    )
    _add_triggers()
    # Participations recorded before this version are counted like later ones.
    op.execute(
        f"INSERT INTO participation_change (sign, {_NOTED})"  # noqa: S608 - our own names
        f" SELECT 1, {_NOTED} FROM participation ORDER BY id"
    )
    _add_figures()


def _fill_columns() -> None:
    sqlite = op.get_context().dialect.name == "sqlite"
    hour = (
        "CAST(strftime('%H', a.started_at, '+8 hours') AS INTEGER)"
        if sqlite
        else "CAST(extract(hour FROM a.started_at AT TIME ZONE 'Asia/Shanghai') AS SMALLINT)"
    )
    of_paper = "FROM attempt a JOIN entry e ON e.id = a.entry_id WHERE a.ref = source_ref"
    op.execute(
        f"UPDATE participation SET hour = (SELECT {hour} {of_paper}),"  # noqa: S608 - our own names
        f" audience = (SELECT e.audience {of_paper}),"
        f" completed = (SELECT a.state = 'submitted' {of_paper})"
        " WHERE kind = 'paper' AND source_ref IN (SELECT ref FROM attempt)"
    )


def _place_columns() -> list[sa.Column[Any]]:
    return [
        sa.Column("city", sa.String(6), nullable=True),
        sa.Column("county", sa.String(6), nullable=True),
        sa.Column("unit_id", _BIG, nullable=True),
    ]


def _add_triggers() -> None:
    for event, noted in _EVENTS.items():
        steps = " ".join(_note_change(row, sign) for row, sign in noted)
        name, on = f"participation_{event}_noted", f"AFTER {event.upper()} ON participation"
        if op.get_context().dialect.name == "sqlite":
            op.execute(f"CREATE TRIGGER {name} {on} FOR EACH ROW BEGIN {steps} END")
            continue
        op.execute(
            f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS"
            f" $$ BEGIN {steps} RETURN NULL; END $$"
        )
        op.execute(f"CREATE TRIGGER {name} {on} FOR EACH ROW EXECUTE FUNCTION {name}()")


def _note_change(row: str, sign: int) -> str:
    values = ", ".join(f"{row}.{name}" for name in _NOTED.split(", "))
    return f"INSERT INTO participation_change (sign, {_NOTED}) VALUES ({sign}, {values});"  # noqa: S608 - our own names


def _add_figures() -> None:
    op.create_table(
        "participant",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("citizen_id", _BIG, nullable=False),
        *_place_columns(),
        sa.Column("audience", sa.String(40), nullable=True),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("completed", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_participant"),
        sa.UniqueConstraint("citizen_id", name="uq_participant_citizen_id"),
    )
    for column in ("city", "county", "unit_id"):
        op.create_index(f"ix_participant_{column}", "participant", [column, "id"])
    _add_table("figure_day", sa.Column("on_day", sa.Date(), nullable=False), "times", "newcomers")
    _add_table("figure_hour", sa.Column("hour", sa.SmallInteger(), nullable=False), "times")
    audience = sa.Column("audience", sa.String(40), nullable=False)
    _add_table("figure_group", audience, "times", "people", "returned")
    steps = ("followed", "logged_in", "started", "handed_in", "came_again")
    _add_table("figure_funnel", None, *steps)
    op.create_table(
        "figure_state",
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("counted_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("kind", name="pk_figure_state"),
    )


def _add_table(name: str, key: sa.Column[Any] | None, *counts: str) -> None:
    place: sa.Column[Any] = sa.Column("place", sa.String(40), nullable=False)
    keys = [place] if key is None else [place, key]
    op.create_table(
        name,
        *keys,
        *(sa.Column(count, sa.Integer(), nullable=False) for count in counts),
        sa.PrimaryKeyConstraint(*(column.name for column in keys), name=f"pk_{name}"),
    )


def downgrade() -> None:
    """Drop the tables, the triggers and the columns."""
    op.drop_table("figure_state")
    for name in _FIGURES:
        op.drop_table(name)
    for event in _EVENTS:
        name = f"participation_{event}_noted"
        if op.get_context().dialect.name == "sqlite":
            op.execute(f"DROP TRIGGER {name}")
        else:
            op.execute(f"DROP TRIGGER {name} ON participation")
            op.execute(f"DROP FUNCTION {name}()")
    op.drop_table("participation_change")
    op.drop_column("participation", "completed")
    op.drop_column("participation", "hour")
    op.drop_column("participation", "audience")
