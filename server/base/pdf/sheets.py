"""Long tables on numbered A4 pages, and the folding of lines that they need.

The whole table is laid out before anything is drawn, because each page names the number of pages.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from server.base.characters import split_characters
from server.base.lettering import Face, drawable_text, fold_text
from server.base.pdf.document import A4_PORTRAIT, PdfDocument

MEDIA = "application/pdf"
# Stands for a character that the font does not have, as printers mark a missing type.
MISSING = "〓"
# Called with the number of drawn rows, and of all rows.
Report = Callable[[int, int], None]

# Units: points.
_WIDE, _HIGH = A4_PORTRAIT
_MARGIN, _FOOT = 34.0, 22.0
_TITLE_SIZE, _LINE_SIZE, _CELL_SIZE, _FOOT_SIZE = 16, 10, 11, 9
_LEADING = 1.35
_PAD_ACROSS, _PAD_DOWN = 4.0, 4.0
_LEAST_ROW, _GAP = 24.0, 6.0
_MOST_LINES = 3
_REPORT_ROWS = 200
_INK, _QUIET, _RULE, _SHADE = (20, 30, 25), (84, 96, 91), (150, 158, 153), (232, 238, 234)


class Align(StrEnum):
    """The alignment of a column's text."""

    LEFT = "left"
    CENTRE = "centre"


@dataclass(frozen=True, kw_only=True)
class SheetColumn:
    """A column: its heading, its share of the width, and the alignment of its text."""

    title: str
    share: float
    align: Align = Align.LEFT


@dataclass(frozen=True, kw_only=True)
class SheetHead:
    """The frame of each page: a title and lines above the table, and below it the page's number.

    `foot` has the places {page} and {pages}. `made_at` is the instant that the file names.
    """

    title: str
    lines: Sequence[str]
    foot: str
    made_at: datetime


@dataclass(frozen=True, kw_only=True)
class _SheetRow:
    cells: Sequence[Sequence[str]]
    high: float


class _Layout:
    """Positions of one table's columns."""

    def __init__(self, columns: Sequence[SheetColumn]) -> None:
        self.columns = columns
        whole = sum(column.share for column in columns)
        self.widths = [(_WIDE - 2 * _MARGIN) * column.share / whole for column in columns]

    def lay_out_row(self, texts: Sequence[str]) -> _SheetRow:
        cells = [
            fold_text(mark_missing(text), _CELL_SIZE, _MOST_LINES, wide=wide - 2 * _PAD_ACROSS)
            for text, wide in zip(texts, self.widths, strict=True)
        ]
        lines = max(len(cell) for cell in cells)
        high = lines * _CELL_SIZE * _LEADING + 2 * _PAD_DOWN
        return _SheetRow(cells=cells, high=max(_LEAST_ROW, high))


def draw_sheet(
    head: SheetHead,
    columns: Sequence[SheetColumn],
    rows: Sequence[Sequence[str]],
    report: Report,
) -> bytes:
    """Draw a table with its headings on every page; return the file.

    A long text takes up to three lines of its cell and then ends in an ellipsis. `report` is called
    from time to time, outside of any transaction.
    """
    layout = _Layout(columns)
    above = list(_fold_head(head))
    heading = layout.lay_out_row([column.title for column in columns])
    top = _MARGIN + sum(size * _LEADING for _, size in above) + _GAP + heading.high
    pages = list(_split_pages(map(layout.lay_out_row, rows), _HIGH - top - _MARGIN - _FOOT))
    drawn = 0
    with PdfDocument(A4_PORTRAIT, title=head.title, made_at=head.made_at) as document:
        for number, page in enumerate(pages, 1):
            if number > 1:
                document.start_page()
            y = write_lines(document, above, (_MARGIN, _MARGIN), _INK) + _GAP
            y = _draw_row(document, layout, heading, y, shaded=True)
            for row in page:
                y = _draw_row(document, layout, row, y)
                drawn += 1
                if drawn % _REPORT_ROWS == 0:
                    report(drawn, len(rows))
            _draw_foot(document, head.foot.format(page=number, pages=len(pages)))
        return document.finish_document()


def write_lines(
    document: PdfDocument,
    lines: Iterable[tuple[str, int]],
    corner: tuple[float, float],
    colour: tuple[int, int, int],
) -> float:
    """Write lines, each with its size, below each other; return where the next one begins."""
    left, y = corner
    for text, size in lines:
        document.add_text((left, y + size), text, face=Face.SANS, size=size, colour=colour)
        y += size * _LEADING
    return y


def _fold_head(head: SheetHead) -> Iterator[tuple[str, int]]:
    for text, size in ((head.title, _TITLE_SIZE), *((line, _LINE_SIZE) for line in head.lines)):
        for line in fold_text(mark_missing(text), size, 2, wide=_WIDE - 2 * _MARGIN):
            yield line, size


def _draw_foot(document: PdfDocument, text: str) -> None:
    left = (_WIDE - document.measure_text(text, face=Face.SANS, size=_FOOT_SIZE)) / 2
    write_lines(document, [(text, _FOOT_SIZE)], (left, _HIGH - _MARGIN - _FOOT_SIZE), _QUIET)


def mark_missing(text: str) -> str:
    """A text with a mark for each character that the font cannot show.

    On a list that is filled in by hand, a missing character of a name must be visible.
    """
    return "".join(
        one if one.isspace() or drawable_text(one) or _is_invisible(one) else MISSING
        for one in split_characters(unicodedata.normalize("NFC", text))
    )


def _is_invisible(character: str) -> bool:
    return all(unicodedata.category(part) in ("Cc", "Cf", "Mn") for part in character)


def _split_pages(rows: Iterator[_SheetRow], space: float) -> Iterator[list[_SheetRow]]:
    """The rows of each page; one empty page for no rows at all."""
    page: list[_SheetRow] = []
    used = 0.0
    for row in rows:
        if page and used + row.high > space:
            yield page
            page, used = [], 0.0
        page.append(row)
        used += row.high
    yield page


def _draw_row(
    document: PdfDocument, layout: _Layout, row: _SheetRow, top: float, *, shaded: bool = False
) -> float:
    """Draw the frames and texts of a row; return where the next one begins."""
    left = _MARGIN
    for cell, wide, column in zip(row.cells, layout.widths, layout.columns, strict=True):
        corners = [
            (left, top), (left + wide, top), (left + wide, top + row.high), (left, top + row.high)
        ]  # fmt: skip
        fill = _SHADE if shaded else None
        document.add_polygon(corners, fill=fill, line=_RULE, line_width=0.6)
        block = len(cell) * _CELL_SIZE * _LEADING
        y = top + (row.high - block) / 2
        for line in cell:
            x = left + _PAD_ACROSS
            if column.align is Align.CENTRE:
                taken = document.measure_text(line, face=Face.SANS, size=_CELL_SIZE)
                x = left + (wide - taken) / 2
            y = write_lines(document, [(line, _CELL_SIZE)], (x, y), _INK)
        left += wide
    return top + row.high
