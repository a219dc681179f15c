"""Writes PDF 1.7 documents: text in embedded subsets of fonts, rectangles and polygons.

Text can be copied and searched. The same marks always give the same bytes.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field

from server.base.pdf.outline_font import OutlineFont

Colour = tuple[int, int, int]
A4_LANDSCAPE = (841.89, 595.28)
A4_PORTRAIT = (595.28, 841.89)
_PER_BLOCK = 100
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(kw_only=True)
class _UsedFont:
    """The glyphs of a font that a document shows, with their new numbers from 1."""

    font: OutlineFont
    label: str
    numbers: dict[int, int] = field(default_factory=dict)
    characters: dict[int, str] = field(default_factory=dict)

    def encode_text(self, text: str) -> str:
        """The numbers of the glyphs of a text in hexadecimal digits."""
        return "".join(f"{self._number_of(one):04X}" for one in text)

    def _number_of(self, character: str) -> int:
        glyph = self.font.glyph_of(character)
        number = self.numbers.setdefault(glyph, len(self.numbers) + 1)
        self.characters.setdefault(number, character)
        return number


class PdfDocument:
    """A document; positions are points from the left and upper edge of the present page."""

    def __init__(self, size: tuple[float, float], *, title: str, language: str = "zh-CN") -> None:
        self._wide, self._high = size
        self._title, self._language = title, language
        self._pages: list[list[str]] = []
        self._fonts: dict[str, _UsedFont] = {}
        self._objects: list[bytes] = []
        self.start_page()

    def start_page(self) -> None:
        """Add an empty page; the following marks are on it."""
        self._pages.append([])

    def add_text(
        self, at: tuple[float, float], text: str, *, font: OutlineFont, size: float, colour: Colour
    ) -> None:
        """Write one line; `at` is the left end of its base line."""
        used = self._fonts.setdefault(
            font.name, _UsedFont(font=font, label=f"F{len(self._fonts) + 1}")
        )
        where = f"{_spell_number(at[0])} {_spell_number(self._high - at[1])}"
        self._pages[-1].append(
            f"BT {_spell_colour(colour)} rg /{used.label} {_spell_number(size)} Tf {where} Td"
            f" <{used.encode_text(text)}> Tj ET"
        )

    def add_polygon(
        self,
        corners: Sequence[tuple[float, float]],
        *,
        fill: Colour | None = None,
        line: Colour | None = None,
        line_width: float = 1,
    ) -> None:
        """Draw a closed polygon, filled, outlined or both."""
        points = [f"{_spell_number(x)} {_spell_number(self._high - y)}" for x, y in corners]
        path = f"{points[0]} m " + " ".join(f"{one} l" for one in points[1:]) + " h"
        colours = "" if fill is None else f"{_spell_colour(fill)} rg "
        if line is not None:
            colours += f"{_spell_colour(line)} RG {_spell_number(line_width)} w "
        paint = {(True, False): "f", (False, True): "S", (True, True): "B"}
        done = paint[fill is not None, line is not None]
        self._pages[-1].append(f"{colours}{path} {done}")

    def finish_document(self) -> bytes:
        """The bytes of the file."""
        self._objects = []
        catalog, tree = self._reserve_object(), self._reserve_object()
        fonts = " ".join(
            f"/{one.label} {self._write_font(one)} 0 R" for one in self._fonts.values()
        )
        pages = [self._write_page(marks, tree, fonts) for marks in self._pages]
        kids = " ".join(f"{one} 0 R" for one in pages)
        self._set_object(tree, f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>")
        self._set_object(
            catalog,
            f"<< /Type /Catalog /Pages {tree} 0 R /Lang {_spell_text(self._language)}"
            " /ViewerPreferences << /DisplayDocTitle true >> >>",
        )
        info = self._add_object(f"<< /Title {_spell_text(self._title)} >>")
        return self._join_objects(catalog, info)

    def _write_page(self, marks: list[str], tree: int, fonts: str) -> int:
        content = self._add_stream("\n".join(marks).encode())
        return self._add_object(
            f"<< /Type /Page /Parent {tree} 0 R"
            f" /MediaBox [0 0 {_spell_number(self._wide)} {_spell_number(self._high)}]"
            f" /Resources << /Font << {fonts} >> >> /Contents {content} 0 R >>"
        )

    def _write_font(self, used: _UsedFont) -> int:
        font, glyphs = used.font, list(used.numbers)
        tag = hashlib.sha256(f"{font.name} {glyphs}".encode()).digest()[:6]
        name = "".join(_LETTERS[byte % len(_LETTERS)] for byte in tag) + f"+{font.name}"
        outlines = self._add_stream(font.write_subset(name, glyphs), "/Subtype /CIDFontType0C")
        box = " ".join(map(str, font.box))
        descriptor = self._add_object(
            f"<< /Type /FontDescriptor /FontName /{name} /Flags 4 /FontBBox [{box}]"
            f" /ItalicAngle 0 /Ascent {font.ascent} /Descent {font.descent}"
            f" /CapHeight {font.ascent} /StemV 80 /FontFile3 {outlines} 0 R >>"
        )
        widths = " ".join(str(font.width_of_glyph(one)) for one in glyphs)
        descendant = self._add_object(
            f"<< /Type /Font /Subtype /CIDFontType0 /BaseFont /{name}"
            " /CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >>"
            f" /FontDescriptor {descriptor} 0 R /DW 1000 /W [1 [{widths}]] >>"
        )
        unicode = self._add_stream(_map_to_unicode(used.characters).encode())
        return self._add_object(
            f"<< /Type /Font /Subtype /Type0 /BaseFont /{name}-Identity-H /Encoding /Identity-H"
            f" /DescendantFonts [{descendant} 0 R] /ToUnicode {unicode} 0 R >>"
        )

    def _reserve_object(self) -> int:
        self._objects.append(b"")
        return len(self._objects)

    def _set_object(self, number: int, body: str) -> None:
        self._objects[number - 1] = body.encode("latin-1")

    def _add_object(self, body: str) -> int:
        number = self._reserve_object()
        self._set_object(number, body)
        return number

    def _add_stream(self, content: bytes, more: str = "") -> int:
        packed = zlib.compress(content, 9)
        head = f"<< /Length {len(packed)} /Filter /FlateDecode {more} >>\nstream\n"
        self._objects.append(head.encode() + packed + b"\nendstream")
        return len(self._objects)

    def _join_objects(self, catalog: int, info: int) -> bytes:
        out = bytearray(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
        places = []
        for number, body in enumerate(self._objects, start=1):
            places.append(len(out))
            out += f"{number} 0 obj\n".encode() + body + b"\nendobj\n"
        mark = hashlib.sha256(out).hexdigest()[:32]
        table = len(out)
        out += f"xref\n0 {len(places) + 1}\n0000000000 65535 f \n".encode()
        out += b"".join(f"{at:010d} 00000 n \n".encode() for at in places)
        out += (
            f"trailer\n<< /Size {len(places) + 1} /Root {catalog} 0 R /Info {info} 0 R"
            f" /ID [<{mark}> <{mark}>] >>\nstartxref\n{table}\n%%EOF\n"
        ).encode()
        return bytes(out)


def _map_to_unicode(characters: dict[int, str]) -> str:
    """The CMap by which a reader copies the text."""
    lines = [
        f"<{number:04X}> <{one.encode('utf-16-be').hex().upper()}>"
        for number, one in sorted(characters.items())
    ]
    blocks = [lines[at : at + _PER_BLOCK] for at in range(0, len(lines), _PER_BLOCK)]
    body = "\n".join(f"{len(one)} beginbfchar\n" + "\n".join(one) + "\nendbfchar" for one in blocks)
    return (
        "/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n"
        "/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def\n"
        "/CMapName /Adobe-Identity-UCS def\n/CMapType 2 def\n"
        "1 begincodespacerange\n<0000> <FFFF>\nendcodespacerange\n"
        f"{body}\nendcmap\nCMapName currentdict /CMap defineresource pop\nend\nend"
    )


def _spell_number(value: float) -> str:
    return f"{value:.3f}".rstrip("0").rstrip(".")


def _spell_colour(colour: Colour) -> str:
    return " ".join(_spell_number(part / 255) for part in colour)


def _spell_text(text: str) -> str:
    """A text string of the document's structure."""
    return f"<FEFF{text.encode('utf-16-be').hex().upper()}>"
