"""Environs and responses are those of gunicorn, except where gunicorn's would be worse."""

from __future__ import annotations

import io
import logging
from itertools import product
from types import SimpleNamespace
from typing import Any

import pytest
from gunicorn.config import Config  # type: ignore[import-untyped]
from gunicorn.http import wsgi  # type: ignore[import-untyped]

from server.base.web.receiver import KeptSettings
from server.base.web.request_head import RequestOfPeer
from server.base.web.wsgi_call import EnvironBuilder, ResponseBuilder

NEAR, SERVER = ("127.0.0.1", 5000), ("127.0.0.1", 8000)
# What depends on gunicorn's socket, is made anew for each request, or is set by the worker.
OWN = {"wsgi.early_hints", "gunicorn.socket", "wsgi.errors", "wsgi.multithread"}
HEADS = [
    b"GET / HTTP/1.1\r\nHost: kepu\r\n\r\n",
    b"POST /a%2fb/%e4%bd%a0%?c=%20&d HTTP/1.0\r\nContent-Type: a/b\r\nContent-Length: 5\r\n\r\n",
    b"PUT /a HTTP/1.1\r\nX-A: 1\r\nx-a: 2\r\nX-a: 3\r\nContent-Length: 0\r\n\r\n",
    b"GET http://h/a?b HTTP/1.1\r\nCookie: a=b\r\nCookie: c=d\r\n\r\n",
    b"GET /a HTTP/1.1\r\nX-Forwarded-Proto: https\r\nX-Forwarded-For: 1.2.3.4\r\n\r\n",
    b"GET /a/b HTTP/1.1\r\nHost: kepu:81\r\nScript_Name: /a\r\nPath_Info: /c\r\n\r\n",
    b"OPTIONS * HTTP/1.1\r\n\r\n",
]


@pytest.fixture(scope="module")
def settings() -> Any:
    return KeptSettings(Config())


def request_of(settings: Any, head: bytes, peer: Any = NEAR) -> RequestOfPeer:
    side = SimpleNamespace(settings=settings, peer=peer, peer_is_trusted=None)
    request = RequestOfPeer(side, head, 1)
    request.body = io.BytesIO()
    return request


@pytest.mark.parametrize("prefix", ["", "/a"], ids=["at the root", "below a prefix"])
@pytest.mark.parametrize("peer", [NEAR, ("::1", 5, 0, 0), "", b""], ids=str)
def test_an_environ_is_that_of_gunicorn(
    settings: Any, monkeypatch: pytest.MonkeyPatch, peer: Any, prefix: str
) -> None:
    monkeypatch.setenv("SCRIPT_NAME", prefix)
    builder = EnvironBuilder(settings)
    server = SERVER if isinstance(peer, tuple) else "/run/kepu.sock"
    for head in HEADS:
        request = request_of(settings, head, peer)
        if not request.path.startswith(prefix):
            continue
        made = builder.build_environ(request, peer, server)
        _, expected = wsgi.create(request, io.BytesIO(), peer, server, settings)
        assert made["wsgi.multithread"] is True
        assert "write" in dir(made["wsgi.errors"])
        for name in OWN:
            made.pop(name, None)
            expected.pop(name, None)
        assert made == expected


class Kept:
    """A socket for gunicorn's response."""

    def __init__(self) -> None:
        self.sent = b""

    def sendall(self, data: bytes) -> None:
        self.sent += data


def head_and_body(answer: bytes) -> tuple[list[bytes], bytes]:
    head, _, body = answer.partition(b"\r\n\r\n")
    return [line for line in head.split(b"\r\n") if not line.startswith(b"Date: ")], body


def build_here(request: Any, status: str, headers: Any, parts: list[bytes]) -> tuple[bytes, bool]:
    response = ResponseBuilder(request)
    response.start_response(status, headers)
    for part in parts:
        response.add_part(part)
    return response.build_response(close=False)


def build_by_gunicorn(
    settings: Any, request: Any, status: str, headers: Any, parts: list[bytes]
) -> tuple[bytes, bool]:
    socket = Kept()
    response = wsgi.Response(request, socket, settings)
    response.start_response(status, headers)
    for part in parts:
        response.write(part)
    response.close()
    return socket.sent, not response.should_close()


REQUESTS = [
    b"%s /a HTTP/1.%d\r\nHost: kepu\r\n%s\r\n" % (method, minor, connection)
    for method, minor, connection in product(
        (b"GET", b"HEAD", b"POST"), (0, 1),
        (b"", b"Connection: close\r\n", b"Connection: keep-alive\r\n"),
    )
]  # fmt: skip
MORE_HEADERS = [
    [],
    [("Content-Type", "text/plain"), ("X-Latin", " \xe4\xff ")],
    [("Connection", "close"), ("Server", "own"), ("date", "today"), ("Keep-Alive", "1")],
    [("Set-Cookie", "a=b"), ("Set-Cookie", "c=d"), ("Transfer-Encoding", "chunked")],
]


@pytest.mark.parametrize("status", ["200 OK", "404", "503 ", "204 No Content", "304 Not Modified"])
def test_a_response_is_that_of_gunicorn(
    settings: Any, status: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR, logger="gunicorn.http.wsgi")
    for head, headers, parts in product(REQUESTS, MORE_HEADERS, ([], [b"abc"], [b"ab", b"", b"c"])):
        request = request_of(settings, head)
        length = ("content-LENGTH", str(sum(map(len, parts))))
        ours, keep = build_here(request, status, [*headers, length], parts)
        theirs, kept = build_by_gunicorn(settings, request, status, [*headers, length], parts)
        assert head_and_body(ours) == head_and_body(theirs)
        assert keep == kept
        assert b"\r\nDate: " in ours


def test_without_a_length_the_response_has_its_own(settings: Any) -> None:
    for minor in (b"0", b"1"):
        request = request_of(
            settings, b"GET / HTTP/1." + minor + b"\r\nConnection: keep-alive\r\n\r\n"
        )
        answer, keep = build_here(request, "200 OK", [], [b"ab", b"c"])
        lines, body = head_and_body(answer)
        assert (b"Content-Length: 3" in lines, body, keep) == (True, b"abc", True)


def test_bytes_beyond_the_length_are_cut_and_missing_ones_close_the_connection(
    settings: Any,
) -> None:
    request = request_of(settings, b"GET / HTTP/1.1\r\nHost: kepu\r\n\r\n")
    for parts, body, keep in (([b"ab", b"cd"], b"abc", True), ([b"ab"], b"ab", False)):
        answer, kept = build_here(request, "200 OK", [("Content-Length", "3")], parts)
        lines, sent = head_and_body(answer)
        assert (sent, kept) == (body, keep)
        assert (b"Connection: keep-alive" in lines) == keep


def test_a_server_that_stops_closes_the_connection(settings: Any) -> None:
    response = ResponseBuilder(request_of(settings, b"GET / HTTP/1.1\r\nHost: kepu\r\n\r\n"))
    response.start_response("200 OK", [])
    answer, keep = response.build_response(close=True)
    assert (b"\r\nConnection: close\r\n" in answer, keep) == (True, False)


@pytest.mark.parametrize(
    ("status", "header", "refusal"),
    [
        ("20", ("A", "b"), ValueError), ("200 OK\r\nX: y", ("A", "b"), ValueError),
        ("OK", ("A", "b"), ValueError), ("200 \u4f60", ("A", "b"), ValueError),
        (b"200 OK", ("A", "b"), TypeError), ("200 OK", ("A:", "b"), ValueError),
        ("200 OK", ("", "b"), ValueError), ("200 OK", ("A\r\nB", "b"), ValueError),
        ("200 OK", ("A", "b\r\nX: y"), ValueError), ("200 OK", ("A", "b\x00"), ValueError),
        ("200 OK", ("A", "\u4f60"), ValueError), ("200 OK", ("A", 1), TypeError),
        ("200 OK", ("A", b"b"), TypeError), ("200 OK", (b"A", "b"), TypeError),
        ("200 OK", ("Content-Length", "x"), ValueError),
    ],
    ids=repr,
)  # fmt: skip
def test_what_must_not_be_sent_is_refused(
    settings: Any, status: Any, header: Any, refusal: type[Exception]
) -> None:
    request = request_of(settings, b"GET / HTTP/1.1\r\nHost: kepu\r\n\r\n")
    with pytest.raises(refusal) as raised:
        build_here(request, status, [("X-Good", "1"), header], [b""])
    assert str(header[1]) not in str(raised.value) or header[1] in ("b", 1, b"b", "x")
    with pytest.raises(Exception):  # noqa: B017, PT011 - gunicorn has a kind for each
        build_by_gunicorn(settings, request, status, [("X-Good", "1"), header], [b""])


def test_a_started_response_is_replaced_only_for_an_error(settings: Any) -> None:
    response = ResponseBuilder(request_of(settings, b"GET / HTTP/1.1\r\nHost: kepu\r\n\r\n"))
    with pytest.raises(AssertionError):
        response.build_response(close=False)
    response.start_response("200 OK", [("Content-Length", "9")])
    with pytest.raises(AssertionError):
        response.start_response("200 OK", [])
    write = response.start_response("500 Broken", [("X-A", "b")], exc_info=(None, None, None))
    write(b"sorry")
    lines, body = head_and_body(response.build_response(close=False)[0])
    assert lines[0] == b"HTTP/1.1 500 Broken"
    assert (b"Content-Length: 5" in lines, body) == (True, b"sorry")
