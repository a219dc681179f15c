"""Calls are bounded, answers judged strictly, and no secret leaves in an error or a log."""

from __future__ import annotations

import logging
import socket
import threading
import traceback
from collections.abc import Iterator

import pytest
import requests
from urllib3.exceptions import NewConnectionError, ProtocolError

from server.base.clock import SystemClock
from server.wechat import errors
from server.wechat.errors import CallInDoubt, NotSent, Unclassified, WeChatError
from server.wechat.judgement import Breaker
from server.wechat.transport import ANSWER_LIMIT, ApiCall, Patience, Transport
from tests.kit.clock import FakeClock
from tests.wechat.script import INFO, RID, SECRET, Bench, Script

CALL = ApiCall(method="POST", path=INFO, params={"secret": SECRET}, body={"text": "桂林 <山水>"})


@pytest.fixture
def script(clock: FakeClock) -> Script:
    return Script(clock)


@pytest.fixture
def bench(clock: FakeClock, script: Script) -> Bench:
    return Bench(clock, script)


def ask(bench: Bench, call: ApiCall = CALL) -> object:
    return bench.transport.call_api(call, bench.transport.new_deadline())


def test_an_answer_without_an_error_is_given_back(bench: Bench, script: Script) -> None:
    script.answers[INFO] = {"errcode": 0, "errmsg": "ok", "subscribe": 1}
    assert ask(bench) == {"errcode": 0, "errmsg": "ok", "subscribe": 1}
    assert bench.outcomes == [(INFO, "ok")]


def test_chinese_travels_as_it_is(bench: Bench, script: Script) -> None:
    script.answers[INFO] = {}
    ask(bench)
    assert script.seen[0].raw == '{"text":"桂林 <山水>"}'.encode()


GARBLED = {
    "HTML": b"<html>502</html>",
    "nothing": b"",
    "a list": [],
    "a list of answers": [[{"errcode": 0}]],
    "a text": '"ok"',
    "a number": b"0",
    "null": b"null",
    "half an object": b'{"errcode": 0, "open',
    "an errcode in words": {"errcode": "abc"},
    "an errcode as text": {"errcode": "0"},
    "an errcode that is true": {"errcode": True},
    "an errcode that is null": {"errcode": None},
    "a broken errcode": {"errcode": 0.5},
    "deep nesting": b"[" * 100_000,
}


@pytest.mark.parametrize("said", GARBLED.values(), ids=GARBLED.keys())
def test_a_garbled_answer_is_a_failure_that_leaves_a_doubt(
    said: object, bench: Bench, script: Script
) -> None:
    script.answers[INFO] = said if said != [] else b"[]"
    with pytest.raises(CallInDoubt):
        ask(bench)
    assert bench.outcomes == [(INFO, "garbled")]


@pytest.mark.parametrize(
    "said",
    [b'{"remark": "a\x1db\xffc"}', b'{"remark": "a\\u001db\\ud83dc\\uffff"}'],
    ids=["raw", "escaped"],
)
def test_characters_that_json_forbids_are_dropped_from_an_answer(
    said: bytes, bench: Bench, script: Script
) -> None:
    script.answers[INFO] = said
    assert ask(bench) == {"remark": "abc"}


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (500, CallInDoubt),
        (502, CallInDoubt),
        (503, CallInDoubt),
        (301, Unclassified),
        (404, Unclassified),
    ],
)
def test_another_status_than_200_is_a_failure(
    status: int, kind: type[WeChatError], bench: Bench, script: Script
) -> None:
    script.answers[INFO] = (status, {"errcode": 0})
    with pytest.raises(kind):
        ask(bench)
    assert bench.outcomes == [(INFO, f"http_{status}")]


class Refused(Exception):
    """What the library puts around a refused connection."""

    def __init__(self) -> None:
        self.reason = NewConnectionError(None, "refused")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("trouble", "kind"),
    [
        (requests.exceptions.ConnectTimeout(), NotSent),
        (requests.exceptions.SSLError(), NotSent),
        (requests.exceptions.ConnectionError(Refused()), NotSent),
        (requests.exceptions.ReadTimeout(), CallInDoubt),
        (requests.exceptions.ConnectionError(ProtocolError("reset")), CallInDoubt),
        (requests.exceptions.ChunkedEncodingError(), CallInDoubt),
        (requests.exceptions.ConnectionError(), CallInDoubt),
        (ConnectionResetError(), CallInDoubt),
    ],
)
def test_a_broken_call_says_whether_it_may_have_arrived(
    trouble: Exception, kind: type[WeChatError], bench: Bench, script: Script
) -> None:
    script.answers[INFO] = trouble
    with pytest.raises(WeChatError) as caught:
        ask(bench)
    assert type(caught.value) is kind


@pytest.mark.parametrize("errcode", [*errors.CLASSES, 123456, -7, 99999999])
def test_every_errcode_has_its_class_and_is_counted(
    errcode: int, bench: Bench, script: Script
) -> None:
    script.answers[INFO] = errcode
    with pytest.raises(WeChatError) as caught:
        ask(bench)
    assert type(caught.value) is errors.CLASSES.get(errcode, Unclassified)
    assert (caught.value.errcode, caught.value.rid) == (errcode, RID.removeprefix("rid: "))
    assert bench.outcomes == [(INFO, str(errcode))]
    assert 400 <= caught.value.status <= 503
    assert caught.value.status != 500


def test_the_field_that_wechat_names_is_kept(bench: Bench, script: Script) -> None:
    script.answers[INFO] = {
        "errcode": 47003,
        "errmsg": f"argument invalid! data.thing1.value invalid {RID}",
    }
    with pytest.raises(errors.BadContent) as caught:
        ask(bench)
    assert caught.value.field == "thing1"


def test_an_answer_without_end_is_cut_off(bench: Bench, script: Script) -> None:
    script.answers[INFO] = b" " * (ANSWER_LIMIT + 1)
    with pytest.raises(CallInDoubt):
        ask(bench)


def test_a_call_without_patience_left_is_not_made(bench: Bench, script: Script) -> None:
    with pytest.raises(NotSent):
        bench.transport.call_api(CALL, bench.clock.monotonic())
    assert script.seen == []


def test_a_picture_is_a_picture_or_an_error(bench: Bench, script: Script) -> None:
    def picture() -> bytes:
        return bench.transport.fetch_picture(CALL, bench.transport.new_deadline())

    script.answers[INFO] = b"\xff\xd8\xff\xe0 picture"
    assert picture() == b"\xff\xd8\xff\xe0 picture"
    for said, kind in (
        (41030, errors.TemplateRefused),
        (b"GIF89a", CallInDoubt),
        (b"", CallInDoubt),
        ({"errcode": 0}, CallInDoubt),
    ):
        script.answers[INFO] = said
        with pytest.raises(kind):
            picture()


def test_five_failures_in_a_row_stop_the_asking_for_half_a_minute(
    bench: Bench, script: Script
) -> None:
    script.answers[INFO] = (502, b"")
    for _ in range(5):
        with pytest.raises(CallInDoubt):
            ask(bench)
    assert not bench.transport.is_available()
    with pytest.raises(NotSent):
        ask(bench)
    bench.clock.advance(29.9)
    with pytest.raises(NotSent):
        ask(bench)
    assert len(script.seen) == 5
    bench.clock.advance(0.2)
    with pytest.raises(CallInDoubt):
        ask(bench)
    with pytest.raises(NotSent):
        ask(bench)
    assert len(script.seen) == 6
    bench.clock.advance(31)
    script.answers[INFO] = {}
    assert ask(bench) == {}
    assert bench.transport.is_available()
    assert bench.outcomes[-1] == (INFO, "ok")
    assert bench.outcomes.count((INFO, "not_asked")) == 3


def test_an_answer_with_an_errcode_is_no_failure_of_the_line(clock: FakeClock) -> None:
    breaker = Breaker(clock)
    for _ in range(4):
        breaker.record_result(worked=False)
    breaker.record_result(worked=True)
    breaker.record_result(worked=False)
    assert breaker.is_closed()


def everything_of(error: BaseException | None) -> str:
    """All that a careless log could print of an error, with what it hides behind it."""
    seen: list[str] = []
    while error is not None:
        seen += [str(error), repr(error), repr(error.args), repr(vars(error))]
        seen += traceback.format_exception(error)
        error = error.__cause__ or error.__context__
    return "\n".join(seen)


@pytest.mark.parametrize(
    "said",
    [
        requests.exceptions.ReadTimeout(),
        requests.exceptions.ConnectTimeout(),
        requests.exceptions.ConnectionError(ProtocolError("reset")),
        (502, b""),
        b"<html>",
        40001,
        45009,
        47003,
        123456,
    ],
)
def test_no_error_and_no_log_line_holds_a_secret(
    said: object, bench: Bench, script: Script, caplog: pytest.LogCaptureFixture
) -> None:
    script.answers[INFO] = said
    call = ApiCall(
        method="POST",
        path=INFO,
        params={"secret": SECRET, "access_token": "tok-canary", "js_code": "code-canary"},
        body={"session_key": "key-canary", "openid": "openid-canary"},
    )
    with caplog.at_level(logging.DEBUG), pytest.raises(WeChatError) as caught:
        ask(bench, call)
    shown = everything_of(caught.value) + caplog.text + repr(call)
    shown += "".join(repr(vars(record)) for record in caplog.records)
    for canary in (SECRET, "tok-canary", "code-canary", "key-canary", "openid-canary"):
        assert canary not in shown
    assert caught.value.__context__ is None


class RawServer:
    """A server on a loopback port that does one thing to each connection."""

    def __init__(self, answer: bytes | None) -> None:
        self._answer = answer
        self.connections = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._held: list[socket.socket] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            connection.recv(65536)
            if self._answer is None:
                self._held.append(connection)
                continue
            connection.sendall(self._answer)
            connection.close()

    def close(self) -> None:
        self._listener.close()
        for connection in self._held:
            connection.close()


@pytest.fixture
def against(request: pytest.FixtureRequest) -> Iterator[Transport]:
    server = RawServer(request.param)
    base = f"http://127.0.0.1:{server.port}"
    yield Transport(base, SystemClock(), patience=Patience(0.2, 0.3))
    server.close()


LINES: dict[str, bytes | None] = {
    "silence": None,
    "closed at once": b"",
    "half a status line": b"HTTP/1.1 2",
    "no HTTP": b"SSH-2.0-x\r\n\r\n",
    "a body shorter than its length": b'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"errcode"',
    "a broken chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{",
    "a length in words": b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n<html>",
}


@pytest.mark.parametrize("against", LINES.values(), ids=LINES.keys(), indirect=True)
def test_on_a_real_line_every_break_leaves_a_doubt(against: Transport) -> None:
    with pytest.raises(CallInDoubt) as caught:
        against.call_api(CALL, against.new_deadline())
    assert SECRET not in everything_of(caught.value)


def test_on_a_real_line_a_refused_connection_leaves_no_doubt(
    caplog: pytest.LogCaptureFixture,
) -> None:
    free = socket.create_server(("127.0.0.1", 0))
    port = free.getsockname()[1]
    free.close()
    transport = Transport(f"http://127.0.0.1:{port}", SystemClock())
    with caplog.at_level(logging.DEBUG), pytest.raises(NotSent) as caught:
        transport.call_api(CALL, transport.new_deadline())
    assert SECRET not in everything_of(caught.value) + caplog.text


OK = b"HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nContent-Length: 2\r\n\r\n{}"


@pytest.mark.parametrize("against", [OK], indirect=True, ids=["an answer"])
def test_debug_lines_of_the_http_library_are_kept_back(
    against: Transport, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        assert against.call_api(CALL, against.new_deadline()) == {}
    assert SECRET not in caplog.text


@pytest.mark.parametrize("address", ["http://", "ftp://x", "nowhere", "http://[::1"])
def test_a_base_that_is_no_address_is_never_a_crash(address: str) -> None:
    transport = Transport(address, SystemClock())
    with pytest.raises(NotSent):
        transport.call_api(CALL, transport.new_deadline())


def test_a_redirection_is_not_followed() -> None:
    server = RawServer(b"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n")
    transport = Transport(f"http://127.0.0.1:{server.port}", SystemClock())
    with pytest.raises(Unclassified):
        transport.call_api(CALL, transport.new_deadline())
    server.close()
    assert server.connections == 1


class DrippingServer:
    """A server that sends an answer one byte at a time until the other side has had enough."""

    def __init__(self, answer: bytes) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.gave_up = threading.Event()
        threading.Thread(target=self._serve, args=(answer,), daemon=True).start()

    def _serve(self, answer: bytes) -> None:
        connection, _ = self._listener.accept()
        connection.recv(65536)
        try:
            for byte in answer:
                connection.sendall(bytes((byte,)))
                self.gave_up.wait(0.02)
        except OSError:
            self.gave_up.set()
        connection.close()

    def close(self) -> None:
        self._listener.close()


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 60_000,
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 10_000,
        b"HTTP/1.1 200 OK\r\nContent-Length: 50000\r\n\r\n" + b" " * 50_000,
    ],
    ids=["a header", "headers", "a body"],
)
def test_an_answer_in_drops_is_cut_off(answer: bytes) -> None:
    server = DrippingServer(answer)
    base = f"http://127.0.0.1:{server.port}"
    transport = Transport(base, SystemClock(), patience=Patience(0.3, 0.9))
    with pytest.raises(CallInDoubt):
        transport.call_api(CALL, transport.new_deadline())
    # Had we waited for the end, it would have been many minutes.
    assert server.gave_up.wait(60)
    server.close()
