"""Writers of exported lists: XLSX and CSV, in which no cell becomes a formula.

A text that begins like a formula stays a text. In XLSX the cell has the text type, and Excel's mark
for it (`quotePrefix`), so its value is unchanged. CSV has no types, so such a text gets a leading
apostrophe, which `restore_text` removes again at an import.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

import xlsxwriter

from server.base.clock import BEIJING

# Characters with which spreadsheet programs begin a formula, also in their full-width form.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
LONGEST_CELL = 32_767
MOST_SHEET_ROWS = 1_048_575
# Excel keeps 15 digits of a number; a longer one would change.
_MOST_DIGITS = 15
_WIDTHS = {"text": 18, "long": 50, "number": 10, "date": 17}

Value = str | int | float | datetime | date | None


@dataclass(frozen=True, kw_only=True)
class Notes:
    """A sheet of explanations: its title, and pairs of a column and what to write there."""

    title: str
    lines: Sequence[tuple[str, str]]


@dataclass(frozen=True, kw_only=True)
class ExportSheet:
    """A table of a file: its title, pairs of title and kind of column, and its rows."""

    title: str
    heads: Sequence[tuple[str, str]]
    rows: Iterable[Sequence[Value]]


class ExportFormat(StrEnum):
    """The format of an exported list; ZIP is an XLSX beside the files that its rows name."""

    XLSX = "xlsx"
    CSV = "csv"
    ZIP = "zip"

    @property
    def media(self) -> str:
        """The content type of the file."""
        if self is ExportFormat.CSV:
            return "text/csv; charset=utf-8"
        if self is ExportFormat.ZIP:
            return "application/zip"
        return "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def neutralise_text(text: str) -> str:
    """A text for CSV that no spreadsheet program takes for a formula."""
    # A text that has the apostrophe already gets a second one, so that both stay distinct.
    return f"'{text}" if text.lstrip("'").startswith(FORMULA_STARTS) else text


def restore_text(text: str) -> str:
    """The original of a text that `neutralise_text` returned."""
    marked = text.startswith("'") and text.lstrip("'").startswith(FORMULA_STARTS)
    return text[1:] if marked else text


def write_export(
    kind: ExportFormat,
    sheet: str,
    heads: Sequence[tuple[str, str]],
    rows: Iterable[Sequence[Value]],
) -> tuple[bytes, int]:
    """Write a sheet; return it and its number of rows.

    ZIP writes the XLSX for `pack_files`. `heads` are pairs of title and kind of column (text, long,
    number, date).
    Raises: ValueError for more rows than an XLSX sheet can hold.
    """
    if kind is ExportFormat.CSV:
        return _write_csv(heads, rows)
    return _write_xlsx([ExportSheet(title=sheet, heads=heads, rows=rows)])


def write_template(
    kind: ExportFormat,
    sheet: str,
    heads: Sequence[tuple[str, str]],
    rows: Iterable[Sequence[Value]],
    notes: Notes,
) -> bytes:
    """Write an example file of an import: XLSX has the notes on a second sheet, CSV has none."""
    if kind is ExportFormat.CSV:
        return _write_csv(heads, rows)[0]
    return _write_xlsx([ExportSheet(title=sheet, heads=heads, rows=rows)], notes)[0]


def write_workbook(sheets: Sequence[ExportSheet], notes: Notes) -> bytes:
    """Write an XLSX with a sheet for each table, and the notes on the last sheet."""
    return _write_xlsx(sheets, notes)[0]


def pack_files(sheet: str, content: bytes, files: Mapping[str, bytes]) -> bytes:
    """A ZIP of an XLSX called `sheet` and the files that it names."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as packed:
        packed.writestr(f"{sheet}.{ExportFormat.XLSX.value}", content)
        for name, one in sorted(files.items()):
            packed.writestr(name, one)
    return made.getvalue()


def _write_csv(
    heads: Sequence[tuple[str, str]], rows: Iterable[Sequence[Value]]
) -> tuple[bytes, int]:
    made = io.StringIO(newline="")
    writer = csv.writer(made)
    writer.writerow([neutralise_text(title) for title, _ in heads])
    count = 0
    for row in rows:
        count += 1
        writer.writerow([_plain_value(value) for value in row])
    # Excel recognises UTF-8 only by its byte order mark.
    return made.getvalue().encode("utf-8-sig"), count


def _plain_value(value: Value) -> str | int | float:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.astimezone(BEIJING).strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, date):
        return value.isoformat()
    return neutralise_text(value) if isinstance(value, str) else value


def _write_xlsx(sheets: Sequence[ExportSheet], notes: Notes | None = None) -> tuple[bytes, int]:
    made = io.BytesIO()
    book = xlsxwriter.Workbook(
        made,
        {
            "constant_memory": True,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
            "nan_inf_to_errors": True,
        },
    )
    formats = {
        "head": book.add_format({"bold": True, "num_format": "@", "bottom": 1}),
        "text": book.add_format({"num_format": "@"}),
        "quoted": book.add_format({"num_format": "@", "quote_prefix": True}),
        "date": book.add_format({"num_format": "yyyy-mm-dd hh:mm"}),
        "day": book.add_format({"num_format": "yyyy-mm-dd"}),
    }
    count = sum(
        _write_sheet(book.add_worksheet(_sheet_name(one.title)), one, formats) for one in sheets
    )
    if notes is not None:
        _write_notes(book.add_worksheet(_sheet_name(notes.title)), notes, formats)
    book.close()
    return made.getvalue(), count


def _write_sheet(
    page: xlsxwriter.worksheet.Worksheet, sheet: ExportSheet, formats: dict[str, object]
) -> int:
    """Write the rows of a table; return their number."""
    for at, (_, kind) in enumerate(sheet.heads):
        page.set_column(at, at, _WIDTHS[kind])
    page.freeze_panes(1, 0)
    for at, (title, _) in enumerate(sheet.heads):
        page.write_string(0, at, title, formats["head"])
    count = 0
    for count, row in enumerate(sheet.rows, start=1):
        if count > MOST_SHEET_ROWS:
            raise ValueError("more rows than a sheet can hold")
        for at, value in enumerate(row):
            _write_cell(page, count, at, value, formats)
    return count


def _write_notes(
    page: xlsxwriter.worksheet.Worksheet, notes: Notes, formats: Mapping[str, object]
) -> None:
    page.set_column(0, 0, _WIDTHS["text"])
    page.set_column(1, 1, 2 * _WIDTHS["long"])
    for at, (name, words) in enumerate(notes.lines):
        page.write_string(at, 0, name, formats["head"])
        page.write_string(at, 1, words, formats["text"])


def _write_cell(
    page: xlsxwriter.worksheet.Worksheet,
    row: int,
    at: int,
    value: Value,
    formats: dict[str, object],
) -> None:
    if value is None or value == "":
        return
    if isinstance(value, datetime):
        local = value.astimezone(BEIJING).replace(tzinfo=None)
        page.write_datetime(row, at, local, formats["date"])
    elif isinstance(value, date):
        page.write_datetime(row, at, value, formats["day"])
    elif isinstance(value, str):
        style = "quoted" if value.startswith(FORMULA_STARTS) else "text"
        page.write_string(row, at, value[:LONGEST_CELL], formats[style])
    elif abs(value) >= 10**_MOST_DIGITS:
        page.write_string(row, at, str(value), formats["text"])
    else:
        page.write_number(row, at, value)


def _sheet_name(title: str) -> str:
    kept = "".join(letter for letter in title if letter not in "[]:*?/\\'")
    return kept[:31] or "1"
