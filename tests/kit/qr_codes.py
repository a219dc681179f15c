"""Reads a QR code in a picture with an independent reader (jsQR)."""

from __future__ import annotations

import json
from pathlib import Path

from PIL import Image

from tests.kit.node import node

_READ = """
import jsQR from "jsqr";
import { readFileSync } from "node:fs";
const [file, wide, high] = process.argv.slice(1);
const pixels = new Uint8ClampedArray(readFileSync(file));
const read = (jsQR.default ?? jsQR)(pixels, Number(wide), Number(high));
console.log(JSON.stringify(read && read.data));
"""


def read_code(picture: Image.Image, folder: Path) -> str | None:
    """The text of the code in a picture; None without one."""
    file = folder / "pixels"
    file.write_bytes(picture.convert("RGBA").tobytes())
    run = node("--input-type=module", "--eval", _READ, str(file), *map(str, picture.size))
    assert run.returncode == 0, run.stderr
    found: str | None = json.loads(run.stdout)
    return found
