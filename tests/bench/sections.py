"""Parts of docs/performance.* that commands of their own measure; the other commands keep them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

# By their names in performance.json; in this order at the end of performance.md.
HEADINGS = {
    "growth": "## Growth",
    "rush": "## The rush",
    "sign_ups": "## Sign-ups",
    "dashboard": "## The dashboard",
    "final_ranks": "## Final ranks",
    "sends": "## Sends",
    "ledger": "## The ledger of an announcement",
    "receipts": "## Receipts",
}
PAGE, FIGURES = "performance.md", "performance.json"


def write_page(docs: Path, page: str, document: Mapping[str, Any]) -> None:
    """Write the figures of the hot paths anew, and keep the other parts."""
    kept = {name: part for name in HEADINGS if (part := read_section(docs, name))}
    known = read_figures(docs)
    figures = {**document, **{name: known[name] for name in HEADINGS if name in known}}
    _write_both(docs, page, kept, figures)


def write_section(docs: Path, name: str, lines: Sequence[str], document: Mapping[str, Any]) -> None:
    """Write one part anew, and keep the rest of both files."""
    kept = {other: read_section(docs, other) for other in HEADINGS}
    rest = (docs / PAGE).read_text(encoding="utf-8")
    for part in filter(None, kept.values()):
        rest = rest.replace(part, "")
    kept[name] = "\n".join([HEADINGS[name], "", *lines, ""])
    figures = {**read_figures(docs), name: document}
    _write_both(docs, rest, {other: part for other, part in kept.items() if part}, figures)


def read_section(docs: Path, name: str) -> str:
    """The present text of a part, with its heading; empty when it was never measured."""
    if not (docs / PAGE).exists():
        return ""
    lines = (docs / PAGE).read_text(encoding="utf-8").split("\n")
    if HEADINGS[name] not in lines:
        return ""
    first = lines.index(HEADINGS[name])
    ends = (at for at, line in enumerate(lines) if at > first and line.startswith("## "))
    return "\n".join(lines[first : next(ends, len(lines))])


def read_figures(docs: Path) -> dict[str, Any]:
    """The present content of performance.json; empty when nothing was measured."""
    path = docs / FIGURES
    found: dict[str, Any] = json.loads(path.read_text("utf-8")) if path.exists() else {}
    return found


def _write_both(
    docs: Path, page: str, parts: Mapping[str, str], figures: Mapping[str, Any]
) -> None:
    texts = [page, *(parts[name] for name in HEADINGS if name in parts)]
    body = "\n\n".join(text.strip("\n") for text in texts) + "\n"
    (docs / PAGE).write_text(body, encoding="utf-8")
    told = json.dumps(figures, ensure_ascii=False, indent=1) + "\n"
    (docs / FIGURES).write_text(told, encoding="utf-8")
