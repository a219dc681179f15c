"""The PDF writer: subsets of fonts that hold every glyph, and a file whose parts are in place."""

from __future__ import annotations

import io
import re
import struct
import zlib

import pytest
from PIL import Image, ImageDraw, ImageFont

from server.base.lettering import Face, path_of_face
from server.base.pdf.charstrings import UnreadableOutline, inline_subroutines
from server.base.pdf.document import A4_PORTRAIT, PdfDocument
from server.base.pdf.outline_font import OutlineFont, open_font

TEXT = "科学素质 Vahcuengh 2026（堃喆䶮）“é”"


@pytest.fixture(params=list(Face))
def font(request: pytest.FixtureRequest) -> OutlineFont:
    return open_font(path_of_face(request.param))


def test_characters_have_the_glyphs_and_widths_that_another_reader_finds(font: OutlineFont) -> None:
    other = ImageFont.truetype(
        str(path_of_face(Face(font.name))), 1000, layout_engine=ImageFont.Layout.BASIC
    )
    for character in TEXT:
        assert font.glyph_of(character) > 0
        assert abs(font.measure_text(character, 1000) - other.getlength(character)) <= 1
    assert font.glyph_of("😀") == 0
    assert font.glyph_of("\U0010ffff") == 0


def as_font_file(font: OutlineFont, text: str) -> bytes:
    """An OpenType file around a subset, whose characters are those of the text."""
    glyphs = [font.glyph_of(one) for one in text]
    outlines = font.write_subset("AAAAAA+Part", glyphs)
    count = len(glyphs) + 1
    widths = [1000, *map(font.width_of_glyph, glyphs)]
    groups = sorted((ord(one), number) for number, one in enumerate(text, start=1))
    table = b"".join(struct.pack(">3I", code, code, number) for code, number in groups)
    cmap = struct.pack(">HHHHI", 0, 1, 3, 10, 12) + struct.pack(
        ">HHIII", 12, 0, 16 + len(table), 0, len(groups)
    )
    head = struct.pack(
        ">IIIIHHqqhhhhHHhhh", 0x10000, 0, 0, 0x5F0F3CF5, 0, 1000, 0, 0, *font.box, 0, 8, 2, 0, 0
    )
    hhea = struct.pack(">IhhhHhhhhhhhhhhhH", 0x10000, font.ascent, font.descent, 0, 1000,
                       *([0] * 11), count)  # fmt: skip
    tables = {
        b"CFF ": outlines, b"cmap": cmap + table, b"head": head, b"hhea": hhea,
        b"hmtx": b"".join(struct.pack(">Hh", one, 0) for one in widths),
        b"maxp": struct.pack(">IH", 0x5000, count),
    }  # fmt: skip
    at = 12 + 16 * len(tables)
    rows, bodies = b"", b""
    for tag, body in sorted(tables.items()):
        rows += struct.pack(">4sIII", tag, 0, at + len(bodies), len(body))
        bodies += body + b"\0" * (-len(body) % 4)
    return struct.pack(">4sHHHH", b"OTTO", len(tables), 0, 0, 0) + rows + bodies


def drawn(font: ImageFont.FreeTypeFont, character: str) -> bytes:
    with Image.new("L", (120, 140)) as picture:
        ImageDraw.Draw(picture).text((10, 100), character, font=font, fill=255, anchor="ls")
        return picture.tobytes()


def test_a_subset_draws_every_glyph_as_the_whole_font_does(font: OutlineFont) -> None:
    text = "".join(dict.fromkeys(TEXT + "一龘鬱的国广西壮族自治区，。：《》%&@AWgjy"))
    plain = ImageFont.Layout.BASIC
    part = ImageFont.truetype(io.BytesIO(as_font_file(font, text)), 96, layout_engine=plain)
    whole = ImageFont.truetype(str(path_of_face(Face(font.name))), 96, layout_engine=plain)
    assert [one for one in text if drawn(part, one) != drawn(whole, one)] == []
    assert drawn(part, "科") != drawn(part, "学")


def test_the_table_of_places_finds_each_object_and_equal_marks_give_equal_bytes() -> None:
    def write() -> bytes:
        document = PdfDocument(A4_PORTRAIT, title="签到表")
        for page in range(2):
            if page:
                document.start_page()
            document.add_polygon([(10, 10), (90, 10), (90, 40)], fill=(1, 2, 3), line=(9, 9, 9))
            font = open_font(path_of_face(Face.SANS))
            document.add_text((20, 30), f"第{page}页", font=font, size=12, colour=(0, 0, 0))
        return document.finish_document()

    made = write()
    assert write() == made
    at = int(made.rsplit(b"startxref\n", 1)[1].split()[0])
    places = [int(one) for one in re.findall(rb"(\d{10}) 00000 n ", made[at:])]
    assert [made[one:].split(b" ", 1)[0] for one in places] == [
        str(number).encode() for number in range(1, len(places) + 1)
    ]
    assert made.count(b"/Type /Page ") == 2
    packed = re.findall(rb"/Length (\d+) [^>]*>>\nstream\n", made)
    starts = [one.end() for one in re.finditer(rb">>\nstream\n", made)]
    contents = [
        zlib.decompress(made[start : start + int(size)])
        for start, size in zip(starts, packed, strict=True)
    ]
    assert sum(b" Tj ET" in one for one in contents) == 2


def test_an_outline_with_an_unknown_operator_is_refused() -> None:
    with pytest.raises(UnreadableOutline):
        inline_subroutines(bytes((140, 141, 12, 10, 14)), [], [])
