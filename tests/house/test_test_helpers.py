"""Helpers of tests are on three floors: tests/kit, the folder of a slice, tests/e2e."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.house.source import imports, trees_of_tests

# What every test may use: the lowest floor, and the fixtures of all tests.
SHARED = {"kit", "conftest"}
# Tests of the whole product use the helpers of the emulator, which it runs beside itself.
ABOVE = {"e2e": {"emulator"}}
KIT = "tests/kit uses nothing of other tests: move what it needs into tests/kit"
SIDEWAYS = "tests of one folder use no helper of another: move it into tests/kit"


def faults(files: Mapping[Path, ast.Module]) -> Iterator[str]:
    """One line for each import of tests that leads sideways or upwards."""
    for path, tree in files.items():
        folder = path.parts[1]
        may = {"kit"} if folder == "kit" else {folder, *SHARED, *ABOVE.get(folder, ())}
        for line, name in imports(tree):
            parts = name.split(".")
            if parts[0] == "tests" and parts[1] not in may:
                yield f"{path}:{line} {name}: {KIT if folder == 'kit' else SIDEWAYS}"


def test_helpers_are_used_downwards_only() -> None:
    assert list(faults(trees_of_tests())) == []


@pytest.mark.parametrize(
    ("path", "source", "told"),
    [
        ("tests/kit/clock.py", "from tests.quiz.rows import a_row", KIT),
        ("tests/kit/clock.py", "import tests.conftest", KIT),
        ("tests/quiz/test_x.py", "from tests.accounts.people import a_person", SIDEWAYS),
        ("tests/wechat/test_x.py", "from tests.e2e.outside import Demo", SIDEWAYS),
        ("tests/e2e/test_x.py", "from tests.quiz.rows import a_row", SIDEWAYS),
    ],
)
def test_an_import_sideways_or_upwards_is_told(path: str, source: str, told: str) -> None:
    (fault,) = faults({Path(path): ast.parse(source)})
    assert fault.startswith(f"{path}:1 ")
    assert fault.endswith(told)


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("tests/kit/clock.py", "from tests.kit.effort import repeat_count"),
        ("tests/quiz/test_x.py", "from tests.quiz.rows import a_row"),
        ("tests/quiz/test_x.py", "from tests.conftest import application_of"),
        ("tests/e2e/test_x.py", "from tests.emulator.conftest import Api"),
        ("tests/quiz/test_x.py", "from server.quiz import service"),
    ],
)
def test_an_import_downwards_is_taken(path: str, source: str) -> None:
    assert list(faults({Path(path): ast.parse(source)})) == []
