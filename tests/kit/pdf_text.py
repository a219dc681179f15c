"""Reads the texts of a PDF file with an independent reader (pdf.js), as a viewer finds them."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from tests.kit.node import node

_READ = """
import { getDocumentProxy } from "unpdf";
import { readFileSync } from "node:fs";
const file = await getDocumentProxy(new Uint8Array(readFileSync(process.argv[1])));
const pages = [];
for (let number = 1; number <= file.numPages; number += 1) {
  const page = await file.getPage(number);
  const { items } = await page.getTextContent();
  pages.push(items.map((one) => one.str).filter((text) => text.trim()));
}
console.log(JSON.stringify(pages));
"""


def read_pages(content: bytes) -> list[list[str]]:
    """The texts of each page, in the order in which they are drawn."""
    with tempfile.NamedTemporaryFile(suffix=".pdf") as file:
        Path(file.name).write_bytes(content)
        run = node("--input-type=module", "--eval", _READ, file.name)
    assert run.returncode == 0, run.stderr
    pages: list[list[str]] = json.loads(run.stdout)
    return pages
