"""The pages of final ranks: forms that keep what was typed, and what is checked in a version."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from server.audit.service import record_page
from server.base.access import Role
from server.base.clock import BEIJING
from server.base.uow import UnitOfWorkFactory
from server.quiz.contests.service import ContestView
from server.quiz.enums import CaseState
from server.quiz.leaderboards import service as boards
from server.quiz.models import IntegrityCase, SealedVersion, Standing
from server.quiz.sealing import service as sealing
from server.quiz.sealing.console import PAGES
from tests.kit.boards import a_contest, an_entry, hand_in, people, recounted
from tests.kit.clock import FakeClock
from tests.kit.console import Browser, console_app
from tests.kit.organizers import an_account
from tests.kit.quiz import open_contest
from tests.kit.sealing import OTHER, a_played_contest, end_contest, publish, seal, work


@pytest.fixture
def contest(uow_factory: UnitOfWorkFactory) -> ContestView:
    return open_contest(uow_factory)


@pytest.fixture
def console(uow_factory: UnitOfWorkFactory) -> Flask:
    return console_app(uow_factory, PAGES, audit=record_page)[0]


def test_a_freeze_in_the_past_is_refused_at_its_field_and_the_reason_stays(
    console: Flask, contest: ContestView, clock: FakeClock
) -> None:
    browser = Browser(console, "approver-region")
    path = f"/contests/{contest.ref}/final/freeze"
    given = {"freezes_at": "2020-01-01T08:00", "reason": "决赛前一小时"}
    status, shown = browser.ask("POST", path, given)
    assert status == 422
    assert "冻结时间至少要在一分钟以后" in shown
    assert "决赛前一小时" in shown
    later = (clock.now() + timedelta(hours=1)).astimezone(BEIJING)
    given["freezes_at"] = f"{later:%Y-%m-%dT%H:%M}"
    assert browser.ask("POST", path, given)[0] == 303


def test_the_steps_tell_when_the_contest_ends(console: Flask, contest: ContestView) -> None:
    shown = Browser(console, "approver-region").get(f"/contests/{contest.ref}/final")[1]
    assert "结束一分钟以后" in shown
    assert " 00:00结束" not in shown


@pytest.fixture
def sealed(uow_factory: UnitOfWorkFactory, clock: FakeClock) -> tuple[ContestView, str]:
    """An ended contest of seven people, the best of them held, with a draft of its final ranks."""
    with uow_factory.begin() as uow:
        played = a_played_contest(uow, (100, 90, 90, 80, 60, 50, 40))
        best = recounted(uow.session, played, "region", "total")[0][0]
        boards.hold_entry(uow, best)
        uow.session.add(
            IntegrityCase(
                ref="hld_1", entry_id=best, state=CaseState.UPHELD, hold_reason="太快",
                decision_reason="核对属实", holder_id=1, held_at=uow.now,
            )
        )  # fmt: skip
    end_contest(uow_factory, clock, played)
    return played, seal(uow_factory, played)


def table_under(shown: str, heading: str) -> list[list[str]]:
    """The cells of the table in the section with this heading id."""
    section = shown.split(f'id="{heading}"')[1].split("</section>")[0]
    rows = section.split("<tbody>")[1].split("</tbody>")[0].split("<tr>")[1:]
    cells = [re.findall(r"<td[^>]*>(.*?)</td>", row, re.DOTALL) for row in rows]
    return [[re.sub(r"<[^>]+>", "", cell).strip() for cell in row] for row in cells]


def test_a_version_shows_its_ranks_its_boards_and_who_is_left_out(
    console: Flask, sealed: tuple[ContestView, str]
) -> None:
    contest, ref = sealed
    shown = Browser(console, "approver-region").get(f"/contests/{contest.ref}/final/{ref}")[1]
    first = table_under(shown, "first-ranks")
    assert [(row[0], row[5], row[6]) for row in first] == [
        ("1", "学生组", "90"), ("2", "", "90"), ("3", "成人组", "80"),
        ("4", "学生组", "60"), ("5", "", "50"), ("6", "成人组", "40"),
    ]  # fmt: skip
    assert first[0][7] == "60.001"
    sizes = {row[0]: (row[1], row[2]) for row in table_under(shown, "boards")}
    assert sizes["全区"] == ("6", "90")
    assert sizes["南宁市"] == ("2", "80")
    assert sizes["柳州市"] == ("2", "90")
    assert sizes["成人组"] == ("2", "80")
    ((_name, why, words),) = table_under(shown, "left-out")
    assert (why, words) == ("复核后维持暂停", "核对属实")
    assert f"/console/ranks?version={ref}" in shown


def test_an_auditor_reads_the_numbers_of_a_version_and_no_name(
    console: Flask, sealed: tuple[ContestView, str]
) -> None:
    contest, ref = sealed
    shown = Browser(console, "auditor-region").get(f"/contests/{contest.ref}/final/{ref}")[1]
    assert "共1人。" in shown
    assert "first-ranks" not in shown
    assert "核对属实" not in shown
    assert "/console/ranks" not in shown


def test_a_county_sees_its_own_people_of_a_version_of_the_region(
    console: Flask, sealed: tuple[ContestView, str]
) -> None:
    contest, ref = sealed
    path = f"/contests/{contest.ref}/final/{ref}"
    shown = Browser(console, "approver-county").get(path)[1]
    with_rank = table_under(shown, "first-ranks")
    assert {row[3] for row in with_rank} == {"青秀区"}
    assert table_under(shown, "boards")[0][1] == str(len(with_rank))
    assert f"下面只列出您管理范围内的{len(with_rank)}人" in shown
    assert "公布最终榜" not in shown
    whole = Browser(console, "approver-region").get(path)[1]
    assert ("管理范围内的" in whole, "最高得分" in whole) == (False, True)


def test_the_whole_version_is_a_list_to_sort_filter_and_export(
    console: Flask, sealed: tuple[ContestView, str]
) -> None:
    _, ref = sealed
    browser = Browser(console, "editor-region")
    assert browser.get(f"/ranks?version={ref}&sort=-seconds")[0] == 200
    assert browser.get("/ranks?version=fin_nobody")[0] == 404
    given = {"file_format": "csv", "every_column": "all", "reason": "评奖"}
    export = browser.open("POST", f"/ranks/export?version={ref}&scope=city:450100", given)
    heading, *lines = export.data.decode("utf-8-sig").strip().splitlines()
    for word in ("名次", "榜单", "昵称", "县（市、区）", "单位", "组别", "得分", "用时"):
        assert word in heading
    assert [line.split(",")[0] for line in lines] == ["1", "2"]
    assert all("南宁市" in line and "成人组" in line for line in lines)


def heads_of(shown: str) -> str:
    """The row of column heads of a list."""
    return shown.split("<thead>")[1].split("</thead>")[0]


def chosen_in(shown: str, name: str) -> str:
    """The chosen value of a filter of a list."""
    select_box = shown.split(f'name="{name}"')[1].split("</select>")[0]
    return re.findall(r'<option value="([^"]*)" selected', select_box)[0]


def test_a_version_is_shown_with_its_contest_and_yields_to_another_one(
    console: Flask, sealed: tuple[ContestView, str], uow_factory: UnitOfWorkFactory
) -> None:
    played, ref = sealed
    newest = open_contest(uow_factory)
    browser = Browser(console, "editor-region")
    shown = browser.get(f"/ranks?version={ref}")[1]
    assert (chosen_in(shown, "contest"), chosen_in(shown, "version")) == (played.ref, ref)
    # The other contest was chosen while the version was still in its filter.
    status, shown = browser.get(f"/ranks?version={ref}&contest={newest.ref}")
    assert (status, chosen_in(shown, "contest")) == (200, newest.ref)
    assert f'value="{ref}"' not in shown
    assert "还没有" in shown or "没有符合" in shown


def test_the_column_of_divisions_is_left_out_where_it_would_be_empty(
    console: Flask, sealed: tuple[ContestView, str], uow_factory: UnitOfWorkFactory
) -> None:
    _, ref = sealed
    browser = Browser(console, "editor-region")
    assert "组别" in heads_of(browser.get(f"/ranks?version={ref}")[1])
    with uow_factory.begin() as uow:
        plain = a_contest(uow)
        (citizen,) = people(uow, 1)
        hand_in(uow, plain, an_entry(uow, plain, citizen), score=70)
    assert "组别" not in heads_of(browser.get(f"/ranks?contest={plain.ref}")[1])
    given = {"file_format": "csv", "every_column": "all", "reason": "评奖"}
    answer = browser.open("POST", f"/ranks/export?contest={plain.ref}", given)
    heading, row = answer.data.decode("utf-8-sig").strip().splitlines()
    assert "组别" not in heading
    assert len(row.split(",")) == len(heading.split(","))


def rows_of(shown: str, *columns: int) -> list[tuple[str, ...]]:
    """Some cells of each row of a list."""
    rows = shown.split("<tbody>")[1].split("</tbody>")[0].split("<tr>")[1:]
    cells = [re.findall(r"<td[^>]*>(.*?)</td>", row, re.DOTALL) for row in rows]
    return [tuple(row[n].strip() for n in columns) for row in cells]


def test_a_division_has_its_own_board_in_the_list_and_its_export(
    console: Flask, sealed: tuple[ContestView, str], uow_factory: UnitOfWorkFactory
) -> None:
    contest, ref = sealed
    browser = Browser(console, "editor-region")
    shown = browser.get(f"/ranks?contest={contest.ref}")[1]
    assert '<option value="division:pupil">组别：学生组</option>' in shown
    assert '<option value="audience:elder">人群：老年人</option>' in shown
    for board in (f"contest={contest.ref}", f"version={ref}"):
        shown = browser.get(f"/ranks?{board}&scope=division:pupil")[1]
        assert rows_of(shown, 0, 5, 6) == [("1", "学生组", "90"), ("2", "学生组", "60")]
        given = {"file_format": "csv", "every_column": "all", "reason": "评奖"}
        export = browser.open("POST", f"/ranks/export?{board}&scope=division:pupil", given)
        _, *lines = export.data.decode("utf-8-sig").strip().splitlines()
        assert [line.split(",")[0] for line in lines] == ["1", "2"]
        assert all(line.endswith("学生组") for line in lines)
    # The division was chosen before another contest, which has none.
    plain = open_contest(uow_factory)
    status, shown = browser.get(f"/ranks?contest={plain.ref}&scope=division:pupil")
    assert (status, "division:pupil" in shown) == (200, False)


def test_the_list_rounds_times_and_the_export_has_them_exactly(
    console: Flask, sealed: tuple[ContestView, str]
) -> None:
    contest, _ = sealed
    browser = Browser(console, "editor-region")
    shown = browser.get(f"/ranks?contest={contest.ref}&scope=city:450200")[1]
    assert [row[0] for row in rows_of(shown, 7)] == ["60.0", "60.0"]
    assert "千分之一秒" in shown
    given = {"file_format": "csv", "every_column": "all", "reason": "评奖"}
    export = browser.open("POST", f"/ranks/export?contest={contest.ref}&scope=city:450200", given)
    text = export.data.decode("utf-8-sig")
    assert ("60.001" in text, "60.004" in text) == (True, True)


def test_the_list_names_the_contest_that_it_shows_and_present_counties(
    console: Flask, sealed: tuple[ContestView, str], uow_factory: UnitOfWorkFactory
) -> None:
    newest = open_contest(uow_factory)
    shown = Browser(console, "editor-region").get("/ranks")[1]
    assert chosen_in(shown, "contest") == newest.ref
    assert ("横州市" in shown, "横县" in shown) == (True, False)


def test_a_version_that_moves_nobody_says_whose_score_changed(
    console: Flask, sealed: tuple[ContestView, str], uow_factory: UnitOfWorkFactory
) -> None:
    contest, ref = sealed
    publish(uow_factory, contest, ref)
    with uow_factory.begin() as uow:
        first = recounted(uow.session, contest, "region", "total")[1][0]
        standing = uow.session.scalars(
            select(Standing).where(Standing.entry_id == first, Standing.period == "total")
        ).one()
        standing.points += 1
        sealing.note_late_change(uow, contest.id, OTHER, "题目作废")
    work(uow_factory)
    with uow_factory.begin(read_only=True) as uow:
        newest = uow.session.scalars(
            select(SealedVersion.ref).order_by(SealedVersion.number.desc())
        ).first()
    shown = Browser(console, "approver-region").get(f"/contests/{contest.ref}/final/{newest}")[1]
    assert "这一版没有人名次变化，但有1人得分或用时变化。" in shown


def test_the_page_sends_the_sealer_to_another_approver(
    console: Flask, sealed: tuple[ContestView, str], uow_factory: UnitOfWorkFactory
) -> None:
    contest, ref = sealed
    path = f"/contests/{contest.ref}/final"
    own = Browser(console, "approver-region").get(path)[1]
    assert "这一版由您本人封存" in own
    assert "请系统管理员邀请一位" in own
    assert f"{path}/{ref}/publish" not in own
    assert (
        f"{path}/{ref}/publish" not in Browser(console, "approver-region").get(f"{path}/{ref}")[1]
    )
    with uow_factory.begin() as uow:
        an_account(uow, "second", role=Role.APPROVER, place="region")
    assert "请系统管理员邀请一位" not in Browser(console, "approver-region").get(path)[1]
