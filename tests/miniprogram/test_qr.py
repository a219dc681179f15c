"""The QR code that the phone draws of a ticket: the same modules as another encoder makes."""

from __future__ import annotations

import json
from functools import cache

import segno

from server.signups.tickets import LENGTH
from tests.kit.node import node
from tests.kit.paths import ROOT

PROGRAM = """
import { buildSync } from "esbuild";
const [file, texts] = process.argv.slice(1);
const made = buildSync({ entryPoints: [file], bundle: true, format: "esm", write: false });
const code = Buffer.from(made.outputFiles[0].text).toString("base64");
const { qrOf } = await import(`data:text/javascript;base64,${code}`);
const drawn = JSON.parse(texts).map((text) => {
  try {
    return qrOf(text).map((row) => row.map((dark) => (dark ? "1" : "0")).join(""));
  } catch (why) {
    return why.message;
  }
});
console.log(JSON.stringify(drawn));
"""
# No length that fills its last byte, as 26 characters do: there the other encoder adds an empty
# byte, against ISO/IEC 18004. Readers ignore it, but it changes the modules.
TEXTS = ("K1AAAAAAABMNOPQRSTUVWXYZ2", "K1ZZZZZZZ7654321ABCDEFGHIJKLM", "0 $%*+-./:X", "A", "AB")
TICKET = "K1AAAAAAABMNOPQRSTUVWXYZ23"
ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
REFUSED = ("a", "A" * 30, "中")


@cache
def draw_codes(texts: tuple[str, ...]) -> list[list[str] | str]:
    run = node(
        "--input-type=module",
        "--eval",
        PROGRAM,
        str(ROOT / "miniprogram/logic/qr.ts"),
        json.dumps(texts),
    )
    assert run.returncode == 0, run.stderr
    drawn: list[list[str] | str] = json.loads(run.stdout)
    return drawn


def modules_of(text: str, mask: int) -> list[str]:
    made = segno.make_qr(
        text, version=2, error="q", mode="alphanumeric", mask=mask, boost_error=False
    )
    return ["".join("1" if dark else "0" for dark in row) for row in made.matrix]


def test_every_code_is_one_of_the_eight_that_another_encoder_makes() -> None:
    drawn = draw_codes(TEXTS)
    masks = [
        [mask for mask in range(8) if modules_of(text, mask) == code]
        for text, code in zip(TEXTS, drawn, strict=True)
    ]
    assert all(len(found) == 1 for found in masks), masks


def test_texts_that_do_not_fit_are_refused() -> None:
    assert set(map(str, draw_codes(REFUSED))) == {"not a text for this code"}


def test_a_ticket_code_is_read_back_from_its_modules() -> None:
    assert len(TICKET) == LENGTH
    (code,) = draw_codes((TICKET,))
    assert isinstance(code, list)
    assert read_text(words_of(code)) == TICKET


def words_of(code: list[str]) -> list[int]:
    """The code words, read in the order of the standard with the mask of the format bits."""
    number = next(mask for mask in range(8) if format_of(modules_of("A", mask)) == format_of(code))
    bits = ""
    upward = True
    for right in (24, 22, 20, 18, 16, 14, 12, 10, 8, 5, 3, 1):
        for row in range(24, -1, -1) if upward else range(25):
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


def format_of(code: list[str]) -> str:
    return "".join(code[8][at] for at in (0, 1, 2, 3, 4, 5, 7, 8))


def is_masked(number: int, row: int, column: int) -> bool:
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
    value = 0
    while other:
        if other & 1:
            value ^= one
        one = one << 1 ^ (0x11D if one & 0x80 else 0)
        other >>= 1
    return value
