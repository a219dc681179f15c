"""Template messages of the official account.

Source: "Template messages" of the service account (template/send, get_all_private_template,
del_private_template), and the announcement of 2023-05-04 about fields.
"""

from __future__ import annotations

import http.client
import json
import threading
import urllib.error
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from server.emulator.apps import MINI, OFFICIAL
from server.emulator.testing import Emulator, emulated_wechat
from tests.emulator.conftest import TEMPLATES, Api, Receiver, Time
from tests.emulator.kit import opened

ROWS = {row["slug"]: row for row in json.loads(TEMPLATES.read_text())["templates"]}
ACTIVITY = ROWS["oa-activity"]
DATA = {
    "thing1": "月球科普讲座",
    "time2": "2026年6月13日 09:30",
    "thing3": "南宁市图书馆",
    "thing4": "南宁市科协",
    "thing5": "请提前15分钟到场",
}
SEND = "/cgi-bin/message/template/send"
BROKEN = (ConnectionError, http.client.HTTPException, urllib.error.URLError)


def message(person: dict[str, Any], **changed: Any) -> dict[str, Any]:
    fields = {**DATA, **changed.pop("data", {})}
    data = {key: {"value": value} for key, value in fields.items() if value is not ...}
    body = {"touser": person["openid_oa"], "template_id": ACTIVITY["id"], "data": data}
    return {**body, **changed}


@pytest.fixture
def wei(wechat: Emulator) -> dict[str, Any]:
    person = wechat.create_person("Wei")
    wechat.follow_account(person["person"])
    return person


def code(api: Api, body: dict[str, Any]) -> int:
    return int(api.official(SEND, body)["errcode"])


def test_a_message_is_a_card_in_the_chat_with_the_msgid_of_the_answer(
    wechat: Emulator, api: Api, wei: dict[str, Any]
) -> None:
    """Source: template/send, the answer has errcode, errmsg and msgid."""
    told = api.official(SEND, message(wei, url="https://example.org/a"))
    assert (told["errcode"], type(told["msgid"])) == (0, int)
    (item,) = wechat.read_inbox(wei["openid_oa"])
    assert (item["kind"], item["content"], item["data"]) == ("template", "活动提醒", DATA)
    assert (item["msgid"], item["url"]) == (str(told["msgid"]), "https://example.org/a")


def test_only_followers_are_sent_to(wechat: Emulator, api: Api, wei: dict[str, Any]) -> None:
    """Source: template/send, errcodes 43004 (not following) and 40003 (no openid of this app)."""
    wechat.unfollow_account(wei["person"])
    assert code(api, message(wei)) == 43004
    assert code(api, message({"openid_oa": wei["openid_mp"]})) == 40003
    assert wechat.read_inbox(wei["openid_oa"]) == []


@pytest.mark.parametrize(
    ("data", "named"),
    [
        ({"thing1": "长" * 21}, "data.thing1.value"),
        ({"thing3": "two\nlines"}, "data.thing3.value"),
        ({"thing4": ""}, "data.thing4.value"),
        ({"time2": "tomorrow"}, "data.time2.value"),
        ({"thing5": ...}, "data.thing5.value"),
        ({"remark": "more"}, "data.remark.value"),
    ],
)
def test_a_category_template_refuses_a_field_and_names_it(
    wechat: Emulator, api: Api, wei: dict[str, Any], data: dict[str, Any], named: str
) -> None:
    """Source: announcement of 2023-05-04, category templates: 47003."""
    answer = api.official(SEND, message(wei, data=data))
    assert answer["errcode"] == 47003
    assert named in answer["errmsg"]
    assert wechat.read_inbox(wei["openid_oa"]) == []


def test_emoji_are_not_shown(wechat: Emulator, api: Api, wei: dict[str, Any]) -> None:
    """Source: announcement of 2023-05-04: colours and emoji are dropped."""
    assert code(api, message(wei, data={"thing1": "月球🌕讲座"})) == 0
    assert wechat.read_inbox(wei["openid_oa"])[0]["data"]["thing1"] == "月球讲座"


def test_an_old_template_folds_what_is_too_long(
    tmp_path: Path, receiver: Receiver, time_now: Time
) -> None:
    """Source: announcement of 2023-05-04: long values are folded, first and remark are dropped."""
    keys = ["first", "keyword1", "keyword2", "remark"]
    fields = [{"key": key, "name": key} for key in keys]
    row = {"slug": "old", "id": "o" * 43, "title": "旧", "kind": "oa_old", "fields": fields}
    path = tmp_path / "templates.json"
    path.write_text(json.dumps({"schema": "wechat-templates/1", "templates": [row]}))
    with emulated_wechat(server=receiver.url, clock=time_now, templates=path) as wechat:
        person = wechat.create_person()
        wechat.follow_account(person["person"])
        values = {"first": "您好", "keyword1": "长" * 30, "keyword2": "two\nlines", "remark": "r"}
        data = {key: {"value": value} for key, value in values.items()}
        body = {"touser": person["openid_oa"], "template_id": row["id"], "data": data}
        assert Api(wechat).official(SEND, body)["errcode"] == 0
        (item,) = wechat.read_inbox(person["openid_oa"])
    assert item["data"] == {"keyword1": "长" * 20 + "...", "keyword2": "two lines"}


def test_the_template_must_be_the_accounts_own(
    wechat: Emulator, api: Api, wei: dict[str, Any]
) -> None:
    """Source: template/send, errcode 40037, also for ids of the subscription notices; 43116."""
    for other in ("x" * 43, ROWS["oa-sub-activity"]["id"], ROWS["signup-success"]["id"]):
        assert code(api, message(wei, template_id=other)) == 40037
    wechat.post_control("templates", template_id=ACTIVITY["id"], banned=True)
    assert code(api, message(wei)) == 43116
    assert api.mini(SEND, message(wei))["errcode"] == 40001


def test_the_card_opens_a_page_of_the_linked_mini_program(
    wechat: Emulator, api: Api, wei: dict[str, Any]
) -> None:
    """Source: template/send, miniprogram: 40013 when not linked, 40165 for an unreleased page."""
    jump = {"appid": wechat.apps[MINI].appid, "pagepath": "pages/me/index?a=1"}
    assert code(api, message(wei, miniprogram=jump)) == 0
    assert wechat.read_inbox(wei["openid_oa"])[0]["page"] == "pages/me/index?a=1"
    assert code(api, message(wei, miniprogram={**jump, "appid": "wx0"})) == 40013
    assert code(api, message(wei, miniprogram={**jump, "pagepath": "/pages/me/index"})) == 40165
    assert code(api, message(wei, url="not an address")) == 40048


def test_the_same_client_msg_id_is_one_message_for_ten_minutes(
    wechat: Emulator, api: Api, wei: dict[str, Any]
) -> None:
    """Source: template/send, client_msg_id: per openid, for ten minutes."""
    other = wechat.create_person("Lan")
    wechat.follow_account(other["person"])
    first = api.official(SEND, message(wei, client_msg_id="a1"))
    wechat.advance_time(599)
    again = api.official(SEND, message(wei, client_msg_id="a1"))
    assert (again["errcode"], again["msgid"]) == (0, first["msgid"])
    assert api.official(SEND, message(other, client_msg_id="a1"))["msgid"] != first["msgid"]
    assert len(wechat.read_inbox(wei["openid_oa"])) == 1
    wechat.advance_time(1)
    assert api.official(SEND, message(wei, client_msg_id="a1"))["msgid"] != first["msgid"]
    assert code(api, message(wei, client_msg_id="a" * 33)) == 40097
    assert len(wechat.read_inbox(wei["openid_oa"])) == 2


def test_a_lost_answer_is_repeated_without_a_second_message(
    wechat: Emulator, api: Api, wei: dict[str, Any]
) -> None:
    """Source: template/send, client_msg_id prevents repetition after a lost answer."""
    token = api.token()
    wechat.order_fault(SEND, mode="accept_then_drop", count=1)
    body = message(wei, client_msg_id="b2")
    with pytest.raises(BROKEN):
        api.post(SEND, body, access_token=token)
    again = api.post(SEND, body, access_token=token)
    (item,) = wechat.read_inbox(wei["openid_oa"])
    assert item["msgid"] == str(again["msgid"])


def test_two_sends_to_one_person_at_once_are_refused(
    wechat: Emulator, api: Api, wei: dict[str, Any]
) -> None:
    """Source: errcode 43108, concurrent sends to the same user."""
    held, go = threading.Event(), threading.Event()

    def pause(_seconds: float) -> None:
        held.set()
        assert go.wait(60)

    wechat.world.pause = pause
    wechat.order_fault(SEND, delay_s=1, count=1)
    with ThreadPoolExecutor(1) as other:
        first = other.submit(code, api, message(wei))
        assert held.wait(60)
        second = code(api, message(wei))
        go.set()
        assert (first.result(), second) == (0, 43108)


def test_the_daily_quota_ends_the_sends_of_the_day(
    wechat: Emulator, api: Api, wei: dict[str, Any]
) -> None:
    """Source: "Template messages", 100,000 a day; 45009 after that."""
    assert wechat.post_control("quota", path=SEND)["limit"] == 100_000
    wechat.post_control("quota", path=SEND, limit=2)
    assert [code(api, message(wei)) for _ in range(3)] == [0, 0, 45009]
    wechat.advance_time(86_400)
    assert code(api, message(wei)) == 0


def test_a_deleted_template_is_gone(wechat: Emulator, api: Api, wei: dict[str, Any]) -> None:
    """Source: get_all_private_template, del_private_template."""
    path = "/cgi-bin/template/get_all_private_template"
    listed = api.official(path)["template_list"]
    ids = {row["id"] for row in ROWS.values() if row["kind"] == "oa_category"}
    assert {row["template_id"] for row in listed} == ids
    assert "{{thing1.DATA}}" in listed[0]["content"]
    gone = {"template_id": ACTIVITY["id"]}
    delete = "/cgi-bin/template/del_private_template"
    assert [api.official(delete, gone)["errcode"] for _ in range(2)] == [0, 40037]
    assert len(api.official(path)["template_list"]) == len(ids) - 1
    assert code(api, message(wei)) == 40037


def test_a_person_who_blocks_messages_sees_nothing_and_is_reported_as_a_failure(
    receiver: Receiver,
) -> None:
    """Source: "Event pushes of template messages": failed:user block, MsgID of the answer."""
    with emulated_wechat(
        server=receiver.url, sent_event_s=(0.0, 0.0), templates=TEMPLATES
    ) as wechat:
        person = wechat.create_person()
        wechat.follow_account(person["person"])
        wechat.post_control("people", person=person["person"], blocks=True)
        sent = Api(wechat).official(SEND, message(person))
        assert wechat.wait_settled()
        assert wechat.read_inbox(person["openid_oa"]) == []
        fields = opened(wechat.apps[OFFICIAL], receiver.pushes[-1])
    assert (fields["Event"], fields["Status"]) == ("TEMPLATESENDJOBFINISH", "failed:user block")
    assert (fields["MsgID"], fields["FromUserName"]) == (str(sent["msgid"]), person["openid_oa"])
