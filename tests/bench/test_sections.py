"""Parts of docs/performance.*: each command writes its own and keeps the others'."""

from __future__ import annotations

import json
from pathlib import Path

from tests.bench.sections import FIGURES, PAGE, read_section, write_page, write_section


def words_of(docs: Path) -> str:
    return (docs / PAGE).read_text(encoding="utf-8")


def figures_of(docs: Path) -> dict[str, object]:
    found: dict[str, object] = json.loads((docs / FIGURES).read_text(encoding="utf-8"))
    return found


def test_each_command_writes_its_part_and_keeps_the_others(tmp_path: Path) -> None:
    write_page(tmp_path, "# Performance\n\n## Figures\n\nold\n", {"rows": 1})
    write_section(tmp_path, "rush", ["2,000 people", "", "### Waits"], {"people": 2000})
    write_section(tmp_path, "growth", ["first"], {"sqlite": 1})
    write_section(tmp_path, "growth", ["second"], {"sqlite": 2})
    write_page(tmp_path, "# Performance\n\n## Figures\n\nnew\n", {"rows": 2})
    assert words_of(tmp_path) == (
        "# Performance\n\n## Figures\n\nnew\n\n## Growth\n\nsecond\n\n"
        "## The rush\n\n2,000 people\n\n### Waits\n"
    )
    assert figures_of(tmp_path) == {"rows": 2, "growth": {"sqlite": 2}, "rush": {"people": 2000}}
    assert read_section(tmp_path, "growth").startswith("## Growth")


def test_a_part_that_was_never_measured_is_left_out(tmp_path: Path) -> None:
    write_page(tmp_path, "# Performance\n", {})
    assert (words_of(tmp_path), figures_of(tmp_path)) == ("# Performance\n", {})
    assert read_section(tmp_path, "rush") == ""
