"""An OpenType font file: which glyph shows a character, how wide it is, and a subset to embed."""

from __future__ import annotations

import mmap
import struct
from bisect import bisect_right
from collections.abc import Sequence
from functools import cache, cached_property
from pathlib import Path

from server.base.pdf.compact_font import CompactFont

_UNICODE_FULL = 12


class OutlineFont:
    """A font with CFF outlines and CID keys. Units: 1/1000 of the font size."""

    def __init__(self, path: Path) -> None:
        self.name = path.stem
        with path.open("rb") as file:
            # Only the parts that a document needs are read from the disk.
            self._file = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        (count,) = struct.unpack_from(">H", self._file, 4)
        rows = (struct.unpack_from(">4sIII", self._file, 12 + 16 * n) for n in range(count))
        self._tables: dict[str, tuple[int, int]] = {
            tag.decode(): (at, size) for tag, _, at, size in rows
        }
        (per_em,) = struct.unpack_from(">H", self._file, self._offset_of("head") + 18)
        if per_em != 1000:
            raise ValueError(f"{self.name}: {per_em} units per em instead of 1000")
        self.box: tuple[int, ...] = struct.unpack_from(
            ">4h", self._file, self._offset_of("head") + 36
        )
        self.ascent, self.descent = struct.unpack_from(
            ">2h", self._file, self._offset_of("hhea") + 4
        )
        (self._widths,) = struct.unpack_from(">H", self._file, self._offset_of("hhea") + 34)
        self._starts, self._groups = self._read_characters()

    def glyph_of(self, character: str) -> int:
        """The glyph of a code point; 0 when the font has none."""
        code = ord(character)
        found = bisect_right(self._starts, code) - 1
        if found < 0:
            return 0
        first, last, glyph = self._groups[found]
        return glyph + code - first if code <= last else 0

    def width_of_glyph(self, glyph: int) -> int:
        """The advance of a glyph."""
        at = self._offset_of("hmtx") + 4 * min(glyph, self._widths - 1)
        (width,) = struct.unpack_from(">H", self._file, at)
        return int(width)

    def measure_text(self, text: str, size: float) -> float:
        """The width of a line, in the unit of the size."""
        return sum(self.width_of_glyph(self.glyph_of(one)) for one in text) * size / 1000

    def write_subset(self, name: str, glyphs: Sequence[int]) -> bytes:
        """Write the outlines of these glyphs as a CFF table, numbered from 1."""
        return self._outlines.write_subset(name, glyphs)

    @cached_property
    def _outlines(self) -> CompactFont:
        at, size = self._tables["CFF "]
        return CompactFont(memoryview(self._file)[at : at + size])

    def _offset_of(self, table: str) -> int:
        at, _ = self._tables[table]
        return at

    def _read_characters(self) -> tuple[list[int], list[tuple[int, int, int]]]:
        """The groups of code points with consecutive glyphs, by their first code point.

        Raises: ValueError without a table of all of Unicode.
        """
        at = self._offset_of("cmap")
        (count,) = struct.unpack_from(">H", self._file, at + 2)
        for number in range(count):
            (offset,) = struct.unpack_from(">I", self._file, at + 4 + 8 * number + 4)
            (form,) = struct.unpack_from(">H", self._file, at + offset)
            if form == _UNICODE_FULL:
                (groups,) = struct.unpack_from(">I", self._file, at + offset + 12)
                first = at + offset + 16
                read = [
                    struct.unpack_from(">3I", self._file, first + 12 * n) for n in range(groups)
                ]
                return [one[0] for one in read], [(one[0], one[1], one[2]) for one in read]
        raise ValueError(f"{self.name}: no table of all characters")


@cache
def open_font(path: Path) -> OutlineFont:
    """A font, opened once per process."""
    return OutlineFont(path)
