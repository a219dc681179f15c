"""Prepared statements of the hot paths: written in SQLAlchemy, compiled once, run by the driver.

SQLAlchemy compiles the statement and its type conversions once; a request then only runs the
driver. Measured for one row by its key, in microseconds of CPU: SQLite 3 by the driver and 35 by
SQLAlchemy's execution, PostgreSQL 26 and 85.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, cast

from sqlalchemy import ClauseElement, Dialect
from sqlalchemy.exc import InvalidRequestError, MultipleResultsFound, NoResultFound
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.types import TypeEngine

from server.base.sql.tables import UtcDateTime, utc_from_text, utc_instant, utc_text
from server.base.uow import UnitOfWork

_Process = Callable[[Any], Any] | None


def run_statement(uow: UnitOfWork, statement: ClauseElement, values: Mapping[str, Any]) -> Found:
    """Run a prepared statement in this transaction; `values` by parameter name.

    The statement must be a module-level constant, because its compiled form is cached for ever.
    Pending changes of the session are flushed first.
    """
    transaction = uow.transaction
    transaction.flush_session()
    ready = _prepare_statement(statement, transaction.statement_dialect, values)
    told, count = transaction.execute_text(ready.text, ready.bind_values(values))
    return Found(told if ready.row is None else ready.convert_rows(told), count)


def run_by_commit(uow: UnitOfWork, statement: ClauseElement, values: Mapping[str, Any]) -> None:
    """Run a prepared statement whose result nobody needs, at the latest with the commit.

    On PostgreSQL it is sent together with the commit, or before the next statement.
    """
    transaction = uow.transaction
    transaction.flush_session()
    ready = _prepare_statement(statement, transaction.statement_dialect, values)
    transaction.execute_by_commit(ready.text, ready.bind_values(values))


def insert_at_commit(
    uow: UnitOfWork, statement: ClauseElement, values: Mapping[str, Any], refused: Exception
) -> None:
    """Run an INSERT as the last statement of this transaction, together with its commit.

    Raises: `refused`, here or at the commit, when a unique key exists; nothing is committed.
    """
    transaction = uow.transaction
    transaction.flush_session()
    ready = _prepare_statement(statement, transaction.statement_dialect, values)
    transaction.execute_at_commit(ready.text, ready.bind_values(values), refused)


@dataclass(slots=True, eq=False)
class Found:
    """Result of a statement: rows with named columns, and the number of affected rows."""

    rows: list[Any]
    rowcount: int

    def __iter__(self) -> Iterator[Any]:
        return iter(self.rows)

    def one_or_none(self) -> Any:
        """The only row, or None.

        Raises: MultipleResultsFound.
        """
        if len(self.rows) > 1:
            raise MultipleResultsFound
        return self.rows[0] if self.rows else None

    def only_row(self) -> Any:
        """The only row.

        Raises: NoResultFound, MultipleResultsFound.
        """
        row = self.one_or_none()
        if row is None:
            raise NoResultFound
        return row

    def first_value(self) -> Any:
        """The first value of the only row, or None.

        Raises: MultipleResultsFound.
        """
        row = self.one_or_none()
        return None if row is None else row[0]

    def scalar_one(self) -> Any:
        """The first value of the only row.

        Raises: NoResultFound, MultipleResultsFound.
        """
        return self.only_row()[0]

    def first_values(self) -> list[Any]:
        """The first value of every row."""
        return [row[0] for row in self.rows]


@dataclass(frozen=True, slots=True)
class _Ready:
    """A compiled statement for one driver, with all conversions looked up.

    The values of the text's placeholders are taken in the quickest way that the statement allows:
    `pick` returns all at once when each is a parameter of its own, and `into` converts some of
    them; `fill` is the only parameter, a list, and its length in the text; otherwise `given` are
    the literal values, None where one of `steps` puts a parameter (its index in the text, its name,
    the index in its list or None, its conversion). `row` is the type of a row, None without rows;
    `out` are the columns that SQLAlchemy converts.
    """

    text: str
    given: tuple[Any, ...]
    steps: tuple[tuple[int, str, int | None, _Process], ...]
    pick: Callable[[Mapping[str, Any]], tuple[Any, ...]] | None
    fill: tuple[str, int] | None
    into: tuple[tuple[int, Callable[[Any], Any]], ...]
    row: Any
    out: tuple[tuple[int, Callable[[Any], Any]], ...]

    def bind_values(self, values: Mapping[str, Any]) -> Sequence[Any]:
        """Convert the values to the driver's form."""
        if self.pick is not None:
            picked = self.pick(values)
            if not self.into:
                return picked
            bound = list(picked)
            for at, process in self.into:
                bound[at] = process(bound[at])
            return bound
        if self.fill is not None:
            name, length = self.fill
            return _padded_list(values[name], length)
        bound = list(self.given)
        for at, name, index, step in self.steps:
            bound[at] = _take_value(values[name], index, step)
        return bound

    def convert_rows(self, told: list[Any]) -> list[Any]:
        """The driver's rows with converted values."""
        kind = self.row
        if not self.out:
            return [_new_tuple(kind, row) for row in told]
        made = []
        for row in told:
            cells = list(row)
            for at, process in self.out:
                cells[at] = process(cells[at])
            made.append(_new_tuple(kind, cells))
        return made


# A named tuple's `_make` calls this and counts the values again.
_new_tuple = tuple.__new__


def _padded_list(values: Sequence[Any], length: int) -> list[Any]:
    """A list padded with its last value, so that few statement texts serve all lengths."""
    return [*values, *[values[-1]] * (length - len(values))] if values else []


def _take_value(value: Any, index: int | None, process: _Process) -> Any:
    if index is not None:
        value = value[min(index, len(value) - 1)]
    return value if process is None else process(value)


# Compiled statements by statement, dialect, parameter names and list lengths. Statements are module
# constants, so the number is bounded by the number of hot statements.
_kept: dict[tuple[object, ...], _Ready] = {}
_lists: dict[ClauseElement, tuple[str, ...]] = {}


def _prepare_statement(
    statement: ClauseElement, dialect: Dialect, values: Mapping[str, Any]
) -> _Ready:
    lists = _lists.get(statement)
    if lists is None:
        compiled = cast(SQLCompiler, statement.compile(dialect=dialect))
        binds = compiled.bind_names.items()
        lists = _lists[statement] = tuple(name for bind, name in binds if bind.expanding)
    key: tuple[object, ...] = (statement, dialect.name, *values)
    if lists:
        key += tuple(_filled_length(values[name]) for name in lists)
    found = _kept.get(key)
    if found is None:
        found = _kept[key] = _made_ready(statement, dialect, values, lists)
    return found


def _made_ready(
    statement: ClauseElement, dialect: Dialect, values: Mapping[str, Any], lists: tuple[str, ...]
) -> _Ready:
    compiled = cast(SQLCompiler, statement.compile(dialect=dialect, column_keys=list(values)))
    if compiled.insert_prefetch or compiled.update_prefetch:
        raise InvalidRequestError("a column with a default of its own is not for a hot path")
    lengths = {name: _filled_length(values[name]) for name in lists}
    filled = {name: [None] * length for name, length in lengths.items()}
    expanded = compiled.construct_expanded_state({**values, **filled})
    if expanded.positiontup is None:
        raise InvalidRequestError("a hot statement gives its values by their places")
    into = {name: _bind_processor(bind.type, dialect) for bind, name in compiled.bind_names.items()}
    of_lists = {
        f"{name}_{at + 1}": (name, at) for name, length in lengths.items() for at in range(length)
    }
    columns = getattr(statement, "exported_columns", ())
    out = [_out_of(column.type, dialect) for column in columns]
    steps = tuple(
        _binding_step(place, values, compiled.params, into, of_lists)
        for place in expanded.positiontup
    )
    return _Ready(
        text=expanded.statement,
        given=tuple(at if name is None else None for name, at, _ in steps),
        steps=tuple((at, name, *step) for at, (name, *step) in enumerate(steps) if name),
        pick=_values_picker(steps),
        fill=_only_list(steps),
        into=tuple((at, step[2]) for at, step in enumerate(steps) if step[2] is not None),
        row=namedtuple("Row", columns.keys(), rename=True) if columns else None,
        out=tuple((at, process) for at, process in enumerate(out) if process is not None),
    )


def _binding_step(
    place: str,
    values: Mapping[str, Any],
    fixed: Mapping[str, Any],
    into: Mapping[str, _Process],
    of_lists: Mapping[str, tuple[str, int]],
) -> tuple[str | None, Any, _Process]:
    if place in of_lists:
        name, at = of_lists[place]
        return name, at, into[name]
    if place in values:
        return place, None, into[place]
    process = into[place]
    return None, fixed[place] if process is None else process(fixed[place]), None


def _values_picker(
    steps: Sequence[tuple[str | None, Any, _Process]],
) -> Callable[[Mapping[str, Any]], tuple[Any, ...]] | None:
    """A function that takes all values by name in one call; None when a step is not just a name."""
    names = [name for name, at, _ in steps if name is not None and at is None]
    # With a single name `itemgetter` returns no tuple.
    return itemgetter(*names) if len(names) == len(steps) > 1 else None


def _only_list(
    steps: Sequence[tuple[str | None, Any, _Process]],
) -> tuple[str, int] | None:
    """The name and length of a list that is the only parameter and needs no conversion."""
    names = {name for name, _, _ in steps}
    name = names.pop() if len(names) == 1 else None
    plain = all(at is not None and process is None for _, at, process in steps)
    return None if name is None or not plain else (name, len(steps))


def _bind_processor(kind: TypeEngine[Any], dialect: Dialect) -> _Process:
    """The conversion of a value on its way into the database."""
    if isinstance(kind, UtcDateTime):
        return utc_text if dialect.name == "sqlite" else utc_instant
    return kind.dialect_impl(dialect).bind_processor(dialect)


def _out_of(kind: TypeEngine[Any], dialect: Dialect) -> Callable[[Any], Any] | None:
    """The conversion of a value on its way out of the database."""
    if isinstance(kind, UtcDateTime) and dialect.name == "sqlite":
        return utc_from_text
    return kind.dialect_impl(dialect).result_processor(dialect, None)


def _filled_length(values: Sequence[Any]) -> int:
    """The next power of two."""
    return 1 << (len(values) - 1).bit_length() if values else 0
