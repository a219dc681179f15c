"""A head parsed here is the same request as parsed by gunicorn, or refused alike."""

from __future__ import annotations

import random
from types import SimpleNamespace
from typing import Any

import pytest
from gunicorn.config import Config  # type: ignore[import-untyped]
from gunicorn.http.message import Request  # type: ignore[import-untyped]
from gunicorn.http.unreader import IterUnreader  # type: ignore[import-untyped]

from server.base.web.receiver import KeptSettings
from server.base.web.request_head import RequestOfPeer
from tests.kit.effort import repeat_count

NEAR, FAR = ("127.0.0.1", 5000), ("203.0.113.9", 5000)
ROUNDS = repeat_count(200_000, 8_000)

LINES = [
    b"GET / HTTP/1.1", b"POST /a/b?c=d&e=%20 HTTP/1.1", b"GET /a?b?c HTTP/1.0", b"GET /a? HTTP/1.1",
    b"DELETE /a;b=c/d:e@f HTTP/1.1", b"GET /%e4%bd%a0?q=[]{}|\\ HTTP/1.1", b"HEAD /x HTTP/1.1",
    # Not the usual: gunicorn decides.
    b"GET //host/a HTTP/1.1", b"GET /a#b?c HTTP/1.1", b"GET /a?b#c HTTP/1.1",
    b"GET http://h/a HTTP/1.1",
    b"OPTIONS * HTTP/1.1", b"GET * HTTP/1.1", b"CONNECT h:1 HTTP/1.1", b"get / HTTP/1.1",
    b"GE / HTTP/1.1", b"ABCDEFGHIJKLMNOPQRSTU / HTTP/1.1", b"G3T / HTTP/1.1",
    b"M-SEARCH / HTTP/1.1",
    b"GET / HTTP/2.0", b"GET / HTTP/1.2", b"GET / HTTP/1.10", b"GET / http/1.1", b"GET /", b"GET",
    b"GET  / HTTP/1.1", b"GET /  HTTP/1.1", b"GET / HTTP/1.1 ", b" GET / HTTP/1.1",
    b"GET a HTTP/1.1",
    b"GET /a b HTTP/1.1", b"GET /\xe4 HTTP/1.1", b"GET /\x00 HTTP/1.1", b"GET /\x7f HTTP/1.1",
    b"GET /a\nX: y HTTP/1.1", b"GET /a\tb HTTP/1.1", b"", b"\r\nGET / HTTP/1.1",
    b"\r\n\r\nGET / HTTP/1.1",
    b"\nGET / HTTP/1.1", b"GET /" + b"a" * 8180 + b" HTTP/1.1",
    b"GET /" + b"a" * 8174 + b" HTTP/1.1",
    b"PROXY TCP4 1.1.1.1 2.2.2.2 1 2\r\nGET / HTTP/1.1", b"GET / HTTP/1.1\rX: y",
]  # fmt: skip
HEADERS = [
    b"Host: kepu", b"Host: other", b"host:kepu", b"Content-Type: text/xml", b"Content-Type: a/b",
    b"Content-Length: 5", b"Content-Length: 0", b"content-length:  7 ", b"Content-Length: -1",
    b"Content-Length: 5, 5", b"Content-Length: \xb2", b"Content-Length: ", b"Content-Length: 1_0",
    b"Content-Length: +1", b"Content-Length: " + b"9" * 5000,
    b"Transfer-Encoding: chunked", b"Transfer-Encoding: gzip, chunked", b"Transfer-Encoding: x",
    b"Transfer-Encoding: identity", b"Transfer-Encoding: chunked, gzip",
    b"Transfer-Encoding:chunKED",
    b"Expect: 100-continue", b"Expect: 100-Continue ", b"Expect: more",
    b"X-Forwarded-Proto: https", b"X-Forwarded-Proto: http", b"X-Forwarded-Ssl: on",
    b"X-Forwarded-Protocol: ssl", b"X-Forwarded-For: 1.2.3.4", b"X_Forwarded_For: 1.2.3.4",
    b"Script_Name: /a", b"SCRIPT_NAME: /a", b"Path_Info: /a", b"A_B: c",
    b"Connection: close", b"Connection: Keep-Alive", b"Authorization: Bearer x.y-z",
    b"Cookie: a=b; c",
    b"Accept: */*", b"Accept: text/html", b"X-Empty:", b"X-Empty: \t ", b"X-Colon: a:b:c",
    b"X:\ty\t",
    b"X-Latin: \xe4\xff\x85\xa0", b"X-Bad: a\x00b", b"X-Bad: a\x0bb", b"X-Bad: a\x7f",
    b"X-Bad: a\rb",
    b"X-Bad: a\nb", b"X-Bad : a", b" X-Folded: a", b"\tfolded", b"no colon", b": no name", b"",
    b"X-\xdf: a", b"X-\xe4: a", b"X(): a", b"X-Quote': \"a\"", b"X-Long: " + b"a" * 8172,
    b"X-Long: " + b"a" * 8200, b"X-Lot: " + b"a" * 4100, b"X-Lot: " + b"b" * 4100,
]  # fmt: skip
ENDS = [b"\r\n", b"\r\n", b"\r\n", b"\r\n", b"\r\n", b"\r\n", b"\n", b"\r", b"\r\r\n"]


def read_by_gunicorn(settings: Any, peer: Any, head: bytes) -> Any:
    return Request(settings, IterUnreader([head]), peer, 1)


def read_here(settings: Any, peer: Any, head: bytes) -> Any:
    side = SimpleNamespace(settings=settings, peer=peer, peer_is_trusted=None)
    return RequestOfPeer(side, head, 1)


def outcome_of(read: Any, *given: Any) -> object:
    """What the application and the framing of the body depend on; else the kind of refusal."""
    try:
        request = read(*given)
    except Exception as refusal:
        return type(refusal)
    reader = request.body.reader
    return (
        *(request.method, request.uri, request.path, request.query, request.fragment),
        *(request.version, request.scheme, request.headers, request.must_close),
        *(request._expected_100_continue, request.should_close(), request.proxy_protocol_info),
        *(type(reader), getattr(reader, "length", None), request.req_number, request.peer_addr),
    )


def assert_same(settings: Any, peer: Any, head: bytes) -> object:
    ours = outcome_of(read_here, settings, peer, head)
    assert ours == outcome_of(read_by_gunicorn, settings, peer, head), head
    return ours


@pytest.fixture(scope="module")
def settings() -> Any:
    return KeptSettings(Config())


@pytest.mark.parametrize("peer", [NEAR, FAR], ids=["trusted peer", "any peer"])
def test_each_line_and_each_header_is_read_as_by_gunicorn(settings: Any, peer: Any) -> None:
    for line in LINES:
        assert_same(settings, peer, line + b"\r\nHost: kepu\r\n\r\n")
        assert_same(settings, peer, line + b"\r\n\r\n")
    for header in HEADERS:
        for other in HEADERS:
            head = b"POST /a?b HTTP/1.1\r\n" + header + b"\r\n" + other + b"\r\n\r\n"
            assert_same(settings, peer, head)


def test_heads_made_at_random_are_read_as_by_gunicorn(settings: Any) -> None:
    chance = random.Random(20260501)
    read = refused = 0
    for _ in range(ROUNDS):
        lines = [chance.choice(LINES[:7] if chance.random() < 0.7 else LINES)]
        lines += chance.choices(HEADERS, k=chance.randint(0, 6))
        wild = chance.random() < 0.3
        head = (
            b"".join(line + (chance.choice(ENDS) if wild else b"\r\n") for line in lines) + b"\r\n"
        )
        if chance.random() < 0.2:
            at = chance.randrange(len(head))
            head = head[:at] + bytes((chance.randrange(256),)) + head[at + 1 :]
        # The receiver cuts a head at the first empty line.
        head = head.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
        if isinstance(assert_same(settings, chance.choice([NEAR, FAR]), head), tuple):
            read += 1
        else:
            refused += 1
    assert min(read, refused) > ROUNDS / 20


def test_more_headers_than_allowed_are_refused(settings: Any) -> None:
    for many in (99, 100, 101):
        head = b"GET / HTTP/1.1\r\n" + b"X-Many: a\r\n" * many + b"\r\n"
        assert isinstance(assert_same(settings, NEAR, head), tuple) == (many <= 100)


@pytest.mark.parametrize(
    "option",
    [
        {"limit_request_line": 20}, {"limit_request_line": 0}, {"limit_request_fields": 2},
        {"limit_request_field_size": 30}, {"casefold_http_method": True},
        {"permit_obsolete_folding": True}, {"strip_header_spaces": True},
        {"permit_unconventional_http_method": True}, {"permit_unconventional_http_version": True},
        {"header_map": "refuse"}, {"header_map": "dangerous"}, {"forwarded_allow_ips": "*"},
        {"proxy_protocol": "v1"}, {"proxy_protocol": "auto"},
        {"secure_scheme_headers": {"X-S": "1"}},
    ],
    ids=str,
)  # fmt: skip
def test_every_option_of_gunicorn_still_counts(option: dict[str, Any]) -> None:
    config = Config()
    for name, value in option.items():
        config.set(name, value)
    for peer in (NEAR, FAR):
        for line in LINES:
            for header in HEADERS:
                head = line + b"\r\nX-S: 1\r\n" + header + b"\r\n\r\n"
                assert_same(KeptSettings(config), peer, head)


def test_a_usual_head_is_not_given_to_gunicorn(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    head = b"POST /wechat?a=b HTTP/1.1\r\nHost: kepu\r\nX-Forwarded-Proto: https\r\n\r\n"
    monkeypatch.delattr(Request, "parse")
    assert read_here(settings, NEAR, head).scheme == "https"
