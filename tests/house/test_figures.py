"""The limits of the code's figures; `python -m tests.house.figures` prints them all."""

from __future__ import annotations

import runpy
from functools import cache

import pytest

from tests.house.figures import Figures, as_text, measure

FILE_LINES = 400
WORDS_PER_FUNCTION = 2.0
# Of the whole product, rounded as the command prints it, so that a small slice with few tests fits.
# Cases of one behaviour are parametrised, and those of scripts are in .mjs files.
TESTS_TO_CODE = 0.9


@cache
def figures() -> Figures:
    return measure()


def test_no_file_and_no_function_is_over_its_size() -> None:
    assert figures().biggest_lines <= FILE_LINES, f"divide {figures().biggest_file} by subject"
    assert figures().long_functions == (), "divide them by the steps of their work"


def test_there_is_no_circle_of_imports() -> None:
    assert figures().circles == 0, "tests/house/test_circles.py names the files"


def test_units_of_work_and_migrations_commit_and_nobody_else() -> None:
    """Why migrations do is in docs/decisions/0013-migrations-commit-by-themselves.md."""
    assert figures().committing_files == ("server/base/sql/schema.py", "server/base/uow.py"), (
        "leave the commit to the transaction: `with uow_factory.begin() as uow`"
    )


def test_names_of_functions_say_what_they_do_to_what() -> None:
    assert figures().words_per_function >= WORDS_PER_FUNCTION, "name the thing beside the verb"


def test_there_are_about_as_many_lines_of_tests_as_of_code() -> None:
    assert figures().tests_to_code >= TESTS_TO_CODE, (
        "the product has too few tests for its code: add tests of the behaviour that has none"
    )


@pytest.mark.filterwarnings("ignore:.*found in sys.modules:RuntimeWarning")
def test_the_command_prints_every_figure(capsys: pytest.CaptureFixture[str]) -> None:
    runpy.run_module("tests.house.figures", run_name="__main__")
    printed = capsys.readouterr().out
    assert printed.strip() == as_text(figures())
    assert len(printed.splitlines()) == 7
