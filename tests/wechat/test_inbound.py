"""What a good push becomes: a message in our words, the same for each of its repeats."""

from __future__ import annotations

import json

import pytest

from server.base.errors import Malformed
from server.wechat.callback.inbound import Envelope
from server.wechat.callback.replies import Reply
from server.wechat.errors import SignatureRefused, StaleTimestamp
from tests.kit.clock import FakeClock
from tests.kit.wechat_side import (
    ACCOUNT,
    OPENID,
    WeChatSide,
    an_app,
    as_json,
    decrypt,
    encrypt,
    sha1,
    xml_event,
    xml_text,
)

MODES = ("plain", "compatible", "safe")


@pytest.fixture(params=MODES)
def side(request: pytest.FixtureRequest, clock: FakeClock) -> WeChatSide:
    return WeChatSide(an_app(request.param), clock)


def test_a_text_is_read_in_every_mode(side: WeChatSide) -> None:
    message = side.opened(xml_text("你好 <b>&amp;"))
    assert (message.app, message.kind, message.event) == ("official_account", "text", "")
    assert (message.openid, message.account) == (OPENID, ACCOUNT)
    assert (message.created_at, message.msg_id) == (1777608000, "6054768590064713728")
    assert message.content == "你好 <b>&amp;"
    assert message.encrypted == (side.app.mode != "plain")


def test_json_is_read_in_every_mode_and_form_of_envelope(side: WeChatSide) -> None:
    for form in ("xml", "json"):
        message = side.opened(as_json(Content="你好"), form=form)
        assert (message.content, message.msg_id) == ("你好", "6054768590064713728")
        assert (message.created_at, message.form) == (1777608000, "json")


@pytest.mark.parametrize("created", [1777608000, "1777608000", " 1777608000 "])
def test_a_time_may_be_a_number_or_text(created: object, clock: FakeClock) -> None:
    message = WeChatSide(an_app("plain"), clock).opened(as_json(CreateTime=created))
    assert message.created_at == 1777608000


def test_an_id_of_the_cloud_form_is_kept(clock: FakeClock) -> None:
    message = WeChatSide(an_app("plain"), clock).opened(as_json(MsgId="49d72d67b16d_1555684067"))
    assert message.msg_id == "49d72d67b16d_1555684067"


def test_compatible_mode_believes_the_encrypted_part_alone(clock: FakeClock) -> None:
    side = WeChatSide(an_app("compatible"), clock)
    encrypted = encrypt(side.app.aes_key, side.app.appid, xml_text("the truth"))
    forged = side.outside(encrypted, xml_text("a lie", msg_id="1"))
    message = side.envelope.open_message(side.query(encrypted), forged)
    assert (message.content, message.msg_id) == ("the truth", "6054768590064713728")


def test_a_plain_account_with_a_key_reads_encrypted_pushes_too(clock: FakeClock) -> None:
    sender = WeChatSide(an_app("safe"), clock)
    reader = WeChatSide(an_app("plain"), clock).envelope
    message = reader.open_message(*sender.push(xml_text()))
    assert message.encrypted
    assert reader.seal_reply(message, Reply.of_text("x")).startswith(b"<xml><Encrypt>")


def test_a_plain_account_without_a_key_refuses_them(clock: FakeClock) -> None:
    query, body = WeChatSide(an_app("safe"), clock).push(xml_text())
    with pytest.raises(SignatureRefused):
        WeChatSide(an_app("plain", aes_key=""), clock).envelope.open_message(query, body)


@pytest.mark.parametrize("offset", [-600, -1, 0, 1, 599, 600])
def test_a_time_inside_the_window_is_good(side: WeChatSide, offset: int) -> None:
    assert side.envelope.open_message(*side.push(xml_text(), offset=offset)).content == "hello"


def test_a_time_outside_the_window_is_told_apart_from_a_wrong_signature(side: WeChatSide) -> None:
    with pytest.raises(StaleTimestamp):
        side.envelope.open_message(*side.push(xml_text(), offset=-601))


def test_the_address_check_gives_the_echo_back_in_every_mode(side: WeChatSide) -> None:
    assert side.envelope.check_address(side.query() | {"echostr": "<b>7&"}) == "<b>7&"


def test_the_address_check_refuses_without_signature_time_or_echo(side: WeChatSide) -> None:
    with pytest.raises(SignatureRefused):
        side.envelope.check_address(side.query() | {"echostr": "7", "signature": "0" * 40})
    with pytest.raises(StaleTimestamp):
        side.envelope.check_address(side.query(offset=-700) | {"echostr": "7"})
    with pytest.raises(Malformed):
        side.envelope.check_address(side.query())


def test_an_account_without_token_or_with_another_mode_does_not_start(clock: FakeClock) -> None:
    for app in (an_app(token=""), an_app("open"), an_app("safe", aes_key="")):
        with pytest.raises(ValueError, match=r"callback|EncodingAESKey"):
            Envelope("official_account", app, clock)


@pytest.mark.parametrize(
    ("plain", "event", "event_key", "scene"),
    [
        (xml_event("subscribe"), "subscribe", "", ""),
        (xml_event("subscribe", "<EventKey></EventKey>"), "subscribe", "", ""),
        (
            xml_event("subscribe", "<EventKey>qrscene_lecture.7</EventKey><Ticket>t</Ticket>"),
            "subscribe",
            "qrscene_lecture.7",
            "lecture.7",
        ),
        (
            xml_event("subscribe", "<EventKey>last_trade_no_1</EventKey>"),
            "subscribe",
            "last_trade_no_1",
            "",
        ),
        (xml_event("SCAN", "<EventKey>lecture.7</EventKey>"), "scan", "lecture.7", "lecture.7"),
        (xml_event("CLICK", "<EventKey>RANK</EventKey>"), "click", "RANK", ""),
        (xml_event("unsubscribe"), "unsubscribe", "", ""),
    ],
)
def test_events_have_one_spelling(
    plain: bytes, event: str, event_key: str, scene: str, side: WeChatSide
) -> None:
    message = side.opened(plain)
    assert (message.event, message.event_key, message.scene) == (event, event_key, scene)


@pytest.mark.parametrize(
    "name",
    ["user_info_modified", "user_authorization_revoke", "user_authorization_cancellation"],
)
def test_an_event_about_somebody_is_about_them_and_not_about_the_platform(
    name: str, side: WeChatSide
) -> None:
    message = side.opened(xml_event(name, "<OpenID>oSomebody</OpenID><RevokeInfo>8</RevokeInfo>"))
    assert message.openid == "oSomebody"


def test_an_event_that_names_nobody_is_about_the_platform(side: WeChatSide) -> None:
    assert side.opened(xml_event("user_info_modified")).openid == OPENID


def test_a_list_of_one_and_of_several_are_both_readable(side: WeChatSide) -> None:
    item = "<List><TemplateId>{}</TemplateId><PopupScene>0</PopupScene></List>"
    one = side.opened(
        xml_event(
            "subscribe_msg_popup_event",
            f"<SubscribeMsgPopupEvent>{item.format('a')}</SubscribeMsgPopupEvent>",
        )
    )
    two = side.opened(
        xml_event(
            "subscribe_msg_popup_event",
            f"<SubscribeMsgPopupEvent>{item.format('a')}{item.format('b')}</SubscribeMsgPopupEvent>",
        )
    )
    inside = {"TemplateId": "a", "PopupScene": "0"}
    assert one.fields["SubscribeMsgPopupEvent"] == {"List": inside}
    assert two.fields["SubscribeMsgPopupEvent"] == {"List": [inside, inside | {"TemplateId": "b"}]}


def test_sixteen_levels_are_read(side: WeChatSide) -> None:
    deep = "<a>" * 15 + "x" + "</a>" * 15
    assert side.opened(xml_text(extra=deep)).content == "hello"
    assert side.opened(as_json(Deep=json.loads("[" * 15 + "]" * 15))).content == "hello"


def test_brackets_inside_json_texts_are_no_levels(side: WeChatSide) -> None:
    words = '[{"' * 40 + "\\" * 3
    assert side.opened(as_json(Content=words)).content == words


def test_markup_in_a_text_is_text(side: WeChatSide) -> None:
    words = "<!DOCTYPE xml [<!ENTITY a 'b'>]> &a; \U0001f600\n\t"
    assert side.opened(xml_text(words)).content == words


def test_repeats_have_one_key_whatever_their_query(side: WeChatSide) -> None:
    first = side.opened(xml_text())
    side.clock.advance(5)
    repeat = WeChatSide(side.app, side.clock, nonce="7").opened(xml_text())
    assert first.key == repeat.key
    assert first.digest == repeat.digest
    assert first.replay_key != repeat.replay_key


def test_different_messages_have_different_keys(side: WeChatSide) -> None:
    item = "<E><List><TemplateId>{}</TemplateId></List></E>"
    pushes = [
        xml_text(),
        xml_text(msg_id="6054768590064713729"),
        xml_event("subscribe"),
        xml_event("unsubscribe"),
        xml_event("subscribe", created=1777608001),
        xml_event("CLICK", "<EventKey>a</EventKey>"),
        xml_event("CLICK", "<EventKey>b</EventKey>"),
        xml_event("subscribe").replace(OPENID.encode(), b"oOther"),
        xml_event("TEMPLATESENDJOBFINISH", "<MsgID>1</MsgID>"),
        xml_event("TEMPLATESENDJOBFINISH", "<MsgID>2</MsgID>"),
        xml_event("wxa_media_check", "<trace_id>1</trace_id>"),
        xml_event("wxa_media_check", "<trace_id>2</trace_id>"),
        xml_event("subscribe_msg_popup_event", item.format("a")),
        xml_event("subscribe_msg_popup_event", item.format("b")),
        xml_event("user_info_modified", "<OpenID>oA</OpenID>"),
        xml_event("user_info_modified", "<OpenID>oB</OpenID>"),
        xml_event("user_authorization_revoke", "<OpenID>oA</OpenID><RevokeInfo>6</RevokeInfo>"),
        xml_event("user_authorization_revoke", "<OpenID>oA</OpenID><RevokeInfo>8</RevokeInfo>"),
    ]
    keys = {side.opened(plain).key for plain in pushes}
    assert len(keys) == len(pushes)


def test_one_id_of_two_senders_or_two_seconds_is_two_messages(side: WeChatSide) -> None:
    pushes = [
        xml_text(),
        xml_text().replace(OPENID.encode(), b"oOther"),
        xml_text().replace(b"1777608000", b"1777608001"),
    ]
    assert len({side.opened(plain).key for plain in pushes}) == len(pushes)


def test_messages_without_an_id_are_told_apart_by_their_words(side: WeChatSide) -> None:
    words = [as_json(MsgId=None, Content=words) for words in ("one", "two", "two")]
    one, two, again = (side.opened(plain).key for plain in words)
    assert one != two == again


def test_both_apps_have_keys_of_their_own(clock: FakeClock) -> None:
    app = an_app("plain")
    query, body = WeChatSide(app, clock).push(xml_text())
    opened = [
        Envelope(name, app, clock).open_message(query, body)
        for name in ("official_account", "mini_program")
    ]
    assert opened[0].key != opened[1].key
    assert opened[0].replay_key != opened[1].replay_key


def test_the_same_id_at_another_account_is_another_message(clock: FakeClock) -> None:
    ours = WeChatSide(an_app("plain"), clock).opened(xml_text())
    other = WeChatSide(an_app("plain", appid="wx" + "f" * 16), clock).opened(xml_text())
    assert ours.key != other.key
    assert ours.replay_key != other.replay_key


def test_neither_keys_nor_repr_hold_who_wrote_what(side: WeChatSide) -> None:
    message = side.opened(xml_text("my secret"))
    shown = f"{message!r} {message.key} {message.replay_key} {message.digest}"
    assert OPENID not in shown
    assert "my secret" not in shown


def opened_reply(side: WeChatSide, sealed: bytes) -> bytes:
    """The inside of an encrypted reply, after its signature was checked as WeChat checks it."""
    parts = {
        name: sealed.decode().split(f"<{name}>")[1].split(f"</{name}>")[0]
        for name in ("Encrypt", "MsgSignature", "TimeStamp", "Nonce")
    }
    bare = {k: v.removeprefix("<![CDATA[").removesuffix("]]>") for k, v in parts.items()}
    assert bare["MsgSignature"] == sha1(
        side.app.token, bare["TimeStamp"], bare["Nonce"], bare["Encrypt"]
    )
    assert bare["Nonce"] == side.nonce
    assert bare["TimeStamp"] == side.stamp()
    return decrypt(side.app.aes_key, side.app.appid, bare["Encrypt"])


def test_a_reply_goes_back_the_way_the_message_came(side: WeChatSide) -> None:
    message = side.opened(xml_text())
    side.clock.advance(1)
    sealed = side.envelope.seal_reply(message, Reply.of_text("你好"))
    document = sealed if side.app.mode == "plain" else opened_reply(side, sealed)
    assert document.decode() == (
        f"<xml><ToUserName><![CDATA[{OPENID}]]></ToUserName>"
        f"<FromUserName><![CDATA[{ACCOUNT}]]></FromUserName><CreateTime>1777608000</CreateTime>"
        "<MsgType><![CDATA[text]]></MsgType><Content><![CDATA[你好]]></Content></xml>"
    )


def test_nothing_to_say_is_success_in_every_mode(side: WeChatSide) -> None:
    assert side.envelope.seal_reply(side.opened(xml_text()), Reply()) == b"success"


def test_a_citizen_is_answered_in_xml_even_when_the_push_was_json(side: WeChatSide) -> None:
    sealed = side.envelope.seal_reply(side.opened(as_json()), Reply.of_text("x"))
    assert sealed.startswith(b"<xml>")


def test_the_self_test_is_answered_in_json(side: WeChatSide) -> None:
    push = as_json(MsgType="event", Event="debug_demo", debug_str="x", Content=None, MsgId=None)
    message = side.opened(push)
    sealed = json.loads(
        side.envelope.seal_reply(message, Reply.of_json({"demo_resp": "good luck"}))
    )
    if side.app.mode != "plain":
        assert sealed["TimeStamp"] == int(side.stamp())
        signature = sha1(side.app.token, side.stamp(), side.nonce, sealed["Encrypt"])
        assert sealed["MsgSignature"] == signature
        sealed = json.loads(decrypt(side.app.aes_key, side.app.appid, sealed["Encrypt"]))
    assert sealed == {"demo_resp": "good luck"}


def test_two_seals_of_one_reply_differ(clock: FakeClock) -> None:
    side = WeChatSide(an_app("safe"), clock)
    message = side.opened(xml_text())
    seals = {side.envelope.seal_reply(message, Reply.of_text("x")) for _ in range(20)}
    assert len(seals) == 20
