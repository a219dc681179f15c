"""The data of a list's page: heads, cells, filters, pager, and the organizer's own choices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode

import msgspec
from sqlalchemy import delete, select

from server.base.access import Organizer
from server.base.errors import NotFound
from server.base.uow import UnitOfWork
from server.console.form_session import PREFIX
from server.console.list_paging import MOST_COUNTED, count_rows, order_of, read_rows_page
from server.console.models import ConsoleView
from server.console.tables import Cell, Column, Filter, ListQuery, Table, show_cell

_PAGING = ("after", "before")
MOST_SAVED = 20


@dataclass(frozen=True, kw_only=True)
class Head:
    """The head of a column; `sort_address` is empty when the list is not sorted by it."""

    name: str
    title: str
    kind: str
    sort_address: str
    direction: str


@dataclass(frozen=True, kw_only=True)
class FilterView:
    """A filter with its choices and its present value."""

    declared: Filter
    choices: Sequence[tuple[str, str]]
    value: str


@dataclass(frozen=True, kw_only=True)
class ListRow:
    """The cells of a row; `pick` is the value of its check box, empty without one."""

    cells: list[Cell]
    pick: str


@dataclass(frozen=True, kw_only=True)
class TableView:
    """One page of a list, ready for the template."""

    table: Table
    heads: list[Head]
    rows: list[ListRow]
    filters: list[FilterView]
    count: int
    newer: str | None
    older: str | None
    query_string: str
    sort: str
    chosen: list[str]
    saved: list[tuple[str, str, str]] = field(default_factory=list)

    @property
    def address(self) -> str:
        """The list without filters."""
        return PREFIX + self.table.path

    @property
    def counted_all(self) -> bool:
        """Whether `count` is the number of all rows, not only as far as was counted."""
        return self.count <= MOST_COUNTED

    @property
    def is_filtered(self) -> bool:
        """Whether a filter is set."""
        return any(one.value for one in self.filters)

    @property
    def export_address(self) -> str:
        """The page that exports these rows."""
        return f"{self.address}/export{'?' if self.query_string else ''}{self.query_string}"


def read_table(uow: UnitOfWork, organizer: Organizer, table: Table, query: ListQuery) -> TableView:
    """Read one page of a list for its template.

    Raises: Invalid (422) for an unreadable cursor.
    """
    statement = table.select(uow, organizer, query)
    page = read_rows_page(uow, table, statement, query)
    chosen = chosen_columns(uow, organizer.id, table)
    columns = keep_filled(uow, organizer, table, query, chosen)
    texts = uow.texts
    return TableView(
        table=table,
        heads=[_head_of(table, query, column) for column in columns],
        rows=[
            ListRow(
                cells=[show_cell(texts, column, row) for column in columns],
                pick="" if table.pick is None else table.pick(row),
            )
            for row in page.rows
        ],
        filters=[_filter_view(uow, organizer, one, query) for one in table.filters],
        count=count_rows(uow, statement),
        newer=_page_address(table, query, "before", page.before),
        older=_page_address(table, query, "after", page.after),
        query_string=spell_query(query, dict.fromkeys(_PAGING)),
        sort=query.sort or "",
        chosen=chosen,
        saved=_saved_filters(uow, organizer.id, table),
    )


def spell_query(query: ListQuery, changes: Mapping[str, str | None]) -> str:
    """The query string of a list with some parameters changed; those without a value left out."""
    given = {**msgspec.to_builtins(query), **changes}
    return urlencode({name: value for name, value in given.items() if value not in (None, "")})


def clean_query(table: Table, text: str) -> str:
    """A query string reduced to the parameters of this list, without cursors."""
    known = set(table.query.__struct_fields__) - set(_PAGING)
    return urlencode([(name, value) for name, value in parse_qsl(text) if name in known and value])


def chosen_columns(uow: UnitOfWork, organizer_id: int, table: Table) -> list[str]:
    """Names of the columns that an organizer sees, in the order of the declaration."""
    row = _view_row(uow, organizer_id, table, "")
    wanted = table.default_columns if row is None else row.columns
    kept = [column.name for column in table.columns if column.name in wanted]
    return kept or table.default_columns


def keep_filled(
    uow: UnitOfWork, organizer: Organizer, table: Table, query: ListQuery, names: Sequence[str]
) -> list[Column]:
    """Return the named columns without those that are empty for this query."""
    columns = [table.by_name[name] for name in names]
    return [one for one in columns if one.when is None or one.when(uow, organizer, query)]


def choose_columns(uow: UnitOfWork, organizer_id: int, table: Table, names: Sequence[str]) -> None:
    """Store which columns an organizer wants to see; none restores the default."""
    row = _view_row(uow, organizer_id, table, "")
    kept = [column.name for column in table.columns if column.name in names]
    if row is None:
        row = _new_view(uow, organizer_id, table, "")
    row.columns = kept or table.default_columns


def save_filter(
    uow: UnitOfWork, organizer_id: int, table: Table, title: str, query_string: str
) -> bool:
    """Store a filter under a title, replacing one of that title; False when there are too many."""
    row = _view_row(uow, organizer_id, table, title)
    if row is None:
        if len(_saved_filters(uow, organizer_id, table)) >= MOST_SAVED:
            return False
        row = _new_view(uow, organizer_id, table, title)
    row.filter_query = clean_query(table, query_string)
    return True


def drop_filter(uow: UnitOfWork, organizer_id: int, table: Table, ref: str) -> None:
    """Delete a saved filter. Raises: NotFound (404) for another organizer's."""
    own = (ConsoleView.organizer == organizer_id, ConsoleView.list_slug == table.name)
    gone = uow.session.execute(
        delete(ConsoleView).where(*own, ConsoleView.ref == ref).returning(ConsoleView.id)
    )
    if not gone.all():
        raise NotFound


def forget_views(uow: UnitOfWork, organizer_id: int) -> None:
    """Delete all choices and saved filters of an organizer who has left."""
    uow.session.execute(delete(ConsoleView).where(ConsoleView.organizer == organizer_id))


def _view_row(uow: UnitOfWork, organizer_id: int, table: Table, title: str) -> ConsoleView | None:
    return uow.session.scalar(
        select(ConsoleView).where(
            ConsoleView.organizer == organizer_id,
            ConsoleView.list_slug == table.name,
            ConsoleView.title == title,
        )
    )


def _new_view(uow: UnitOfWork, organizer_id: int, table: Table, title: str) -> ConsoleView:
    row = ConsoleView(
        ref=uow.new_ref("cvw"), organizer=organizer_id, list_slug=table.name, title=title,
        columns=[], filter_query="", created_at=uow.now,
    )  # fmt: skip
    uow.session.add(row)
    return row


def _saved_filters(uow: UnitOfWork, organizer_id: int, table: Table) -> list[tuple[str, str, str]]:
    """Ref, title and address of each saved filter."""
    rows = uow.session.scalars(
        select(ConsoleView)
        .where(
            ConsoleView.organizer == organizer_id,
            ConsoleView.list_slug == table.name,
            ConsoleView.title != "",
        )
        .order_by(ConsoleView.id)
    )
    return [(row.ref, row.title, f"{PREFIX}{table.path}?{row.filter_query}") for row in rows]


def _head_of(table: Table, query: ListQuery, column: Column) -> Head:
    order = order_of(table, query.sort)
    here = column.name == order.name
    address, direction = "", ""
    if column.sort is not None:
        wanted = f"-{column.name}" if here and not order.descending else column.name
        spelled = spell_query(query, {"sort": wanted, "after": None, "before": None})
        address = f"{PREFIX}{table.path}?{spelled}"
    if here:
        direction = "descending" if order.descending else "ascending"
    return Head(
        name=column.name, title=column.title, kind=column.kind.value, sort_address=address,
        direction=direction,
    )  # fmt: skip


def _filter_view(
    uow: UnitOfWork, organizer: Organizer, one: Filter, query: ListQuery
) -> FilterView:
    given: Any = msgspec.to_builtins(getattr(query, one.name))
    choices = [(value, uow.texts.fill_text(key)) for value, key in one.choices]
    if one.options is not None:
        choices = list(one.options(uow, organizer))
    if one.options_for is not None:
        choices = list(one.options_for(uow, organizer, query))
    return FilterView(declared=one, choices=choices, value="" if given is None else str(given))


def _page_address(table: Table, query: ListQuery, name: str, cursor: str | None) -> str | None:
    if cursor is None:
        return None
    changes = {"after": None, "before": None, name: cursor}
    return f"{PREFIX}{table.path}?{spell_query(query, changes)}"
