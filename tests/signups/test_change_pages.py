"""Pages that move, postpone, date and cancel an activity: first who is told, then the change."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from server.activities import console as activity_pages
from server.activities import drafts
from server.activities.kinds import ActivityState
from server.activities.models import Activity
from server.activities.service import MoveForm, place_move_faults
from server.audit.models import AuditRecord
from server.audit.service import record_page
from server.base.ownership import owned_by
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.signups import change_pages
from server.signups.kinds import NoticeKind, SignUpState
from server.signups.models import SignUp, SignUpNotice
from tests.kit.activities import Lecture, a_lecture
from tests.kit.activity_probes import CHANGE_FORM, MOVE_FORM, good_content, wrong_drafts
from tests.kit.console import NANNING, Browser, console_app
from tests.kit.signup_probes import seat_guest
from tests.signups.test_console import sign_up_people


@pytest.fixture
def app(uow_factory: UnitOfWorkFactory) -> Flask:
    tables = (activity_pages.PAGES, change_pages.PAGES)
    return console_app(uow_factory, *tables, audit=record_page)[0]


def make_lecture(uow_factory: UnitOfWorkFactory, **columns: Any) -> Lecture:
    with uow_factory.begin() as uow:
        return a_lecture(uow, **{**owned_by(NANNING), **columns})


def row_of(uow_factory: UnitOfWorkFactory, lecture: Lecture) -> Activity:
    with uow_factory.begin(read_only=True) as uow:
        row = uow.session.get_one(Activity, lecture.id)
        uow.session.expunge(row)
        return row


def count_messages(uow_factory: UnitOfWorkFactory, kind: NoticeKind) -> int:
    with uow_factory.begin(read_only=True) as uow:
        asked = select(func.count()).where(SignUpNotice.kind == kind)
        return uow.session.scalar(asked) or 0


def test_a_move_shows_who_is_told_and_then_what_was_done(
    app: Flask, uow_factory: UnitOfWorkFactory
) -> None:
    lecture = make_lecture(uow_factory, seats=3)
    sign_up_people(uow_factory, lecture, 1, 1)
    with uow_factory.begin() as uow:
        seat_guest(uow, lecture)
    sign_up_people(uow_factory, lecture, 1)
    editor = Browser(app, "editor-city")
    assert f"/activities/{lecture.ref}/move" in editor.get(f"/activities/{lecture.ref}")[1]
    status, shown = editor.get(f"/activities/{lecture.ref}/move")
    assert status == 200
    assert "<dt>报名成功</dt>\n  <dd>2人次" in shown
    assert "<dt>候补</dt>\n  <dd>1人次" in shown
    assert "另有1人次是管理人员登记的" in shown
    assert editor.ask("POST", f"/activities/{lecture.ref}/move", MOVE_FORM)[0] == 303
    assert count_messages(uow_factory, NoticeKind.CHANGED) == 3
    _, after = editor.get(f"/activities/{lecture.ref}")
    for told in ("3人次会收到消息", "发布以后的变更", "地点：广西图书馆报告厅 → 广西科技馆报告厅",
                 "原因：场地检修", "2026年5月16日（周六）15:00"):  # fmt: skip
        assert told in after, told


def test_nothing_changes_before_the_preview_is_agreed_to(
    app: Flask, uow_factory: UnitOfWorkFactory
) -> None:
    lecture = make_lecture(uow_factory)
    editor = Browser(app, "editor-city")
    for path in ("move", "postpone"):
        given = {**MOVE_FORM, "agreed": ""}
        status, shown = editor.ask("POST", f"/activities/{lecture.ref}/{path}", given)
        assert (status, "请先核对会收到消息的人" in shown) == (422, True)
    row = row_of(uow_factory, lecture)
    assert (row.revision, row.state) == (0, ActivityState.PUBLISHED)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"starts_at": "2026-04-01T15:00", "ends_at": "2026-04-01T17:00"}, "已经过了"),
        ({"ends_at": "2026-05-16T14:00"}, "结束时间要晚于开始时间"),
        ({"venue": " "}, "请填写活动地点"),
        ({"point": "108.366543,22.817002"}, "是不是先写了经度"),
        ({"starts_at": "2026-05-01T12:30", "ends_at": "2026-05-01T13:30"}, "来不及报名"),
        ({"reason": ""}, "请"),
    ],
)
def test_a_date_or_place_that_cannot_be_is_refused_with_a_sentence(
    app: Flask, uow_factory: UnitOfWorkFactory, given: dict[str, str], sentence: str
) -> None:
    with uow_factory.begin(read_only=True) as uow:
        opens = uow.now + timedelta(hours=2)
    lecture = make_lecture(uow_factory, signup_opens_at=opens)
    page = f"/activities/{lecture.ref}/move"
    status, shown = Browser(app, "editor-city").ask("POST", page, {**MOVE_FORM, **given})
    assert status == 422
    assert sentence in shown
    assert row_of(uow_factory, lecture).revision == 0


def test_every_fault_of_a_new_date_has_a_sentence_and_a_field_of_the_form(
    uow_factory: UnitOfWorkFactory,
) -> None:
    with uow_factory.begin(read_only=True) as uow:
        faults = [(one.field, one.reason) for draft in unlike_drafts(uow)
                  for one in drafts.check_draft(uow, draft)]  # fmt: skip
        placed = place_move_faults([*faults, ("starts_at", "in_past")])
        assert {name for name, _ in placed} <= set(vars(MoveForm))
        assert all(uow.texts.fill_text(said) != said for _, said in placed)
        said = {key for _, key in placed}
    assert "activities.fault.starts_at.in_past" in said
    assert len([key for key in said if ".move_fault." in key]) == 5


def unlike_drafts(uow: UnitOfWork) -> list[drafts.ActivityDraft]:
    late = {"signup_opens_at": uow.now + timedelta(days=9)}
    return [*wrong_drafts(uow), drafts.ActivityDraft(**{**good_content(uow), **late})]


def test_a_corrected_map_point_alone_is_told_to_nobody(
    app: Flask, uow_factory: UnitOfWorkFactory
) -> None:
    lecture = make_lecture(uow_factory)
    sign_up_people(uow_factory, lecture, 1)
    row = row_of(uow_factory, lecture)
    given = {
        **MOVE_FORM,
        "starts_at": f"{row.starts_at + timedelta(hours=8):%Y-%m-%dT%H:%M}",
        "ends_at": f"{row.ends_at + timedelta(hours=8):%Y-%m-%dT%H:%M}",
        "venue": row.venue, "address": "",
    }  # fmt: skip
    editor = Browser(app, "editor-city")
    assert editor.ask("POST", f"/activities/{lecture.ref}/move", given)[0] == 303
    assert "没有需要发消息的人" in editor.get(f"/activities/{lecture.ref}")[1]
    after = row_of(uow_factory, lecture)
    assert (after.latitude, after.revision) == (22_817_002, 1)
    assert count_messages(uow_factory, NoticeKind.CHANGED) == 0


def test_a_postponed_activity_gets_its_new_date_on_the_same_page(
    app: Flask, uow_factory: UnitOfWorkFactory
) -> None:
    lecture = make_lecture(uow_factory)
    sign_up_people(uow_factory, lecture, 1)
    editor = Browser(app, "editor-city")
    assert editor.ask("POST", f"/activities/{lecture.ref}/postpone", CHANGE_FORM)[0] == 303
    _, shown = editor.get(f"/activities/{lecture.ref}")
    assert "已延期" in shown
    assert "受台风影响" in shown
    assert f"/activities/{lecture.ref}/postpone" not in shown
    _, form = editor.get(f"/activities/{lecture.ref}/move")
    assert "定新的时间" in form
    assert "2026-05-04T" not in form
    assert editor.ask("POST", f"/activities/{lecture.ref}/move", MOVE_FORM)[0] == 303
    assert row_of(uow_factory, lecture).state is ActivityState.PUBLISHED
    assert "新的时间已经公布，1人次" in editor.get(f"/activities/{lecture.ref}")[1]
    assert editor.ask("POST", f"/activities/{lecture.ref}/postpone", CHANGE_FORM)[0] == 303
    assert editor.ask("POST", f"/activities/{lecture.ref}/postpone", CHANGE_FORM)[0] == 409


def test_an_approver_cancels_and_an_editor_is_told_whom_to_ask(
    app: Flask, uow_factory: UnitOfWorkFactory
) -> None:
    lecture = make_lecture(uow_factory)
    sign_up_people(uow_factory, lecture, 1)
    editor, approver = Browser(app, "editor-city"), Browser(app, "approver-city")
    page = f"/activities/{lecture.ref}/cancel"
    assert "请联系审核员" in editor.get(f"/activities/{lecture.ref}")[1]
    assert editor.ask("POST", page, CHANGE_FORM)[0] == 403
    _, shown = approver.get(f"/activities/{lecture.ref}")
    assert page in shown
    assert f"{lecture.ref}/postpone" not in shown
    assert approver.ask("POST", page, CHANGE_FORM)[0] == 303
    _, after = approver.get(f"/activities/{lecture.ref}")
    assert "已取消" in after
    assert "1人次会收到消息" in after
    assert page not in after
    with uow_factory.begin(read_only=True) as uow:
        assert set(uow.session.scalars(select(SignUp.state))) == {SignUpState.CALLED_OFF}
        asked = select(AuditRecord.reason).where(AuditRecord.act == "activities.cancel_activity")
        assert uow.session.scalars(asked).all() == ["受台风影响"]


def test_an_activity_that_has_begun_is_not_moved_any_more(
    app: Flask, uow_factory: UnitOfWorkFactory
) -> None:
    begun = timedelta(minutes=-5)
    lecture = make_lecture(uow_factory, starts_in=begun)
    editor = Browser(app, "editor-city")
    assert "/postpone" not in editor.get(f"/activities/{lecture.ref}")[1]
    status, shown = editor.ask("POST", f"/activities/{lecture.ref}/postpone", CHANGE_FORM)
    assert (status, "已经开始或结束" in shown) == (409, True)
