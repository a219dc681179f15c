"""Flags without fault are cleared, with a reason, until a later paper shows the signal again."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from server.audit.models import AuditRecord
from server.base.uow import UnitOfWorkFactory
from server.quiz.contests import service as contests
from server.quiz.enums import CaseState, Signal
from server.quiz.integrity import desk, inspection
from server.quiz.integrity.console import PAGES
from server.quiz.integrity.rules import SignalFinding
from server.quiz.models import Attempt, Entry, IntegrityFlag
from tests.kit.boards import a_paper
from tests.kit.console import NANNING, PEOPLE, Browser, console_app
from tests.kit.integrity import make_flag


@pytest.fixture
def console(uow_factory: UnitOfWorkFactory) -> Flask:
    return console_app(uow_factory, PAGES)[0]


def flag_of(uow_factory: UnitOfWorkFactory, state: CaseState = CaseState.RELEASED) -> str:
    with uow_factory.begin() as uow:
        return make_flag(uow, NANNING, state)


def clear(console: Flask, flag: str, who: str = "editor-city", reason: str = "只是熟练") -> int:
    return Browser(console, who).ask("POST", f"/integrity/{flag}/clear", {"reason": reason})[0]


def tasks_of(uow_factory: UnitOfWorkFactory, who: str) -> list[tuple[str, int]]:
    with uow_factory.begin(read_only=True) as uow:
        return [(one.said, one.count) for one in desk.tell_waiting(uow, PEOPLE[who])]


def find_again(uow_factory: UnitOfWorkFactory, *, after: timedelta) -> int:
    """Inspect a paper of the flagged entry that closed at this distance from now."""
    with uow_factory.begin() as uow:
        entry = uow.session.scalars(select(Entry)).one()
        contest = contests.contest_by_id(uow, entry.contest_id)
        made = a_paper(uow, contest, entry.id, score=50, closed_at=uow.now + after)
        paper = uow.session.get_one(Attempt, made)
        finding = SignalFinding(
            entry_id=entry.id, signal=Signal.SPEED,
            evidence={"papers": [paper.ref], "each_ms": 200, "floor_ms": 1000},
        )  # fmt: skip
        return inspection._store_findings(uow, [finding])


def test_a_cleared_flag_leaves_the_unchecked_ones_and_the_trail_says_why(
    console: Flask, uow_factory: UnitOfWorkFactory
) -> None:
    flag = flag_of(uow_factory)
    task = "quiz.integrity.task_open"
    assert tasks_of(uow_factory, "editor-city") == [(task, 1)]
    assert tasks_of(uow_factory, "editor-other") == [(task, 0)]
    assert clear(console, flag, "editor-other") == 404
    assert clear(console, flag, "approver-city") == 403
    assert clear(console, flag, reason=" ") == 422
    assert clear(console, flag) == 303
    assert tasks_of(uow_factory, "editor-city") == [(task, 0)]
    browser = Browser(console, "editor-city")
    assert flag not in browser.get("/integrity?state=open")[1]
    assert flag in browser.get("/integrity?state=cleared")[1]
    shown = browser.get(f"/integrity/{flag}")[1]
    assert ("已排除" in shown, "只是熟练" in shown, "0.3 秒" in shown) == (True, True, True)
    with uow_factory.begin(read_only=True) as uow:
        wanted = select(AuditRecord).where(AuditRecord.act == "quiz.clear_flags")
        entry = uow.session.scalars(wanted).one()
    assert (entry.subject_ref, entry.reason, entry.owner) == (flag, "只是熟练", "city:450100")


def test_whoever_clears_second_reads_who_was_faster(
    console: Flask, uow_factory: UnitOfWorkFactory
) -> None:
    flag = flag_of(uow_factory)
    assert clear(console, flag) == 303
    again = Browser(console, "editor-region").ask(
        "POST", f"/integrity/{flag}/clear", {"reason": "我也看了"}
    )
    assert again[0] == 409
    for told in ("别人已经办理", "韦editorcity", "排除作弊线索", "我也看了", f"/integrity/{flag}"):
        assert told in again[1]


def test_a_held_result_is_not_cleared(console: Flask, uow_factory: UnitOfWorkFactory) -> None:
    flag = flag_of(uow_factory, CaseState.HELD)
    assert clear(console, flag) == 409
    assert tasks_of(uow_factory, "editor-city") == [("quiz.integrity.task_open", 0)]


@pytest.mark.parametrize(("after", "opened"), [(timedelta(hours=-1), 0), (timedelta(hours=1), 1)])
def test_only_a_later_paper_opens_a_cleared_flag_again(
    console: Flask, uow_factory: UnitOfWorkFactory, after: timedelta, opened: int
) -> None:
    flag = flag_of(uow_factory)
    # An open flag keeps its first evidence.
    assert find_again(uow_factory, after=timedelta(days=-2)) == 0
    assert clear(console, flag) == 303
    assert find_again(uow_factory, after=after) == opened
    with uow_factory.begin(read_only=True) as uow:
        row = uow.session.scalars(select(IntegrityFlag)).one()
        found = (row.cleared_reason, row.evidence["each_ms"])
    assert found == ((None, 200) if opened else ("只是熟练", 300))
