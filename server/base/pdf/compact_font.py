"""Reads the CFF table of an OpenType font with CID keys, and writes one with some of its glyphs.

Source: Adobe Technical Note 5176, the Compact Font Format.
"""

from __future__ import annotations

import struct
from bisect import bisect_right
from collections.abc import Iterator, Sequence

from server.base.pdf.charstrings import inline_subroutines

_CHARSET, _CHARSTRINGS, _PRIVATE, _LOCAL = 15, 17, 18, 19
_ESCAPE = 12
_FONT_DICTS, _SELECT = _ESCAPE << 8 | 36, _ESCAPE << 8 | 37
_LONG, _REAL, _SHORT = 29, 30, 28
_LAST_OPERATOR = 21
_HEADER = b"\x01\x00\x04\x04"

Entries = list[tuple[int, bytes]]


class CompactFont:
    """The glyphs of a font; `table` is its CFF table, of which little is read."""

    def __init__(self, table: memoryview) -> None:
        self._table = table
        _, at = _read_index(table, table[2])
        tops, at = _read_index(table, at)
        strings_at = at
        _, at = _read_index(table, at)
        self._strings = bytes(table[strings_at:at])
        self._shared, _ = _read_index(table, at)
        self._top = _read_dict(tops[0])
        offsets = {key: _read_integers(raw) for key, raw in self._top}
        self._glyph_code, _ = _read_index(table, offsets[_CHARSTRINGS][0])
        fonts, _ = _read_index(table, offsets[_FONT_DICTS][0])
        self._fonts = [_read_dict(one) for one in fonts]
        self._privates = [self._private_of(one) for one in self._fonts]
        self._ranges = _read_select(table, offsets[_SELECT][0])

    def write_subset(self, name: str, glyphs: Sequence[int]) -> bytes:
        """Write a CFF table with the empty glyph and these, whose numbers and CIDs are 1, 2, 3, …

        Raises: UnreadableOutline.
        """
        kept = [0, *glyphs]
        picked = [self._font_of(glyph) for glyph in kept]
        code = [self._code_of(glyph, font) for glyph, font in zip(kept, picked, strict=True)]
        head = _HEADER + _write_index([name.encode()])
        charset = b"\x02" + struct.pack(">HH", 1, len(glyphs) - 1)
        select = b"\x00" + bytes(picked)
        charstrings = _write_index(code)
        top_size = len(_write_index([self._write_top(0, 0, 0, 0)]))
        at = len(head) + top_size + len(self._strings) + len(_write_index([]))
        charset_at, select_at = at, at + len(charset)
        charstrings_at = select_at + len(select)
        fonts_at = charstrings_at + len(charstrings)
        fonts = self._write_fonts(fonts_at)
        top = self._write_top(charset_at, charstrings_at, fonts_at, select_at)
        parts = (head, _write_index([top]), self._strings, _write_index([]))
        return b"".join((*parts, charset, select, charstrings, fonts))

    def _write_top(self, charset: int, charstrings: int, fonts: int, select: int) -> bytes:
        moved = {_CHARSET: charset, _CHARSTRINGS: charstrings, _FONT_DICTS: fonts, _SELECT: select}
        return _write_dict(
            [(key, _write_long(moved[key]) if key in moved else raw) for key, raw in self._top]
        )

    def _write_fonts(self, at: int) -> bytes:
        """Write the dictionaries of the fonts inside this font, each private one after its own."""
        private = [
            _write_dict([one for one in entries if one[0] != _LOCAL])
            for entries, _ in self._privates
        ]
        size = len(_write_index([_point_at(one, 0, 0) for one in self._fonts]))
        placed, behind = [], at + size
        for font, body in zip(self._fonts, private, strict=True):
            placed.append(_point_at(font, len(body), behind))
            behind += len(body)
        return _write_index(placed) + b"".join(private)

    def _private_of(self, font: Entries) -> tuple[Entries, Sequence[bytes]]:
        """The private dictionary of a font, and its subroutines."""
        size, at = next(_read_integers(raw) for key, raw in font if key == _PRIVATE)
        entries = _read_dict(bytes(self._table[at : at + size]))
        local = [_read_integers(raw)[0] for key, raw in entries if key == _LOCAL]
        return entries, _read_index(self._table, at + local[0])[0] if local else []

    def _font_of(self, glyph: int) -> int:
        starts, fonts = self._ranges
        return fonts[bisect_right(starts, glyph) - 1]

    def _code_of(self, glyph: int, font: int) -> bytes:
        return inline_subroutines(self._glyph_code[glyph], self._privates[font][1], self._shared)


class _Index(Sequence[bytes]):
    """The items of an INDEX, cut out of the table when they are read."""

    def __init__(self, table: memoryview, first: int, size: int, count: int) -> None:
        self._table, self._first, self._size, self._count = table, first, size, count
        self._base = first + (count + 1) * size - 1

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, number: int) -> bytes:  # type: ignore[override]  # no slices
        if not 0 <= number < self._count:
            raise IndexError(number)
        return bytes(self._table[self.offset_of(number) : self.offset_of(number + 1)])

    def offset_of(self, number: int) -> int:
        """The position of an item in the table."""
        at = self._first + number * self._size
        return self._base + int.from_bytes(self._table[at : at + self._size], "big")


def _read_index(table: memoryview, at: int) -> tuple[Sequence[bytes], int]:
    """The INDEX at a position, and the position behind it."""
    (count,) = struct.unpack_from(">H", table, at)
    if count == 0:
        return [], at + 2
    found = _Index(table, at + 3, table[at + 2], count)
    return found, found.offset_of(count)


def _write_index(items: Sequence[bytes]) -> bytes:
    if not items:
        return b"\x00\x00"
    offsets, at = [1], 1
    for one in items:
        at += len(one)
        offsets.append(at)
    head = struct.pack(">HB", len(items), 4)
    return head + b"".join(one.to_bytes(4, "big") for one in offsets) + b"".join(items)


def _read_dict(body: bytes) -> Entries:
    """The operators of a dictionary with the bytes of their operands."""
    entries, start, at = [], 0, 0
    while at < len(body):
        byte = body[at]
        if byte > _LAST_OPERATOR:
            at += _size_of_operand(body, at)
            continue
        size = 2 if byte == _ESCAPE else 1
        key = byte << 8 | body[at + 1] if byte == _ESCAPE else byte
        entries.append((key, body[start:at]))
        at += size
        start = at
    return entries


def _write_dict(entries: Entries) -> bytes:
    return b"".join(raw + _spell_operator(key) for key, raw in entries)


def _spell_operator(key: int) -> bytes:
    return bytes((key >> 8, key & 255)) if key >> 8 else bytes((key,))


def _point_at(font: Entries, size: int, at: int) -> bytes:
    """A font's dictionary with the size and position of its private one."""
    place = _write_long(size) + _write_long(at)
    return _write_dict([(key, place if key == _PRIVATE else raw) for key, raw in font])


def _write_long(value: int) -> bytes:
    return struct.pack(">Bi", _LONG, value)


def _size_of_operand(body: bytes, at: int) -> int:
    byte = body[at]
    if byte == _REAL:
        size = 1
        while body[at + size] & 15 != 15 and body[at + size] >> 4 != 15:
            size += 1
        return size + 1
    if byte in (_SHORT, _LONG):
        return 3 if byte == _SHORT else 5
    return 1 if byte <= 246 else 2


def _read_integers(raw: bytes) -> list[int]:
    return list(_walk_integers(raw))


def _walk_integers(raw: bytes) -> Iterator[int]:
    at = 0
    while at < len(raw):
        byte, size = raw[at], _size_of_operand(raw, at)
        if byte == _SHORT:
            yield struct.unpack_from(">h", raw, at + 1)[0]
        elif byte == _LONG:
            yield struct.unpack_from(">i", raw, at + 1)[0]
        elif byte != _REAL:
            yield _short_integer(raw, at)
        at += size


def _short_integer(raw: bytes, at: int) -> int:
    byte = raw[at]
    if byte <= 246:
        return byte - 139
    if byte <= 250:
        return (byte - 247) * 256 + raw[at + 1] + 108
    return -(byte - 251) * 256 - raw[at + 1] - 108


def _read_select(table: memoryview, at: int) -> tuple[list[int], list[int]]:
    """First glyphs of ranges, and the font of each range.

    Raises: ValueError for another format than ranges.
    """
    if table[at] != 3:
        raise ValueError(f"FDSelect in format {table[at]}")
    (count,) = struct.unpack_from(">H", table, at + 1)
    ranges = [struct.unpack_from(">HB", table, at + 3 + 3 * number) for number in range(count)]
    return [first for first, _ in ranges], [font for _, font in ranges]
