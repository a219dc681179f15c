"""Rules of WeChat for every text of an announcement; words of citizens wait for their check.

A promise for sharing or following is refused with the clause named, wherever it stands. The only
words of citizens in an announcement are the nicknames of its recipients: one that WeChat has not
passed yet is not sent. A picture is shown to the approver, before anybody else gets it.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from server.accounts.models import Citizen, NicknameState
from server.announcements.approval.reviewing import send_to_review
from server.announcements.compose.drafts import ContentRefused
from server.announcements.compose.forms import input_name
from server.announcements.compose.pictures import (
    convert_announcement_picture,
    keep_announcement_picture,
)
from server.announcements.enums import AnnouncementState, Channel
from server.announcements.models import Announcement
from server.announcements.slice import SLICE
from server.base.compliance import Clause
from server.base.jobs import TaskContext
from server.base.uow import UnitOfWorkFactory
from server.channel.models import Follower
from server.notices.models import InboxMessage
from server.wechat.letters import CustomerText, PushLetter
from tests.kit.announcement_form_probes import BASICS_FORM, CONTENTS_FORM
from tests.kit.announcements import FIELDS, TEMPLATE, an_announcement
from tests.kit.console import PEOPLE, Browser, console_app
from tests.kit.gateway import RecordingGateway
from tests.kit.pictures import a_picture
from tests.kit.sends import HeardWeChat, a_send, some_followers, work_until_idle

EDITOR = PEOPLE["editor-region"]
SHARE, FOLLOW, FORCED = Clause.SHARE_REWARD, Clause.FOLLOW_REWARD, Clause.FORCED_SHARE
# The clause that the refusal names.
NAMED = {SHARE: "2.1.2", FOLLOW: "5.1", FORCED: "5.1"}
PROMISES = [
    ("share → +1 draw", SHARE),
    ("转发得积分", SHARE),
    ("关注公众号领礼品", FOLLOW),
    ("转发后才能查看答案", FORCED),
]
LONG_ALONE = [
    ("现场抽奖，快来参加", Clause.DRAW_WITHOUT_RULES, "写明完整规则"),
    ("请回复身份证号码", Clause.DATA_WITHOUT_CONSENT, "十三、十七条"),
]
T, MINI, OFFICIAL = Channel.TEMPLATE, Channel.MINI_SUBSCRIPTION, Channel.OFFICIAL_SUBSCRIPTION
CHAT, MASS = Channel.CUSTOMER_MESSAGE, Channel.MASS
# The page, the way of sending and the input of each text that citizens read.
SHORT_INPUTS = [
    ("contents", T, input_name(T, "oa-announcement", "thing1")),
    ("contents", T, input_name(T, "oa-announcement", "thing4")),
    ("contents", OFFICIAL, input_name(OFFICIAL, "oa-sub-announcement", "thing1")),
    ("contents", MINI, input_name(MINI, "announcement", "thing1")),
]
LONG_INPUTS = [
    ("edit", T, "title"),
    ("edit", T, "body"),
    ("contents", CHAT, "customer_message__text"),
    ("contents", MASS, "mass__title"),
    ("contents", MASS, "mass__digest"),
    ("contents", MASS, "mass__text"),
]
OTHER_CONTENTS = {
    **CONTENTS_FORM,
    "official_subscription__template": "oa-sub-announcement",
    **{input_name(OFFICIAL, "oa-sub-announcement", key): text for key, text in FIELDS.items()},
    "mini_subscription__template": "announcement",
    "customer_message__text": "讲座改期。",
    "mass__title": "讲座",
    "mass__digest": "改期",
    "mass__text": "改到三楼。",
}


@pytest.fixture
def app(uow_factory: UnitOfWorkFactory, gateway: RecordingGateway) -> Flask:
    return console_app(uow_factory, *SLICE.pages, gateway=gateway)[0]


def a_draft(uow_factory: UnitOfWorkFactory, channel: Channel, **columns: Any) -> str:
    with uow_factory.begin() as uow:
        return an_announcement(uow, ladder=[channel.value], **columns).ref


def post(app: Flask, ref: str, page: str, channel: Channel, name: str, text: str) -> Any:
    form = BASICS_FORM if page == "edit" else OTHER_CONTENTS
    if page == "edit" and channel is MASS:
        form = form | {"way": "mass"}
    path = f"/announcements/{ref}/{page}"
    return Browser(app, "editor-region").ask("POST", path, form | {name: text})


def stored(uow_factory: UnitOfWorkFactory, ref: str) -> tuple[str, str, Any]:
    with uow_factory.begin(read_only=True) as uow:
        row = uow.session.scalars(select(Announcement).where(Announcement.ref == ref)).one()
        return row.title, row.body, row.contents


@pytest.mark.parametrize(("text", "clause"), PROMISES)
@pytest.mark.parametrize(("page", "channel", "name"), [*SHORT_INPUTS, *LONG_INPUTS])
def test_a_promise_is_refused_in_every_text_with_its_clause_named(
    app: Flask,
    uow_factory: UnitOfWorkFactory,
    page: str,
    channel: Channel,
    name: str,
    text: str,
    clause: Clause,
) -> None:
    ref = a_draft(uow_factory, channel)
    before = stored(uow_factory, ref)
    status, shown = post(app, ref, page, channel, name, text)
    assert status == 422
    assert NAMED[clause] in shown
    assert stored(uow_factory, ref) == before


@pytest.mark.parametrize(("text", "_clause", "said"), LONG_ALONE)
@pytest.mark.parametrize(("page", "channel", "name"), LONG_INPUTS)
def test_a_draw_needs_its_rules_and_data_a_purpose_where_there_is_room_for_them(
    app: Flask,
    uow_factory: UnitOfWorkFactory,
    page: str,
    channel: Channel,
    name: str,
    text: str,
    _clause: Clause,
    said: str,
) -> None:
    ref = a_draft(uow_factory, channel)
    status, shown = post(app, ref, page, channel, name, text)
    assert (status, said in shown) == (422, True)
    mended = f"{text}，规则见活动页，仅用于通知"
    answer = post(app, ref, page, channel, name, mended)
    assert answer[0] == 303, answer[1]


@pytest.mark.parametrize(("text", "clause"), PROMISES)
def test_a_draft_from_before_a_rule_is_refused_at_its_review(
    uow_factory: UnitOfWorkFactory, text: str, clause: Clause
) -> None:
    good = {"template": TEMPLATE.template, "fields": FIELDS}
    wrong = {**good, "fields": {**FIELDS, "thing4": text}}
    for columns, field in (
        ({"body": text, "contents": {"template": good}}, "body"),
        ({"contents": {"template": wrong}}, "template.thing4"),
    ):
        ref = a_draft(uow_factory, T, topic="lectures", **columns)
        with uow_factory.begin() as uow, pytest.raises(ContentRefused) as refused:
            send_to_review(uow, EDITOR, ref)
        assert (field, clause) in [(one.field, one.reason) for one in refused.value.faults]


def test_the_reason_of_a_withdrawal_promises_nothing(
    app: Flask, uow_factory: UnitOfWorkFactory
) -> None:
    ref = a_draft(uow_factory, T, state=AnnouncementState.DONE)
    browser, path = Browser(app, "approver-region"), f"/announcements/{ref}/withdraw"
    status, shown = browser.ask("POST", path, {"reason": "转发更正，可得积分"})
    assert (status, "2.1.2" in shown) == (422, True)
    assert browser.ask("POST", path, {"reason": "时间写错了，请转告身边的朋友"})[0] == 303


# --- words of citizens


@pytest.mark.parametrize(
    ("columns", "greeted"),
    [
        ({"nickname": None, "nickname_state": NicknameState.CHECKING}, "朋友"),
        ({"nickname": None, "nickname_state": NicknameState.REVIEW}, "朋友"),
        ({"nickname": "小明", "nickname_state": NicknameState.CHECKING}, "小明"),
        ({"nickname": "小明", "nickname_state": NicknameState.REFUSED}, "小明"),
        ({"nickname": "加V领奖", "nickname_state": NicknameState.SHOWN}, "加V领奖"),
    ],
)
@pytest.mark.parametrize("channel", [T, OFFICIAL, CHAT])
def test_a_nickname_is_sent_only_after_its_content_check(
    uow_factory: UnitOfWorkFactory,
    tmp_path: Path,
    channel: Channel,
    columns: dict[str, Any],
    greeted: str,
) -> None:
    wechat = HeardWeChat(tmp_path / "heard")
    waits = columns["nickname_state"] is not NicknameState.SHOWN
    fields = {**FIELDS, "thing4": "{昵称}，欢迎报名"}
    contents = {
        "template": {"template": "oa-announcement", "fields": fields},
        "official_subscription": {"template": "oa-sub-announcement", "fields": fields},
        "customer_message": {"text": "{昵称}，欢迎报名"},
    }
    with uow_factory.begin() as uow:
        people = some_followers(uow, 1, grants=[OFFICIAL])
        values = {**columns, "pending_nickname": "没查过的名字" if waits else None}
        uow.session.execute(update(Citizen).values(**values, topics=["lectures"]))
        hour_ago = uow.now - timedelta(hours=1)
        uow.session.execute(update(Follower).values(heard_at=hour_ago))
        a_send(uow, people, channel, topic="lectures", contents=contents)
    work_until_idle(TaskContext(uow_factory=uow_factory, gateway=wechat))
    (letter,) = wechat.calls
    assert f"{greeted}，欢迎报名" in words_of(letter)
    assert "没查过的名字" not in words_of(letter)


def words_of(letter: PushLetter) -> str:
    return letter.text if isinstance(letter, CustomerText) else " ".join(letter.fields.values())


# --- pictures


def test_a_picture_waits_for_the_approval_of_somebody_who_saw_it(
    app: Flask, uow_factory: UnitOfWorkFactory
) -> None:
    made = convert_announcement_picture(a_picture())
    with uow_factory.begin() as uow:
        name = keep_announcement_picture(uow, made)
        ref = an_announcement(
            uow,
            state=AnnouncementState.REVIEW,
            picture=name,
            ladder=[Channel.INBOX.value],
            writer_id=EDITOR.id,
        ).ref
    shown = Browser(app, "approver-region").get(f"/announcements/{ref}/approve")[1]
    assert f'src="/pictures/announcements/{name}.jpg"' in shown
    with uow_factory.begin(read_only=True) as uow:
        assert uow.session.scalars(select(InboxMessage)).all() == []
