"""The additional pages of every list: its export, its columns and its saved filters."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime
from typing import Any
from urllib.parse import parse_qsl

from wtforms import HiddenField, RadioField, SelectMultipleField, StringField
from wtforms.fields import SelectChoice
from wtforms.validators import Length

from server.base.access import Organizer, Permission
from server.base.clock import beijing_day
from server.base.errors import Invalid
from server.base.jobs import TaskContext
from server.base.ownership import guard_session
from server.base.texts import Texts
from server.base.uow import UnitOfWork
from server.base.web.page import Download, FieldRefused, Note, Page, Pages, Redirect, page
from server.base.web.schema import decode_query
from server.console.exports import ExportFormat, Value, pack_files, write_export
from server.console.forms import ConsoleForm, format_field, reason_field
from server.console.list_paging import MOST_COUNTED, count_rows, iterate_rows
from server.console.list_views import (
    choose_columns,
    chosen_columns,
    clean_query,
    drop_filter,
    keep_filled,
    read_table,
    save_filter,
    spell_query,
)
from server.console.long_jobs import JobResult, JobRun, LongJob, start_job
from server.console.tables import (
    Column,
    ColumnKind,
    FilterKind,
    ListQuery,
    Table,
    read_value,
    say_value,
)

# A longer list is exported in the background.
INSTANT_ROWS = 2000
# The declared lists by name, for exports in the background.
_EXPORTED: dict[str, Table] = {}
_TITLE = 40


class ExportForm(ConsoleForm):
    """Form for an export: format, columns and reason; the page sets the choices."""

    file_format = format_field(ExportFormat.XLSX, ExportFormat.CSV, ExportFormat.ZIP)
    every_column = RadioField(
        "console.export.columns", choices=[SelectChoice(""), SelectChoice("all")], default=""
    )
    # Required where the list holds persons or many rows.
    reason = reason_field("console.export.reason", "console.export.reason_hint", required=False)


class ViewForm(ConsoleForm):
    """Form for a change of one's view of a list; `act` is columns, reset, save or delete."""

    act = HiddenField("console.list.columns")
    back = HiddenField("console.list.columns")
    ref = HiddenField("console.list.columns")
    columns = SelectMultipleField("console.list.columns", choices=[], validate_choice=False)
    title = StringField(
        "console.list.filter_title",
        validators=[Length(max=_TITLE, message="console.list.filter_title_long")],
    )


def find_title(name: str) -> str | None:
    """The text key of a list's title by the name of its table; None for an unknown one."""
    table = _EXPORTED.get(name)
    return None if table is None else table.title


def declare_list_pages(pages: Pages, table: Table, *, needs: Permission) -> None:
    """Declare the pages for export, columns and saved filters of a list below its own path."""
    if _EXPORTED.setdefault(table.name, table) is not table:
        raise ValueError(f"two lists have the name {table.name}")
    label = table.name.replace(".", "_")
    export, view = f"{table.path}/export", f"{table.path}/view"
    declared: Sequence[tuple[str, str, str, Callable[..., Any], dict[str, Any]]] = (
        ("GET", export, f"ask_export_{label}", _export_page(table), {"form": ExportForm}),
        ("POST", export, f"export_{label}", _export_act(table), {"form": ExportForm}),
        ("GET", view, f"show_view_{label}", _view_page(table), {"form": ViewForm}),
        ("POST", view, f"change_view_{label}", _view_act(table), {"form": ViewForm}),
    )
    for method, path, name, function, given in declared:
        function.__name__ = name
        page(pages, method, path, needs=needs, query=table.query, **given)(function)


def _export_page(table: Table) -> Callable[..., Page]:
    def ask_export(
        uow: UnitOfWork, organizer: Organizer, query: ListQuery, form: ExportForm
    ) -> Page:
        """Ask for the format, and for a reason where one is needed."""
        rows = count_rows(uow, table.select(uow, organizer, query))
        chosen = chosen_columns(uow, organizer.id, table)
        shown = len(keep_filled(uow, organizer, table, query, chosen))
        every = len(keep_filled(uow, organizer, table, query, list(table.by_name)))
        form.every_column.choices = [
            SelectChoice("", uow.texts.fill_text("console.export.shown_columns", count=shown)),
            SelectChoice("all", uow.texts.fill_text("console.export.all_columns", count=every)),
        ]
        _name_formats(uow.texts, table, form)
        spelled = spell_query(query, {"after": None, "before": None})
        return Page(
            "console/export.html",
            table=table,
            form=form,
            rows=rows,
            counted_all=rows <= MOST_COUNTED,
            asks_reason=table.asks_reason(rows),
            query_string=spelled,
        )

    return ask_export


def _name_formats(texts: Texts, table: Table, form: ExportForm) -> None:
    """Offer a ZIP only where rows have files."""
    first = form.file_format.choices[:2]
    if table.read_files is not None:
        words = texts.fill_text("console.export.with_files")
        first = [*first, SelectChoice(ExportFormat.ZIP.value, words)]
    form.file_format.choices = first


def _export_act(table: Table) -> Callable[..., Download | Redirect]:
    def export_list(
        uow: UnitOfWork, organizer: Organizer, query: ListQuery, form: ExportForm
    ) -> Download | Redirect:
        """Write the rows of the filtered list into a file."""
        reason = form.reason.data
        rows = count_rows(uow, table.select(uow, organizer, query))
        if table.asks_reason(rows) and not reason:
            raise FieldRefused("reason", "console.form.reason_missing")
        kind = ExportFormat(form.file_format.data)
        if kind is ExportFormat.ZIP and table.read_files is None:
            raise FieldRefused("file_format", "console.form.no_choice")
        every = form.every_column.data == "all" or kind is ExportFormat.ZIP
        names = list(table.by_name) if every else chosen_columns(uow, organizer.id, table)
        note = _export_note(table, query, kind, rows, reason)
        if rows > INSTANT_ROWS:
            spelled = {"table": table.name, "columns": names, "format": kind.value}
            given = {**spelled, "query": spell_query(query, {})}
            title = {"list": uow.texts.fill_text(table.title)}
            ref = start_job(uow, organizer, EXPORT_JOB, given, title_facts=title)
            return Redirect(f"/jobs/{ref}", note=note)
        content, _ = export_rows(uow, organizer, table, query, names, kind)
        name = name_file(uow, table, kind)
        return Download(file_name=name, media=kind.media, content=content, note=note)

    return export_list


def _export_note(
    table: Table, query: ListQuery, kind: ExportFormat, rows: int, reason: str
) -> Note:
    counted = rows if rows <= MOST_COUNTED else f">{MOST_COUNTED}"
    facts = {"list": table.name, "rows": counted, "format": kind.value}
    return Note(
        act="console.export_list",
        facts={**facts, "filter": _noted_filter(table, query)},
        reason=reason,
    )


def _run_export(context: TaskContext, job: JobRun) -> JobResult:
    """Write the file of a long list, with the scope that the organizer had at its start."""
    given = job.arguments
    table, kind = _EXPORTED[given["table"]], ExportFormat(given["format"])
    query = decode_query(dict(parse_qsl(given["query"])), table.query)
    with context.uow_factory.begin(read_only=True) as uow:
        guard_session(uow.session, job.organizer)
        content, count = export_rows(uow, job.organizer, table, query, given["columns"], kind)
        name = name_file(uow, table, kind)
    return JobResult(
        said="console.export.done",
        facts={"count": count},
        file_name=name,
        media=kind.media,
        content=content,
    )


EXPORT_JOB = LongJob(
    name="console.export_list", title="console.export.title", run=_run_export, cancellable=True
)


def _noted_filter(table: Table, query: ListQuery) -> str:
    """The filter as the audit trail keeps it: what was searched for may be a person's name."""
    searched = {one.name: "*" for one in table.filters if one.kind is FilterKind.SEARCH}
    hidden = {name: star for name, star in searched.items() if getattr(query, name)}
    return spell_query(query, {"after": None, "before": None, **hidden})


def export_rows(
    uow: UnitOfWork,
    organizer: Organizer,
    table: Table,
    query: ListQuery,
    names: Sequence[str],
    kind: ExportFormat,
) -> tuple[bytes, int]:
    """Write all rows that the organizer may see into a file; return it and their number."""
    columns = keep_filled(uow, organizer, table, query, names)
    rows = iterate_rows(uow, table, table.select(uow, organizer, query), query.sort)
    heads = [(uow.texts.fill_text(column.title), column.kind.value) for column in columns]
    title, files = uow.texts.fill_text(table.title), set[str]()

    def list_values() -> Iterator[Sequence[Value]]:
        for row in rows:
            file = table.file_of(row) if table.file_of is not None else None
            files.update([file] if file is not None else [])
            yield [export_value(uow.texts, column, row) for column in columns]

    content, count = write_export(kind, title, heads, list_values())
    if kind is ExportFormat.ZIP and table.read_files is not None:
        content = pack_files(title, content, table.read_files(uow, files))
    return content, count


def export_value(texts: Texts, column: Column, row: Any) -> Value:
    """A value for an export: numbers and dates keep their type, codes are replaced by texts."""
    value = read_value(texts, column, row)
    keeps = isinstance(value, datetime | date) or column.kind is ColumnKind.NUMBER
    if value is None or (keeps and column.words is None and isinstance(value, Value)):
        return value
    return say_value(texts, column, value)


def name_file(uow: UnitOfWork, table: Table, kind: ExportFormat) -> str:
    """The name of an exported file: title and day."""
    day = beijing_day(uow.now).strftime("%Y%m%d")
    return f"{uow.texts.fill_text(table.title)}_{day}.{kind.value}"


def _view_page(table: Table) -> Callable[..., Page]:
    def show_view(uow: UnitOfWork, organizer: Organizer, query: ListQuery, form: ViewForm) -> Page:
        """Show the columns and saved filters of a list as a page of their own."""
        shown = read_table(uow, organizer, table, query)
        return Page("console/list_view.html", shown=shown, form=form)

    return show_view


def _view_act(table: Table) -> Callable[..., Redirect]:
    def change_view(
        uow: UnitOfWork, organizer: Organizer, query: ListQuery, form: ViewForm
    ) -> Redirect:
        """Store the columns or a filter of this organizer's own view."""
        said = _change_view(uow, organizer.id, table, form)
        spelled = clean_query(table, form.back.data or spell_query(query, {}))
        return Redirect(f"{table.path}?{spelled}" if spelled else table.path, said=said)

    return change_view


def _change_view(uow: UnitOfWork, organizer_id: int, table: Table, form: ViewForm) -> str:
    act, title = form.act.data, (form.title.data or "").strip()
    if act == "columns":
        choose_columns(uow, organizer_id, table, form.columns.data or [])
        return "console.list.columns_kept"
    if act == "reset":
        choose_columns(uow, organizer_id, table, [])
        return "console.list.columns_kept"
    if act == "delete":
        drop_filter(uow, organizer_id, table, form.ref.data or "")
        return "console.list.filter_dropped"
    if act != "save":
        raise Invalid((("body", "act"), "unknown"))
    if not title:
        raise FieldRefused("title", "console.list.filter_title_missing")
    if not save_filter(uow, organizer_id, table, title, form.back.data or ""):
        raise FieldRefused("title", "console.list.filters_full")
    return "console.list.filter_kept"
