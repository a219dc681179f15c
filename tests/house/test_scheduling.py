"""Files of tests are handed out so that waiting and computing run side by side."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from tests.house.source import ROOT
from tests.kit.scheduling import (
    LONGEST,
    ONE_DEMO,
    SHARING,
    MixedScheduling,
    rank_file,
    waits_mostly,
)

FILES = [str(path.relative_to(ROOT)) for path in ROOT.glob("tests/*/test_*.py")]


class Process:
    """One process of a run, which takes what it is sent."""

    def __init__(self, number: str) -> None:
        self.gateway = SimpleNamespace(id=f"gw{number}")

    def send_runtest_some(self, indexes: list[int]) -> None:
        assert indexes


def hand_out(files: list[str], turns: str) -> list[str]:
    """The files in the order in which the processes of these numbers get them."""
    config: Any = SimpleNamespace(getvalue=lambda _name: ["popen"])
    scheduling = MixedScheduling(config)
    for file in files:
        scheduling.workqueue[file] = {f"{file}::test_it": False}
    order = []
    for turn in turns:
        process: Any = Process(turn)
        scheduling.registered_collections[process] = [f"{file}::test_it" for file in files]
        scheduling._assign_work_unit(process)
        order += scheduling.assigned_work[process]
    return order


def test_every_other_process_takes_files_that_wait() -> None:
    waiting = ["tests/e2e/test_a.py", "tests/quiz/test_it_browser.py"]
    computing = ["tests/quiz/test_b.py", "tests/quiz/test_c.py"]
    order = hand_out([*waiting, *computing], "0123")
    assert order == [waiting[0], computing[0], waiting[1], computing[1]]


def test_a_process_without_files_of_its_kind_takes_the_others() -> None:
    files = ["tests/quiz/test_b.py", "tests/e2e/test_a.py", "tests/quiz/test_c.py"]
    assert hand_out(files, "000") == [files[1], files[0], files[2]]


def test_the_files_of_one_demo_go_to_one_process() -> None:
    said = {file for file in FILES if "\nSHARES_DEMO = True" in (ROOT / file).read_text("utf-8")}
    assert said == SHARING, "name the file in SHARING of tests/kit/scheduling.py"
    config: Any = SimpleNamespace(getvalue=lambda _name: ["popen"])
    split = MixedScheduling(config)._split_scope
    assert {split(f"{file}::test_it") for file in SHARING} == {ONE_DEMO}
    assert split("tests/e2e/test_bad_days.py::test_it") == "tests/e2e/test_bad_days.py"
    assert waits_mostly(ONE_DEMO)


def test_the_lists_name_files_that_exist() -> None:
    assert {rank_file(file) for file in FILES} == set(range(len(LONGEST) + 1))
    assert 0 < sum(map(waits_mostly, FILES)) < len(FILES)
