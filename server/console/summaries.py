"""Export of tables that a page computes: all of them as one workbook, or one of them.

Lists of rows are exported by `declare_list_pages` (list_pages.py); this is for the few tables of a
page that no statement selects. The page declares the routes, so that its address has its object.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from wtforms import RadioField
from wtforms.fields import SelectChoice

from server.base.texts import Texts
from server.base.web.page import Download, FieldRefused, Note
from server.console.exports import ExportFormat, ExportSheet, Notes, write_export, write_workbook
from server.console.forms import ConsoleForm, format_field, reason_field
from server.console.tables import REASON_ROWS

_ALL = "all"


@dataclass(frozen=True, kw_only=True)
class SummaryTable:
    """One table: the name by which the form chooses it, and its rows as a list."""

    name: str
    sheet: ExportSheet
    count: int


@dataclass(frozen=True, kw_only=True)
class SummaryFile:
    """The file of an export: the beginning of its name, its notes, and the act that is recorded."""

    title: str
    notes: Notes
    act: str
    facts: Mapping[str, str | int]


class SummaryForm(ConsoleForm):
    """The chosen table and format of an export; the page sets the choices of tables."""

    table = RadioField(
        "console.summary.table", choices=[SelectChoice(_ALL)], default=_ALL, validate_choice=False
    )
    file_format = format_field(ExportFormat.XLSX, ExportFormat.CSV)
    # Required for many rows.
    reason = reason_field("console.export.reason", "console.export.reason_hint", required=False)


def offer_tables(texts: Texts, form: SummaryForm, tables: Sequence[SummaryTable]) -> None:
    """Set the choices of a form: every table together, then each."""
    form.table.choices = [
        SelectChoice(_ALL, texts.fill_text("console.summary.all")),
        *(SelectChoice(one.name, one.sheet.title) for one in tables),
    ]


def asks_reason(tables: Sequence[SummaryTable]) -> bool:
    """Whether an export of these tables needs a reason: by the rule for lists of as many rows."""
    return sum(one.count for one in tables) > REASON_ROWS


def export_tables(
    form: SummaryForm, tables: Sequence[SummaryTable], about: SummaryFile
) -> Download:
    """Write the chosen tables into a file, and record it.

    Raises: FieldRefused for an unknown table, all tables as CSV, or a missing reason.
    """
    kind = ExportFormat(form.file_format.data)
    chosen = [one for one in tables if form.table.data in (_ALL, one.name)]
    if not chosen:
        raise FieldRefused("table", "console.form.no_choice")
    if kind is ExportFormat.CSV and form.table.data == _ALL:
        raise FieldRefused("table", "console.summary.one_as_csv")
    if asks_reason(chosen) and not form.reason.data:
        raise FieldRefused("reason", "console.form.reason_missing")
    sheets = [one.sheet for one in chosen]
    if kind is ExportFormat.CSV:
        content, _ = write_export(kind, sheets[0].title, sheets[0].heads, sheets[0].rows)
    else:
        content = write_workbook(sheets, about.notes)
    titles = "、".join(one.title for one in sheets)
    name = about.title if form.table.data == _ALL else f"{about.title}_{titles}"
    facts: dict[str, str | int] = {
        "tables": titles,
        "rows": sum(one.count for one in chosen),
        "format": kind.value,
    }
    return Download(
        file_name=f"{name}.{kind.value}",
        media=kind.media,
        content=content,
        note=Note(act=about.act, facts={**about.facts, **facts}, reason=form.reason.data),
    )
