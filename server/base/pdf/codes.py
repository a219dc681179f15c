"""QR codes as bars, for documents that are drawn without a picture."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import segno

from server.base.pdf.document import PdfDocument

_BLACK = (0, 0, 0)


def dark_bars(text: str) -> tuple[int, list[tuple[int, int, int]]]:
    """The side of a text's QR code in modules, and its dark bars as row, first and last module + 1.

    Dark modules of a row that touch are one bar.
    """
    rows = segno.make_qr(text, error="m").matrix
    return len(rows), [(number, *bar) for number, row in enumerate(rows) for bar in _bars_of(row)]


def draw_code(document: PdfDocument, text: str, corner: tuple[float, float], side: float) -> None:
    """Draw a QR code without a border; `corner` is the upper left one.

    Units: points. The caller leaves four modules of white around it.
    """
    count, bars = dark_bars(text)
    module = side / count
    left, top = corner
    for row, start, end in bars:
        x, y, right = left + start * module, top + row * module, left + end * module
        corners = [(x, y), (right, y), (right, y + module), (x, y + module)]
        document.add_polygon(corners, fill=_BLACK)


def _bars_of(row: bytes | bytearray) -> Iterator[tuple[int, int]]:
    edges = [0, *(at + 1 for at, (one, next_one) in enumerate(pairwise(row)) if one != next_one)]
    for start, end in pairwise([*edges, len(row)]):
        if row[start]:
            yield start, end
