"""Lists of the console, each declared once: columns, filters, sorting, paging, export.

A slice declares a `Table` and gives its view `read_table(uow, organizer, TABLE, query)`; the
template shows the result with `parts.list(list)`. `declare_list_pages` (list_pages.py) adds the
pages for the column choice, saved filters and the export, which use the same declaration.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Select

from server.base.access import Organizer
from server.base.clock import BEIJING
from server.base.texts import Texts
from server.base.uow import UnitOfWork
from server.base.web.schema import Query

PAGE_ROWS = 50
REASON_ROWS = 1000


class ListQuery(Query, frozen=True, kw_only=True):
    """The query string of a list; subclasses add its filters, all of them optional.

    `sort` names a column, with a leading `-` for descending. `after` and `before` are cursors.
    """

    sort: str | None = None
    after: str | None = None
    before: str | None = None


class ColumnKind(StrEnum):
    """The kind of a column's values, by which they are shown and exported."""

    TEXT = "text"
    LONG = "long"
    NUMBER = "number"
    DATE = "date"


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column; `value(row)` is a text, a number, an instant, a day or None.

    `title` is a text key. `say(texts, row)` gives the value where it takes several texts.
    `sort` is a never-null expression by which the list can be sorted.
    `words` turns values into text keys: `bank.state` makes `bank.state.live` of `live`. `address`
    makes the cell a link below /console, `badge` names the kind of badge (plain, good, mind, bad).
    Columns with `shown=False` appear when an organizer chooses them, and in full exports. One whose
    `when(uow, organizer, query)` is false would be empty, and is left out of the list and exports.
    `decimals` is the number of decimals of a number in the list; exports have the exact value.
    """

    name: str
    title: str
    value: Callable[[Any], object]
    kind: ColumnKind = ColumnKind.TEXT
    sort: ColumnElement[Any] | Any | None = None
    words: str | None = None
    say: Callable[[Texts, Any], str] | None = None
    address: Callable[[Any], str | None] | None = None
    badge: Callable[[Any], str] | None = None
    shown: bool = True
    when: Callable[[UnitOfWork, Organizer, Any], bool] | None = None
    decimals: int | None = None


class FilterKind(StrEnum):
    """The control of a filter."""

    SEARCH = "search"
    CHOICE = "choice"
    DATE = "date"


@dataclass(frozen=True, kw_only=True)
class Filter:
    """One filter; `name` is a field of the table's query type, `title` a text key.

    `choices` are pairs of value and text key; `options` reads pairs of value and text instead, for
    choices that are rows; `options_for` reads them for the present query. `hint` is a text key for
    the empty field of a search, `blank` for the choice without a value where it does not mean all.
    """

    name: str
    title: str
    kind: FilterKind = FilterKind.CHOICE
    choices: Sequence[tuple[str, str]] = ()
    options: Callable[[UnitOfWork, Organizer], Sequence[tuple[str, str]]] | None = None
    options_for: Callable[[UnitOfWork, Organizer, Any], Sequence[tuple[str, str]]] | None = None
    hint: str | None = None
    blank: str = "console.list.all"


@dataclass(frozen=True, kw_only=True)
class Table:
    """One list, declared once for its page and its exports.

    `path` is its page below /console; `title`, `empty` and `none_found` are text keys, `empty` says
    what the list will hold, `none_found` that nothing has the given filters.
    `select(uow, organizer, query)` is a statement restricted by `visible_to`,
    `writable_by` or `people_of` and by the filters, without order and limit. `key` is a unique
    integer column of it; it breaks ties of the sort order, so that paging neither repeats nor
    skips rows while others are inserted. `prepare` may replace a batch of rows by richer ones, in
    their order. `persons` tells that rows hold people's data; an export of it asks for a reason, as
    does one of more than 1,000 rows unless `free` (the question bank). `pick` is the value of a
    check box at the beginning of each row, for changes of several rows. `file_of` is the file that
    a row names, and `read_files(uow, names)` reads them, for exports with their files.
    """

    name: str
    path: str
    title: str
    empty: str
    columns: tuple[Column, ...]
    key: ColumnElement[int] | Any
    select: Callable[[UnitOfWork, Organizer, Any], Select[Any]]
    query: type[ListQuery] = ListQuery
    filters: tuple[Filter, ...] = ()
    sort: str = ""
    none_found: str = "console.list.none_found"
    prepare: Callable[[UnitOfWork, Sequence[Any]], Sequence[Any]] | None = None
    pick: Callable[[Any], str] | None = None
    file_of: Callable[[Any], str | None] | None = None
    read_files: Callable[[UnitOfWork, Collection[str]], Mapping[str, bytes]] | None = None
    persons: bool = False
    free: bool = False
    page_rows: int = PAGE_ROWS
    by_name: dict[str, Column] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        by_name = {column.name: column for column in self.columns}
        object.__setattr__(self, "by_name", by_name)
        known = set(self.query.__struct_fields__)
        unknown = [one.name for one in self.filters if one.name not in known]
        wanted = self.sort.lstrip("-")
        unsorted = wanted not in by_name or by_name[wanted].sort is None if wanted else False
        if len(by_name) != len(self.columns) or unknown or unsorted:
            raise ValueError(
                f"table {self.name}: names of columns are unique, filters are fields of the query"
                f" ({unknown}), and `sort` names a column that has one"
            )

    @property
    def default_columns(self) -> list[str]:
        """Names of the columns that are shown without a choice."""
        return [column.name for column in self.columns if column.shown]

    def asks_reason(self, rows: int) -> bool:
        """Whether an export of this many rows needs a reason."""
        return not self.free and (self.persons or rows > REASON_ROWS)


@dataclass(frozen=True, kw_only=True)
class Cell:
    """A shown value."""

    text: str
    kind: ColumnKind
    address: str | None = None
    badge: str | None = None


def show_cell(texts: Texts, column: Column, row: Any) -> Cell:
    """Return the value of a column in one row, in words."""
    value = read_value(texts, column, row)
    rounded = column.decimals is not None and isinstance(value, float)
    return Cell(
        text=f"{value:.{column.decimals}f}" if rounded else say_value(texts, column, value),
        kind=column.kind,
        address=column.address(row) if column.address is not None else None,
        badge=column.badge(row) if column.badge is not None and value is not None else None,
    )


def read_value(texts: Texts, column: Column, row: Any) -> object:
    """The value of a column in one row."""
    return column.value(row) if column.say is None else column.say(texts, row)


def say_value(texts: Texts, column: Column, value: object) -> str:
    """A value in words: texts for codes, Beijing time for instants, empty for None."""
    if value is None:
        return ""
    if column.words is not None:
        return texts.fill_text(f"{column.words}.{value}")
    if isinstance(value, datetime):
        return value.astimezone(BEIJING).strftime("%Y-%m-%d %H:%M")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float):
        return f"{value:.10g}"
    return str(value)
