"""Reads .xlsx workbooks; refuses file bombs before anything is unpacked.

The archive's own sizes are checked first. Then the needed members are unpacked within these sizes
and stored in a new archive, so that the parser never sees an archive with wrong sizes.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, SheetTypeEnum

from server.console.sheets.grids import MIB, MOST_BYTES, Grid, Row, limit_rows
from server.console.sheets.reasons import FileRefused

MOST_UNPACKED = 20 * MIB
MOST_RATIO = 100
_MOST_MEMBERS = 2_000
# The parser allocates every cell of the rectangle around the used cells.
_MOST_CELLS = 5_000_000
# Row and column numbers of cells; the parser accepts any prefix of the elements.
_CELL = re.compile(rb"""\br\s*=\s*["']([A-Za-z]{0,4})([0-9]{1,9})["']""")
_CONTENT = re.compile(r"(?i)(\[Content_Types\]\.xml|.*\.rels|xl/(?!media/).*\.xml)")
_SHEET = re.compile(r"(?i)xl/worksheets/[^/]*\.xml")


def unpack_workbook(raw: bytes) -> bytes:
    """An uncompressed copy of the workbook's text members.

    Raises: FileRefused.
    """
    if len(raw) > MOST_BYTES:
        raise FileRefused("too_large", most=MOST_BYTES // MIB)
    made = io.BytesIO()
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as packed, zipfile.ZipFile(made, "w") as plain:
            members = packed.infolist()
            _check_sizes(members, len(raw))
            _check_kind([member.filename for member in members])
            for member in members:
                if _CONTENT.fullmatch(member.filename):
                    content = packed.read(member)
                    _check_extent(member.filename, content)
                    plain.writestr(member.filename, content)
    except (
        zipfile.BadZipFile,
        zlib.error,
        RuntimeError,
        NotImplementedError,
        EOFError,
        ValueError,
    ):
        # RuntimeError: a password. NotImplementedError: an unusual compression.
        raise FileRefused("workbook_broken") from None
    return made.getvalue()


def _check_sizes(members: list[zipfile.ZipInfo], packed: int) -> None:
    unpacked = sum(member.file_size for member in members)
    if unpacked > MOST_UNPACKED or len(members) > _MOST_MEMBERS:
        raise FileRefused("unpacks_too_large", most=MOST_UNPACKED // MIB)
    if unpacked > packed * MOST_RATIO:
        raise FileRefused("packed_too_tightly", most=MOST_RATIO)


def _check_kind(names: list[str]) -> None:
    if any(name.startswith("word/") for name in names):
        raise FileRefused("word_document")
    if not any(_SHEET.fullmatch(name) for name in names):
        raise FileRefused("other_archive")


def _check_extent(name: str, content: bytes) -> None:
    """Refuse a few cells far apart, for which the parser would allocate everything between."""
    if not _SHEET.fullmatch(name):
        return
    rows = columns = 0
    for letters, number in _CELL.findall(content):
        rows = max(rows, int(number))
        columns = max(columns, _column_number(letters))
    if rows * columns > _MOST_CELLS:
        raise FileRefused("too_wide", rows=rows, columns=columns)


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - 64
    return number


def has_pictures(raw: bytes) -> bool:
    """Whether a readable workbook contains pictures."""
    with zipfile.ZipFile(io.BytesIO(raw)) as packed:
        return any(name.startswith("xl/media/") for name in packed.namelist())


def read_workbook(raw: bytes) -> list[Grid]:
    """The visible and hidden worksheets with content, in their order.

    Raises: FileRefused.
    """
    plain = unpack_workbook(raw)
    try:
        with CalamineWorkbook.from_filelike(io.BytesIO(plain)) as book:
            names = [one.name for one in book.sheets_metadata if one.typ is SheetTypeEnum.WorkSheet]
            grids = [_read_sheet(book.get_sheet_by_name(name)) for name in names]
    except (CalamineError, ValueError, OSError):
        raise FileRefused("workbook_broken") from None
    return [grid for grid in grids if grid.rows]


def _read_sheet(sheet: CalamineSheet) -> Grid:
    table: list[list[object]] = [list(row) for row in sheet.to_python(skip_empty_area=False)]
    _fill_merged(table, sheet.merged_cell_ranges or [])
    dates = frozenset(
        (at + 1, column)
        for at, row in enumerate(table)
        for column, cell in enumerate(row)
        if isinstance(cell, date | time | timedelta)
    )
    return Grid(name=sheet.name, rows=limit_rows(_spell_rows(table)), dates=dates)


def _fill_merged(
    table: list[list[object]], merged: list[tuple[tuple[int, int], tuple[int, int]]]
) -> None:
    """Repeat the value of a merged cell down its first column, as a reader understands it."""
    for (top, left), (bottom, _right) in merged:
        if top >= len(table) or left >= len(table[top]):
            continue
        for row in table[top + 1 : bottom + 1]:
            row[left] = table[top][left]


def _spell_rows(table: list[list[object]]) -> Iterator[Row]:
    for at, row in enumerate(table):
        cells = [_spell_cell(cell) for cell in row]
        while cells and not cells[-1]:
            cells.pop()
        if cells:
            yield at + 1, cells


def _spell_cell(cell: object) -> str:
    """A cell as a person sees it: `3` for the number 3.0."""
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else f"{cell:.15g}"
    if isinstance(cell, datetime):
        bare = cell.time() == time()
        return cell.date().isoformat() if bare else cell.isoformat(" ", timespec="minutes")
    return str(cell).strip()
