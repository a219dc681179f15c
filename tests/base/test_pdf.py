"""PDF documents: whole glyphs in small embedded fonts, text that is read back, equal bytes."""

from __future__ import annotations

import gc
import io
import logging
import re
import warnings
import zlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fontTools.cffLib import CFFFontSet
from fontTools.pens.recordingPen import RecordingPen
from fontTools.ttLib import TTFont
from PIL import ImageFont

from server.base.lettering import Face, path_of_face
from server.base.pdf.document import A4_PORTRAIT, PdfDocument
from tests.kit.pdf_text import read_pages

TEXT = "科学素质 Vahcuengh 2026（堃喆䶮𠅤）“é”(\\){nb}"
OUTLINES = "".join(dict.fromkeys(TEXT + "一龘鬱的国广西壮族自治区，。：《》%&@AWgjy"))
MADE_AT = datetime(2026, 5, 2, 1, 2, 3, tzinfo=UTC)
BLACK = (0, 0, 0)


def a_document(*, made_at: datetime = MADE_AT, characters: str = "") -> PdfDocument:
    return PdfDocument(A4_PORTRAIT, title="签到表", made_at=made_at, characters=characters)


def write_line(text: str, face: Face = Face.SANS, **settings: Any) -> bytes:
    with a_document(**settings) as document:
        document.add_text((20, 30), text, face=face, size=12, colour=BLACK)
        return document.finish_document()


@pytest.mark.parametrize("characters", ["", TEXT], ids=["all", "these"])
def test_text_is_read_back_on_its_page(characters: str) -> None:
    with a_document(characters=characters) as document:
        for face in Face:
            if face is not Face.SANS:
                document.start_page()
            document.add_text((20, 30), TEXT, face=face, size=12, colour=BLACK)
            document.add_polygon([(10, 10), (90, 10), (90, 40)], fill=(1, 2, 3), line=(9, 9, 9))
        pages = read_pages(document.finish_document())
    assert ["".join(page).replace(" ", "") for page in pages] == [TEXT.replace(" ", "")] * 2


@pytest.mark.parametrize("face", list(Face))
def test_lines_are_as_wide_as_another_reader_finds(face: Face) -> None:
    path = str(path_of_face(face))
    other = ImageFont.truetype(path, 1000, layout_engine=ImageFont.Layout.BASIC)
    with a_document() as document:
        for character in TEXT:
            wide = document.measure_text(character, face=face, size=1000)
            assert abs(wide - other.getlength(character)) <= 1
        wide = document.measure_text(TEXT, face=face, size=12)
    assert wide == pytest.approx(other.getlength(TEXT) * 12 / 1000, abs=0.1)


@pytest.mark.parametrize("face", list(Face))
@pytest.mark.parametrize("characters", ["", OUTLINES], ids=["all", "these"])
def test_the_embedded_font_has_the_outlines_of_the_whole_one(face: Face, characters: str) -> None:
    embedded = read_embedded_font(write_line(OUTLINES, face, characters=characters))
    with TTFont(path_of_face(face), lazy=True) as whole:
        names = [whole.getBestCmap()[ord(one)] for one in OUTLINES]
        glyphs = whole["CFF "].cff.topDictIndex[0].CharStrings
        outlines = [draw_outline(glyphs[name]) for name in names]
    assert [draw_outline(embedded[name]) for name in names] == outlines
    assert outlines[0] != outlines[1]
    assert len(embedded.keys()) < 2 * len(OUTLINES)


def read_embedded_font(made: bytes) -> Any:
    """The glyphs of the only font of a document, by their names."""
    (found,) = re.finditer(rb"/Length (\d+)[^>]*/Subtype /CIDFontType0C", made)
    start = made.index(b"stream\n", found.start()) + len(b"stream\n")
    fonts = CFFFontSet()
    fonts.decompile(io.BytesIO(zlib.decompress(made[start : start + int(found[1])])), None)
    return fonts[0].CharStrings


def draw_outline(glyph: Any) -> Any:
    pen = RecordingPen()
    glyph.draw(pen)
    return pen.value


def test_equal_marks_give_equal_bytes_and_the_given_instant() -> None:
    made = write_line(TEXT)
    assert write_line(TEXT) == made
    assert b"(D:20260502010203Z)" in made
    assert write_line(TEXT, made_at=MADE_AT + timedelta(seconds=1)) != made


def test_a_character_that_the_font_lacks_is_left_out(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "fpdf"):
        (page,) = read_pages(write_line("李\U0003fffd明"))
    assert "".join(page) == "李明"
    assert "missing" in caplog.text


def test_a_drawing_needs_no_text() -> None:
    with a_document() as document:
        document.add_polygon([(10, 10), (90, 10), (90, 40)], fill=(1, 2, 3))
        assert read_pages(document.finish_document()) == [[]]


def test_a_document_that_is_given_up_closes_its_fonts() -> None:
    gc.collect()
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        with pytest.raises(KeyError):
            give_up_document()
        # The library's caches hold the fonts until another document is finished.
        write_line(TEXT)
        gc.collect()
    assert [str(one.message) for one in seen] == []


def give_up_document() -> None:
    with a_document() as document:
        document.measure_text(TEXT, face=Face.SANS, size=12)
        raise KeyError
