"""Pushes: their form in each mode, the deadline, the attempts, and the verdicts on answers."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest

from server.emulator.apps import MODES, OFFICIAL, App
from server.emulator.crypto import sign_push
from server.emulator.testing import Emulator
from tests.emulator.conftest import TEMPLATES, Push, Receiver, Time
from tests.emulator.kit import opened, replying, sealed, text_reply

FORMS = list(itertools.product(MODES, ("xml", "json")))


@pytest.fixture
def wei(wechat: Emulator) -> dict[str, Any]:
    return wechat.create_person("Wei")


def official(wechat: Emulator) -> App:
    return wechat.apps[OFFICIAL]


def take_the_form(wechat: Emulator, mode: str, form: str) -> App:
    wechat.post_control("apps", **{OFFICIAL: {"mode": mode, "format": form}})
    return official(wechat)


@pytest.mark.parametrize(("mode", "form"), FORMS)
def test_a_text_arrives_signed_in_every_mode_and_format_and_its_reply_is_opened(
    wechat: Emulator, receiver: Receiver, wei: dict[str, Any], mode: str, form: str
) -> None:
    app = take_the_form(wechat, mode, form)
    receiver.answer = replying(lambda: official(wechat), "你好")
    (attempt,) = wechat.say_text(wei["person"], "答题")
    (push,) = receiver.pushes
    assert push.path == "/wechat/official/callback"
    assert push.query["openid"] == wei["openid_oa"]
    signature = sign_push(app.token, push.query["timestamp"], push.query["nonce"])
    assert push.query["signature"] == signature
    fields = opened(app, push)
    assert (fields["MsgType"], fields["Content"]) == ("text", "答题")
    assert (fields["FromUserName"], fields["ToUserName"]) == (wei["openid_oa"], app.original_id)
    assert int(fields["MsgId"]) > 2**53
    assert attempt["verdict"] == "ok-reply"
    assert attempt["reply"] == {"kind": "text", "content": "你好"}
    assert attempt["status"] == 200


@pytest.mark.parametrize("form", ["xml", "json"])
def test_safe_mode_shows_nothing_but_the_address(
    wechat: Emulator, receiver: Receiver, wei: dict[str, Any], form: str
) -> None:
    app = take_the_form(wechat, "safe", form)
    wechat.say_text(wei["person"], "secret words")
    (push,) = receiver.pushes
    outer = json.loads(push.body) if form == "json" else opened_outer(push)
    assert set(outer) == {"ToUserName", "Encrypt"}
    stamp, nonce = push.query["timestamp"], push.query["nonce"]
    assert push.query["encrypt_type"] == "aes"
    assert push.query["msg_signature"] == sign_push(app.token, stamp, nonce, outer["Encrypt"])


def test_compatible_mode_shows_the_plain_fields_beside_the_cipher(
    wechat: Emulator, receiver: Receiver, wei: dict[str, Any]
) -> None:
    take_the_form(wechat, "compatible", "xml")
    wechat.say_text(wei["person"], "both")
    outer = opened_outer(receiver.pushes[0])
    assert outer["Content"] == "both"
    assert "Encrypt" in outer


def test_plain_mode_has_no_cipher(
    wechat: Emulator, receiver: Receiver, wei: dict[str, Any]
) -> None:
    take_the_form(wechat, "plain", "xml")
    wechat.say_text(wei["person"], "open")
    (push,) = receiver.pushes
    assert "msg_signature" not in push.query
    assert "encrypt_type" not in push.query
    assert "<Content><![CDATA[open]]></Content>" in push.body


def opened_outer(push: Push) -> dict[str, Any]:
    app = App(
        account=OFFICIAL,
        appid="",
        secret="",
        token="",
        aes_key="",
        mode="plain",
        format="xml",
        original_id="",
        callback="/",
    )
    body = push.body.replace("Encrypt", "Cipher")
    fields = opened(app, Push(push.method, push.path, push.query, body, push.mime))
    return {"Encrypt" if name == "Cipher" else name: value for name, value in fields.items()}


@pytest.mark.parametrize(
    ("body", "verdict"), [(b"success", "ok-success"), (b"", "ok-empty"), (b"<xml", "bad-xml")]
)
def test_short_answers_are_told_apart(
    wechat: Emulator, receiver: Receiver, wei: dict[str, Any], body: bytes, verdict: str
) -> None:
    receiver.answer = lambda push: (200, body)
    assert [a["verdict"] for a in wechat.say_text(wei["person"], "hi")] == [verdict]


def test_no_answer_in_time_means_three_attempts_with_equal_content_and_the_fault_line(
    hasty: Emulator, receiver: Receiver
) -> None:
    wei = hasty.create_person()
    receiver.answer = lambda push: None
    attempts = hasty.say_text(wei["person"], "anybody?")
    assert [a["verdict"] for a in attempts] == ["timeout"] * 3
    assert [a["status"] for a in attempts] == [None] * 3
    ids = {opened(official(hasty), push)["MsgId"] for push in receiver.pushes}
    nonces = {push.query["nonce"] for push in receiver.pushes}
    assert (len(ids), len(nonces)) == (1, 3)
    assert [line["kind"] for line in hasty.read_chat(wei["person"])] == ["text", "failure"]


def test_the_attempts_end_with_the_first_answer(
    wechat: Emulator, receiver: Receiver, wei: dict[str, Any]
) -> None:
    count = itertools.count(1)
    receiver.answer = lambda push: (503, b"busy") if next(count) == 1 else (200, b"success")
    attempts = wechat.say_text(wei["person"], "hi")
    assert [a["verdict"] for a in attempts] == ["http-not-200", "ok-success"]
    assert [line["attempt"] for line in wechat.list_callbacks()] == [1, 2]


def test_a_server_that_is_away_is_a_verdict(wechat: Emulator, wei: dict[str, Any]) -> None:
    wechat.push_to("http://127.0.0.1:9")
    attempts = wechat.say_text(wei["person"], "hi")
    assert [a["verdict"] for a in attempts] == ["no-connection"] * 3


def test_an_answer_that_stops_half_way_is_cut_at_the_deadline(
    hasty: Emulator, receiver: Receiver
) -> None:
    receiver.first_half = b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nsucc"
    receiver.answer = lambda push: None
    attempts = hasty.say_text(hasty.create_person()["person"], "hi")
    assert [a["verdict"] for a in attempts] == ["timeout"] * 3


@pytest.mark.parametrize(
    ("spoil", "verdict"),
    [
        ({"ToUserName": "somebody"}, "reply-to-the-wrong-person"),
        ({"FromUserName": "somebody"}, "reply-to-the-wrong-person"),
        ({"CreateTime": "soon"}, "bad-create-time"),
        ({"MsgType": "poem"}, "unknown-reply"),
        ({"Content": ""}, "empty-text"),
        ({"Content": "字" * 683}, "text-too-long"),
        ({"MsgType": "image"}, "bad-xml"),
    ],
)
def test_a_reply_is_checked_field_by_field(
    wechat: Emulator,
    receiver: Receiver,
    wei: dict[str, Any],
    spoil: dict[str, Any],
    verdict: str,
) -> None:
    app = official(wechat)

    def answer(push: Push) -> tuple[int, bytes]:
        return 200, sealed(app, push, text_reply(app, push, "hi", **spoil)).encode()

    receiver.answer = answer
    (attempt,) = wechat.say_text(wei["person"], "hi")
    assert (attempt["verdict"], attempt["reply"]) == (verdict, None)
    assert wechat.read_inbox(wei["openid_oa"]) == []


@pytest.mark.parametrize(
    ("spoil", "verdict"),
    [
        ({"MsgSignature": "0" * 40}, "bad-signature-in-reply"),
        ({"TimeStamp": 5}, "bad-signature-in-reply"),
    ],
)
def test_a_reply_with_a_wrong_signature_is_refused(
    wechat: Emulator,
    receiver: Receiver,
    wei: dict[str, Any],
    spoil: dict[str, Any],
    verdict: str,
) -> None:
    app = official(wechat)

    def answer(push: Push) -> tuple[int, bytes]:
        return 200, sealed(app, push, text_reply(app, push, "hi"), **spoil).encode()

    receiver.answer = answer
    assert wechat.say_text(wei["person"], "hi")[0]["verdict"] == verdict


def test_a_plain_reply_in_safe_mode_and_json_for_a_user_are_refused(
    wechat: Emulator, receiver: Receiver, wei: dict[str, Any]
) -> None:
    app = official(wechat)
    receiver.answer = lambda push: (200, text_reply(app, push, "hi").encode())
    assert wechat.say_text(wei["person"], "hi")[0]["verdict"] == "reply-not-encrypted"
    receiver.answer = lambda push: (200, b'{"ok": true}')
    assert wechat.say_text(wei["person"], "hi")[0]["verdict"] == "json-to-user"


def test_one_article_answers_a_message_and_several_an_event(
    wechat: Emulator, receiver: Receiver, wei: dict[str, Any]
) -> None:
    app = official(wechat)
    item = ("item", [("Title", "a"), ("Description", "b"), ("PicUrl", "c"), ("Url", "d")])

    def answer(push: Push) -> tuple[int, bytes]:
        changed = {"MsgType": "news", "ArticleCount": 2, "Articles": [item, item]}
        return 200, sealed(app, push, text_reply(app, push, "", **changed)).encode()

    receiver.answer = answer
    assert wechat.say_text(wei["person"], "hi")[0]["verdict"] == "bad-articles"
    (attempt,) = wechat.tap_menu(wei["person"], "RULES")
    assert attempt["verdict"] == "ok-reply"
    assert attempt["reply"]["articles"][1]["title"] == "a"


def test_nobody_may_be_answered_who_has_left(
    wechat: Emulator, receiver: Receiver, wei: dict[str, Any]
) -> None:
    receiver.answer = replying(lambda: official(wechat), "come back")
    (attempt,) = wechat.unfollow_account(wei["person"])
    assert attempt["verdict"] == "reply-not-allowed"


def test_create_time_follows_the_worlds_clock_and_the_query_the_real_one(
    wechat: Emulator, receiver: Receiver, wei: dict[str, Any], time_now: Time
) -> None:
    wechat.post_control("clock", offset_s=86_400)
    wechat.follow_account(wei["person"])
    (push,) = receiver.pushes
    assert push.query["timestamp"] == str(int(time_now.at))
    assert int(opened(official(wechat), push)["CreateTime"]) == int(time_now.at) + 86_400


def test_the_same_event_twice_in_a_second_has_two_create_times(
    wechat: Emulator, receiver: Receiver, wei: dict[str, Any]
) -> None:
    wechat.tap_menu(wei["person"], "RULES")
    wechat.tap_menu(wei["person"], "RULES")
    times = [int(opened(official(wechat), push)["CreateTime"]) for push in receiver.pushes]
    assert times[1] == times[0] + 1


def test_a_clock_set_back_takes_create_times_with_it(
    wechat: Emulator, receiver: Receiver, wei: dict[str, Any], time_now: Time
) -> None:
    wechat.post_control("clock", offset_s=86_400)
    wechat.tap_menu(wei["person"], "RULES")
    wechat.post_control("clock", offset_s=0)
    wechat.tap_menu(wei["person"], "RULES")
    fields = opened(official(wechat), receiver.pushes[1])
    assert int(fields["CreateTime"]) == int(time_now.at)


def test_follow_by_a_code_and_scan_tell_the_scene(
    wechat: Emulator, receiver: Receiver, wei: dict[str, Any]
) -> None:
    wechat.follow_account(wei["person"], "lecture-7")
    wechat.post_control("message", person=wei["person"], event="SCAN", event_key="lecture-7")
    first, second = (opened(official(wechat), push) for push in receiver.pushes)
    assert (first["Event"], first["EventKey"]) == ("subscribe", "qrscene_lecture-7")
    assert (second["Event"], second["EventKey"]) == ("SCAN", "lecture-7")
    assert first["Ticket"]
    assert second["Ticket"]


def test_a_scanned_menu_entry_carries_what_was_scanned(
    wechat: Emulator, receiver: Receiver, wei: dict[str, Any]
) -> None:
    wechat.post_control("message", person=wei["person"], event="scancode_waitmsg", event_key="K")
    fields = opened(official(wechat), receiver.pushes[0])
    assert fields["ScanCodeInfo"] == {"ScanType": "qrcode", "ScanResult": "K"}
    wechat.post_control(
        "message", person=wei["person"], event="scancode_waitmsg", event_key="K", scan_result="read"
    )
    fields = opened(official(wechat), receiver.pushes[1])
    assert fields["EventKey"] == "K"
    assert fields["ScanCodeInfo"] == {"ScanType": "qrcode", "ScanResult": "read"}


@pytest.mark.parametrize("kind", ["image", "voice", "video", "location", "link"])
def test_other_kinds_of_message_arrive_with_their_fields(
    wechat: Emulator, receiver: Receiver, wei: dict[str, Any], kind: str
) -> None:
    wechat.post_control("message", person=wei["person"], kind=kind, content="here")
    fields = opened(official(wechat), receiver.pushes[0])
    assert fields["MsgType"] == kind
    assert "MsgId" in fields


@pytest.mark.parametrize(("count", "listed"), [(1, dict), (2, list)])
def test_one_consent_is_an_object_in_json_and_several_are_an_array(
    wechat: Emulator, receiver: Receiver, wei: dict[str, Any], count: int, listed: type
) -> None:
    ids = [row["id"] for row in json.loads(TEMPLATES.read_text())["templates"]][:count]
    wechat.post_control("consent", person=wei["person"], results=dict.fromkeys(ids, "accept"))
    (push,) = receiver.pushes
    assert push.path == "/wechat/miniprogram/callback"
    fields = opened(wechat.apps["mini_program"], push)
    assert fields["Event"] == "subscribe_msg_popup_event"
    assert isinstance(fields["List"], listed)


def test_in_xml_the_consents_stand_in_the_events_own_element(
    wechat: Emulator, receiver: Receiver, wei: dict[str, Any]
) -> None:
    wechat.post_control("apps", mini_program={"format": "xml", "mode": "plain"})
    template = json.loads(TEMPLATES.read_text())["templates"][0]["id"]
    wechat.answer_sheet(wei["person"], template)
    fields = opened(wechat.apps["mini_program"], receiver.pushes[0])
    assert fields["SubscribeMsgPopupEvent"] == {
        "List": {
            "TemplateId": template,
            "SubscribeStatusString": "accept",
            "PopupScene": "0",
        }
    }


WORDS = ["accept", "acceptWithAudio", "acceptWithAlert", "acceptWithForcePush", "reject", "later"]


@pytest.mark.parametrize("word", WORDS)
def test_the_popup_event_tells_the_word_of_the_sheet_and_every_yes_is_a_grant(
    wechat: Emulator, receiver: Receiver, wei: dict[str, Any], word: str
) -> None:
    template = json.loads(TEMPLATES.read_text())["templates"][0]["id"]
    made = wechat.answer_sheet(wei["person"], template, word)
    assert made["grants"] == {template: int(word.startswith("accept"))}
    (push,) = receiver.pushes
    told = opened(wechat.apps["mini_program"], push)["List"]
    assert (told["TemplateId"], told["SubscribeStatusString"]) == (template, word)


@pytest.mark.parametrize("word", ["ban", "filter"])
def test_what_the_sheet_never_showed_is_no_event(
    wechat: Emulator, receiver: Receiver, wei: dict[str, Any], word: str
) -> None:
    template = json.loads(TEMPLATES.read_text())["templates"][0]["id"]
    assert wechat.answer_sheet(wei["person"], template, word)["grants"] == {template: 0}
    assert receiver.pushes == []


def test_the_url_check_wants_its_echo_back(wechat: Emulator, receiver: Receiver) -> None:
    receiver.answer = lambda push: (200, push.query["echostr"].encode())
    assert wechat.post_control("url_check", app=OFFICIAL)["ok"] is True
    receiver.answer = lambda push: (200, b"<p>" + push.query["echostr"].encode())
    assert wechat.post_control("url_check", app=OFFICIAL)["ok"] is False


HOSTILE = ["wrong_signature", "wrong_key", "wrong_appid", "bad_padding", "plain", "stale"]


@pytest.mark.parametrize("kind", HOSTILE)
def test_each_hostile_push_is_really_wrong_in_its_own_way(
    wechat: Emulator, receiver: Receiver, wei: dict[str, Any], kind: str, time_now: Time
) -> None:
    wechat.post_control("callback", person=wei["person"], kind=kind)
    (push,) = receiver.pushes
    app = official(wechat)
    outer = opened_outer(push)
    stamp, nonce = push.query["timestamp"], push.query["nonce"]
    covered = sign_push(app.token, stamp, nonce, outer.get("Encrypt", ""))
    signed = push.query.get("msg_signature") == covered
    fresh = stamp == str(int(time_now.at))
    try:
        readable = bool(opened(app, push)["Content"])
    except ValueError:
        readable = False
    assert (signed, fresh, readable) == {
        "wrong_signature": (False, True, True),
        "wrong_key": (True, True, False),
        "wrong_appid": (True, True, False),
        "bad_padding": (True, True, False),
        "plain": (False, True, True),
        "stale": (True, False, True),
    }[kind]


@pytest.mark.parametrize(("kind", "count"), [("duplicate", 2), ("replay", 2), ("parallel", 3)])
def test_a_repeated_push_keeps_its_message_id(
    wechat: Emulator, receiver: Receiver, wei: dict[str, Any], kind: str, count: int
) -> None:
    answer = wechat.post_control("callback", person=wei["person"], kind=kind)
    ids = [opened(official(wechat), push)["MsgId"] for push in receiver.pushes]
    assert len(answer["attempts"]) == len(ids) == count
    assert len(set(ids)) == 1
    nonces = {push.query["nonce"] for push in receiver.pushes}
    assert len(nonces) == (1 if kind == "replay" else count)


def test_a_huge_push_and_an_unknown_event_can_be_sent(
    wechat: Emulator, receiver: Receiver, wei: dict[str, Any]
) -> None:
    wechat.post_control("callback", person=wei["person"], kind="huge")
    wechat.post_control("callback", person=wei["person"], kind="unknown_event")
    assert len(receiver.pushes[0].body) > 65_536
    assert opened(official(wechat), receiver.pushes[1])["Event"] == "something_new"
