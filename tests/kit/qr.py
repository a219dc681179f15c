"""Reads the text of a QR code of version 2-Q in alphanumeric mode from its modules.

Tickets, grants and venue codes have this form. The reader undoes the mask that the format bits name
and checks every word by the syndromes of ISO/IEC 18004.
"""

from __future__ import annotations

from collections.abc import Sequence

import segno

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
SIZE = 25


def modules_of(text: str, mask: int) -> list[str]:
    """The modules of a text, row by row, as another encoder draws them with a mask."""
    made = segno.make_qr(
        text, version=2, error="q", mode="alphanumeric", mask=mask, boost_error=False
    )
    return ["".join("1" if dark else "0" for dark in row) for row in made.matrix]


def read_modules(code: Sequence[str]) -> str:
    """The text of a code's modules, row by row; fails where a word is wrong."""
    return read_text(words_of(code))


def words_of(code: Sequence[str]) -> list[int]:
    """The code words, read in the order of the standard with the mask of the format bits."""
    number = next(mask for mask in range(8) if format_of(modules_of("A", mask)) == format_of(code))
    bits = ""
    upward = True
    for right in (24, 22, 20, 18, 16, 14, 12, 10, 8, 5, 3, 1):
        for row in range(24, -1, -1) if upward else range(SIZE):
            for column in (right, right - 1):
                if not is_pattern(row, column):
                    dark = code[row][column] == "1"
                    bits += "01"[dark != is_masked(number, row, column)]
        upward = not upward
    return [int(bits[at : at + 8], 2) for at in range(0, 44 * 8, 8)]


def is_pattern(row: int, column: int) -> bool:
    """Whether a module is part of a finder, the timing, the alignment or the format."""
    corner = (row < 9 and (column < 9 or column > 16)) or (row > 16 and column < 9)
    return corner or 6 in (row, column) or (row in range(16, 21) and column in range(16, 21))


def format_of(code: Sequence[str]) -> str:
    """The bits that name the mask and the level of correction."""
    return "".join(code[8][at] for at in (0, 1, 2, 3, 4, 5, 7, 8))


def is_masked(number: int, row: int, column: int) -> bool:
    """Whether a mask turns this module."""
    product = row * column
    return [
        (row + column) % 2,
        row % 2,
        column % 3,
        (row + column) % 3,
        (row // 2 + column // 3) % 2,
        product % 2 + product % 3,
        (product % 2 + product % 3) % 2,
        ((row + column) % 2 + product % 3) % 2,
    ][number] == 0


def read_text(words: list[int]) -> str:
    """The text of code words whose check words are right."""
    assert all(syndrome_of(words, root) == 0 for root in range(22))
    bits = "".join(f"{word:08b}" for word in words[:22])
    assert bits[:4] == "0010"
    length, at, text = int(bits[4:13], 2), 13, ""
    while length - len(text) > 1:
        pair = int(bits[at : at + 11], 2)
        text += ALPHABET[pair // 45] + ALPHABET[pair % 45]
        at += 11
    if len(text) < length:
        text += ALPHABET[int(bits[at : at + 6], 2)]
    return text


def syndrome_of(words: list[int], root: int) -> int:
    """The polynomial of the words at a power of 2 in the field of 256 elements."""
    at = 1
    for _ in range(root):
        at = multiply(at, 2)
    value = 0
    for word in words:
        value = multiply(value, at) ^ word
    return value


def multiply(one: int, other: int) -> int:
    """The product in the field of 256 elements."""
    value = 0
    while other:
        if other & 1:
            value ^= one
        one = one << 1 ^ (0x11D if one & 0x80 else 0)
        other >>= 1
    return value
