"""The mini-program's folder is walked over, and each check is proved by a fault that it finds."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CHECK = "server/emulator/phone/check.mjs"


def node_path() -> str:
    # Where the machine's own is absent or old, one lies beside the interpreter.
    found = shutil.which("node", path=str(Path(sys.executable).parent)) or shutil.which("node")
    if found is None:
        pytest.fail("Node is needed to check the mini-program")
    return found


def node(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [node_path(), *arguments]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )


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
    run = node(CHECK, "miniprogram")
    assert (run.returncode, run.stderr) == (0, ""), run.stdout
    print(run.stdout)


def test_the_walk_prints_how_much_of_each_language_is_there() -> None:
    za, zh = node(CHECK, "miniprogram").stdout.splitlines()
    whole = re.fullmatch(r"texts: zh (\d+) of \1 wordings \(100\.0 %\)", zh)
    assert whole is not None, zh
    share = re.fullmatch(rf"texts: za (\d+) of {whole[1]} wordings \((\d+\.\d) %\); (.*)", za)
    assert share is not None, za
    assert share[2] == f"{100 * int(share[1]) / int(whole[1]):.1f}"
    assert share[3].startswith("in Chinese until translated: common home ")


@pytest.mark.parametrize(
    ("file", "old", "young", "line"),
    [
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
            "    practice_note:",
            "    nobody_says_this: '无',\n    practice_note:",
            "texts/zh.ts:{line}: home.nobody_says_this is said by no page",
        ),
    ],
)
def test_a_page_a_handler_or_a_word_that_is_removed_is_told_with_its_line(
    tmp_path: Path, file: str, old: str, young: str, line: str
) -> None:
    app = tmp_path / "app"
    shutil.copytree(ROOT / "miniprogram", app)
    text = (app / file).read_text(encoding="utf-8")
    assert text.count(old) == 1
    (app / file).write_text(text.replace(old, young), encoding="utf-8")
    run = node(CHECK, str(app))
    assert run.returncode == 1
    told = [re.sub(r":\d+: (home\.)", r":{line}: \1", said) for said in run.stdout.splitlines()]
    assert any(said.endswith(line) for said in told), run.stdout


def test_the_command_wants_one_folder() -> None:
    run = node(CHECK)
    assert run.returncode == 2
    assert run.stderr.startswith("usage:")
