"""The order of a board: more points, less time, reached earlier, the older entry.

Only `RANK_ORDER` defines it. SQL conditions and ORDER BY, Python's sort key, and Redis's score
(points and time in one number, ties by instant and entry) are derived from it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import BindParameter, ColumnElement, Table, and_, bindparam, or_
from sqlalchemy.sql.expression import ColumnCollection, FromClause


class Criterion(NamedTuple):
    """A column of `standing`, and whether the larger value ranks first."""

    column: str
    larger_first: bool


class Kept(NamedTuple):
    """Points and time as boards compare them.  Units: milliseconds, at most `MOST_TIME_MS`."""

    points: int
    time_ms: int


# The criteria in Redis's score; equal scores are ordered by the other ones.
SCORED = (Criterion("points", True), Criterion("time_ms", False))
TIES = (Criterion("reached_at", False), Criterion("entry_id", False))
RANK_ORDER = SCORED + TIES
# The values of one standing, as parameters of a statement.
GIVEN: Mapping[str, BindParameter[Any]] = {one.column: bindparam(one.column) for one in RANK_ORDER}

_TIME_BITS = 32
MOST_TIME_MS = (1 << _TIME_BITS) - 1
Columns = ColumnCollection[str, Any] | Mapping[str, Any]


def best_first(of: Table | FromClause) -> tuple[ColumnElement[Any], ...]:
    """ORDER BY for the best standing first."""
    return tuple(_sort_columns(of, RANK_ORDER))


def worst_first(of: Table | FromClause) -> tuple[ColumnElement[Any], ...]:
    """ORDER BY for the worst standing first."""
    return tuple(_sort_columns(of, _reverse_order(RANK_ORDER)))


def is_better(one: Columns, other: Columns) -> ColumnElement[bool]:
    """Whether one standing ranks before another; the columns of a table, or `GIVEN`."""
    return _in_front(one, other, RANK_ORDER)


def is_worse(one: Columns, other: Columns) -> ColumnElement[bool]:
    """Whether one standing ranks after another."""
    return _in_front(one, other, _reverse_order(RANK_ORDER))


def is_earlier_tie(one: Columns, other: Columns) -> ColumnElement[bool]:
    """Whether one standing has the same points and time as another, and ranks before it."""
    same = [one[criterion.column] == other[criterion.column] for criterion in SCORED]
    return and_(*same, _ranks_before(one, other, TIES))


def rank_key(standing: Any) -> tuple[Any, ...]:
    """Sort key for standings in Python, the best first."""
    values = ((getattr(standing, column), larger) for column, larger in RANK_ORDER)
    return tuple(-value if larger else value for value, larger in values)


def _in_front(one: Columns, other: Columns, order: Sequence[Criterion]) -> ColumnElement[bool]:
    column, larger = order[0]
    # Logically redundant; it lets the database use a range scan of the index.
    reach = one[column] >= other[column] if larger else one[column] <= other[column]
    return and_(reach, _ranks_before(one, other, order))


def _ranks_before(one: Columns, other: Columns, order: Sequence[Criterion]) -> ColumnElement[bool]:
    (column, larger), *rest = order
    first: ColumnElement[bool]
    first = one[column] > other[column] if larger else one[column] < other[column]
    if not rest:
        return first
    return or_(first, and_(one[column] == other[column], _ranks_before(one, other, rest)))


def _sort_columns(of: Table | FromClause, order: Sequence[Criterion]) -> list[ColumnElement[Any]]:
    return [of.c[column].desc() if larger else of.c[column].asc() for column, larger in order]


def _reverse_order(order: Sequence[Criterion]) -> tuple[Criterion, ...]:
    return tuple(Criterion(column, not larger) for column, larger in order)


def pack_score(kept: Kept) -> int:
    """Points first, then the shorter time, as one number that a sorted set keeps exactly."""
    return (kept.points << _TIME_BITS) + MOST_TIME_MS - kept.time_ms


def unpack_score(score: int) -> Kept:
    """Decode the points and time of a number of `pack_score`."""
    return Kept(score >> _TIME_BITS, MOST_TIME_MS - (score & MOST_TIME_MS))


def to_millisecond(instant: datetime) -> datetime:
    """An instant in the precision of boards."""
    return instant.replace(microsecond=instant.microsecond // 1000 * 1000)


def epoch_ms(instant: datetime) -> int:
    """Milliseconds since 1970 of an instant truncated by `to_millisecond`."""
    return int(instant.timestamp()) * 1000 + instant.microsecond // 1000
