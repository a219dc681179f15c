"""Subscription messages: one accept is one message, and every field has its form."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from server.emulator.apps import MINI
from server.emulator.fields import accepts_value
from server.emulator.testing import Emulator
from tests.emulator.conftest import TEMPLATES, Api, Receiver
from tests.emulator.kit import opened

ROWS = {row["slug"]: row for row in json.loads(TEMPLATES.read_text())["templates"]}
SIGNUP = ROWS["signup-success"]
DATA = {
    "thing1": "月球科普讲座",
    "time2": "2026年6月13日 09:30",
    "thing3": "南宁市图书馆",
    "name4": "韦小宝",
    "thing5": "请提前15分钟扫码入场",
}
SEND, SENT_EVENT = "/cgi-bin/message/subscribe/send", "subscribe_msg_sent_event"


def message(openid: str, **changed: Any) -> dict[str, Any]:
    data = {key: {"value": value} for key, value in {**DATA, **changed}.items() if value is not ...}
    return {"touser": openid, "template_id": SIGNUP["id"], "page": "pages/me/index", "data": data}


@pytest.fixture
def wei(wechat: Emulator) -> dict[str, Any]:
    person = wechat.create_person("Wei")
    wechat.answer_sheet(person["person"], SIGNUP["id"])
    return person


def test_one_accept_is_one_message(wechat: Emulator, api: Api, wei: dict[str, Any]) -> None:
    first = api.mini(SEND, message(wei["openid_mp"]))
    assert first["errcode"] == 0
    assert api.mini(SEND, message(wei["openid_mp"]))["errcode"] == 43101
    (item,) = wechat.read_inbox(wei["openid_mp"])
    assert (item["kind"], item["content"]) == ("subscribe", "报名成功通知")
    assert item["data"] == DATA
    assert item["msgid"] == str(first["msgid"])


def test_accepts_add_up_and_a_refusal_adds_nothing(
    wechat: Emulator, api: Api, wei: dict[str, Any]
) -> None:
    assert wechat.answer_sheet(wei["person"], SIGNUP["id"])["grants"] == {SIGNUP["id"]: 2}
    assert wechat.answer_sheet(wei["person"], SIGNUP["id"], "reject")["grants"] == {SIGNUP["id"]: 2}
    codes = [api.mini(SEND, message(wei["openid_mp"]))["errcode"] for _ in range(3)]
    assert codes == [0, 0, 43101]


def test_a_ban_on_the_sheet_pushes_nothing(
    wechat: Emulator, receiver: Receiver, wei: dict[str, Any]
) -> None:
    before = len(receiver.pushes)
    assert wechat.answer_sheet(wei["person"], SIGNUP["id"], "ban")["attempts"] == []
    assert len(receiver.pushes) == before


def test_turning_a_template_off_ends_its_grants_and_tells_the_server(
    wechat: Emulator, api: Api, receiver: Receiver, wei: dict[str, Any]
) -> None:
    wechat.answer_sheet(wei["person"], SIGNUP["id"], "turn_off")
    fields = opened(wechat.apps[MINI], receiver.pushes[-1])
    assert fields["Event"] == "subscribe_msg_change_event"
    assert fields["List"]["SubscribeStatusString"] == "reject"
    assert api.mini(SEND, message(wei["openid_mp"]))["errcode"] == 43101


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"thing1": "长" * 21}, "data.thing1.value"),
        ({"thing1": "two\nlines"}, "data.thing1.value"),
        ({"thing1": ""}, "data.thing1.value"),
        ({"time2": "tomorrow"}, "data.time2.value"),
        ({"name4": "阿里木江·买买提"}, "data.name4.value"),
        ({"thing5": ...}, "data.thing5.value"),
        ({"thing9": "extra"}, "data.thing9.value"),
    ],
)
def test_a_field_of_the_wrong_form_is_refused_by_name_and_costs_no_grant(
    api: Api, wei: dict[str, Any], changed: dict[str, Any], named: str
) -> None:
    answer = api.mini(SEND, message(wei["openid_mp"], **changed))
    assert answer["errcode"] == 47003
    assert named in answer["errmsg"]
    assert api.mini(SEND, message(wei["openid_mp"]))["errcode"] == 0


def test_who_and_what_is_checked_before_the_grant(
    wechat: Emulator, api: Api, wei: dict[str, Any]
) -> None:
    good = message(wei["openid_mp"])
    assert api.mini(SEND, {**good, "touser": wei["openid_oa"]})["errcode"] == 40003
    assert api.mini(SEND, {**good, "template_id": "x" * 43})["errcode"] == 40037
    assert api.mini(SEND, {**good, "miniprogram_state": "beta"})["errcode"] == 40097
    assert api.mini(SEND, {**good, "data": None})["errcode"] == 47003
    assert api.mini(SEND, message(wei["openid_mp"], thing1="[risky]"))["errcode"] == 45168
    wechat.post_control("templates", template_id=SIGNUP["id"], banned=True)
    assert api.mini(SEND, good)["errcode"] == 43107
    wechat.post_control("templates", template_id=SIGNUP["id"], banned=False)
    assert api.mini(SEND, good)["errcode"] == 0


def test_two_sends_to_one_person_at_once_are_refused(
    wechat: Emulator, api: Api, wei: dict[str, Any]
) -> None:
    held, go = threading.Event(), threading.Event()

    def pause(_seconds: float) -> None:
        held.set()
        assert go.wait(60)

    wechat.world.pause = pause
    wechat.order_fault(SEND, delay_s=1, count=1)
    body = message(wei["openid_mp"])
    with ThreadPoolExecutor(1) as other:
        first = other.submit(api.mini, SEND, body)
        assert held.wait(60)
        second = api.mini(SEND, body)
        go.set()
        assert first.result()["errcode"] == 0
    assert second["errcode"] == 43108


def test_parallel_sends_never_use_a_grant_twice(
    wechat: Emulator, api: Api, wei: dict[str, Any]
) -> None:
    token = api.token(MINI)
    body = message(wei["openid_mp"])
    with ThreadPoolExecutor(16) as many:
        answers = list(
            many.map(lambda _: api.post(SEND, body, access_token=token)["errcode"], range(32))
        )
    assert answers.count(0) == 1
    assert len(wechat.read_inbox(wei["openid_mp"])) == 1


def test_the_result_event_carries_the_answers_msgid(receiver: Receiver) -> None:
    emulator = Emulator(
        server=receiver.url, sent_event_s=(0.0, 0.0), templates=TEMPLATES
    ).start_server()
    try:
        person = emulator.create_person()
        emulator.answer_sheet(person["person"], SIGNUP["id"])
        sent = Api(emulator).mini(SEND, message(person["openid_mp"]))
        assert emulator.wait_settled()
        fields = opened(emulator.apps[MINI], receiver.pushes[-1])
    finally:
        emulator.stop_servers()
    assert fields["Event"] == "subscribe_msg_sent_event"
    assert fields["List"]["MsgID"] == str(sent["msgid"])
    assert fields["List"]["ErrorCode"] == "0"


def ids_of(kind: str) -> set[str]:
    return {row["id"] for row in ROWS.values() if row["kind"] == kind}


def test_each_account_lists_its_own_templates(api: Api) -> None:
    """Source: getTemplateList (mini-program); "Subscription notices" (service account)."""
    listed = api.mini("/wxaapi/newtmpl/gettemplate")["data"]
    assert {row["priTmplId"] for row in listed} == ids_of("mp_once")
    assert listed[0]["type"] == 2
    assert "{{thing1.DATA}}" in listed[0]["content"]
    notices = api.official("/wxaapi/newtmpl/gettemplate")["data"]
    assert {row["priTmplId"] for row in notices} == ids_of("oa_sub")


@pytest.mark.parametrize(
    ("key", "value", "good"),
    [
        ("thing1", "长" * 20, True),
        ("thing1", " ", False),
        ("thing1", 5, False),
        ("number1", "12.5", True),
        ("number1", "1" * 33, False),
        ("number1", "twelve", False),
        ("letter1", "abc", True),
        ("letter1", "abc1", False),
        ("symbol1", "!!!", True),
        ("symbol1", "!!!!!!", False),
        ("character_string1", "A-001/x", True),
        ("character_string1", "编号1", False),
        ("time1", "09:30", True),
        ("time1", "2026年6月13日 09:30", True),
        ("time1", "2026-06-13 09:30:00", True),
        ("time1", "09:00~11:30", True),
        ("time1", "2026年6月13日", False),
        ("time1", "25:00", False),
        ("date1", "2026年6月13日", True),
        ("date1", "2026.6.13 09:30", True),
        ("date1", "2026/06/13~2026/06/15", True),
        ("date1", "2026年13月1日", False),
        ("date1", "09:30", False),
        ("amount1", "￥100.50元", True),
        ("amount1", "12345678901", False),
        ("phone_number1", "+86-0771-1234567", True),
        ("phone_number1", "1" * 18, False),
        ("car_number1", "桂A12345", True),
        ("car_number1", "桂A1234567", False),
        ("name1", "韦" * 10, True),
        ("name1", "韦" * 11, False),
        ("name1", "A" * 20, True),
        ("name1", "A" * 21, False),
        ("name1", "韦A" * 6, False),
        ("name1", "No5", False),
        ("phrase1", "已递补", True),
        ("phrase1", "已经递补了吗", False),
        ("phrase1", "OK", False),
        ("poem1", "anything", False),
    ],
)
def test_the_type_table(key: str, value: object, good: bool) -> None:
    assert accepts_value(key, value) is good


def test_an_enum_takes_its_listed_values_only() -> None:
    assert accepts_value("enum1", "red", ("red", "blue"))
    assert not accepts_value("enum1", "green", ("red", "blue"))
