"""People in contests: who is found, which ranks they have, and why some are missing."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from urllib.parse import quote

import pytest
from flask import Flask
from sqlalchemy import select, update

from server.accounts import privacy
from server.accounts import service as accounts
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.quiz.attempts import service as attempts
from server.quiz.contests.service import ContestView
from server.quiz.integrity.entrant_console import PAGES
from server.quiz.integrity.rank_reasons import EntryFacts, RankReason, explain_rank
from server.quiz.leaderboards import service as boards
from server.quiz.models import Attempt, Contest, Entry
from tests.kit.clock import FakeClock
from tests.kit.console import Browser, console_app
from tests.kit.quiz import citizens, open_contest, take
from tests.kit.sealing import a_played_contest

R = RankReason
NORMAL = EntryFacts(
    erased=False, merged=False, held=False, upheld=False, closed_papers=2, open_paper=False,
    city="450100", county="450103", unit_id=7, shown=True, frozen_at=None,
    last_closed_at=None, region_rank=3,
)  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "reasons"),
    [
        ({}, []),
        ({"erased": True, "held": True}, [R.ERASED]),
        ({"merged": True}, [R.MERGED]),
        ({"held": True, "shown": False}, [R.HELD]),
        ({"held": True, "upheld": True, "shown": False}, [R.UPHELD]),
        ({"closed_papers": 0, "shown": False}, [R.NO_PAPER]),
        ({"closed_papers": 0, "open_paper": True, "shown": False}, [R.OPEN_PAPER]),
        ({"shown": False}, [R.COUNTING]),
        ({"city": None, "county": None}, [R.NO_CITY]),
        ({"county": None, "unit_id": None}, [R.NO_COUNTY, R.NO_UNIT]),
        ({"region_rank": 50}, []),
        ({"region_rank": 51}, [R.NOT_LISTED]),
    ],
)
def test_each_state_has_its_reasons(changed: dict[str, object], reasons: list[RankReason]) -> None:
    assert explain_rank(replace(NORMAL, **changed)) == reasons  # type: ignore[arg-type]


@pytest.mark.parametrize(("minutes", "reasons"), [(-1, []), (0, [R.FROZEN]), (5, [R.FROZEN])])
def test_a_paper_closed_after_the_freeze_is_named(
    clock: FakeClock, minutes: int, reasons: list[RankReason]
) -> None:
    now = clock.now()
    closed = now + timedelta(minutes=minutes)
    assert explain_rank(replace(NORMAL, frozen_at=now, last_closed_at=closed)) == reasons


@pytest.fixture
def contest(uow_factory: UnitOfWorkFactory) -> ContestView:
    return open_contest(uow_factory)


@pytest.fixture
def console(uow_factory: UnitOfWorkFactory) -> Flask:
    return console_app(uow_factory, PAGES)[0]


def a_player(
    uow_factory: UnitOfWorkFactory, contest: ContestView, right: int = 10, **columns: object
) -> tuple[int, str]:
    (citizen,) = citizens(uow_factory, 1, **columns)
    return citizen, take(uow_factory, contest, citizen, right=right).sheet.ref


def page_of(console: Flask, paper: str, who: str = "approver-region") -> str:
    status, shown = Browser(console, who).get(f"/entrants/{paper}")
    assert status == 200
    return re.sub(r"\s+", " ", shown)


def test_somebody_is_found_by_the_whole_nickname_or_a_paper_and_shown_masked(
    uow_factory: UnitOfWorkFactory, contest: ContestView, console: Flask
) -> None:
    _, paper = a_player(uow_factory, contest, nickname="青秀山的风")
    a_player(uow_factory, contest, nickname="别人")
    browser = Browser(console, "approver-region")
    for told in ("青秀山的风", paper):
        status, shown = browser.get(f"/entrants?q={quote(told)}")
        assert status == 200, shown[-600:]
        assert shown.count("/console/entrants/att_") == 1
        assert f"/console/entrants/{paper}" in shown
    # Part of a name finds nothing, and a masked name stays masked.
    nobody = browser.get(f"/entrants?q={quote('青秀山')}")[1]
    assert "/console/entrants/att_" not in nobody
    assert "没有开始过答题的人不在这里" in nobody
    assert "青秀山的风" not in page_of(console, paper)


def test_somebody_without_a_nickname_is_found_by_the_shown_name(
    uow_factory: UnitOfWorkFactory, contest: ContestView, console: Flask
) -> None:
    citizen, paper = a_player(uow_factory, contest)
    a_player(uow_factory, contest)
    with uow_factory.begin(read_only=True) as uow:
        shown_name = accounts.names_of(uow, [citizen])[citizen].shown
    browser = Browser(console, "approver-region")
    assert f"/console/entrants/{paper}" in browser.get(f"/entrants?q={quote(shown_name)}")[1]
    other = shown_name[:-1] + ("0" if shown_name[-1] != "0" else "1")
    assert f"/console/entrants/{paper}" not in browser.get(f"/entrants?q={quote(other)}")[1]


def test_the_ranks_are_those_of_the_boards_and_nothing_is_missing(
    uow_factory: UnitOfWorkFactory, contest: ContestView, console: Flask
) -> None:
    place = {"city": "450100", "county": "450103"}
    a_player(uow_factory, contest, right=10, city="450200")
    a_player(uow_factory, contest, right=9, **place)
    _, paper = a_player(uow_factory, contest, right=8, **place)
    shown = page_of(console, paper)
    assert re.findall(r"第\d+名（共\d+人）", shown) == [
        "第3名（共3人）",
        "第2名（共2人）",
        "第2名（共2人）",
    ]
    assert "没有选择单位" in shown
    assert "没有填写" not in shown


def test_somebody_of_a_division_has_a_rank_in_it(
    uow_factory: UnitOfWorkFactory, console: Flask
) -> None:
    browser = Browser(console, "approver-region")
    plain = open_contest(uow_factory)
    a_player(uow_factory, plain)
    assert '<th scope="col">组别' not in browser.get("/entrants")[1]
    with uow_factory.begin() as uow:
        a_played_contest(uow, (100, 90, 80, 60))
        paper = uow.session.scalars(
            select(Attempt.ref).join(Entry).where(Entry.division == "adult", Attempt.score == 60)
        ).one()
    listed = browser.get("/entrants")[1]
    assert '<th scope="col">组别' in listed
    assert "<td>成人组</td>" in listed
    assert f"/console/entrants/{paper}" in listed
    shown = re.sub(r"<[^>]+>", " ", page_of(console, paper))
    assert re.search(r"组别\s+成人组", shown)
    assert re.search(r"成人组\s+第2名（共2人）", shown)


def test_reasons_are_told_in_words_that_say_what_to_do(
    uow_factory: UnitOfWorkFactory, contest: ContestView, console: Flask, clock: FakeClock
) -> None:
    _, paper = a_player(uow_factory, contest)
    assert "所以只有全区名次。请本人在小程序“我的资料”里填写" in page_of(console, paper)
    (other,) = citizens(uow_factory, 1, city="450100", county="450103")
    with uow_factory.begin() as uow:
        started = attempts.start_paper(uow, contest.ref, other).view.sheet.ref
    shown = page_of(console, started)
    assert "到时间会自动交卷" in shown
    assert "现在的名次" not in shown
    clock.set(contest.closes_at + timedelta(days=1))
    assert "竞赛已经结束，现在补填只对以后的竞赛有效" in page_of(console, paper)


def test_a_hold_an_erasure_and_a_freeze_are_told(
    uow_factory: UnitOfWorkFactory, contest: ContestView, console: Flask
) -> None:
    place = {"city": "450100", "county": "450103"}
    _, held = a_player(uow_factory, contest, **place)
    gone, erased = a_player(uow_factory, contest, **place)
    _, frozen = a_player(uow_factory, contest, **place)
    with uow_factory.begin() as uow:
        boards.hold_entry(uow, entry_of(uow, held))
    with uow_factory.begin() as uow:
        privacy.erase_citizen(uow, gone)
    shown = page_of(console, held)
    assert "因疑似作弊被暂停" in shown
    assert "现在的名次" not in shown
    assert "本人已经注销" in page_of(console, erased)
    assert "此后交的卷暂不显示" not in page_of(console, frozen)
    with uow_factory.begin() as uow:
        uow.session.execute(update(Contest).values(freezes_at=uow.now - timedelta(minutes=1)))
    assert "此后交的卷暂不显示" in page_of(console, frozen)


def test_the_ranks_of_a_frozen_contest_are_the_present_ones(
    uow_factory: UnitOfWorkFactory, contest: ContestView, console: Flask, clock: FakeClock
) -> None:
    _, first = a_player(uow_factory, contest, right=8)
    late, second = a_player(uow_factory, contest, right=5)
    with uow_factory.begin() as uow:
        uow.session.execute(update(Contest).values(freezes_at=uow.now))
    clock.advance(24 * 3600)
    take(uow_factory, contest, late, right=10)
    ranks = [
        re.findall(r"第\d+名（共\d+人）", page_of(console, paper)) for paper in (first, second)
    ]
    assert ranks == [["第2名（共2人）"], ["第1名（共2人）"]]


def entry_of(uow: UnitOfWork, paper: str) -> int:
    return uow.session.scalars(select(Attempt.entry_id).where(Attempt.ref == paper)).one()


def test_people_of_other_places_are_not_found(
    uow_factory: UnitOfWorkFactory, contest: ContestView, console: Flask
) -> None:
    _, paper = a_player(uow_factory, contest, nickname="柳州的人", city="450200")
    browser = Browser(console, "approver-city")
    assert browser.get(f"/entrants/{paper}")[0] == 404
    assert "/console/entrants/att_" not in browser.get(f"/entrants?q={paper}")[1]


def test_the_list_is_narrowed_by_contest_and_state(
    uow_factory: UnitOfWorkFactory, contest: ContestView, console: Flask
) -> None:
    _, ranked = a_player(uow_factory, contest)
    (other,) = citizens(uow_factory, 1)
    with uow_factory.begin() as uow:
        started = attempts.start_paper(uow, contest.ref, other).view.sheet.ref
    browser = Browser(console, "approver-region")
    for state, wanted in (("ranked", {ranked}), ("unranked", {started}), ("held", set())):
        shown = browser.get(f"/entrants?contest={contest.ref}&state={state}")[1]
        assert set(re.findall(r"/console/entrants/(att_\w+)", shown)) == wanted, state
    assert "/console/entrants/att_" not in browser.get("/entrants?contest=other")[1]
