"""Subscription notices of the official account.

Source: "Subscription notices" of the service account (bizsend) and their event pushes.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from server.emulator.apps import MINI, OFFICIAL
from server.emulator.testing import ControlError, Emulator, emulated_wechat
from tests.emulator.conftest import TEMPLATES, Api, Receiver
from tests.emulator.kit import opened

ROWS = {row["slug"]: row for row in json.loads(TEMPLATES.read_text())["templates"]}
NOTICE, OTHER = ROWS["oa-sub-announcement"], ROWS["oa-sub-activity"]
DATA = {
    "thing1": "科普日开幕",
    "thing2": "广西科协",
    "time3": "2026年9月18日 09:00",
    "thing4": "地点在南宁",
}
SEND = "/cgi-bin/message/subscribe/bizsend"


def message(person: dict[str, Any], **changed: Any) -> dict[str, Any]:
    data = {key: {"value": value} for key, value in {**DATA, **changed.pop("data", {})}.items()}
    body = {"touser": person["openid_oa"], "template_id": NOTICE["id"], "data": data}
    return {**body, **changed}


@pytest.fixture
def wei(wechat: Emulator) -> dict[str, Any]:
    """A person who does not follow, and who accepted the notice once."""
    person = wechat.create_person("Wei")
    wechat.answer_sheet(person["person"], NOTICE["id"])
    return person


def test_one_accept_is_one_notice_even_without_following(
    wechat: Emulator, api: Api, wei: dict[str, Any]
) -> None:
    """Source: bizsend, errcode 43101 without a grant; the answer has no msgid."""
    told = api.official(SEND, message(wei, page="https://example.org/a"))
    assert (told["errcode"], "msgid" in told) == (0, False)
    assert api.official(SEND, message(wei))["errcode"] == 43101
    (item,) = wechat.read_inbox(wei["openid_oa"])
    assert (item["kind"], item["data"], item["url"]) == ("notice", DATA, "https://example.org/a")


@pytest.mark.parametrize(("place", "scene"), [("web", "1"), ("article", "2")])
def test_the_accounts_callback_is_told_of_the_answers_and_their_place(
    wechat: Emulator, receiver: Receiver, place: str, scene: str
) -> None:
    """Source: "Event pushes of subscription notices": PopupScene 1 web page, 2 article."""
    person = wechat.create_person()
    results = {NOTICE["id"]: "accept", OTHER["id"]: "reject"}
    told = wechat.post_control("consent", person=person["person"], results=results, place=place)
    assert told["grants"] == {NOTICE["id"]: 1, OTHER["id"]: 0}
    event = opened(wechat.apps[OFFICIAL], receiver.pushes[-1])
    assert (event["Event"], event["FromUserName"]) == (
        "subscribe_msg_popup_event",
        person["openid_oa"],
    )
    items = event["SubscribeMsgPopupEvent"]["List"]
    assert [(item["SubscribeStatusString"], item["PopupScene"]) for item in items] == [
        ("accept", scene),
        ("reject", scene),
    ]


def test_turning_a_notice_off_ends_its_grants(
    wechat: Emulator, api: Api, receiver: Receiver, wei: dict[str, Any]
) -> None:
    """Source: "Event pushes of subscription notices": subscribe_msg_change_event."""
    wechat.answer_sheet(wei["person"], NOTICE["id"], "turn_off")
    event = opened(wechat.apps[OFFICIAL], receiver.pushes[-1])
    assert event["Event"] == "subscribe_msg_change_event"
    assert api.official(SEND, message(wei))["errcode"] == 43101


def test_the_two_accounts_have_separate_sheets_and_grants(
    wechat: Emulator, api: Api, wei: dict[str, Any]
) -> None:
    """Source: bizsend, errcodes 40037, 40003, and 45103 with the mini-program's token."""
    own = ROWS["signup-success"]["id"]
    with pytest.raises(ControlError, match="404"):
        mixed = {NOTICE["id"]: "accept", own: "accept"}
        wechat.post_control("consent", person=wei["person"], results=mixed)
    with pytest.raises(ControlError, match="400"):
        results = {NOTICE["id"]: "accept"}
        wechat.post_control("consent", person=wei["person"], results=results, place="poster")
    assert api.official(SEND, message(wei, template_id=own))["errcode"] == 40037
    body = message(wei, template_id=ROWS["oa-activity"]["id"])
    assert api.official(SEND, body)["errcode"] == 40037
    assert api.official(SEND, {**message(wei), "touser": wei["openid_mp"]})["errcode"] == 40003
    assert api.mini(SEND, message(wei))["errcode"] == 45103
    assert api.official(SEND, message(wei))["errcode"] == 0


def test_fields_and_pages_are_checked_before_the_grant(
    wechat: Emulator, api: Api, wei: dict[str, Any]
) -> None:
    """Source: bizsend, errcodes 47003, 41030, 40013 and 43107."""
    long = api.official(SEND, message(wei, data={"thing1": "长" * 21}))
    assert (long["errcode"], "data.thing1.value" in long["errmsg"]) == (47003, True)
    assert api.official(SEND, message(wei, page="pages/me/index"))["errcode"] == 41030
    jump = {"appid": "wx0", "pagepath": "pages/me/index"}
    assert api.official(SEND, message(wei, miniprogram=jump))["errcode"] == 40013
    wechat.post_control("templates", template_id=NOTICE["id"], banned=True)
    assert api.official(SEND, message(wei))["errcode"] == 43107
    wechat.post_control("templates", template_id=NOTICE["id"], banned=False)
    jump["appid"] = wechat.apps[MINI].appid
    assert api.official(SEND, message(wei, miniprogram=jump))["errcode"] == 0
    assert wechat.read_inbox(wei["openid_oa"])[0]["page"] == "pages/me/index"


def test_the_result_is_pushed_to_the_accounts_callback(receiver: Receiver) -> None:
    """Source: "Event pushes of subscription notices": subscribe_msg_sent_event, with a MsgID."""
    with emulated_wechat(
        server=receiver.url, sent_event_s=(0.0, 0.0), templates=TEMPLATES
    ) as wechat:
        person = wechat.create_person()
        wechat.answer_sheet(person["person"], NOTICE["id"])
        assert Api(wechat).official(SEND, message(person))["errcode"] == 0
        assert wechat.wait_settled()
        (item,) = wechat.read_inbox(person["openid_oa"])
        event = opened(wechat.apps[OFFICIAL], receiver.pushes[-1])
    told = event["SubscribeMsgSentEvent"]["List"]
    assert (event["Event"], event["FromUserName"]) == (
        "subscribe_msg_sent_event",
        person["openid_oa"],
    )
    assert (told["TemplateId"], told["MsgID"]) == (NOTICE["id"], item["msgid"])
    assert (told["ErrorCode"], told["ErrorStatus"]) == ("0", "success")
