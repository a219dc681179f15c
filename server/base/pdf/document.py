"""PDF documents: lines of text in embedded parts of the product's fonts, polygons, and pages.

Written by fpdf2. Text can be copied and searched. The same marks give the same bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Self

from fpdf import FPDF, ViewerPreferences
from fpdf.fonts import TTFFont

from server.base.lettering import Face, path_of_face

Colour = tuple[int, int, int]
A4_LANDSCAPE = (841.89, 595.28)
A4_PORTRAIT = (595.28, 841.89)
# Tables of vertical writing, which would be read and written for every document.
_UNUSED_TABLES = ("vhea", "vmtx", "VORG")


class PdfDocument:
    """A document; positions are points from the left and upper edge of the present page.

    A context manager, which closes the files of the fonts. `characters` may name all characters of
    the texts: a short document then takes less time and memory, because the other characters of the
    fonts are not looked up.
    """

    def __init__(
        self, size: tuple[float, float], *, title: str, made_at: datetime, characters: str = ""
    ) -> None:
        self._codes = sorted(map(ord, {*characters, " "})) if characters else None
        self._pdf = FPDF(unit="pt", format=size)
        self._pdf.set_title(title)
        self._pdf.set_lang("zh-CN")
        # The library would write the time of the system clock.
        self._pdf.set_creation_date(made_at)
        # Otherwise {nb} in a text, which may be a name, is measured as a number of pages.
        self._pdf.alias_nb_pages("")
        self._pdf.viewer_preferences = ViewerPreferences(display_doc_title=True)
        self._pdf.set_auto_page_break(False)
        self.start_page()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        for font in self._pdf.fonts.values():
            if isinstance(font, TTFFont):
                font.close()

    def start_page(self) -> None:
        """Add an empty page; the following marks are on it."""
        self._pdf.add_page()

    def add_text(
        self, at: tuple[float, float], text: str, *, face: Face, size: float, colour: Colour
    ) -> None:
        """Write one line; `at` is the left end of its base line.

        Characters that the font does not have are left out.
        """
        self._choose_font(face, size)
        self._pdf.set_text_color(colour)
        self._pdf.text(*at, text)

    def measure_text(self, text: str, *, face: Face, size: float) -> float:
        """The width of a line. Units: points."""
        self._choose_font(face, size)
        return self._pdf.get_string_width(text, normalized=True)

    def add_polygon(
        self,
        corners: Sequence[tuple[float, float]],
        *,
        fill: Colour | None = None,
        line: Colour | None = None,
        line_width: float = 1,
    ) -> None:
        """Draw a closed polygon, filled, outlined or both."""
        if fill is not None:
            self._pdf.set_fill_color(fill)
        if line is not None:
            self._pdf.set_draw_color(line)
            self._pdf.set_line_width(line_width)
        style = ("D" if line is not None else "") + ("F" if fill is not None else "")
        self._pdf.polygon(corners, style=style)

    def finish_document(self) -> bytes:
        """The bytes of the file."""
        return bytes(self._pdf.output())

    def _choose_font(self, face: Face, size: float) -> None:
        family = face.value.lower()
        if family not in self._pdf.fonts:
            self._pdf.add_font(family, fname=path_of_face(face), unicode_range=self._codes)
            added = self._pdf.fonts[family]
            if isinstance(added, TTFFont):
                _skip_needless_work(added)
        self._pdf.set_font(family, size=size)


def _skip_needless_work(font: TTFFont) -> None:
    """Keep the library from work on a font that no document of ours needs."""
    # Measuring every outline again takes most of the time of a long list.
    font.ttfont.recalcBBoxes = False
    for table in _UNUSED_TABLES:
        if table in font.ttfont:
            del font.ttfont[table]
