"""Customer-service messages: which act opens which window, and what fits through it."""

from __future__ import annotations

from typing import Any

import pytest

from server.emulator.apps import MINI
from server.emulator.testing import Emulator
from tests.emulator.conftest import Api
from tests.emulator.kit import JPEG, a_file

SEND = "/cgi-bin/message/custom/send"


@pytest.fixture
def wei(wechat: Emulator) -> dict[str, Any]:
    person = wechat.create_person("Wei")
    wechat.follow_account(person["person"])
    return person


def text(person: dict[str, Any], content: str = "hello") -> dict[str, Any]:
    return {"touser": person["openid_oa"], "msgtype": "text", "text": {"content": content}}


def codes(api: Api, person: dict[str, Any], count: int) -> list[int]:
    return [api.official(SEND, text(person))["errcode"] for _ in range(count)]


def test_a_follow_opens_three_messages_for_a_minute(
    wechat: Emulator, api: Api, wei: dict[str, Any]
) -> None:
    assert codes(api, wei, 4) == [0, 0, 0, 45047]
    wechat.advance_time(60)
    assert codes(api, wei, 1) == [45015]


def test_a_message_opens_five_for_two_days(wechat: Emulator, api: Api, wei: dict[str, Any]) -> None:
    wechat.advance_time(61)
    wechat.say_text(wei["person"], "hi")
    wechat.advance_time(48 * 3600 - 1)
    assert codes(api, wei, 6) == [0] * 5 + [45047]
    wechat.advance_time(1)
    assert codes(api, wei, 1) == [45015]


def test_a_new_message_opens_the_window_afresh(
    wechat: Emulator, api: Api, wei: dict[str, Any]
) -> None:
    wechat.advance_time(61)
    wechat.say_text(wei["person"], "hi")
    assert codes(api, wei, 6)[-1] == 45047
    wechat.say_text(wei["person"], "again")
    assert codes(api, wei, 1) == [0]


def test_the_window_that_closes_first_is_used_first(
    wechat: Emulator, api: Api, wei: dict[str, Any]
) -> None:
    wechat.say_text(wei["person"], "hi")
    assert codes(api, wei, 3) == [0] * 3
    wechat.advance_time(60)
    assert codes(api, wei, 6) == [0] * 5 + [45047]


@pytest.mark.parametrize("event", [("CLICK", "RULES"), ("SCAN", "7"), ("scancode_waitmsg", "K")])
def test_a_tap_or_a_scan_opens_three_for_a_minute(
    wechat: Emulator, api: Api, wei: dict[str, Any], event: tuple[str, str]
) -> None:
    wechat.advance_time(61)
    name, key = event
    wechat.post_control("message", person=wei["person"], event=name, event_key=key)
    assert codes(api, wei, 4) == [0, 0, 0, 45047]


def test_opening_a_link_opens_no_window(wechat: Emulator, api: Api, wei: dict[str, Any]) -> None:
    wechat.advance_time(61)
    wechat.post_control(
        "message", person=wei["person"], event="VIEW", event_key="https://example.org"
    )
    assert codes(api, wei, 1) == [45015]


def test_nobody_is_reached_who_left_blocks_or_is_protected(
    wechat: Emulator, api: Api, wei: dict[str, Any]
) -> None:
    wechat.post_control("people", person=wei["person"], blocks=True)
    assert codes(api, wei, 1) == [48002]
    wechat.post_control("people", person=wei["person"], blocks=False, minor=True)
    assert codes(api, wei, 1) == [70000]
    wechat.post_control("people", person=wei["person"], minor=False)
    wechat.unfollow_account(wei["person"])
    assert codes(api, wei, 1) == [43004]
    assert api.official(SEND, {**text(wei), "touser": wei["openid_mp"]})["errcode"] == 40003


def test_what_was_sent_is_in_the_inbox_and_in_the_chat(
    wechat: Emulator, api: Api, wei: dict[str, Any]
) -> None:
    wechat.say_text(wei["person"], "hi")
    api.official(SEND, text(wei, "第一句"))
    (item,) = wechat.read_inbox(wei["openid_oa"])
    assert (item["kind"], item["content"], item["via"]) == ("text", "第一句", "custom")
    assert [line["direction"] for line in wechat.read_chat(wei["person"])] == ["out", "in"]


def test_escaped_chinese_is_shown_as_it_was_sent(
    wechat: Emulator, api: Api, wei: dict[str, Any]
) -> None:
    body = (
        b'{"touser": "%s", "msgtype": "text", "text": {"content": "\\u4f60"}}'
        % wei["openid_oa"].encode()
    )
    assert api.official(SEND, body)["errcode"] == 0
    assert wechat.read_inbox(wei["openid_oa"])[0]["content"] == "\\u4f60"


ARTICLE = {"title": "t", "description": "d", "url": "https://example.org", "picurl": ""}


@pytest.mark.parametrize(
    ("kind", "part", "code"),
    [
        ("text", {"content": ""}, 44004),
        ("text", {"content": "字" * 683}, 45002),
        ("text", "words", 44004),
        ("news", {"articles": [ARTICLE]}, 0),
        ("news", {"articles": [ARTICLE, ARTICLE]}, 45008),
        ("news", {"articles": [{}]}, 45003),
        ("msgmenu", {"head_content": "h", "list": [{"id": "1", "content": "c"}]}, 0),
        ("msgmenu", {"list": []}, 44004),
        ("msgmenu", {"head_content": "h", "list": [{"id": "1"}]}, 44004),
        ("miniprogrampage", {"appid": "wx0", "pagepath": "pages/a"}, 40013),
        ("image", {"media_id": "nothing"}, 40007),
        ("poem", {}, 40008),
    ],
)
def test_each_kind_of_message_has_its_rules(
    api: Api, wei: dict[str, Any], kind: str, part: object, code: int
) -> None:
    body = {"touser": wei["openid_oa"], "msgtype": kind, kind: part}
    assert api.official(SEND, body)["errcode"] == code


def test_a_page_of_the_linked_mini_program_can_be_sent(
    wechat: Emulator, api: Api, wei: dict[str, Any]
) -> None:
    part = {
        "appid": wechat.apps[MINI].appid,
        "pagepath": "pages/quiz/index",
        "title": "t",
        "thumb_media_id": a_file(api, "image", JPEG)["media_id"],
    }

    def sent(**changed: str) -> int:
        card = {**part, **changed}
        body = {"touser": wei["openid_oa"], "msgtype": "miniprogrampage", "miniprogrampage": card}
        return int(api.official(SEND, body)["errcode"])

    assert sent() == 0
    assert sent(pagepath="") == 40165
    assert sent(pagepath="/pages/quiz/index") == 40165
    assert sent(thumb_media_id="") == 40007
    assert sent(thumb_media_id="m" * 64) == 40007
    wechat.advance_time(3 * 86_400)
    wechat.say_text(wei["person"], "hi")
    assert sent() == 40007


def test_typing_needs_an_open_window_and_uses_nothing(
    wechat: Emulator, api: Api, wei: dict[str, Any]
) -> None:
    typing = {"touser": wei["openid_oa"], "command": "Typing"}
    path = "/cgi-bin/message/custom/typing"
    assert api.official(path, typing)["errcode"] == 0
    assert codes(api, wei, 3) == [0] * 3
    assert api.official(path, {**typing, "command": "Sing"})["errcode"] == 40097
    wechat.advance_time(60)
    assert api.official(path, typing)["errcode"] == 45080
