"""Pages of a list by cursor: stable while rows are inserted, in both directions."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import islice
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, func, or_, select

from server.base.errors import Invalid
from server.base.uow import UnitOfWork
from server.console.tables import ListQuery, Table

# Counting stops here, so that a long list opens as fast as a short one.
MOST_COUNTED = 10_000
_BATCH = 500
_UNREADABLE = Invalid((("query", "after"), "an unreadable cursor"))


@dataclass(frozen=True, kw_only=True)
class Order:
    """A sort order: the column's name, its expression, and the direction."""

    name: str
    expression: ColumnElement[Any]
    descending: bool

    @property
    def spelled(self) -> str:
        """The value of `sort` in the address."""
        return f"-{self.name}" if self.descending else self.name


@dataclass(frozen=True, kw_only=True)
class RowsPage:
    """The rows of one page, and the cursors of its neighbours; None where there is none."""

    rows: Sequence[Any]
    before: str | None
    after: str | None


def order_of(table: Table, sort: str | None) -> Order:
    """The sort order of a query; the table's own for an unknown column."""
    given = sort or table.sort
    column = table.by_name.get(given.lstrip("-"))
    if column is None or column.sort is None:
        given = table.sort
        column = table.by_name.get(given.lstrip("-"))
    if column is None or column.sort is None:
        return Order(name="", expression=table.key, descending=True)
    return Order(name=column.name, expression=column.sort, descending=given.startswith("-"))


def read_rows_page(
    uow: UnitOfWork, table: Table, statement: Select[Any], query: ListQuery
) -> RowsPage:
    """Read one page after or before the cursor of the query, with one row more to look ahead.

    Raises: Invalid (422) for a cursor that was not created for this sort order.
    """
    order = order_of(table, query.sort)
    backward = query.before is not None
    cursor = query.before if backward else query.after
    if cursor is not None:
        value, key = _decode_cursor(cursor, order)
        statement = statement.where(_rows_beyond(table, order, value, key, backward))
    found = uow.session.execute(
        _order_statement(table, statement, order, backward).limit(table.page_rows + 1)
    ).all()
    more, kept = len(found) > table.page_rows, list(found[: table.page_rows])
    if backward:
        kept.reverse()
    first, last = (kept[0], kept[-1]) if kept else (None, None)
    earlier = more if backward else cursor is not None
    later = cursor is not None if backward else more
    return RowsPage(
        rows=_prepare_rows(uow, table, kept),
        before=_encode_cursor(order, first) if earlier and first is not None else None,
        after=_encode_cursor(order, last) if later and last is not None else None,
    )


def count_rows(uow: UnitOfWork, statement: Select[Any], most: int = MOST_COUNTED) -> int:
    """Count the rows, up to `most` + 1."""
    limited = statement.order_by(None).limit(most + 1)
    counted = select(func.count()).select_from(limited.subquery())
    # The scope of the inner statement holds for the outer one.
    counted = counted.execution_options(**statement.get_execution_options())
    return uow.session.scalar(counted) or 0


def iterate_rows(
    uow: UnitOfWork, table: Table, statement: Select[Any], sort: str | None
) -> Iterator[Any]:
    """All rows in their order, read in batches."""
    ordered = _order_statement(table, statement, order_of(table, sort), backward=False)
    rows = iter(uow.session.execute(ordered.execution_options(yield_per=_BATCH)))
    while batch := list(islice(rows, _BATCH)):
        yield from _prepare_rows(uow, table, batch)


def _order_statement(
    table: Table, statement: Select[Any], order: Order, backward: bool
) -> Select[Any]:
    descending = order.descending is not backward
    parts = [order.expression, table.key]
    return statement.add_columns(order.expression.label("_sort"), table.key.label("_key")).order_by(
        *(part.desc() if descending else part.asc() for part in parts)
    )


def _rows_beyond(
    table: Table, order: Order, value: object, key: int, backward: bool
) -> ColumnElement[bool]:
    # Spelled out, because SQLite and PostgreSQL infer types of row values differently.
    expression, unique = order.expression, table.key
    if order.descending is not backward:
        return or_(expression < value, and_(expression == value, unique < key))
    return or_(expression > value, and_(expression == value, unique > key))


def _prepare_rows(uow: UnitOfWork, table: Table, rows: Sequence[Row[Any]]) -> Sequence[Any]:
    # Two columns were added for the cursor; a statement over one class gives its objects.
    plain = [row[0] if len(row) == 3 else row for row in rows]
    return plain if table.prepare is None else table.prepare(uow, plain)


def _encode_cursor(order: Order, row: Any) -> str:
    value, kind = row[-2], "plain"
    if isinstance(value, datetime):
        value, kind = value.astimezone(UTC).isoformat(), "instant"
    elif isinstance(value, date):
        value, kind = value.isoformat(), "day"
    parts = [order.spelled, kind, value, row[-1]]
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


def _decode_cursor(text: str, order: Order) -> tuple[Any, int]:
    """Value and key of a cursor. Raises: Invalid (422)."""
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True)
        spelled, kind, value, key = json.loads(raw)
        if kind != "plain":
            value = (datetime if kind == "instant" else date).fromisoformat(value)
    except (ValueError, TypeError, binascii.Error, RecursionError):
        raise _UNREADABLE from None
    if (
        spelled != order.spelled
        or not _is_storable(value)
        or not _is_storable(key)
        or type(key) is bool
    ):
        raise _UNREADABLE
    return value, key


def _is_storable(value: object) -> bool:
    # A value that no column can hold would cause a database error instead of a 422.
    if isinstance(value, str):
        return "\0" not in value
    if isinstance(value, int):
        return abs(value) < 2**63
    return isinstance(value, float | datetime | date)
