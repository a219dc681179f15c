"""Statements of the hot paths: written with SQLAlchemy, made ready once, told to the driver.

SQLAlchemy finds the words of a statement and how its values go in and come out; that is kept, so
that a request pays for the driver alone. Measured for one row by its key, in microseconds of CPU:
SQLite 3 by the driver and 35 by SQLAlchemy's execution, PostgreSQL 26 and 85.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import ClauseElement, Dialect, Table
from sqlalchemy.exc import InvalidRequestError, MultipleResultsFound, NoResultFound
from sqlalchemy.sql.compiler import SQLCompiler

from server.base.sql.tables import Base
from server.base.uow import UnitOfWork

_Process = Callable[[Any], Any] | None


def table(model: type[Base]) -> Table:
    """The table behind a model."""
    return cast(Table, model.__table__)


def run(uow: UnitOfWork, statement: ClauseElement, values: Mapping[str, Any]) -> Found:
    """Run a prepared statement in this transaction; `values` by the names of its parameters.

    The statement is one of a module, never made for one call: what was made ready is kept for it.
    What the session has still to write is written first, as the session itself would do.
    """
    transaction = uow.transaction
    transaction.flush()
    ready = _ready(statement, transaction.dialect, values)
    bound = ready.bound(values)
    rows, count = transaction.execute(ready.text, bound, fetch=ready.row is not None)
    return Found([ready.read(row) for row in rows], count)


@dataclass(frozen=True, slots=True)
class Found:
    """What a statement gave: rows whose columns have names, and how many rows it touched."""

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

    def one(self) -> Any:
        """The only row.

        Raises: NoResultFound, MultipleResultsFound.
        """
        row = self.one_or_none()
        if row is None:
            raise NoResultFound
        return row

    def scalar(self) -> Any:
        """The first value of the only row, or None.

        Raises: MultipleResultsFound.
        """
        row = self.one_or_none()
        return None if row is None else row[0]

    def scalar_one(self) -> Any:
        """The first value of the only row.

        Raises: NoResultFound, MultipleResultsFound.
        """
        return self.one()[0]

    def scalars(self) -> list[Any]:
        """The first value of every row."""
        return [row[0] for row in self.rows]


@dataclass(frozen=True, slots=True)
class _Ready:
    """A statement as one driver takes it.

    Units: `order` of the values, None where they go by name; `row` the type of a row, None without
    rows; `lists` are the names that stand for lists.
    """

    text: str
    order: tuple[str, ...] | None
    fixed: dict[str, Any]
    given: tuple[tuple[str, _Process], ...]
    lists: tuple[tuple[str, _Process], ...]
    row: Any
    out: tuple[tuple[int, Callable[[Any], Any]], ...]

    def bound(self, values: Mapping[str, Any]) -> Any:
        """The values as the driver takes them."""
        bound = dict(self.fixed)
        for name, process in self.given:
            bound[name] = _through(process, values[name])
        for name, process in self.lists:
            for at, value in enumerate(_filled(values[name]), start=1):
                bound[f"{name}_{at}"] = _through(process, value)
        return bound if self.order is None else [bound[name] for name in self.order]

    def read(self, row: Any) -> Any:
        """A row of the driver with the values as Python knows them."""
        if not self.out:
            return self.row._make(row)
        told = list(row)
        for at, process in self.out:
            told[at] = process(told[at])
        return self.row._make(told)


_kept: dict[tuple[object, ...], _Ready] = {}
_lists: dict[ClauseElement, tuple[str, ...]] = {}


def _ready(statement: ClauseElement, dialect: Dialect, values: Mapping[str, Any]) -> _Ready:
    lists = _lists.get(statement)
    if lists is None:
        compiled = cast(SQLCompiler, statement.compile(dialect=dialect))
        binds = compiled.bind_names.items()
        lists = _lists[statement] = tuple(name for bind, name in binds if bind.expanding)
    lengths = [len(_filled(values[name])) for name in lists]
    key = (statement, dialect.name, *values, *lengths)
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
    filled = {name: _filled(values[name]) for name in lists}
    expanded = compiled.construct_expanded_state({**values, **filled})
    into = {
        name: bind.type.dialect_impl(dialect).bind_processor(dialect)
        for bind, name in compiled.bind_names.items()
    }
    columns = getattr(statement, "exported_columns", ())
    out = [column.type.dialect_impl(dialect).result_processor(dialect, None) for column in columns]
    return _Ready(
        text=expanded.statement,
        order=None if expanded.positiontup is None else tuple(expanded.positiontup),
        fixed={
            name: _through(into[name], value)
            for name, value in compiled.params.items()
            if name in into and name not in values
        },
        given=tuple((name, into[name]) for name in values if name in into and name not in lists),
        lists=tuple((name, into[name]) for name in lists),
        row=namedtuple("Row", columns.keys(), rename=True) if columns else None,
        out=tuple((at, process) for at, process in enumerate(out) if process is not None),
    )


def _through(process: _Process, value: Any) -> Any:
    return value if process is None else process(value)


def _filled(values: list[Any]) -> list[Any]:
    """A list filled up with its last value to a power of two, so that few texts serve all."""
    size = 1 << (len(values) - 1).bit_length() if values else 0
    return values + values[-1:] * (size - len(values))
