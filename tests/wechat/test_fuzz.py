"""Tens of thousands of mutated bodies and queries: a message or a 4xx, never anything else."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from server.base.errors import AppError
from tests.kit.callback_handlers import PATH, Stand
from tests.kit.clock import FakeClock
from tests.kit.effort import repeat_count
from tests.kit.wechat_side import WeChatSide, an_app, as_json, knock, xml_event, xml_text
from tests.wechat.hostile import documents

ROUNDS = repeat_count(200_000, 24_000)
BLOCK = 4000
TOKENS = [
    *(b"<", b">", b"</", b"/>", b"<xml>", b"</xml>", b"<![CDATA[", b"]]>", b"<!--", b"-->", b"<?"),
    *(b"<!DOCTYPE", b"<!ENTITY", b"&amp;", b"&#0;", b"&x;", b"{", b"}", b"[", b"]", b'"', b"\\u"),
    *(b"\\", b":", b",", b"null", b"true", b"NaN", b"1e999", b"-0", b"\x00", b"\xff", b"\xed\xa0"),
    *(b"MsgType", b"Event", b"EventKey", b"FromUserName", b"CreateTime", b"MsgId", b"List"),
    *(b"<MsgType>event</MsgType>", b"<Event/>", b"\r\n", b" " * 50, b"9" * 400, "密".encode()),
]
SCANNED = "<EventKey>k</EventKey><ScanCodeInfo><ScanType>q</ScanType></ScanCodeInfo>"
POPUP = "<E><List><TemplateId>a</TemplateId></List><List/></E>"
GOOD = [
    xml_text(),
    xml_text("你好 \U0001f600"),
    xml_event("subscribe", "<EventKey>qrscene_1</EventKey><Ticket>t</Ticket>"),
    xml_event("SCAN", "<EventKey>1</EventKey>"),
    xml_event("scancode_waitmsg", SCANNED),
    xml_event("subscribe_msg_popup_event", POPUP),
    as_json(),
    as_json(MsgType="event", Event="debug_demo", debug_str="x"),
    as_json(MsgType="event", Event="subscribe_msg_popup_event", List=[{"TemplateId": "a"}]),
]
BAD = list(documents().values())


def mutated(chance: random.Random) -> bytes:
    body = bytearray(chance.choice(chance.choice([GOOD, GOOD, BAD]))[:4000])
    for _ in range(chance.randint(0, 6)):
        chance.choice(MUTATIONS)(body, chance)
    return bytes(body)


def _flip(body: bytearray, chance: random.Random) -> None:
    if body:
        body[chance.randrange(len(body))] = chance.randrange(256)


def _cut(body: bytearray, chance: random.Random) -> None:
    start = chance.randint(0, len(body))
    del body[start : start + chance.randint(1, 60)]


def _insert(body: bytearray, chance: random.Random) -> None:
    at = chance.randint(0, len(body))
    body[at:at] = chance.choice(TOKENS) * chance.choice([1, 1, 1, 2, 20])


def _double(body: bytearray, chance: random.Random) -> None:
    start = chance.randint(0, len(body))
    piece = body[start : start + chance.randint(1, 200)]
    at = chance.randint(0, len(body))
    body[at:at] = piece


def _cross(body: bytearray, chance: random.Random) -> None:
    other = chance.choice(BAD)[:4000]
    body[chance.randint(0, len(body)) :] = other[chance.randint(0, len(other)) :]


MUTATIONS: list[Callable[[bytearray, random.Random], None]] = [
    _flip,
    _cut,
    _insert,
    _double,
    _cross,
]


@pytest.mark.parametrize("block", range(ROUNDS // BLOCK))
def test_a_mutated_body_is_a_message_or_a_4xx(block: int, clock: FakeClock) -> None:
    chance = random.Random(block)
    sides = [WeChatSide(an_app(mode), clock) for mode in ("plain", "compatible", "safe")]
    envelopes = [side.envelope for side in sides]
    read = 0
    for _ in range(BLOCK):
        place = chance.randrange(3)
        query, body = sides[place].push(mutated(chance))
        if chance.random() < 0.1:
            outside = bytearray(body)
            chance.choice(MUTATIONS)(outside, chance)
            body = bytes(outside)
        try:
            envelopes[place].open_message(query, body)
            read += 1
        except AppError as refusal:
            assert 400 <= refusal.status < 500, body  # noqa: PT017 - any refusal is fine, its status is not
    # The mutations must not be so wild that nothing interesting is reached.
    assert BLOCK // 50 < read < BLOCK


def test_mutated_requests_never_get_a_5xx_at_the_door(clock: FakeClock) -> None:
    chance = random.Random(20260501)
    stands = [Stand(WeChatSide(an_app(m), clock), f"fake:fuzz-{m}") for m in ("plain", "safe")]
    statuses: set[int] = set()
    for number in range(3000):
        stand = stands[number % 2]
        query, body = WeChatSide(stand.handler.side.app, clock, nonce=str(number)).push(
            mutated(chance)
        )
        if chance.random() < 0.2:
            name = chance.choice(sorted(query))
            query[name] = chance.choice(["", "0", "密\x00", query[name] * 2, query[name][::-1]])
        length = chance.choice([None, str(len(body) + 1), "0", "x"]) if number % 17 == 0 else "ok"
        environ = {} if length == "ok" else {"CONTENT_LENGTH": length}
        statuses.add(knock(stand.webhook, PATH, query, body, **environ).status)
    assert statuses == {200, 400, 403, 411}
    for stand in stands:
        stand.deadline_runner.drain_handlers()
