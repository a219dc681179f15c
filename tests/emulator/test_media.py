"""Temporary media: what is taken, for how long it is kept, and what may name it."""

from __future__ import annotations

from typing import Any

import pytest

from server.emulator.apps import MINI, OFFICIAL
from server.emulator.testing import Emulator
from server.emulator.xml import write_xml
from tests.emulator.conftest import Api, Push, Receiver
from tests.emulator.kit import JPEG, a_file, opened

GET = "/cgi-bin/media/get"
SEND = "/cgi-bin/message/custom/send"
AMR, MP4 = b"#!AMR\n" + bytes(32), bytes(4) + b"ftypisom" + bytes(32)


def test_a_file_can_be_fetched_again_for_three_days_by_its_own_app(
    wechat: Emulator, api: Api
) -> None:
    told = a_file(api, "image", JPEG)
    assert told["type"] == "image"
    media_id = told["media_id"]
    shown = api.raw(GET, None, access_token=api.token(), media_id=media_id)
    assert shown == ("image/jpeg", JPEG)
    assert api.mini(GET, media_id=media_id)["errcode"] == 40007
    wechat.advance_time(3 * 86_400)
    assert api.official(GET, media_id=media_id)["errcode"] == 40007


@pytest.mark.parametrize(
    ("kind", "content", "errcode"),
    [
        ("image", JPEG, None),
        ("voice", AMR, None),
        ("video", MP4, None),
        ("thumb", JPEG, None),
        ("poem", JPEG, 40004),
        ("image", b"<svg/>", 40005),
        ("thumb", b"\x89PNG\r\n\x1a\n", 40005),
        ("thumb", JPEG + bytes(64 * 1024), 40006),
        ("image", b"", 44001),
    ],
    ids=["image", "voice", "video", "thumb", "other", "svg", "png-thumb", "large", "empty"],
)
def test_a_file_has_the_kind_format_and_size_that_wechat_takes(
    api: Api, kind: str, content: bytes, errcode: int | None
) -> None:
    assert a_file(api, kind, content).get("errcode") == errcode


def test_a_body_without_the_field_media_is_refused(api: Api) -> None:
    assert a_file(api, "image", JPEG, field="file")["errcode"] == 41005
    assert api.official("/cgi-bin/media/upload", {}, type="image")["errcode"] == 41005


@pytest.mark.parametrize(
    ("kind", "content"), [("image", JPEG), ("voice", AMR)], ids=["image", "voice"]
)
def test_a_message_names_a_file_that_was_uploaded_as_its_kind(
    wechat: Emulator, api: Api, kind: str, content: bytes
) -> None:
    wei = wechat.create_person("Wei")
    wechat.follow_account(wei["person"])

    def sent(media_id: str) -> int:
        body = {"touser": wei["openid_oa"], "msgtype": kind, kind: {"media_id": media_id}}
        return int(api.official(SEND, body)["errcode"])

    assert sent(a_file(api, "thumb", JPEG)["thumb_media_id"]) == 40007
    assert sent(a_file(api, kind, content, MINI)["media_id"]) == 40007
    assert sent(a_file(api, kind, content)["media_id"]) == 0
    assert wechat.read_chat(wei["person"])[-1]["kind"] == kind


def test_a_passive_reply_with_an_unknown_file_is_a_failure_before_the_person(
    wechat: Emulator, api: Api, receiver: Receiver
) -> None:
    known = a_file(api, "image", JPEG)["media_id"]
    wechat.post_control("apps", official_account={"mode": "plain"})
    wei = wechat.create_person("Wei")

    def picture(media_id: str) -> Any:
        def answer(push: Push) -> tuple[int, bytes]:
            asked = opened(wechat.apps[OFFICIAL], push)
            fields: list[Any] = [
                ("ToUserName", asked["FromUserName"]),
                ("FromUserName", asked["ToUserName"]),
                ("CreateTime", 1_780_000_000),
                ("MsgType", "image"),
                ("Image", [("MediaId", media_id)]),
            ]
            return 200, write_xml(fields).encode()

        return answer

    receiver.answer = picture(known)
    assert [a["verdict"] for a in wechat.say_text(wei["person"], "hi")] == ["ok-reply"]
    receiver.answer = picture("m" * 64)
    assert [a["verdict"] for a in wechat.say_text(wei["person"], "hi")] == ["unknown-media"]
    assert wechat.read_chat(wei["person"])[-1]["kind"] == "failure"
