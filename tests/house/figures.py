"""The figures of the code; `python -m tests.house.figures` prints them."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.house.circles import all_circles
from tests.house.source import ROOT, functions, nodes_of, trees

FUNCTION_LINES = 40


@dataclass(frozen=True, kw_only=True)
class Figures:
    """What is counted under `server/`; tests are those under `tests/`, scripts not among them.

    Units: `words_per_function` words of a name, split at underscores, as an average over
    `functions`; `tests_to_code` lines of tests for a line of code.
    """

    files: int
    code_lines: int
    biggest_file: str
    biggest_lines: int
    functions: int
    long_functions: tuple[str, ...]
    circles: int
    committing_files: tuple[str, ...]
    words_per_function: float
    one_word_functions: int
    tests_to_code: float


def measure() -> Figures:
    """Count everything anew."""
    lines = {path: _count_lines(ROOT / path) for path in trees()}
    biggest = max(lines, key=lambda path: lines[path])
    words = [_words_of(name) for name in function_names()]
    code = sum(lines.values())
    tests = sum(_count_lines(path) for path in (ROOT / "tests").rglob("*.py"))
    return Figures(
        files=len(lines),
        code_lines=code,
        biggest_file=str(biggest),
        biggest_lines=lines[biggest],
        functions=len(words),
        long_functions=tuple(_long_functions()),
        circles=len(all_circles()),
        committing_files=tuple(sorted(_committing_files())),
        words_per_function=sum(words) / len(words),
        one_word_functions=words.count(1),
        tests_to_code=tests / code,
    )


def function_names() -> list[str]:
    """The names of all functions of the product, those that Python itself names left out."""
    return [
        node.name
        for path, tree in trees().items()
        for node in functions(tree)
        if "migrations" not in path.parts and not node.name.startswith("__")
    ]


def _words_of(name: str) -> int:
    return len([word for word in name.split("_") if word])


def _count_lines(path: Path) -> int:
    return path.read_text(encoding="utf-8").count("\n")


def _long_functions() -> Iterator[str]:
    for path, tree in trees().items():
        for node in functions(tree):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > FUNCTION_LINES and "migrations" not in path.parts:
                yield f"{path}:{node.lineno} {node.name} ({length} lines)"


def _committing_files() -> set[str]:
    """Files of the product that commit a transaction; the emulator is another program."""
    return {
        str(path)
        for path, tree in trees().items()
        for node in nodes_of(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "commit"
        and path.parts[1] != "emulator"
    }


def as_text(figures: Figures) -> str:
    """One line for each figure."""
    told = {
        "files": f"{figures.files} ({figures.code_lines} lines)",
        "biggest file": f"{figures.biggest_file} ({figures.biggest_lines} lines)",
        f"functions over {FUNCTION_LINES} lines": ", ".join(figures.long_functions) or "none",
        "import circles, types included": figures.circles,
        "places that commit": ", ".join(figures.committing_files),
        "words per function name": (
            f"{figures.words_per_function:.2f}"
            f" ({figures.one_word_functions} of {figures.functions} have one)"
        ),
        "lines of tests to a line of code": f"{figures.tests_to_code:.2f}",
    }
    return "\n".join(f"{name}: {value}" for name, value in told.items())


if __name__ == "__main__":
    sys.stdout.write(f"{as_text(measure())}\n")
