"""Characters that XML or JSON forbids are dropped after a good signature, and nothing is lost."""

from __future__ import annotations

import json

import pytest

from server.base.errors import AppError, Malformed
from server.wechat.callback.documents import read_document
from tests.kit.callback_handlers import PATH, Stand
from tests.kit.clock import FakeClock
from tests.kit.wechat_side import ACCOUNT, WeChatSide, an_app, as_json, knock, xml_event, xml_text

TEXT = b"<![CDATA[hello]]>"
# Each is a text that reads `答题` with something in it that its form forbids.
XML = {
    "a group separator": xml_text("答题\x1d"),
    "a NUL": xml_text("答\x00题"),
    "a backspace": xml_text("\x08答题"),
    "a vertical tab": xml_text("答题\x0b"),
    "a bell and an escape": xml_text("\x07答\x1b题"),
    "U+FFFE": xml_text("答题\ufffe"),
    "U+FFFF": xml_text("答题\uffff"),
    "a reference to a control character": xml_text().replace(TEXT, "答题&#x1d;".encode()),
    "a decimal reference": xml_text().replace(TEXT, "答&#8;题".encode()),
    "a reference with zeros": xml_text().replace(TEXT, "答题&#x0000000000001D;".encode()),
    "a reference to NUL": xml_text().replace(TEXT, "答题&#0;&#x0;".encode()),
    "a reference to U+FFFF": xml_text().replace(TEXT, "答题&#65535;".encode()),
    "a reference to half a character": xml_text().replace(TEXT, "答题&#xD83D;".encode()),
    "a reference beyond Unicode": xml_text().replace(TEXT, "答题&#x110000;".encode()),
    "a reference without end": xml_text().replace(TEXT, f"答题&#{'9' * 5000};".encode()),
    "half a character in UTF-8": xml_text("答题X").replace(b"X", b"\xed\xa0\xbd"),
    "a cut character": xml_text("答题X").replace(b"X", "😀".encode()[:2]),
    "an overlong NUL": xml_text("答题X").replace(b"X", b"\xc0\x80"),
    "between the elements": xml_text("答题").replace(b"<MsgId>", b"\x01<MsgId>"),
    "in the type": xml_text("答题").replace(b"[text]", b"[te\x02xt]"),
    "in the sender": xml_text("答题").replace(b"[oCitizen", b"[o\x02Citizen"),
}
JSON = {
    "an escape": as_json(Content="答题\x1d"),
    "an escaped NUL": as_json(Content="答\x00题"),
    "U+FFFF": as_json(Content="答题\uffff"),
    "half a character": as_json(Content="答题\ud83d"),
    "the other half": as_json(Content="\ude00答题"),
    "a raw control character": as_json(Content="答题X").replace(b"X", b"\x1d"),
    "a raw NUL": as_json(Content="答题X").replace(b"X", b"\x00"),
    "a cut character": as_json(Content="答题X").replace(b"X", "😀".encode()[:3]),
    "in the type": as_json(Content="答题", MsgType="te\x02xt"),
    "in a name": as_json(Content="答题", **{"Ot\x00her": "x"}),
}
CASES = {**{f"XML: {k}": v for k, v in XML.items()}, **{f"JSON: {k}": v for k, v in JSON.items()}}


@pytest.fixture(params=["plain", "compatible", "safe"])
def side(request: pytest.FixtureRequest, clock: FakeClock) -> WeChatSide:
    return WeChatSide(an_app(request.param), clock)


@pytest.mark.parametrize("plain", CASES.values(), ids=CASES)
def test_a_forbidden_character_is_dropped_and_the_message_is_read(
    plain: bytes, side: WeChatSide
) -> None:
    message = side.opened(plain)
    assert (message.kind, message.content) == ("text", "答题")
    assert message.openid == "oCitizen_0123456789abcdefghij"


@pytest.mark.parametrize("plain", CASES.values(), ids=CASES)
def test_unsigned_it_stays_refused(plain: bytes, side: WeChatSide) -> None:
    query, body = side.push(plain)
    forged = {name: "0" * 40 for name in ("signature", "msg_signature") if name in query}
    for changed in ({"signature": "0" * 40}, forged):
        with pytest.raises(AppError) as refusal:
            side.envelope.open_message(query | changed, body)
        assert refusal.value.status == 403


@pytest.mark.parametrize("event", ["subscribe", "SCAN"])
def test_events_survive_it_too(event: str, side: WeChatSide) -> None:
    key = "qrscene_1\x0b2" if event == "subscribe" else "1\x0b2"
    message = side.opened(xml_event(f"{event}\x1d", f"<EventKey><![CDATA[{key}]]></EventKey>"))
    assert (message.event, message.scene) == (event.lower(), "12")


def test_what_is_dropped_closes_no_section_of_text(side: WeChatSide) -> None:
    crafted = "]]\x1d><MsgType>event</MsgType><Event>unsubscribe</Event><![CDATA["
    message = side.opened(xml_text(crafted))
    assert (message.kind, message.event) == ("text", "")
    assert message.content == crafted.replace("\x1d", "")


def test_a_reference_inside_a_section_of_text_is_text(side: WeChatSide) -> None:
    assert side.opened(xml_text("&#x1d; and &#65; \x1d")).content == "&#x1d; and &#65; "
    outside = xml_text("\x1d").replace(b"</MsgId>", b"</MsgId><A>&#65;&#x1d;&#x4F60;</A>")
    assert side.opened(outside).fields["A"] == "A你"


def test_line_breaks_and_tabs_are_kept(side: WeChatSide) -> None:
    assert side.opened(xml_text("a\n\tb\x1d")).content == "a\n\tb"
    raw = as_json(Content="aX\tb").replace(b"X", b"\n")
    assert side.opened(raw).content == "a\n\tb"


def test_repeats_have_one_key_also_with_such_characters(side: WeChatSide) -> None:
    first, other = side.opened(xml_text("答题\x1d")), side.opened(xml_text("答题\x1d"))
    assert first.key == other.key


def test_a_kind_or_an_event_that_we_do_not_know_is_read(side: WeChatSide) -> None:
    for kind in ("te xt", "文本", "new-kind", "t" * 128):
        assert side.opened(as_json(MsgType=kind)).kind == kind
    for event in ("sub/scribe", "kf.session", "新事件"):
        assert side.opened(xml_event(event)).event == event


@pytest.mark.parametrize("plain", CASES.values(), ids=CASES)
def test_the_door_answers_it(plain: bytes, clock: FakeClock, tmp_path: object) -> None:
    stand = Stand(WeChatSide(an_app("safe"), clock), f"fake:{tmp_path}")
    query, body = stand.handler.side.push(plain)
    assert knock(stand.webhook, PATH, query, body).status == 200
    assert knock(stand.webhook, PATH, query | {"msg_signature": "0" * 40}, body).status == 403
    stand.deadline_runner.drain_handlers()


def test_what_is_no_document_is_refused_still() -> None:
    for body in (
        b"<xml>&#x1d",
        b"<xml>\x1d</xml",
        b'{"a": "\x1d}',
        b"\x1d<xml></xml>",
        b"<xml>\x1d",
    ):
        with pytest.raises(Malformed):
            read_document(body)


def test_the_account_is_still_compared(side: WeChatSide) -> None:
    plain = xml_text("\x1d").replace(ACCOUNT.encode(), b"gh_other\x02")
    with pytest.raises(AppError) as refusal:
        side.opened(plain)
    assert refusal.value.status == 403


def test_numbers_of_an_answer_stay_numbers() -> None:
    found, form = read_document(json.dumps({"MsgId": 2**62}).encode())
    assert (found, form) == ({"MsgId": str(2**62)}, "json")
