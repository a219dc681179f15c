"""The outer document of an encrypted message is read as the parser reads it, or refused alike."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from server.base.errors import AppError
from server.wechat.callback import documents
from server.wechat.callback.documents import read_answer, read_document, read_encrypted
from tests.kit.clock import FakeClock
from tests.kit.wechat_side import WeChatSide, an_app, xml_text
from tests.wechat import hostile

USUAL = (
    b"<xml><ToUserName><![CDATA[gh_0a]]></ToUserName><Encrypt><![CDATA[aB0+/w==]]></Encrypt></xml>"
)
SPACED = USUAL.replace(b"><T", b">\n  <T").replace(b"><E", b">\r\n\t<E").replace(b"></x", b">\n</x")
SHORT = b"<xml><Encrypt><![CDATA[aB0=]]></Encrypt></xml>"
PIECES = [
    *(b"", b"<", b">", b"&", b"]", b"]]>", b"<!--", b"-->", b"\x00", b"\x0c", b"\xff", b"\xc3\xa4"),
    *(b" ", b"\n", b"<xml>", b"</xml>", b"<!DOCTYPE xml>", b"<?x y?>", b"<![CDATA[", b"&amp;"),
    *(b"<Encrypt>a</Encrypt>", b"<A/>", b"xml", b"a", b"=", b"'", b"\xef\xbb\xbf", b"\x1b"),
]


def by_parser(body: bytes) -> object:
    return read_document(body)[0].get("Encrypt")


def outcome_of(read: Callable[[bytes], object], body: bytes) -> object:
    try:
        return read(body)
    except AppError as refusal:
        return type(refusal)


def altered_documents() -> Iterator[bytes]:
    for whole in (USUAL, SPACED, SHORT):
        for at in range(len(whole) + 1):
            for piece in PIECES:
                yield whole[:at] + piece + whole[at:]
                yield whole[:at] + piece + whole[at + 1 :]


def test_every_alteration_of_an_outer_document_is_read_as_by_the_parser() -> None:
    seen: set[object] = set()
    for body in [*altered_documents(), *hostile.documents().values()]:
        ours = outcome_of(read_encrypted, body)
        assert ours == outcome_of(by_parser, body), body
        seen.add(ours)
    assert {"aB0=", "aB0+/w==", None} < seen
    assert len(seen) > 50


@pytest.mark.parametrize("body", [USUAL, SPACED, SHORT], ids=["usual", "spaced", "short"])
def test_a_usual_outer_document_needs_no_parser(
    body: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = by_parser(body)
    monkeypatch.delattr(documents, "read_document")
    assert read_encrypted(body) == expected


def test_a_message_shows_nobody_in_a_log(clock: FakeClock) -> None:
    message = WeChatSide(an_app("safe"), clock).opened(xml_text("我的秘密"))
    assert repr(message) == "Message(app='official_account', kind='text', event='')"


ANSWERS = [
    *(b'{"errcode":0,"errmsg":"ok","msgid":200228332}', b' {"a" : [1, 2.5e3, -0, null, true]} '),
    *(b'{"a":1,"a":2}', b'{"a":123456789012345678901234567890}', b'{"a":1E400}', b'{"a":NaN}'),
    *(b'{"a":"\x7f"}', b'{"a":"\x01"}', b'{"a":"\\u0000\\ud83d"}', '{"a":"桂\ufffe林"}'.encode()),
    *(b"[1,2", b'{"a":1}x', b"", b"01", b'"ok"', b"\xff", b"[" * 100_000, b"\xef\xbb\xbf{}"),
]


@pytest.mark.parametrize("body", ANSWERS, ids=range(len(ANSWERS)))
def test_a_plain_answer_is_read_as_every_other_one(
    body: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read() -> object:
        try:
            return repr(read_answer(body))
        except (ValueError, RecursionError) as trouble:
            return isinstance(trouble, RecursionError)

    plain = read()
    monkeypatch.setattr(documents, "_decode_plain", lambda _body: documents._UNREADABLE)
    assert plain == read()
