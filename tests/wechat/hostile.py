"""Hostile and broken callbacks by name, each with the status that it must get."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from tests.kit.wechat_side import (
    ACCOUNT,
    OPENID,
    WeChatSide,
    as_json,
    encrypt,
    pad,
    raw_encrypt,
    sha1,
    xml_event,
    xml_text,
)

Request = tuple[dict[str, str], bytes]
LIMIT = 64 * 1024


@dataclass(frozen=True)
class Case:
    name: str
    mode: str
    status: int
    make: Callable[[WeChatSide], Request]


def documents() -> dict[str, bytes]:
    """Bodies that are no message, however rightly they are signed and encrypted."""
    text = xml_text()
    head, tail = text[:5], text[5:]
    deep = b"<a>" * 15_000 + b"</a>" * 15_000
    laughs = b"".join(
        b'<!ENTITY l%d "%s">' % (n, b"&l%d;" % (n - 1) * 10 if n else b"ha" * 5) for n in range(9)
    )
    return {
        "an empty body": b"",
        "spaces alone": b" \r\n\t ",
        "plain words": b"hello",
        "a number": b"42",
        "a form": b"a=1&b=2",
        "bytes": bytes(range(256)),
        "NUL bytes": b"\x00" * 100,
        "a byte order mark": b"\xef\xbb\xbf" + text,
        "UTF-16": text.decode().encode("utf-16"),
        "a picture": b"\x89PNG\r\n\x1a\n" + bytes(64),
        "an unclosed element": text[:-6],
        "an element closed twice": text + b"</xml>",
        "two roots": text + text,
        "words after the root": text + b"words",
        "half a document": text[: len(text) // 2],
        "another root": text.replace(b"<xml>", b"<html>").replace(b"</xml>", b"</html>"),
        "an empty root": b"<xml/>",
        "a root with words": b"<xml>hello</xml>",
        "words between elements": head + b"words" + tail,
        "a DTD": b"<!DOCTYPE xml>" + text,
        "a DTD inside the prolog": b'<?xml version="1.0"?><!DOCTYPE xml SYSTEM "x.dtd">' + text,
        "a DTD with a public id": b'<!DOCTYPE xml PUBLIC "-//x" "http://127.0.0.1/x.dtd">' + text,
        "an inner entity": b'<!DOCTYPE xml [<!ENTITY a "b">]>' + text.replace(b"[hello]", b"[x]"),
        "an entity from a file": b'<!DOCTYPE xml [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
        b"<xml>&a;</xml>",
        "an entity from the net": b'<!DOCTYPE xml [<!ENTITY a SYSTEM "http://127.0.0.1/">]>'
        b"<xml>&a;</xml>",
        "a parameter entity": b'<!DOCTYPE xml [<!ENTITY % a SYSTEM "http://127.0.0.1/"> %a;]>'
        b"<xml/>",
        "billion laughs": b"<!DOCTYPE xml [" + laughs + b"]><xml>&l8;</xml>",
        "quadratic blow-up": b'<!DOCTYPE xml [<!ENTITY a "'
        + b"a" * 20_000
        + b'">]><xml>'
        + b"&a;" * 5000
        + b"</xml>",
        "an unknown entity": xml_text().replace(b"<![CDATA[hello]]>", b"&hello;"),
        "an entity beside a DTD": b"<!ENTITY a 'b'>" + text,
        "a processing instruction": head + b"<?php phpinfo(); ?>" + tail,
        "a style sheet": b'<?xml-stylesheet href="x.xsl"?>' + text,
        "17 levels": b"<xml>" + b"<a>" * 16 + b"</a>" * 16 + b"</xml>",
        "17 levels in a whole message": xml_text(extra="<a>" * 16 + "</a>" * 16),
        "15,000 levels": deep[: LIMIT // 2 - 3000] + b"</a>",
        "levels that never end": b"<xml>" + b"<a>" * 9000,
        "an attribute twice": text.replace(b"<xml>", b'<xml a="1" a="2">'),
        "no MsgType": text.replace(b"<MsgType><![CDATA[text]]></MsgType>", b""),
        "an empty MsgType": text.replace(b"<![CDATA[text]]>", b""),
        "a nested MsgType": text.replace(b"<![CDATA[text]]>", b"<a>text</a>"),
        "two MsgTypes": head + b"<MsgType>event</MsgType>" + tail,
        "a MsgType of 129 letters": text.replace(b"[text]", b"[" + b"t" * 129 + b"]"),
        "control characters for a MsgType": text.replace(b"[text]", b"[\x01\x02]"),
        "a control character in a name": text.replace(b"<MsgType>", b"<Msg\x01Type>"),
        "a closing of CDATA and a control character": xml_text(
            "\x1d]]><MsgType>event</MsgType><![CDATA["
        ),
        "a name twice but for a control character": as_json(**{"MsgType\x00": "event"}),
        "no FromUserName": text.replace(b"FromUserName", b"From"),
        "an empty FromUserName": text.replace(OPENID.encode(), b""),
        "a FromUserName with a line break": text.replace(OPENID.encode(), b"o\nx"),
        "a FromUserName of 200 letters": text.replace(OPENID.encode(), b"o" * 200),
        "a nested FromUserName": text.replace(
            b"<![CDATA[" + OPENID.encode() + b"]]>", b"<a>" + OPENID.encode() + b"</a>"
        ),
        "two FromUserNames": head + b"<FromUserName>oOther</FromUserName>" + tail,
        "two ToUserNames": head + b"<ToUserName>gh_other</ToUserName>" + tail,
        "two Contents": head + b"<Content>other</Content>" + tail,
        "two MsgIds": head + b"<MsgId>1</MsgId>" + tail,
        "no ToUserName": text.replace(b"ToUserName", b"To"),
        "no CreateTime": text.replace(b"CreateTime", b"Created"),
        "a CreateTime in words": text.replace(b"1777608000", b"yesterday"),
        "a negative CreateTime": text.replace(b"1777608000", b"-1777608000"),
        "a broken CreateTime": text.replace(b"1777608000", b"1777608000.5"),
        "a CreateTime of 13 digits": text.replace(b"1777608000", b"1777608000000"),
        "a CreateTime in full-width digits": text.replace(b"1777608000", "１７７７".encode()),
        "a nested CreateTime": text.replace(b"1777608000", b"<a>1777608000</a>"),
        "a nested Content": text.replace(b"<![CDATA[hello]]>", b"<a>hello</a>"),
        "a nested MsgId": text.replace(b"6054768590064713728", b"<a>6</a>"),
        "a MsgId with a space": text.replace(b"6054768590064713728", b"60 54"),
        "a MsgId of 200 digits": text.replace(b"6054768590064713728", b"6" * 200),
        "an event without Event": xml_event("x").replace(b"Event>", b"Evt>"),
        "an empty Event": xml_event(""),
        "a nested Event": xml_event("x").replace(b"<![CDATA[x]]>", b"<a>x</a>"),
        "two Events": xml_event("subscribe", "<Event>unsubscribe</Event>"),
        "two EventKeys": xml_event("scan", "<EventKey>1</EventKey><EventKey>2</EventKey>"),
        "a nested EventKey": xml_event("scan", "<EventKey><a>1</a></EventKey>"),
        "a script": b"<script>alert(1)</script>",
        "a closing of CDATA": xml_text("]]><MsgType>event</MsgType><![CDATA["),
        **json_documents(),
    }


def json_documents() -> dict[str, bytes]:
    whole = as_json()
    return {
        "JSON of 17 levels": as_json(Deep=json.loads("[" * 16 + "]" * 16)),
        "JSON of 30,000 levels": b'{"a":' + b"[" * 30_000 + b"]" * 30_000 + b"}",
        "JSON levels that never end": b'{"a":' + b"[" * 60_000,
        "JSON objects that never end": b'{"a":' * 10_000,
        "quotes that never end": b'{"' + b'\\"' * 30_000 + b"[" * 20,
        "a JSON list": b"[" + whole + b"]",
        "a JSON text": b'"hello"',
        "half a JSON object": whole[:-5],
        "JSON and words": whole + b"words",
        "two JSON objects": whole + whole,
        "a name twice in JSON": whole[:-1] + b',"MsgType":"event"}',
        "a nested name twice in JSON": whole[:-1] + b',"a":{"b":1,"b":2}}',
        "JSON with a comma too many": whole[:-1] + b",}",
        "JSON in single quotes": whole.replace(b'"', b"'"),
        "JSON with NaN": whole[:-1] + b',"a":NaN}',
        "JSON with Infinity": whole[:-1] + b',"a":-Infinity}',
        "JSON without MsgType": as_json(MsgType=None),
        "JSON with a number for MsgType": as_json(MsgType={"a": 1}),
        "JSON with a list for MsgType": as_json(MsgType=["text"]),
        "JSON with an object for Content": as_json(Content={"a": "b"}),
        "JSON with a list for FromUserName": as_json(FromUserName=[OPENID]),
        "JSON with a broken CreateTime": as_json(CreateTime=1777608000.5),
        "JSON with a huge CreateTime": whole.replace(b"1777608000", b"9" * 5000),
        "JSON with true for CreateTime": whole.replace(b"1777608000", b"true0"),
        "JSON with null for CreateTime": whole.replace(b"1777608000", b"null"),
        "JSON with an exponent for CreateTime": whole.replace(b"1777608000", b"1e9"),
        "JSON with a huge exponent for MsgId": whole.replace(b"6054768590064713728", b"[1e999]"),
        "a comment in JSON": b"{/* hello */" + whole[1:],
        "JSON after a byte order mark": b"\xef\xbb\xbf" + whole,
    }


def body_cases() -> Iterator[Case]:
    for name, body in documents().items():
        for mode in ("plain", "safe"):
            if len(body) < LIMIT * 3 // 4 or mode == "plain":
                yield Case(f"{name} ({mode})", mode, 400, lambda side, body=body: side.push(body))
    over = b"<xml>" + b" " * LIMIT + b"</xml>"
    yield Case("a byte too many", "plain", 413, lambda side: side.push(b" " * (LIMIT + 1)))
    yield Case("20 MB", "plain", 413, lambda side: side.push(over + b" " * 20_000_000))


def _without(name: str) -> Callable[[WeChatSide], Request]:
    def make(side: WeChatSide) -> Request:
        query, body = side.push(xml_text())
        del query[name]
        return query, body

    return make


def _with(**changes: str) -> Callable[[WeChatSide], Request]:
    def make(side: WeChatSide) -> Request:
        query, body = side.push(xml_text())
        return query | changes, body

    return make


def _signed_at(stamp: Callable[[WeChatSide], str], nonce: str = "1") -> Callable[..., Request]:
    """Rightly signed with whatever stands for the time."""

    def make(side: WeChatSide) -> Request:
        query, body = side.push(xml_text())
        moved = stamp(side)
        signature = sha1(side.app.token, moved, nonce)
        return query | {"timestamp": moved, "nonce": nonce, "signature": signature}, body

    return make


def _moved(digits: int) -> Callable[[WeChatSide], Request]:
    """The same signature with digits moved from the nonce to the timestamp, or back."""

    def make(side: WeChatSide) -> Request:
        side = replace(side, nonce="9486452656")
        query, body = side.push(xml_text())
        joined = query["timestamp"] + query["nonce"]
        cut = 10 + digits
        return query | {"timestamp": joined[:cut], "nonce": joined[cut:]}, body

    return make


def query_cases() -> Iterator[Case]:
    for mode in ("plain", "compatible", "safe"):
        for name in ("signature", "timestamp", "nonce"):
            yield Case(f"no {name} ({mode})", mode, 403, _without(name))
            yield Case(f"an empty {name} ({mode})", mode, 403, _with(**{name: ""}))
            yield Case(f"another {name} ({mode})", mode, 403, _with(**{name: "1777608001"}))
            yield Case(f"a {name} that is no ASCII ({mode})", mode, 403, _with(**{name: "密"}))
        for offset in (-601, 601, -86_400, 86_400, -10_000_000):
            yield Case(
                f"signed {offset} s away ({mode})",
                mode,
                403,
                lambda side, offset=offset: side.push(xml_text(), offset=offset),
            )
        for digits in (*range(-9, 0), *range(1, 10)):
            yield Case(f"{digits} digits moved ({mode})", mode, 403, _moved(digits))
        yield Case(
            f"a signature in capitals ({mode})",
            mode,
            403,
            lambda side: _upper(side, "signature"),
        )
    stamps: dict[str, Callable[[WeChatSide], str]] = {
        "a time in words": lambda _side: "now",
        "a negative time": lambda side: "-" + side.stamp(),
        "a time with a plus": lambda side: "+" + side.stamp(),
        "a time with a space": lambda side: " " + side.stamp(),
        "a time with a zero in front": lambda side: "0" + side.stamp(),
        "a time with a point": lambda side: side.stamp() + ".0",
        "a time in milliseconds": lambda side: side.stamp() + "000",
        "a time of 5,000 digits": lambda _side: "1" * 5000,
        "a time in full-width digits": lambda side: "".join(
            chr(ord(c) + 0xFEE0) for c in side.stamp()
        ),
        "a time with an underscore": lambda side: side.stamp()[:5] + "_" + side.stamp()[5:],
        "the time nought": lambda _side: "0",
    }
    for name, stamp in stamps.items():
        yield Case(name, "plain", 403, _signed_at(stamp))
    for name, nonce in {
        "a nonce with a line break": "a\nb",
        "a nonce with markup": "]]><a>",
        "a nonce of 5,000 digits": "1" * 5000,
    }.items():
        yield Case(name, "plain", 403, _signed_at(lambda side: side.stamp(), nonce))


def _upper(side: WeChatSide, name: str) -> Request:
    query, body = side.push(xml_text())
    return query | {name: query[name].upper()}, body


def _sealed(encrypted: Callable[[WeChatSide], str]) -> Callable[[WeChatSide], Request]:
    """Rightly signed around whatever stands for the envelope."""

    def make(side: WeChatSide) -> Request:
        inside = encrypted(side)
        return side.query(inside), side.outside(inside, b"")

    return make


def _tampered(side: WeChatSide) -> Request:
    query, body = side.push(xml_text())
    at = body.index(b"<Encrypt><![CDATA[") + 40
    return query, body[:at] + (b"A" if body[at : at + 1] != b"A" else b"B") + body[at + 1 :]


def _other_body(side: WeChatSide) -> Request:
    query, _ = side.push(xml_text())
    _, body = side.push(xml_text("another text", msg_id="2"))
    return query, body


def _plain(side: WeChatSide) -> Request:
    return side.query(), xml_text()


def _plain_claiming_encryption(side: WeChatSide) -> Request:
    return side.query("whatever"), xml_text()


def envelope_cases() -> Iterator[Case]:
    key = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOP0"

    def inner(appid: str, plain: bytes, length: int | None = None) -> bytes:
        stated = len(plain) if length is None else length
        return b"r" * 16 + stated.to_bytes(4, "big") + plain + appid.encode()

    sealed: dict[str, Callable[[WeChatSide], str]] = {
        "an envelope for another appid": lambda s: encrypt(key, "wx" + "f" * 16, xml_text()),
        "an envelope for no appid": lambda _s: encrypt(key, "", xml_text()),
        "an envelope under another key": lambda s: encrypt("B" * 43, s.app.appid, xml_text()),
        "no base64": lambda _s: "*" * 64,
        "base64 of half a block": lambda _s: "QUJD",
        "zeros": lambda _s: "A" * 64 + "====",
        "bad padding": lambda s: raw_encrypt(key, pad(inner(s.app.appid, b"x" * 8))[:-1] + b"\0"),
        "padding of unequal bytes": lambda s: raw_encrypt(
            key, pad(inner(s.app.appid, b"x"))[:-2] + b"\x01\x02"
        ),
        "a length beyond the end": lambda s: raw_encrypt(
            key, pad(inner(s.app.appid, xml_text(), 99_999))
        ),
        "a length of 4 GiB": lambda s: raw_encrypt(
            key, pad(inner(s.app.appid, xml_text(), 2**32 - 1))
        ),
        "an envelope too short": lambda _s: raw_encrypt(key, pad(b"short")),
        "padding alone": lambda _s: raw_encrypt(key, b"\x20" * 32),
    }
    for mode in ("compatible", "safe"):
        for name, make in sealed.items():
            yield Case(f"{name} ({mode})", mode, 403, _sealed(make))
        yield Case(f"a plain push ({mode})", mode, 403, _plain)
        yield Case(f"a plain push that says aes ({mode})", mode, 403, _plain_claiming_encryption)
        yield Case(f"no msg_signature ({mode})", mode, 403, _without("msg_signature"))
        yield Case(f"no encrypt_type ({mode})", mode, 403, _without("encrypt_type"))
        yield Case(f"encrypt_type raw ({mode})", mode, 403, _with(encrypt_type="raw"))
        yield Case(f"another msg_signature ({mode})", mode, 403, _with(msg_signature="0" * 40))
        yield Case(f"an empty msg_signature ({mode})", mode, 403, _with(msg_signature=""))
        yield Case(f"a changed envelope ({mode})", mode, 403, _tampered)
        yield Case(f"another envelope ({mode})", mode, 403, _other_body)
        yield Case(f"the signature for both ({mode})", mode, 403, lambda side: _swapped(side))
    yield Case("an empty envelope", "safe", 403, _sealed(lambda _s: ""))
    yield Case("another account", "plain", 403, _addressed_to("gh_other"))
    yield Case("another account, encrypted", "safe", 403, _addressed_to("gh_other"))
    yield Case("a nested envelope", "safe", 403, _nested)
    yield Case("two envelopes", "safe", 400, _two_envelopes)


def _swapped(side: WeChatSide) -> Request:
    query, body = side.push(xml_text())
    return query | {"msg_signature": query["signature"]}, body


def _addressed_to(account: str) -> Callable[[WeChatSide], Request]:
    return lambda side: side.push(xml_text().replace(ACCOUNT.encode(), account.encode()))


def _nested(side: WeChatSide) -> Request:
    query, body = side.push(xml_text())
    return query, body.replace(b"<Encrypt>", b"<Encrypt><a>").replace(
        b"</Encrypt>", b"</a></Encrypt>"
    )


def _two_envelopes(side: WeChatSide) -> Request:
    query, body = side.push(xml_text())
    return query, body.replace(b"<Encrypt>", b"<Encrypt>x</Encrypt><Encrypt>")


def cases() -> list[Case]:
    """All of them, each under a name of its own."""
    return [*body_cases(), *query_cases(), *envelope_cases()]
