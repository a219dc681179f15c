"""Slices' declarations of tables with personal data, and the operations that use them.

Erase, merge and export process the declarations from the top layer down, the citizen's own row
last: referring rows are processed before the row they refer to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from datetime import datetime, timedelta
from enum import Enum, StrEnum, auto
from typing import Any, cast

from sqlalchemy import (
    Column,
    ColumnElement,
    Table,
    UniqueConstraint,
    delete,
    exists,
    select,
    update,
)
from sqlalchemy.orm import aliased

from server.base.sql.tables import Base
from server.base.uow import Hooks, UnitOfWork


class Erase(Enum):
    """Effect of an erasure on the rows of a person."""

    DELETE = auto()
    BLANK = auto()
    KEEP_ANONYMOUS = auto()


class Merge(Enum):
    """Effect of a merge on the rows of the citizen that disappears.

    `KEEP_ONE` deletes rows that would violate a unique key of the survivor, then re-points the
    others.
    """

    KEEP_ONE = auto()
    REPOINT = auto()


@dataclass(frozen=True, kw_only=True)
class Keep:
    """Retention of rows: until `longest` after the instant in the column `since`.

    `drop` deletes or blanks them where one statement is not enough, and returns how many it
    processed. `count` counts the overdue rows at an instant where that instant is not in `since`.
    """

    since: str
    longest: timedelta = timedelta(0)
    drop: Callable[[UnitOfWork], int] | None = None
    count: Callable[[UnitOfWork, datetime], int] | None = None


Columns = tuple[str | tuple[str, str], ...]
ExportFunction = Callable[[UnitOfWork, int], object]


class WronglyDeclared(ValueError):
    """Declarations contradict each other or their tables; the application does not start."""


@dataclass(frozen=True)
class Personal:
    """Declaration of one table with personal data.

    `owner_column` refers to the citizen, or to a row of another declared table that does; then
    `merge` is omitted, because the rows follow that row. `owner_value` is the format of an owner
    column that is text. `also` names further columns that refer to persons and need no statement.
    `refers_to` is that table where the column has no foreign key, so that no lock is taken.
    `blank` has the value, or a function of the UnitOfWork, for each column that an erasure blanks;
    `stays` names the others. `export` has one key per part of the export: a function, or the
    exported columns, as names or as (exported name, column). `lock_first` locks the rows before
    anything else is done. `keep` limits how long rows are kept (base/retention.py); without it
    they stay until the citizen is erased.
    """

    table: type[Base]
    owner_column: str
    _: KW_ONLY
    erase: Erase | Callable[[UnitOfWork, int], None]
    merge: Merge | Callable[[UnitOfWork, int, int], None] | None = None
    export: Mapping[str, Columns | ExportFunction] = field(default_factory=dict)
    blank: Mapping[str, object] = field(default_factory=dict)
    stays: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    owner_value: str = ""
    refers_to: type[Base] | None = None
    lock_first: bool = False
    keep: Keep | None = None
    # The reasons why rows are kept after an erasure, and why they are not exported.
    kept_because: str = ""
    untold_because: str = ""

    def __post_init__(self) -> None:
        """Refuse contradictory declarations.

        Raises: WronglyDeclared.
        """
        for complaint in _list_complaints(self):
            raise WronglyDeclared(f"{self.name}: {complaint}")

    @property
    def name(self) -> str:
        """The table's name."""
        return str(self.table.__tablename__)

    @property
    def owner(self) -> Any:
        """The column that leads to the person."""
        return getattr(self.table, self.owner_column)

    @property
    def is_person(self) -> bool:
        """Whether a row of this table is the person itself."""
        return self.columns[self.owner_column].primary_key

    @property
    def columns(self) -> Mapping[str, Column[Any]]:
        """The table's columns by name."""
        return dict(cast(Table, self.table.__table__).c.items())

    @property
    def parent(self) -> str:
        """The table that the owner column refers to; empty when it is not known."""
        if self.refers_to is not None:
            return str(self.refers_to.__tablename__)
        return next(
            (key.column.table.name for key in self.columns[self.owner_column].foreign_keys), ""
        )

    @property
    def unique_keys(self) -> list[tuple[str, ...]]:
        """The other columns of each unique key that includes the owner."""
        table = cast(Table, self.table.__table__)
        keys = [c.columns.keys() for c in table.constraints if isinstance(c, UniqueConstraint)]
        keys += [index.columns.keys() for index in table.indexes if index.unique]
        return [
            tuple(name for name in key if name != self.owner_column)
            for key in keys
            if self.owner_column in key
        ]


def _list_complaints(one: Personal) -> Iterator[str]:
    named = {one.owner_column, *one.blank, *one.stays, *one.also, *_told_columns(one)}
    named |= {one.keep.since} if one.keep else set()
    for unknown in sorted(named - one.columns.keys()):
        yield f"there is no column {unknown}"
    if bool(one.export) == bool(one.untold_because):
        yield "say what the export tells of it, or in `untold_because` why nothing"
    yield from _complaints_of_erasing(one)
    if one.merge is Merge.REPOINT and one.unique_keys:
        yield "the owner is part of a unique key: Merge.KEEP_ONE"
    if one.merge is Merge.KEEP_ONE and not one.unique_keys:
        yield "the owner is part of no unique key: Merge.REPOINT"


def _complaints_of_erasing(one: Personal) -> Iterator[str]:
    if (one.erase is Erase.BLANK) != bool(one.blank):
        yield "`blank` says what Erase.BLANK writes, and nothing else needs it"
    if one.erase is Erase.BLANK:
        said = {one.owner_column, *one.blank, *one.stays}
        for silent in sorted(one.columns.keys() - said):
            yield f"say whether an erasure blanks the column {silent} or it stays"
    if (one.erase is Erase.KEEP_ANONYMOUS) != bool(one.kept_because):
        yield "`kept_because` says why Erase.KEEP_ANONYMOUS may keep the rows"


def _told_columns(one: Personal) -> set[str]:
    return {
        column if isinstance(column, str) else column[1]
        for part in one.export.values()
        if not callable(part)
        for column in part
    }


class PersonalData:
    """All declarations, in processing order."""

    def __init__(self, slices: Sequence[Sequence[Personal]]) -> None:
        """Sort the declarations; `slices` from the lowest layer up, each in its own order.

        Raises: WronglyDeclared.
        """
        downwards = [one for declared in reversed(slices) for one in declared]
        # The citizen's own row is last, although its slice is not the lowest.
        self.order = tuple(sorted(downwards, key=lambda one: one.is_person))
        self._by_name = {one.name: one for one in self.order}
        self._check_declarations()

    def _check_declarations(self) -> None:
        for name, count in _count_names(one.name for one in self.order):
            if count > 1:
                raise WronglyDeclared(f"the table {name} is declared {count} times")
        for key, count in _count_names(key for one in self.order for key in one.export):
            if count > 1:
                raise WronglyDeclared(f"the export has {count} parts called {key}")
        place = {one.name: at for at, one in enumerate(self.order)}
        for at, one in enumerate(self.order):
            if self._has_parent(one) and place[one.parent] < at:
                raise WronglyDeclared(f"declare {one.name} before {one.parent}, which it refers to")
            if self._needs_merge(one) == (one.merge is None):
                raise WronglyDeclared(f"{one.name}: `merge` stands where rows refer to the citizen")

    def _has_parent(self, one: Personal) -> bool:
        parent = self._by_name.get(one.parent)
        return parent is not None and not parent.is_person and not one.is_person

    def _needs_merge(self, one: Personal) -> bool:
        return not self._has_parent(one)

    @property
    def hooks(self) -> Hooks:
        """The operations for the accounts slice, which does not import the slices above it."""
        return Hooks(
            erase=(self.erase_person,), export=(self.export_person,), merge=(self.merge_persons,)
        )

    def erase_person(self, uow: UnitOfWork, citizen_id: int) -> None:
        """Erase, blank or keep anonymous all data about a citizen, as declared.

        Locks: the caller holds the citizen's row; first the rows with `lock_first`, then the
        others.
        """
        self._lock_first(uow, (citizen_id,))
        for one in self.order:
            if callable(one.erase):
                one.erase(uow, citizen_id)
            elif one.erase is Erase.DELETE:
                uow.session.execute(delete(one.table).where(self.rows_of(one, citizen_id)))
            elif one.erase is Erase.BLANK:
                blanked = {name: value(uow) if callable(value) else value
                           for name, value in one.blank.items()}  # fmt: skip
                mine = self.rows_of(one, citizen_id)
                uow.session.execute(update(one.table).where(mine).values(blanked))

    def merge_persons(self, uow: UnitOfWork, keep: int, gone: int) -> None:
        """Move the rows of one citizen to another one that is the same person.

        Locks: the caller holds both citizens' rows; first the rows with `lock_first`, then the
        others.
        """
        self._lock_first(uow, (keep, gone))
        for one in self.order:
            if callable(one.merge):
                one.merge(uow, keep, gone)
                continue
            if one.merge is Merge.KEEP_ONE:
                _drop_twins(uow, one, _owner_value(one, keep), _owner_value(one, gone))
            if one.merge is not None:
                whose = update(one.table).where(one.owner == _owner_value(one, gone))
                uow.session.execute(whose.values({one.owner_column: _owner_value(one, keep)}))

    def export_person(self, uow: UnitOfWork, citizen_id: int) -> dict[str, object]:
        """All data about a citizen; the document begins with the person."""
        told = [
            (
                key,
                part(uow, citizen_id)
                if callable(part)
                else self._export_rows(uow, one, part, citizen_id),
            )
            for one in self.order
            for key, part in reversed(tuple(one.export.items()))
        ]
        return dict(reversed(told))

    def rows_of(self, one: Personal, *citizens: int) -> ColumnElement[bool]:
        """The condition for rows of a declared table that belong to one of these citizens."""
        whose: Any = [_owner_value(one, number) for number in citizens]
        if self._has_parent(one):
            parent = self._by_name[one.parent]
            keys = one.columns[one.owner_column].foreign_keys
            name = next((str(key.column.key) for key in keys), "id")
            whose = select(getattr(parent.table, name)).where(self.rows_of(parent, *citizens))
        mine: ColumnElement[bool] = one.owner.in_(whose)
        return mine

    def _lock_first(self, uow: UnitOfWork, citizens: tuple[int, ...]) -> None:
        for one in self.order:
            if one.lock_first:
                number = cast(Table, one.table.__table__).primary_key.columns
                held = select(*number).where(self.rows_of(one, *citizens)).order_by(*number)
                uow.session.execute(held.with_for_update())

    def _export_rows(
        self, uow: UnitOfWork, one: Personal, columns: Columns, citizen_id: int
    ) -> list[dict[str, object]]:
        pairs = [(name, name) if isinstance(name, str) else name for name in columns]
        rows = uow.session.execute(
            select(*(getattr(one.table, column) for _, column in pairs))
            .where(self.rows_of(one, citizen_id))
            .order_by(*cast(Table, one.table.__table__).primary_key.columns)
        )
        names = [name for name, _ in pairs]
        return [dict(zip(names, map(_plain_value, row), strict=True)) for row in rows]


def _owner_value(one: Personal, citizen_id: int) -> object:
    return one.owner_value.format(citizen_id) if one.owner_value else citizen_id


def _drop_twins(uow: UnitOfWork, one: Personal, keep: object, gone: object) -> None:
    twin: Any = aliased(one.table)
    for names in one.unique_keys:
        same = [getattr(twin, name) == getattr(one.table, name) for name in names]
        both = exists().where(getattr(twin, one.owner_column) == keep, *same)
        uow.session.execute(
            delete(one.table)
            .where(one.owner == gone, both)
            .execution_options(synchronize_session="fetch")
        )


def _plain_value(value: object) -> object:
    return value.value if isinstance(value, StrEnum) else value


def _count_names(names: Iterator[str]) -> Iterator[tuple[str, int]]:
    every = list(names)
    return ((name, every.count(name)) for name in dict.fromkeys(every))
