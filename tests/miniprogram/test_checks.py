"""The mini-program's folder is walked over, and each check is proved by a fault that it finds."""

from __future__ import annotations

import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

from tests.kit.node import ROOT, node

CHECK = "server/emulator/phone/check.mjs"


@cache
def walk_the_mini_program() -> subprocess.CompletedProcess[str]:
    return node(CHECK, "miniprogram")


@pytest.mark.parametrize("name", ["faults", "lint", "wechat"])
def test_each_check_finds_the_fault_that_is_planted_for_it(name: str) -> None:
    run = node("--test", "--test-reporter=dot", f"tests/miniprogram/checks/{name}.test.mjs")
    assert run.returncode == 0, run.stdout + run.stderr


def test_the_command_lists_faults_by_line_and_fails(tmp_path: Path) -> None:
    app = tmp_path / "app"
    shutil.copytree(ROOT / "tests/miniprogram/checks/sound", app)
    arguments = [CHECK, str(app), "--built-ins=view,text,image,input"]
    run = node(*arguments)
    assert (run.returncode, run.stdout) == (0, "")
    (app / "packages/quiz/round/index.wxml").write_text('<view bind:tap="go" />\n')
    run = node(*arguments)
    assert run.returncode == 1
    assert run.stdout == (
        'packages/quiz/round/index.wxml:1: bind:tap names "go", '
        "which is no handler of packages/quiz/round/index.ts\n"
    )


def test_the_mini_program_is_sound() -> None:
    run = walk_the_mini_program()
    assert (run.returncode, run.stderr) == (0, ""), run.stdout
    print(run.stdout)


def test_the_walk_prints_how_much_of_each_language_is_there() -> None:
    za, zh = walk_the_mini_program().stdout.splitlines()
    whole = re.fullmatch(r"texts: zh (\d+) of \1 wordings \(100\.0 %\)", zh)
    assert whole is not None, zh
    share = re.fullmatch(rf"texts: za (\d+) of {whole[1]} wordings \((\d+\.\d) %\); (.*)", za)
    assert share is not None, za
    assert share[2] == f"{100 * int(share[1]) / int(whole[1]):.1f}"
    assert share[3].startswith("in Chinese until translated: common home ")


# File, its words, others in their place, and the line that tells of it.
REMOVED = [
    (
        "app.json",
        '        "board/index",\n',
        "",
        "packages/quiz/board/index.json:1: page packages/quiz/board/index is not in app.json",
    ),
    (
        "pages/home/index.ts",
        "  board(",
        "  bored(",
        'bind:tap names "board", which is no handler of pages/home/index.ts',
    ),
    (
        "texts/za.ts",
        "language_za: 'Vahcuengh'",
        "",
        "texts/za.ts:1: settings.language_za is neither translated nor in the fallback list",
    ),
    (
        "texts/zh.ts",
        "    practice_note:",
        "    practise_note:",
        "pages/home/index.wxml:{line}: home.practice_note is not in texts/zh.ts",
    ),
    (
        "texts/zh.ts",
        "    practise_note:",
        "    nobody_says_this: '无',\n    practise_note:",
        "texts/zh.ts:{line}: home.nobody_says_this is said by no page",
    ),
]


def test_a_page_a_handler_or_a_word_that_is_removed_is_told_with_its_line(tmp_path: Path) -> None:
    app = tmp_path / "app"
    shutil.copytree(ROOT / "miniprogram", app)
    for file, old, young, _ in REMOVED:
        text = (app / file).read_text(encoding="utf-8")
        assert text.count(old) == 1
        (app / file).write_text(text.replace(old, young), encoding="utf-8")
    run = node(CHECK, str(app))
    assert run.returncode == 1
    told = [re.sub(r":\d+: (home\.)", r":{line}: \1", said) for said in run.stdout.splitlines()]
    missing = [line for *_, line in REMOVED if not any(said.endswith(line) for said in told)]
    assert missing == [], run.stdout


def test_the_command_wants_one_folder() -> None:
    run = node(CHECK)
    assert run.returncode == 2
    assert run.stderr.startswith("usage:")
