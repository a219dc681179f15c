"""The pages of announcements: writing, limits, preview, review with the typed count."""

from __future__ import annotations

import html
import json
import re

import pytest
from flask import Flask
from sqlalchemy import select

from server.announcements.console import tell_waiting
from server.announcements.models import Announcement
from server.announcements.slice import SLICE
from server.base.ownership import guard_session
from server.base.uow import UnitOfWorkFactory
from server.wechat.errors import NoGrant
from tests.kit.accounts import a_citizen
from tests.kit.announcement_form_probes import AUDIENCE_FORM, BASICS_FORM, CONTENTS_FORM
from tests.kit.announcements import FIELDS
from tests.kit.console import PEOPLE, Browser, console_app
from tests.kit.gateway import RecordingGateway


@pytest.fixture
def app(uow_factory: UnitOfWorkFactory, gateway: RecordingGateway) -> Flask:
    return console_app(uow_factory, *SLICE.pages, gateway=gateway)[0]


def written(app: Flask, **basics: str) -> str:
    """An announcement written on the pages; its address."""
    editor = Browser(app, "editor-region")
    answer = editor.open("POST", "/announcements/new", BASICS_FORM | basics)
    assert answer.status_code == 303, answer.get_data(as_text=True)
    path = answer.headers["Location"].removeprefix("/console")
    assert editor.ask("POST", f"{path}/contents", CONTENTS_FORM)[0] == 303
    assert editor.ask("POST", f"{path}/audience", AUDIENCE_FORM)[0] == 303
    return path


def test_an_announcement_is_written_reviewed_and_scheduled(
    app: Flask, uow_factory: UnitOfWorkFactory
) -> None:
    with uow_factory.begin() as uow:
        a_citizen(uow, nickname="小明", city="450100")
        a_citizen(uow)
    path = written(app)
    editor, approver = Browser(app, "editor-region"), Browser(app, "approver-region")
    assert editor.ask("POST", f"{path}/send", {})[0] == 303
    status, page = approver.get(f"{path}/approve")
    assert status == 200
    assert "小*" in approver.get(f"{path}/preview")[1]
    # Neither of the two has asked for messages, and the forecast says so.
    assert "自己没有办理过相关事项" in page or "没有关注公众号" in page
    content_hash = re.search(r'name="content_hash"[^>]*value="([0-9a-f]{64})"', page)
    assert content_hash is not None
    form = {"content_hash": content_hash[1], "counted": "7"}
    assert approver.ask("POST", f"{path}/approve", form)[0] == 409
    assert approver.ask("POST", f"{path}/approve", form | {"counted": "2"})[0] == 303
    shown = approver.get(path)[1]
    assert "等待发送" in shown
    assert "2026-05-16 15:00" in shown
    assert approver.ask("POST", f"{path}/approve", form | {"counted": "2"})[0] == 409


def test_the_start_is_shown_before_the_approval_without_the_night(app: Flask) -> None:
    path = written(app, send_at="2026-05-16T22:30")
    Browser(app, "editor-region").ask("POST", f"{path}/send", {})
    page = Browser(app, "approver-region").get(f"{path}/approve")[1]
    assert "2026-05-17 08:00" in page
    assert "已经推到早上8:00" in page


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("thing1", "长" * 21, "太长了，最多20个字"),
        ("thing1", "讲座🎉", "不能用表情"),
        ("thing1", " ", "请填写这一项"),
        ("thing4", "{昵称}{城市}" + "字" * 13, "太长了，最多20个字"),
        ("thing4", "{学校}您好", "大括号里只能写"),
        ("time3", "{昵称}", "不能写称呼"),
        ("time3", "下午三点", "格式不对"),
        ("time3", "2026年2月30日 15:00", "没有这一天"),
    ],
)
def test_a_value_that_wechat_refuses_is_refused_when_it_is_written(
    app: Flask, key: str, value: str, said: str
) -> None:
    path = written(app)
    form = CONTENTS_FORM | {f"template__oa_announcement__{key}": value}
    status, page = Browser(app, "editor-region").ask("POST", f"{path}/contents", form)
    assert status == 422
    assert said in page
    assert html.escape(value.strip()) in page


def test_the_limits_stand_beside_the_inputs_for_the_script(app: Flask) -> None:
    path = written(app)
    page = Browser(app, "editor-region").get(f"{path}/contents")[1]
    assert 'data-limit="20"' in page
    assert "assets/fields." in page
    assert "可以写{昵称}、{城市}、{单位}" in page


def test_the_preview_shows_the_payload_of_a_chosen_recipient(
    app: Flask, uow_factory: UnitOfWorkFactory
) -> None:
    with uow_factory.begin() as uow:
        a_citizen(uow)
        a_citizen(uow, nickname="小明", city="450100")
    path = written(app)
    status, page = Browser(app, "editor-region").get(f"{path}/preview?person=1")
    assert status == 200
    shown = re.search(r'data-payload="template"[^>]*>(.*?)</pre>', page, re.S)
    assert shown is not None
    payload = json.loads(html.unescape(shown[1]))
    assert payload["touser"] == "OPENID"
    assert payload["data"]["thing4"] == {"value": "小明，欢迎报名"}
    assert payload["data"]["thing2"] == {"value": "南宁市科协"}
    assert payload["data"]["time3"] == {"value": FIELDS["time3"]}


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"title": ""}, "请填写这一项"),
        ({"page": "pages/unheard/index"}, "小程序里没有这个页面"),
        ({"purpose": "change"}, "请选择有变更的活动"),
        ({"body": "{昵称}您好"}, "不能写称呼"),
        ({"per_day": "0"}, "请填写1以上的人数"),
        ({"body": "转发本文，可获积分。"}, "2.1.2"),
        ({"title": "关注公众号领礼品"}, "5.1"),
        ({"title": "答题抽奖", "body": "欢迎参加。"}, "完整规则"),
    ],
)
def test_a_wrong_part_is_told_beside_its_input(
    app: Flask, wrong: dict[str, str], said: str
) -> None:
    status, page = Browser(app, "editor-region").ask(
        "POST", "/announcements/new", BASICS_FORM | wrong
    )
    assert status == 422
    assert said in page


def test_no_channel_promises_something_for_sharing(app: Flask) -> None:
    path = written(app)
    form = CONTENTS_FORM | {"template__oa_announcement__thing4": "分享得红包"}
    status, page = Browser(app, "editor-region").ask("POST", f"{path}/contents", form)
    assert status == 422
    assert "2.1.2" in page


def test_a_wrong_audience_is_told(app: Flask) -> None:
    path = written(app)
    wrong = AUDIENCE_FORM | {"activity_from": "2026-05-02", "activity_to": "2026-05-01"}
    status, page = Browser(app, "editor-region").ask("POST", f"{path}/audience", wrong)
    assert status == 422
    assert "检查日期的先后" in page


def test_a_copy_has_the_contents_of_its_source(app: Flask, uow_factory: UnitOfWorkFactory) -> None:
    path = written(app)
    ref = path.rpartition("/")[2]
    editor = Browser(app, "editor-region")
    assert "讲座改期" in editor.get(f"/announcements/new?copy={ref}")[1]
    assert editor.ask("POST", f"/announcements/new?copy={ref}", BASICS_FORM)[0] == 303
    with uow_factory.begin(read_only=True) as uow:
        first, second = uow.session.scalars(select(Announcement).order_by(Announcement.id))
        assert first.contents == second.contents
        assert first.ref != second.ref


def test_a_form_sent_twice_makes_one_draft(app: Flask, uow_factory: UnitOfWorkFactory) -> None:
    editor = Browser(app, "editor-region")
    for _ in range(2):
        assert editor.ask("POST", "/announcements/new", BASICS_FORM | {"form_key": "k1"})[0] == 303
    with uow_factory.begin(read_only=True) as uow:
        assert len(uow.session.scalars(select(Announcement)).all()) == 1


def test_a_test_send_goes_to_the_bound_account_of_the_organizer_only(
    app: Flask, gateway: RecordingGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(app)
    editor = Browser(app, "editor-region")
    form = {"channel": "template"}
    assert editor.ask("POST", f"{path}/test", form)[0] == 303
    assert "还没有绑定微信" in editor.get(path)[1]
    assert gateway.calls == []
    monkeypatch.setattr("server.organizers.service.openid_of", lambda _uow, _id: "o-editor")
    gateway.answers["send_template"] = "7"
    assert editor.ask("POST", f"{path}/test", form)[0] == 303
    assert "已经发到您的微信" in editor.get(path)[1]
    (letter,) = gateway.called("send_template")[0]
    assert letter.openid == "o-editor"
    assert letter.fields["thing4"] == "朋友，欢迎报名"
    gateway.answers["send_template"] = NoGrant()
    editor.ask("POST", f"{path}/test", form)
    assert "还没有订阅" in editor.get(path)[1]


def test_the_desk_tells_what_waits(app: Flask, uow_factory: UnitOfWorkFactory) -> None:
    path = written(app)
    Browser(app, "editor-region").ask("POST", f"{path}/send", {})

    def waiting(who: str) -> list[tuple[int, str]]:
        with uow_factory.begin(read_only=True) as uow:
            guard_session(uow.session, PEOPLE[who])
            return [(one.count, one.path) for one in tell_waiting(uow, PEOPLE[who])]

    assert waiting("approver-region") == [(1, "/announcements?state=review")]
    assert waiting("approver-other") == [(0, "/announcements?state=review")]
    approver = Browser(app, "approver-region")
    assert approver.ask("POST", f"{path}/return", {"reason": "请写明地点"})[0] == 303
    assert waiting("editor-region") == [(1, "/announcements?state=returned")]
    assert "请写明地点" in approver.get(path)[1]
    assert "被退回" in approver.get("/announcements?state=returned")[1]
