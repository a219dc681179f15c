"""The guide for newcomers, followed to the letter in a copy of the sources."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from server import slices
from tests.kit.paths import ROOT

GUIDE = ROOT / "docs" / "contributing.md"
COPIED = ("server", "tests", "config", "docs", "miniprogram")
LINKED = (".venv", "node_modules")
MYPY_CACHE = ".mypy_cache"
HEAD = Path("server/migrations/HEAD")
# Tests of the matrix itself, with sample pages.
OF_SAMPLE_PAGES = (
    "test_pages_with_owners_hold_role_and_place",
    "test_a_page_that_asks_for_too_little_is_found",
    "test_a_page_that_changes_what_is_only_readable_is_found",
)
# Tests that have a case for each declared table.
BY_TABLE = (
    "test_an_erasure_leaves_what_the_declaration_allows_and_all_of_others",
    "test_two_citizens_who_are_one_have_each_row_once",
    "test_the_export_tells_what_is_held_of_this_citizen_alone",
)


@dataclass(frozen=True)
class Block:
    """One fenced block of the guide; `path` is the file named on the line before it."""

    language: str
    path: str
    text: str


def blocks(guide: str) -> Iterator[Block]:
    path, inside, language = "", False, ""
    lines: list[str] = []
    for line in guide.splitlines():
        named = re.fullmatch(r"`([\w./]+)`", line)
        if line.startswith("```"):
            if inside:
                yield Block(language, path, "\n".join(lines).strip("\n") + "\n")
            inside, language, lines = not inside, line[3:], []
        elif inside:
            lines.append(line)
        elif named:
            path = named[1]


def patched(source: str, patch: str, name: str) -> str:
    """The source with the block of `+` and `-` lines applied at its only place."""
    lines = [line or " " for line in patch.splitlines()]
    assert {line[0] for line in lines} <= set(" +-"), f"{name}: a line without its mark"
    old = "".join(f"{line[1:]}\n" for line in lines if line[0] != "+")
    new = "".join(f"{line[1:]}\n" for line in lines if line[0] != "-")
    assert source.count(old) == 1, (
        f"{name}: docs/contributing.md does not fit the file; show there the lines that the file"
        f" has now, instead of these:\n{old}"
    )
    return source.replace(old, new)


def follow(guide: str, checkout: Path) -> list[str]:
    """Do what the guide says in this checkout; the commands that it ends with."""
    before = (checkout / HEAD).read_text(encoding="utf-8").strip()
    number = f"{int(before) + 1:04d}"
    (checkout / HEAD).write_text(f"{number}\n", encoding="utf-8")
    commands: list[str] = []
    for block in blocks(guide.replace("NNNN", number).replace("PPPP", before)):
        path = checkout / block.path
        if block.language == "sh":
            commands += block.text.splitlines()
        elif block.language == "diff":
            source = path.read_text(encoding="utf-8")
            path.write_text(patched(source, block.text, block.path), encoding="utf-8")
        elif block.language:
            assert not path.exists(), f"{block.path} is there already"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text.lstrip("\n"), encoding="utf-8")
    return commands


@pytest.fixture
def checkout(tmp_path: Path) -> Iterator[Path]:
    made = tmp_path / "checkout"
    made.mkdir()
    ignored = shutil.ignore_patterns("__pycache__", ".*_cache", "var")
    for name in COPIED:
        shutil.copytree(ROOT / name, made / name, ignore=ignored)
    if sys.pycache_prefix is not None and Path(sys.pycache_prefix + str(ROOT / "server")).exists():
        # What is compiled already, where `make` keeps it apart from the sources.
        compiled = (sys.pycache_prefix + str(folder / "server") for folder in (ROOT, made))
        shutil.copytree(*compiled)
    if (ROOT / MYPY_CACHE).exists():
        # The times of the files are copied too, so only what is new is looked at.
        shutil.copytree(ROOT / MYPY_CACHE, made / MYPY_CACHE)
    for path in ROOT.iterdir():
        if path.is_file():
            shutil.copy(path, made)
    for name in LINKED:
        (made / name).symlink_to((ROOT / name).resolve())
    yield made
    if sys.pycache_prefix is not None:
        shutil.rmtree(sys.pycache_prefix + str(made), ignore_errors=True)


def leave_out_what_stays() -> str:
    """Options of pytest that leave out tests to which a new slice adds nothing.

    The pages and the declared tables of today's slices, sample pages and past migrations: all are
    tested beside this file, by the same sources. The guide's own pages and tables stay.
    """
    matrix, house = "tests/console/test_matrix.py", "tests/house"
    pages = f"{matrix}::test_every_page_of_the_product_holds_role_and_place"
    tables = f"{house}/test_personal_data_by_declaration.py"
    left_out = [
        *(f"{pages}[sqlite-{one.tag}]" for one in slices.PAGES),
        *(f"{matrix}::{name}" for name in OF_SAMPLE_PAGES),
        *(
            f"{tables}::{test}[sqlite-{one.name}]"
            for test in BY_TABLE
            for one in slices.PERSONAL_DATA.order
        ),
        # Migrations of the past alone.
        f"{house}/test_outbox_steps.py",
    ]
    return " ".join(f"--deselect {one}" for one in left_out)


def run(command: str, checkout: Path) -> None:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST", "KEPU"))}
    # What is imported is the copy, wherever the tests themselves were started.
    kept |= {"PYTHONPATH": str(checkout), "PYTEST_ADDOPTS": leave_out_what_stays()}
    done = subprocess.run(
        shlex.split(command), cwd=checkout, env=kept, capture_output=True, text=True, timeout=900
    )
    assert done.returncode == 0, f"{command}\n{done.stdout[-6000:]}\n{done.stderr[-2000:]}"


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_newcomer_who_follows_the_guide_has_a_tested_slice(checkout: Path) -> None:
    commands = follow(GUIDE.read_text(encoding="utf-8"), checkout)
    assert [shlex.split(command)[0].rpartition("/")[2] for command in commands] == [
        "ruff", "ruff", "mypy", "lint-imports", "pytest", "pytest",
    ]  # fmt: skip
    changed = {path: path.read_text(encoding="utf-8") for path in written(checkout)}
    for command in commands:
        run(command, checkout)
    # The guide shows the files as the formatter leaves them.
    after = {path: path.read_text(encoding="utf-8") for path in changed}
    assert [str(p.relative_to(checkout)) for p in changed if changed[p] != after[p]] == []


def written(checkout: Path) -> list[Path]:
    """The files of the example."""
    return [
        p for folder in ("server/hints", "tests/hints") for p in (checkout / folder).rglob("*.py")
    ]


def test_a_guide_that_no_longer_fits_the_sources_is_told() -> None:
    with pytest.raises(AssertionError, match="does not fit the file"):
        patched("one\ntwo\n", " three\n+four\n", "x.py")
    with pytest.raises(AssertionError, match="does not fit the file"):
        patched("one\none\n", " one\n+two\n", "x.py")
    assert patched("one\ntwo\n", " one\n-two\n+three\n", "x.py") == "one\nthree\n"


def test_a_guide_with_a_mistake_fails_its_own_tests(checkout: Path) -> None:
    wrong = GUIDE.read_text(encoding="utf-8").replace("needs=Permission.HINT_WRITE, ", "")
    follow(wrong, checkout)
    told = "POST /hints (add_hint): say needs=Permission"
    with pytest.raises(AssertionError, match=re.escape(told)):
        run(".venv/bin/python -c 'import server.hints.console'", checkout)
