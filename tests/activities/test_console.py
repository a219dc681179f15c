"""The activity pages: a draft is written, reviewed by somebody else, published, corrected."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from server.activities import desk, drafts, lifecycle
from server.activities.console import PAGES
from server.activities.errors import OwnActivity
from server.activities.forms import place_faults
from server.activities.kinds import ActivityState
from server.activities.models import Activity, Seating
from server.audit.models import AuditRecord
from server.base.access import Organizer
from server.base.ownership import count_handed, hand_over_rows
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from tests.kit.activity_probes import (
    DESCRIPTION_FORM,
    FORM,
    good_content,
    make_in_state,
    wrong_drafts,
)
from tests.kit.console import NANNING, PEOPLE, QINGXIU, Browser, console_app
from tests.kit.quiz import all_at_once

EDITOR, APPROVER = PEOPLE["editor-county"], PEOPLE["approver-city"]


@pytest.fixture
def app(uow_factory: UnitOfWorkFactory) -> Flask:
    return console_app(uow_factory, PAGES)[0]


def write_draft(app: Flask, who: str = "editor-county", **changed: str) -> tuple[int, str]:
    answer = Browser(app, who).open("POST", "/activities/new", {**FORM, **changed})
    return answer.status_code, answer.headers.get("Location", answer.get_data().decode())


def ref_of(location: str) -> str:
    return location.rpartition("/")[2]


def stored_row(uow_factory: UnitOfWorkFactory, ref: str) -> Activity:
    with uow_factory.begin(read_only=True) as uow:
        row = uow.session.scalars(select(Activity).where(Activity.ref == ref)).one()
        uow.session.expunge(row)
        return row


def waiting_of(uow_factory: UnitOfWorkFactory, who: str) -> dict[str, int]:
    with uow_factory.begin(read_only=True) as uow:
        return {one.said: one.count for one in desk.tell_waiting(uow, PEOPLE[who])}


def test_the_form_stores_every_field_in_beijing_time(
    app: Flask, uow_factory: UnitOfWorkFactory
) -> None:
    status, location = write_draft(app)
    assert status == 303
    with uow_factory.begin(read_only=True) as uow:
        row = uow.session.scalars(select(Activity)).one()
        draft = drafts.read_draft(uow, row)
    assert row.owner == "county:450103"
    assert draft.starts_at.isoformat() == "2026-05-16T07:00:00+00:00"
    assert (draft.city, draft.county) == ("450100", "450103")
    assert (draft.latitude, draft.longitude) == (22_817_002, 108_366_543)
    assert (draft.seats, draft.room_limit, draft.waitlist_most) == (200, 220, None)
    assert draft.audiences == ("elder",)
    assert [dict(one) for one in draft.questions] == [
        {"key": "q1", "label": "年级", "options": ["一年级", "二年级"], "needed": True},
        {"key": "q2", "label": "想问什么", "options": [], "needed": False},
    ]
    _, shown = Browser(app, "editor-county").get(f"/activities/{ref_of(location)}/edit")
    for name, value in FORM.items():
        assert value.split("\n")[0] in shown, name


def test_a_form_sent_twice_makes_one_draft(app: Flask, uow_factory: UnitOfWorkFactory) -> None:
    first, second = (write_draft(app, form_key="frm_1")[1] for _ in range(2))
    assert first == second
    with uow_factory.begin(read_only=True) as uow:
        assert len(uow.session.scalars(select(Activity)).all()) == 1


@pytest.mark.race
def test_two_taps_at_once_make_one_draft(app: Flask, uow_factory: UnitOfWorkFactory) -> None:
    sent = all_at_once([lambda: write_draft(app, form_key="frm_2")] * 4)
    assert len({str(answer) for answer in sent}) == 1
    with uow_factory.begin(read_only=True) as uow:
        assert len(uow.session.scalars(select(Activity)).all()) == 1


@pytest.mark.race
def test_without_the_lock_a_second_tap_fails(
    app: Flask, uow_factory: UnitOfWorkFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL alone: SQLite has one writer, so the second finds the first one's draft."""
    monkeypatch.setattr(lifecycle, "lock_name", lambda *_: None)
    with uow_factory.begin(read_only=True) as uow:
        draft = drafts.ActivityDraft(**good_content(uow))
    begun = threading.Barrier(2) if uow_factory.engine.dialect.name == "postgresql" else None
    found = lifecycle._refuse_faults

    def wait_for_the_other(uow: UnitOfWork, one: drafts.ActivityDraft) -> None:
        if begun is not None:
            begun.wait()
        found(uow, one)

    monkeypatch.setattr(lifecycle, "_refuse_faults", wait_for_the_other)

    def write() -> str:
        with uow_factory.begin() as uow:
            return lifecycle.write_activity(uow, EDITOR, draft, "frm_3")

    made = all_at_once([write, write])
    assert any(isinstance(one, IntegrityError) for one in made) is (begun is not None)


def test_each_fault_stands_beside_its_field_and_what_was_typed_stays(app: Flask) -> None:
    status, shown = write_draft(
        app,
        title="改了又改的标题",
        ends_at="2026-05-16T14:00",
        signup_closes_at="2026-05-02T09:00",
        room_limit="10",
        point="108.366543,22.817002",
    )
    assert status == 422
    assert "改了又改的标题" in shown
    for sentence in (
        "结束时间要晚于开始时间",
        "报名截止要晚于报名开始",
        "不能少于名额",
        "是不是先写了经度",
    ):
        assert sentence in shown
    assert shown.count('class="wrong"') == 4


@pytest.mark.parametrize(
    ("field", "typed", "sentence"),
    [
        ("starts_at", "0001-01-01T00:00", "请检查年份"),
        ("starts_at", "明天", "日期"),
        ("seats", "99999999999999999999", "1到20000"),
        ("point", "南宁", "先纬度"),
        ("point", "inf,nan", "先纬度"),
        ("kind", "party", "请从列表中选择"),
        ("questions", "年级：一年级", "读不懂"),
        ("questions", "问\n问", "同一个问题"),
        ("live_link", "http://live.example.cn", "https://"),
        ("place", "450100/450203", "不在所选的市"),
        ("programme", "nothing", "没有这个项目"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_a_sentence(
    app: Flask, field: str, typed: str, sentence: str
) -> None:
    status, shown = write_draft(app, **{field: typed})
    assert status == 422
    assert sentence in shown


def test_every_fault_of_a_draft_has_a_sentence_and_a_field(
    uow_factory: UnitOfWorkFactory,
) -> None:
    from_form = set(FORM) | {"form_key", "checkout_needed"}
    with uow_factory.begin(read_only=True) as uow:
        faults = [fault for draft in wrong_drafts(uow) for fault in drafts.check_draft(uow, draft)]
        placed = place_faults(faults)
        assert {name for name, _ in placed} <= from_form
        assert all(uow.texts.fill_text(said) != said for _, said in placed)
    assert len({(one.field, one.reason) for one in faults}) >= 25


def test_an_editor_of_a_county_cannot_publish_and_each_move_is_recorded(
    app: Flask, uow_factory: UnitOfWorkFactory
) -> None:
    ref = ref_of(write_draft(app)[1])
    editor, approver = (Browser(app, who) for who in ("editor-county", "approver-city"))
    assert editor.ask("POST", f"/activities/{ref}/publish", {})[0] == 403
    assert approver.ask("POST", f"/activities/{ref}/publish", {})[0] == 409
    assert editor.ask("POST", f"/activities/{ref}/send", {})[0] == 303
    assert editor.ask("POST", f"/activities/{ref}/publish", {})[0] == 403
    assert waiting_of(uow_factory, "approver-city") == {"activities.waiting": 1}
    assert approver.ask("POST", f"/activities/{ref}/return", {"reason": "请写明停车"})[0] == 303
    assert waiting_of(uow_factory, "editor-county") == {"activities.returned_waiting": 1}
    assert "请写明停车" in editor.get(f"/activities/{ref}")[1]
    assert ref in editor.get("/activities?state=returned")[1]
    changed = {**FORM, "notes": "可以停车"}
    assert editor.ask("POST", f"/activities/{ref}/edit", changed)[0] == 303
    assert waiting_of(uow_factory, "editor-county") == {"activities.returned_waiting": 0}
    assert editor.ask("POST", f"/activities/{ref}/send", {})[0] == 303
    assert approver.ask("POST", f"/activities/{ref}/publish", {})[0] == 303
    assert stored_row(uow_factory, ref).state is ActivityState.PUBLISHED
    assert waiting_of(uow_factory, "approver-city") == {"activities.waiting": 0}
    with uow_factory.begin(read_only=True) as uow:
        acts = uow.session.scalars(
            select(AuditRecord.act)
            .where(AuditRecord.subject_kind == "activity", AuditRecord.subject_ref == ref)
            .order_by(AuditRecord.number)
        ).all()
    assert [one.removeprefix("activities.") for one in acts] == [
        "write_activity", "send_activity", "return_activity", "change_draft", "send_activity",
        "publish_activity",
    ]  # fmt: skip


def test_an_approver_of_a_county_publishes_nothing(
    app: Flask, uow_factory: UnitOfWorkFactory
) -> None:
    with uow_factory.begin() as uow:
        ref = make_in_state(uow, QINGXIU, ActivityState.REVIEW, writer_id=EDITOR.id)["ref"]
    county = Browser(app, "approver-county")
    status, shown = county.ask("POST", f"/activities/{ref}/publish", {})
    assert (status, "由所在市的审核人发布" in shown) == (409, True)
    page = county.get(f"/activities/{ref}")[1]
    assert 'id="ask-publish"' not in page
    assert waiting_of(uow_factory, "approver-county") == {}
    assert stored_row(uow_factory, ref).state is ActivityState.REVIEW
    city = Browser(app, "approver-city")
    assert 'id="ask-publish"' in city.get(f"/activities/{ref}")[1]
    assert city.ask("POST", f"/activities/{ref}/publish", {})[0] == 303


def test_nobody_publishes_an_activity_of_the_own(
    app: Flask, uow_factory: UnitOfWorkFactory
) -> None:
    with uow_factory.begin() as uow:
        ref = make_in_state(uow, QINGXIU, ActivityState.REVIEW, writer_id=APPROVER.id)["ref"]
    status, shown = Browser(app, "approver-city").ask("POST", f"/activities/{ref}/publish", {})
    assert status == 409
    assert "另一位审核人" in shown
    assert 'id="ask-publish"' not in Browser(app, "approver-city").get(f"/activities/{ref}")[1]
    assert waiting_of(uow_factory, "approver-city") == {"activities.waiting": 0}


def test_a_published_activity_changes_in_its_descriptions_only(
    app: Flask, uow_factory: UnitOfWorkFactory
) -> None:
    with uow_factory.begin() as uow:
        ref = make_in_state(uow, NANNING, ActivityState.PUBLISHED)["ref"]
    editor = Browser(app, "editor-city")
    before = stored_row(uow_factory, ref)
    assert editor.ask("POST", f"/activities/{ref}/edit", FORM)[0] == 409
    assert "已经报名的人" in editor.get(f"/activities/{ref}/describe")[1]
    given = {**DESCRIPTION_FORM, "venue": "另一个地方", "starts_at": "2027-01-01T00:00"}
    assert editor.ask("POST", f"/activities/{ref}/describe", given)[0] == 303
    after = stored_row(uow_factory, ref)
    assert after.speaker == "韦明"
    assert (after.venue, after.starts_at) == (before.venue, before.starts_at)
    wrong = {**DESCRIPTION_FORM, "live_link": "ftp://x"}
    assert editor.ask("POST", f"/activities/{ref}/describe", wrong)[0] == 422


def test_an_activity_is_taken_back_from_review_and_a_draft_deleted(
    app: Flask, uow_factory: UnitOfWorkFactory
) -> None:
    ref = ref_of(write_draft(app)[1])
    editor = Browser(app, "editor-county")
    editor.ask("POST", f"/activities/{ref}/send", {})
    assert editor.ask("POST", f"/activities/{ref}/delete", {})[0] == 409
    assert editor.ask("POST", f"/activities/{ref}/recall", {})[0] == 303
    assert editor.ask("POST", f"/activities/{ref}/delete", {})[0] == 303
    with uow_factory.begin(read_only=True) as uow:
        assert uow.session.scalars(select(Seating)).all() == []
        assert uow.session.scalars(select(Activity)).all() == []


def test_a_copy_takes_place_on_the_same_weekday_in_a_week_to_come(
    app: Flask, uow_factory: UnitOfWorkFactory
) -> None:
    with uow_factory.begin() as uow:
        now = uow.now
        columns = {
            "starts_at": now - timedelta(days=16),
            "signup_opens_at": now - timedelta(days=30),
        }
        old = make_in_state(uow, NANNING, ActivityState.CLOSED, **columns)["ref"]
    editor = Browser(app, "editor-city")
    _, shown = editor.get(f"/activities/new?copy={old}")
    row = stored_row(uow_factory, old)
    wanted = row.starts_at + timedelta(weeks=3)
    assert now < wanted <= now + timedelta(weeks=1)
    assert f"{wanted + timedelta(hours=8):%Y-%m-%dT%H:%M}" in shown
    assert row.title in shown


def test_filters_of_the_list_compose(app: Flask, uow_factory: UnitOfWorkFactory) -> None:
    with uow_factory.begin() as uow:
        wanted = make_in_state(uow, NANNING, ActivityState.DRAFT, speaker="韦明", city="450100")
        others = [
            make_in_state(uow, NANNING, ActivityState.DRAFT, speaker="韦明", city="450200"),
            make_in_state(uow, NANNING, ActivityState.DRAFT, speaker="覃丽", city="450100"),
            make_in_state(uow, NANNING, ActivityState.REVIEW, speaker="韦明", city="450100"),
        ]
    _, shown = Browser(app, "editor-city").get(
        "/activities?words=韦明&state=draft&kind=lecture&city=450100"
    )
    assert wanted["ref"] in shown
    assert [one for one in others if f'{one["ref"]}"' in shown] == []


def test_unfinished_activities_go_to_a_successor_who_publishes_none_of_them(
    uow_factory: UnitOfWorkFactory,
) -> None:
    (kind,) = desk.HOOKS.hand_over
    chief, leaving = PEOPLE["system_admin-region"], EDITOR.id
    with uow_factory.begin() as uow:
        refs = {
            state: make_in_state(uow, QINGXIU, state, writer_id=leaving)["ref"]
            for state in (ActivityState.DRAFT, ActivityState.REVIEW, ActivityState.PUBLISHED)
        }
        assert count_handed(uow.session, chief, kind, leaving) == 2
        assert hand_over_rows(uow.session, chief, kind, leaving, APPROVER.id) == 2
    assert stored_row(uow_factory, refs[ActivityState.PUBLISHED]).writer_id == leaving
    with uow_factory.begin() as uow, pytest.raises(OwnActivity):
        publish(uow, APPROVER, refs[ActivityState.REVIEW])


def publish(uow: UnitOfWork, organizer: Organizer, ref: str) -> None:
    lifecycle.publish_activity(uow, organizer, ref)


@pytest.mark.parametrize(
    ("field", "typed", "clause"),
    [
        ("title", "转发得红包的科普讲座", "2.1.2"),
        ("abstract", "关注公众号领取礼品。", "5.1"),
        ("notes", "分享后才能查看答案。", "5.1"),
        ("notes", "现场抽奖，快来参加。", "规则"),
    ],
)
def test_a_promise_for_sharing_is_refused_with_the_clause_of_wechat(
    app: Flask, field: str, typed: str, clause: str
) -> None:
    status, shown = write_draft(app, **{field: typed})
    assert status == 422
    assert clause in shown
    assert typed in shown
    status, _ = write_draft(app, abstract="科学家分享会：请关注食品安全，欢迎转发给家人。")
    assert status == 303


def test_a_correction_of_a_published_activity_promises_nothing_either(
    app: Flask, uow_factory: UnitOfWorkFactory
) -> None:
    with uow_factory.begin() as uow:
        ref = make_in_state(uow, EDITOR.scope, ActivityState.PUBLISHED)["ref"]
    browser = Browser(app, "editor-county")
    wrong = {**DESCRIPTION_FORM, "notes": "转发本活动，可获积分。"}
    status, shown = browser.ask("POST", f"/activities/{ref}/describe", wrong)
    assert status == 422
    assert "2.1.2" in shown
    assert stored_row(uow_factory, ref).notes != wrong["notes"]
