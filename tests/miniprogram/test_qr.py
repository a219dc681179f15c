"""The QR code that the phone draws of a ticket: the same modules as another encoder makes."""

from __future__ import annotations

import json
from functools import cache

from server.signups.tickets import LENGTH
from tests.kit.node import node
from tests.kit.paths import ROOT
from tests.kit.qr import modules_of, read_modules

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
    assert read_modules(code) == TICKET
