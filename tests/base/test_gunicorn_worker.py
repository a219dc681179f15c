"""The worker seen from a socket: whole answers, and no client's pace holds a thread."""

from __future__ import annotations

import json
import os
import signal
import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from http.client import HTTPConnection, parse_headers
from typing import BinaryIO

import pytest

from server.base.web.uploads import BODY_LIMIT_BYTES
from tests.kit.echo import FEW_CONNECTIONS, digest
from tests.kit.gunicorn import FEW, PATIENCE, serving

# More clients than threads that run the house.
MORE = 8
PIECE = 64 * 1024


OURS = "server.base.web.gunicorn_worker.BufferedWorker"


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with serving(OURS) as (_, port):
        yield port


def dial(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)


def post(body: bytes, path: str = "/") -> bytes:
    head = f"POST {path} HTTP/1.1\r\nHost: kepu\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def answer(heard: BinaryIO, method: str = "POST") -> tuple[int, str]:
    """The next answer on a connection."""
    status = int(heard.readline().split()[1])
    size = int(parse_headers(heard)["Content-Length"])
    return status, "" if method == "HEAD" else heard.read(size).decode()


def said(method: str, path: str, body: bytes) -> tuple[int, str]:
    return 200, f"{method} {path} {len(body)} {digest(body)}"


def is_served(port: int) -> bool:
    preflight = HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    with closing(preflight):
        preflight.request("GET", "/")
        return preflight.getresponse().status == 200


def read_all(client: socket.socket) -> bytes:
    heard = b""
    try:
        while piece := client.recv(PIECE):
            heard += piece
    except ConnectionResetError:
        return heard
    return heard


@pytest.mark.parametrize("cut", [0, 1, 40, 70, 100])
def test_requests_that_come_together_are_answered_in_order(port: int, cut: int) -> None:
    bodies = [b"a" * 30, b"", b"c" * 9000]
    sent = b"".join(post(body, f"/{at}") for at, body in enumerate(bodies))
    with closing(dial(port)) as client:
        client.sendall(sent[:cut])
        client.sendall(sent[cut:])
        heard = client.makefile("rb")
        for at, body in enumerate(bodies):
            assert answer(heard) == said("POST", f"/{at}", body)


def test_a_client_that_asks_before_it_sends_is_told_to_go_on(port: int) -> None:
    for body in (b"x" * 5, b"y" * 200_000):
        head = post(body).partition(b"\r\n\r\n")[0] + b"\r\nExpect: 100-continue\r\n\r\n"
        with closing(dial(port)) as client:
            client.sendall(head)
            assert client.recv(1024) == b"HTTP/1.1 100 Continue\r\n\r\n"
            client.sendall(body)
            assert answer(client.makefile("rb")) == said("POST", "/", body)


def test_a_body_in_chunks_comes_whole(port: int) -> None:
    head = b"POST / HTTP/1.1\r\nHost: kepu\r\nTransfer-Encoding: chunked\r\n\r\n"
    for size in (3, 50_000, 200_000):
        with closing(dial(port)) as client:
            for _ in range(2):
                client.sendall(head)
                for _ in range(2):
                    client.sendall(f"{size:x}\r\n".encode() + b"z" * size + b"\r\n")
                client.sendall(b"0\r\n\r\n")
                assert answer(client.makefile("rb")) == said("POST", "/", b"z" * size * 2)


def test_a_head_alone_is_answered_by_a_head_and_the_connection_goes_on(port: int) -> None:
    with closing(dial(port)) as client:
        client.sendall(b"HEAD / HTTP/1.1\r\nHost: kepu\r\n\r\n")
        assert answer(client.makefile("rb"), "HEAD") == (200, "")
        client.sendall(post(b"more"))
        assert answer(client.makefile("rb")) == said("POST", "/", b"more")


def test_an_old_client_is_answered_and_hung_up_on(port: int) -> None:
    with closing(dial(port)) as client:
        client.sendall(b"GET / HTTP/1.0\r\n\r\n")
        head, _, body = read_all(client).partition(b"\r\n\r\n")
    assert head.startswith((b"HTTP/1.0 200", b"HTTP/1.1 200"))
    assert (200, body.decode()) == said("GET", "/", b"")


def test_a_large_upload_in_pieces_is_whole_and_others_are_served_meanwhile(port: int) -> None:
    body = os.urandom(5 * 1024 * 1024)
    sent = post(body)
    with closing(dial(port)) as client:
        for at in range(0, len(sent), PIECE):
            client.sendall(sent[at : at + PIECE])
            if at % (16 * PIECE) == 0:
                assert is_served(port)
        assert answer(client.makefile("rb")) == said("POST", "/", body)


READ_AHEAD = 8192
_BEGUN = b"POST / HTTP/1.1\r\nHost: kepu\r\nContent-Length: 20\r\nX-Long: "
STALLING = {
    "half a head": b"POST / HTTP/1.1\r\nHost: kepu\r\n",
    "half a body": post(b"x" * 20)[:-9],
    "a length with many zeros": b"POST / HTTP/1.1\r\nContent-Length: " + b"0" * 30 + b"20\r\n\r\n",
    "a request half read with the one before": (
        post(b"")
        + _BEGUN
        + b"x" * (READ_AHEAD - len(post(b"") + _BEGUN))
        + b"still the head\r\n\r\n"
    ),
    "an upload that stops": post(b"x" * 200_000)[:-9],
    "an upload that stops in the memory": post(b"x" * 200_000)[:-150_000],
    "an upload in chunks that stops": b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"30d40\r\n" + b"x" * 150_000,
    "a chunk that does not come": b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n14\r\nx",
}


@pytest.mark.parametrize("sent", STALLING.values(), ids=STALLING)
def test_who_stalls_holds_no_thread_of_the_house(port: int, sent: bytes) -> None:
    with ExitStack() as all_of_them:
        stalled = [all_of_them.enter_context(closing(dial(port))) for _ in range(MORE)]
        for client in stalled:
            client.sendall(sent)
        if sent.startswith(post(b"")):
            assert [answer(client.makefile("rb"))[0] for client in stalled] == [200] * MORE
        assert all(is_served(port) for _ in range(MORE))


def test_who_does_not_take_the_answer_is_hung_up_on() -> None:
    with serving("tests.kit.echo.HastyWorker") as (_, port), ExitStack() as all_of_them:
        for _ in range(2 * FEW):
            client = all_of_them.enter_context(closing(dial(port)))
            client.sendall(b"GET /long HTTP/1.1\r\nHost: kepu\r\n\r\n")
        assert is_served(port)


@contextmanager
def occupied(port: int) -> Iterator[None]:
    """All threads of the house wait for something that does not come."""
    held = "GET /held?{} HTTP/1.1\r\nHost: kepu\r\n\r\n"
    with socket.create_server(("127.0.0.1", 0)) as door, ExitStack() as all_of_them:
        door.settimeout(PATIENCE)
        asked = held.format(door.getsockname()[1]).encode()
        for _ in range(FEW):
            client = all_of_them.enter_context(closing(dial(port)))
            client.sendall(asked)
            all_of_them.enter_context(closing(door.accept()[0]))
        yield


CALLBACK = post(b"x" * 20, "/wechat/official/callback")


@pytest.mark.parametrize("cut", [0, 5, 60, 100])
def test_a_callback_is_answered_while_the_house_is_occupied(port: int, cut: int) -> None:
    with occupied(port), dial(port) as client, client.makefile("rb") as heard:
        for _ in range(2):
            client.sendall(CALLBACK[:cut])
            client.sendall(CALLBACK[cut:])
            assert answer(heard) == said("POST", "/wechat/official/callback", b"x" * 20)
    assert is_served(port)


def test_a_callback_that_comes_in_pieces_is_answered_while_the_house_is_occupied(
    port: int,
) -> None:
    with occupied(port), dial(port) as client, client.makefile("rb") as heard:
        # The answer to the first one shows that half of the second has been read by then.
        client.sendall(CALLBACK + CALLBACK[:-9])
        assert answer(heard)[0] == 200
        client.sendall(CALLBACK[-9:])
        assert answer(heard)[0] == 200


def test_without_threads_of_its_own_a_callback_would_wait() -> None:
    with serving("tests.kit.echo.SharingWorker") as (_, port):
        with occupied(port), closing(dial(port)) as client:
            client.sendall(CALLBACK)
            client.settimeout(1)
            with pytest.raises(TimeoutError):
                client.recv(1)
            client.settimeout(PATIENCE)
        assert is_served(port)


def test_who_pipelines_and_reads_no_answer_holds_no_thread(port: int) -> None:
    with ExitStack() as all_of_them:
        for _ in range(MORE):
            client = all_of_them.enter_context(closing(dial(port)))
            client.sendall(b"GET /long HTTP/1.1\r\nHost: kepu\r\n\r\n" * 20)
        assert all(is_served(port) for _ in range(MORE))


def test_one_connection_has_one_request_in_the_house_at_a_time(port: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as door, closing(dial(port)) as client:
        door.settimeout(PATIENCE)
        held = f"GET /held?{door.getsockname()[1]} HTTP/1.1\r\nHost: kepu\r\n\r\n"
        client.sendall(held.encode() * 2 * FEW)
        heard = client.makefile("rb")
        for _ in range(2 * FEW):
            with closing(door.accept()[0]):
                # Were two of them in the house, no thread would be left.
                assert is_served(port)
            assert answer(heard) == said("GET", "/held", b"")


def test_a_school_behind_one_address_is_served(port: int) -> None:
    with ExitStack() as all_of_them:
        pupils = [all_of_them.enter_context(closing(dial(port))) for _ in range(500)]
        for pupil in pupils:
            pupil.sendall(b"GET / HTTP/1.1\r\nHost: kepu\r\n\r\n")
        assert {answer(pupil.makefile("rb"))[0] for pupil in pupils} == {200}


def test_an_address_with_too_many_connections_is_refused_until_it_closes_one() -> None:
    with serving("tests.kit.echo.NarrowWorker") as (_, port), ExitStack() as all_of_them:
        for _ in range(FEW_CONNECTIONS):
            client = all_of_them.enter_context(closing(dial(port)))
            client.sendall(post(b""))
            assert answer(client.makefile("rb"))[0] == 200
        with closing(dial(port)) as one_more:
            assert answer(one_more.makefile("rb"))[0] == 429
        client.shutdown(socket.SHUT_WR)
        assert client.recv(1) == b""
        assert is_served(port)


TOO_LARGE = 20 * 1024 * 1024


@pytest.mark.parametrize("stated", [True, False], ids=["with a length", "in chunks"])
def test_who_sends_too_much_before_reading_gets_the_refusal(port: int, stated: bool) -> None:
    with closing(dial(port)) as client:
        if stated:
            client.sendall(post(b"x" * TOO_LARGE))
        else:
            client.sendall(b"POST / HTTP/1.1\r\nHost: kepu\r\nTransfer-Encoding: chunked\r\n\r\n")
            for _ in range(TOO_LARGE // PIECE):
                client.sendall(f"{PIECE:x}\r\n".encode() + b"x" * PIECE + b"\r\n")
        status, body = answer(client.makefile("rb"))
        assert (status, json.loads(body)["code"]) == (413, "body_too_large")
        assert client.recv(1) == b""


def test_who_asks_before_sending_too_much_is_refused_at_once(port: int) -> None:
    head = post(b"x" * TOO_LARGE).partition(b"\r\n\r\n")[0] + b"\r\nExpect: 100-continue\r\n\r\n"
    with closing(dial(port)) as client:
        client.sendall(head)
        assert answer(client.makefile("rb"))[0] == 413


def test_a_browser_that_sends_too_much_reads_a_page(port: int) -> None:
    head, _, body = post(b"x" * TOO_LARGE).partition(b"\r\n\r\n")
    with closing(dial(port)) as client:
        client.sendall(head + b"\r\nAccept: text/html,*/*;q=0.8\r\n\r\n" + body)
        status, shown = answer(client.makefile("rb"))
        assert status == 413
        assert "一次最多上传 5 MB" in shown


@pytest.mark.parametrize(
    ("target", "header"),
    [("/?search=" + "%E6%B0%B4" * 1000, ""), ("/", "X-Long: " + "x" * 70_000 + "\r\n")],
    ids=["address", "header"],
)
@pytest.mark.parametrize(("accepts", "as_page"), [("text/html,*/*;q=0.8", True), ("*/*", False)])
def test_a_browser_with_an_overlong_address_or_header_reads_a_page(
    port: int, target: str, header: str, accepts: str, as_page: bool
) -> None:
    head = f"GET {target} HTTP/1.1\r\nHost: kepu\r\nAccept: {accepts}\r\n{header}\r\n"
    with closing(dial(port)) as client:
        client.sendall(head.encode())
        status, shown = answer(client.makefile("rb"))
    assert (status, shown.startswith("<!doctype html>")) == (400, as_page)
    if as_page:
        assert "请求的内容读不懂" in shown


def test_the_longest_upload_passes_and_one_byte_more_does_not(port: int) -> None:
    for more, status in ((0, 200), (1, 413)):
        with closing(dial(port)) as client:
            client.sendall(post(b"x" * (BODY_LIMIT_BYTES + more)))
            assert answer(client.makefile("rb"))[0] == status


@pytest.mark.parametrize(
    "chunks",
    [
        b"x\r\n",
        b"-1\r\n",
        b"3\r\nabcd\r\n0\r\n\r\n",
        b"3\nabc\r\n0\r\n\r\n",
        b"1" * 2000,
        b" 3\r\nabc\r\n",
    ],
)
def test_chunks_that_are_none_are_refused(port: int, chunks: bytes) -> None:
    with closing(dial(port)) as client:
        client.sendall(
            b"POST / HTTP/1.1\r\nHost: kepu\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks
        )
        assert answer(client.makefile("rb"))[0] == 400


@pytest.mark.parametrize("there", [0, 5])
def test_a_body_that_breaks_off_is_no_request(port: int, there: int) -> None:
    with closing(dial(port)) as client:
        client.sendall(post(b"x" * 20)[: there - 20])
        client.shutdown(socket.SHUT_WR)
        assert b"200" not in read_all(client)


def test_told_to_stop_it_ends_although_clients_stall() -> None:
    with serving("tests.kit.echo.HastyWorker") as (running, port), ExitStack() as all_of_them:
        assert is_served(port)
        stalled = []
        for sent in list(STALLING.values()) * 2:
            client = all_of_them.enter_context(closing(dial(port)))
            client.sendall(sent)
            stalled.append(client)
        running.send_signal(signal.SIGTERM)
        assert running.wait(PATIENCE) == 0
        for client in stalled:
            assert read_all(client).count(b"HTTP/1.1 200") <= 1


@pytest.mark.parametrize(
    "sent",
    [
        b"GARBAGE\r\n\r\n",
        b"GET / HTTP/9.9\r\nHost: kepu\r\n\r\n",
        b"GET / HTTP/1.1\r\nHo st: kepu\r\nAuthorization: Bearer secret-of-mine\r\n\r\n",
        b"GET /?signature=secret-of-mine" + b"a" * 9000 + b" HTTP/1.1\r\nHost: kepu\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"X-Much: secret-of-mine\r\n" * 200 + b"\r\n",
        b"POST / HTTP/1.1\r\nHost: kepu\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: kepu\r\nContent-Length: 1\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ],
)
def test_what_is_no_request_is_refused_as_everything_else_is(port: int, sent: bytes) -> None:
    with dial(port) as client, client.makefile("rb") as heard:
        client.sendall(sent)
        assert heard.readline() == b"HTTP/1.1 400 Bad Request\r\n"
        head = parse_headers(heard)
        body = heard.read(int(head["Content-Length"]))
    told = json.loads(body)
    assert head["Content-Type"] == "application/problem+json"
    assert (told["code"], told["status"]) == ("malformed", 400)
    assert head["X-Request-Id"] == told["request_id"] != ""
    assert b"secret-of-mine" not in body
    assert is_served(port)
