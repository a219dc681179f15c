"""Many sends at once: one result each, one judgement with the single calls, and a clean end."""

from __future__ import annotations

import gc
import logging
import socket
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from server.wechat import errors
from server.wechat.authorized_client import AuthorizedClient
from server.wechat.errors import WeChatError
from server.wechat.gateway import FanOut, FanOutResult
from server.wechat.letters import (
    Accepted,
    CustomerText,
    OfficialSubscription,
    PushLetter,
    SubscriptionMessage,
    TemplateMessage,
)
from server.wechat.tokens import PATH as TOKEN_PATH
from server.wechat.transport import ANSWER_LIMIT, Patience
from tests.kit.clock import FakeClock
from tests.kit.wechat_side import OPENID
from tests.wechat.script import Bench, Script
from tests.wechat.wire import HANG, PATIENCE, After, Arrived, Raw, Wire

TEMPLATE, NOTICE = "/cgi-bin/message/template/send", "/cgi-bin/message/subscribe/bizsend"
SUBSCRIPTION, CUSTOM = "/cgi-bin/message/subscribe/send", "/cgi-bin/message/custom/send"
OK = {"errcode": 0, "errmsg": "ok", "msgid": 7}


def letter(number: int = 0) -> TemplateMessage:
    return TemplateMessage(
        openid=f"{OPENID}{number}",
        template_id="t-1",
        fields={"thing1": "科学讲座"},
        client_msg_id=f"c{number}",
    )


class Results:
    """The results of a fan-out by key; an answer that comes twice fails the test."""

    def __init__(self) -> None:
        self.by_key: dict[int, FanOutResult] = {}
        self.repeated: list[int] = []

    def __call__(self, key: int, result: FanOutResult) -> None:
        if key in self.by_key:
            self.repeated.append(key)
        self.by_key[key] = result

    def kinds(self) -> Counter[type]:
        assert self.repeated == []
        return Counter(type(result) for result in self.by_key.values())


@pytest.fixture
def wire() -> Iterator[Wire]:
    opened = Wire({TEMPLATE: OK, NOTICE: OK, SUBSCRIPTION: OK, CUSTOM: {"errcode": 0}})
    yield opened
    opened.close()


@pytest.fixture
def script(clock: FakeClock) -> Script:
    return Script(clock)


OpenBench = Callable[..., Bench]


@pytest.fixture
def open_bench(clock: FakeClock, script: Script, wire: Wire, tmp_path: object) -> OpenBench:
    def opened(base: str = "", patience: Patience | None = None) -> Bench:
        return Bench(
            clock,
            script,
            kv=f"fake:{tmp_path}",
            patience=patience or Patience(connect_seconds=PATIENCE, total_seconds=PATIENCE),
            base=base or wire.base,
        )

    return opened


@pytest.fixture
def bench(open_bench: OpenBench) -> Bench:
    return open_bench()


def send_all(
    bench: Bench, letters: list[PushLetter], *, connections: int = 8
) -> dict[int, FanOutResult]:
    results = Results()
    with bench.gateway.open_fan_out(connections, results) as fan_out:
        for key, each in enumerate(letters):
            fan_out.submit(key, each)
        assert fan_out.drain(PATIENCE)
        assert fan_out.pending() == 0
    assert results.repeated == []
    return results.by_key


def send_one(bench: Bench, one: PushLetter | None = None) -> FanOutResult:
    return send_all(bench, [one or letter()])[0]


# --- every letter gets one result


def test_every_letter_gets_its_own_result(bench: Bench, wire: Wire) -> None:
    wire.answers[TEMPLATE] = lambda a: {**OK, "msgid": f"of-{a.body['client_msg_id']}"}
    results = send_all(bench, [letter(number) for number in range(300)])
    assert results == {n: Accepted(message_id=f"of-c{n}") for n in range(300)}
    assert bench.outcomes.count((TEMPLATE, "ok")) == 300
    assert wire.connections <= 8


LETTERS: dict[str, tuple[PushLetter, str]] = {
    "template": (letter(), TEMPLATE),
    "official subscription": (
        OfficialSubscription(openid=OPENID, template_id="t", fields={"thing1": "讲座"}, page="p"),
        NOTICE,
    ),
    "mini subscription": (
        SubscriptionMessage(openid=OPENID, template_id="t", fields={"thing1": "讲座"}, page="p"),
        SUBSCRIPTION,
    ),
    "customer text": (CustomerText(openid=OPENID, text="你好"), CUSTOM),
}


@pytest.mark.parametrize("kind", LETTERS)
def test_a_letter_is_the_same_request_as_a_single_send(
    kind: str, bench: Bench, script: Script, wire: Wire
) -> None:
    one, path = LETTERS[kind]
    script.answers[path] = OK
    bench.gateway._send_letter(one)
    send_one(bench, one)
    (arrived,) = wire.arrived
    single = script.seen[-1]
    assert (arrived.path, arrived.raw, arrived.query) == (path, single.raw, single.query)
    assert b"\\u" not in arrived.raw


class FixedTokens:
    """An account whose token never changes."""

    def __init__(self, token: str) -> None:
        self._token = token

    def valid_token(self, until: float) -> str:
        return self._token


def fix_tokens(bench: Bench, **tokens: str) -> None:
    accounts: Any = bench.gateway._accounts
    for name, token in tokens.items():
        fixed: Any = FixedTokens(token)
        accounts[name] = AuthorizedClient(bench.transport, fixed)


@pytest.mark.parametrize(
    ("kind", "token"),
    [
        ("template", "of-the-account"),
        ("official subscription", "of-the-account"),
        ("mini subscription", "of-the-program"),
        ("customer text", "of-the-account"),
    ],
)
def test_each_kind_uses_the_token_of_its_app(
    kind: str, token: str, bench: Bench, wire: Wire
) -> None:
    fix_tokens(bench, official_account="of-the-account", mini_program="of-the-program")
    send_one(bench, LETTERS[kind][0])
    assert wire.arrived[0].query == {"access_token": token}


def test_no_more_letters_are_sent_at_once_than_connections(bench: Bench, wire: Wire) -> None:
    wire.hold()
    results = Results()
    with bench.gateway.open_fan_out(7, results) as fan_out:
        for key in range(30):
            fan_out.submit(key, letter(key))
        wire.await_held(7)
        assert fan_out.pending() == 30
        assert not fan_out.drain(0)
        wire.release()
        assert fan_out.drain(PATIENCE)
    assert (wire.most_at_once, wire.connections) == (7, 7)
    assert results.kinds() == {Accepted: 30}


def test_letters_come_from_many_threads(bench: Bench) -> None:
    results = Results()
    with bench.gateway.open_fan_out(16, results) as fan_out:

        def submit(thread: int) -> None:
            for number in range(100):
                fan_out.submit(thread * 100 + number, letter(number))

        threads = [threading.Thread(target=submit, args=(n,)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert fan_out.drain(PATIENCE)
    assert set(results.by_key) == set(range(800))
    assert results.kinds() == {Accepted: 800}


def test_a_letter_is_submitted_outside_of_a_transaction_only(bench: Bench, wire: Wire) -> None:
    results = Results()
    with bench.gateway.open_fan_out(1, results) as fan_out:
        bench.open_transactions.append("one")
        with pytest.raises(RuntimeError, match="transaction"):
            fan_out.submit(1, letter())
        with pytest.raises(RuntimeError, match="transaction"):
            bench.gateway.open_fan_out(1, results)
        bench.open_transactions.clear()
    assert (results.by_key, wire.arrived) == ({}, [])


def test_a_callback_that_fails_stops_nothing(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    results = Results()

    def on_result(key: int, result: FanOutResult) -> None:
        if key == 3:
            raise KeyError("a fault of the caller")
        results(key, result)

    with bench.gateway.open_fan_out(2, on_result) as fan_out:
        for key in range(10):
            fan_out.submit(key, letter(key))
        assert fan_out.drain(PATIENCE)
    assert set(results.by_key) == set(range(10)) - {3}
    assert "a result of the fan-out was lost" in caplog.text


# --- the fault matrix

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n"
CELLS: dict[str, tuple[Any, type[WeChatError]]] = {
    "accepted, then dropped": (Raw(), errors.CallInDoubt),
    "reset": (Raw(after=After.RESET), errors.CallInDoubt),
    "half a status line": (Raw(b"HTTP/1.1 2"), errors.CallInDoubt),
    "no HTTP": (Raw(b"SSH-2.0-x\r\n\r\n"), errors.CallInDoubt),
    "half an answer": (Raw(HEAD + b'{"errcode"'), errors.CallInDoubt),
    "half an answer, reset": (Raw(HEAD + b'{"errcode"', After.RESET), errors.CallInDoubt),
    "a broken chunk": (
        Raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"),
        errors.CallInDoubt,
    ),
    "a length in words": (
        Raw(b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n<html>"),
        errors.CallInDoubt,
    ),
    "500": ((500, b""), errors.CallInDoubt),
    "502 with an answer": ((502, OK), errors.CallInDoubt),
    "404": ((404, b""), errors.Unclassified),
    "HTML": (b"<html>502</html>", errors.CallInDoubt),
    "nothing": (b"", errors.CallInDoubt),
    "a list": (b"[]", errors.CallInDoubt),
    "a number": (b"0", errors.CallInDoubt),
    "half an object": (b'{"errcode": 0, "msg', errors.CallInDoubt),
    "errcode as text": ({"errcode": "0", "msgid": 7}, errors.CallInDoubt),
    "errcode that is true": ({"errcode": True}, errors.CallInDoubt),
    "no errcode": ({"msgid": 7}, errors.CallInDoubt),
    "-1": (-1, errors.TryLater),
    "40003": (40003, errors.UnknownRecipient),
    "40013": (40013, errors.ConfigWrong),
    "40037": (40037, errors.TemplateRefused),
    "40164": (40164, errors.ConfigWrong),
    "43004": (43004, errors.Unfollowed),
    "43019": (43019, errors.RecipientGone),
    "43101": (43101, errors.NoGrant),
    "43108": (43108, errors.BusyRecipient),
    "43117": (43117, errors.BusyRecipient),
    "45009": (45009, errors.QuotaSpent),
    "45011": (45011, errors.SlowDown),
    "45015": (45015, errors.RecipientGone),
    "45047": (45047, errors.RecipientGone),
    "45065": ({"errcode": 45065, "errmsg": "x", "msg_id": 9}, errors.AlreadySent),
    "45066": (45066, errors.TryLater),
    "47003": (47003, errors.BadContent),
    "48001": (48001, errors.ConfigWrong),
    "48004": (48004, errors.ConfigWrong),
    "50002": (50002, errors.ConfigWrong),
    "70000": (70000, errors.RecipientGone),
    "unknown": (987654, errors.Unclassified),
}


@pytest.mark.parametrize("cell", CELLS)
def test_a_send_is_judged_and_never_repeated(cell: str, bench: Bench, wire: Wire) -> None:
    wire.answers[TEMPLATE], kind = CELLS[cell]
    result = send_one(bench)
    assert type(result) is kind
    assert wire.counts[TEMPLATE] == 1


@pytest.mark.parametrize("cell", CELLS)
def test_a_reused_connection_repeats_nothing_either(cell: str, bench: Bench, wire: Wire) -> None:
    said, kind = CELLS[cell]
    wire.answers[TEMPLATE] = lambda a: OK if a.body["client_msg_id"] == "c0" else said
    results = send_all(bench, [letter(0), letter(1)], connections=1)
    assert results[0] == Accepted(message_id="7")
    assert type(results[1]) is kind
    assert (wire.counts[TEMPLATE], wire.connections) == (2, 1)


def test_a_bad_field_and_an_earlier_id_are_named(bench: Bench, wire: Wire) -> None:
    said = "argument invalid! data.thing1.value invalid rid: 1-2-3"
    wire.answers[TEMPLATE] = {"errcode": 47003, "errmsg": said}
    bad = send_one(bench)
    assert isinstance(bad, errors.BadContent)
    assert (bad.field, bad.rid, bad.errcode) == ("thing1", "1-2-3", 47003)
    wire.answers[TEMPLATE] = CELLS["45065"][0]
    before = send_one(bench)
    assert isinstance(before, errors.AlreadySent)
    assert before.message_id == "9"
    wire.answers[TEMPLATE] = 45066
    early = send_one(bench)
    assert isinstance(early, errors.TryLater)
    assert early.after_seconds == 60


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


@pytest.mark.parametrize(
    "base",
    [
        "refused",
        "http://nowhere.invalid",
        "https://127.0.0.1:{}",
        "http://",
        "ftp://x",
        "nowhere",
        "http://[::1",
    ],
)
def test_without_a_connection_nothing_was_sent(
    base: str, open_bench: OpenBench, wire: Wire
) -> None:
    base = f"http://127.0.0.1:{free_port()}" if base == "refused" else base.format(wire.port)
    bench = open_bench(base, Patience(connect_seconds=5, total_seconds=PATIENCE))
    fix_tokens(bench, official_account="token")
    assert type(send_one(bench)) is errors.NotSent
    assert bench.outcomes[-1] == (TEMPLATE, "away")
    assert wire.arrived == []


def test_an_answer_that_does_not_come_in_time_leaves_a_doubt(
    open_bench: OpenBench, wire: Wire
) -> None:
    wire.answers[TEMPLATE] = lambda a: HANG if a.body["client_msg_id"] == "c1" else OK
    bench = open_bench(patience=Patience(connect_seconds=PATIENCE, total_seconds=1))
    # The other letter is late too when this machine is slow, so only the first is judged.
    results = send_all(bench, [letter(1), letter(2)])
    assert type(results[0]) is errors.CallInDoubt
    assert bench.outcomes.count((TEMPLATE, "in_doubt")) >= 1


def test_an_answer_without_an_end_is_cut_off(bench: Bench, wire: Wire) -> None:
    wire.answers[TEMPLATE] = b" " * (ANSWER_LIMIT + 1)
    assert type(send_one(bench)) is errors.CallInDoubt


def test_a_redirection_is_not_followed(bench: Bench, wire: Wire) -> None:
    moved = b"HTTP/1.1 307 Moved\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n"
    wire.answers[TEMPLATE] = Raw(moved, After.KEEP)
    assert type(send_one(bench)) is errors.Unclassified
    assert wire.counts == {TEMPLATE: 1}


def test_proxies_of_the_environment_and_cookies_are_ignored(
    bench: Bench, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    body = b'{"errcode": 0}'
    head = f"HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    wire.answers[TEMPLATE] = Raw(head + body, After.KEEP)
    results = send_all(bench, [letter(0), letter(1)], connections=1)
    assert [type(result) for result in results.values()] == [Accepted, Accepted]
    assert not any(b"cookie" in arrived.head.lower() for arrived in wire.arrived)


def test_half_a_character_is_refused_before_anything_is_sent(bench: Bench, wire: Wire) -> None:
    broken = CustomerText(openid=OPENID, text="\ud83d")
    results = send_all(bench, [broken, letter()])
    assert (type(results[0]), type(results[1])) == (errors.BadContent, Accepted)
    assert wire.counts == {TEMPLATE: 1}


def test_a_fault_of_ours_loses_no_letter(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    nothing: Any = TemplateMessage(
        openid=OPENID,
        template_id="t",
        fields=5,
        client_msg_id="c",  # type: ignore[arg-type]
    )
    results = send_all(bench, [nothing, letter()])
    assert (type(results[0]), type(results[1])) == (errors.CallInDoubt, Accepted)
    assert OPENID not in caplog.text


def test_five_failures_stop_the_sending_until_a_single_letter_succeeds(
    bench: Bench, wire: Wire, clock: FakeClock
) -> None:
    wire.answers[TEMPLATE] = (502, b"")
    results = send_all(bench, [letter(number) for number in range(20)], connections=1)
    kinds = [type(result) for result in results.values()]
    assert kinds == [errors.CallInDoubt] * 5 + [errors.NotSent] * 15
    assert wire.counts[TEMPLATE] == 5
    assert not bench.gateway.is_available()
    clock.advance(31)
    wire.answers[TEMPLATE] = OK
    assert send_one(bench) == Accepted(message_id="7")
    assert bench.gateway.is_available()


# --- tokens


def token_answers(wire: Wire, good: str) -> None:
    """WeChat takes one token and refuses every other."""

    def answer(arrived: Arrived) -> Any:
        return OK if arrived.query["access_token"] == good else 40001

    wire.answers[TEMPLATE] = answer


def test_a_thousand_letters_on_a_dead_token_ask_once_for_another(
    bench: Bench, script: Script, wire: Wire
) -> None:
    assert bench.tokens.valid_token() == "token-1"
    token_answers(wire, "token-2")
    # The new token belongs to another process, or is requested by this one: once.
    script.tokens = 2
    results = Results()
    wire.hold()
    with bench.gateway.open_fan_out(1000, results) as fan_out:
        for key in range(1000):
            fan_out.submit(key, letter(key))
        wire.await_held(1000)
        wire.release()
        assert fan_out.drain(PATIENCE)
    assert results.kinds() == {Accepted: 1000}
    assert script.count(TOKEN_PATH) == 2
    assert wire.counts[TEMPLATE] == 2000


def test_letters_of_a_cold_start_ask_once_for_a_token(bench: Bench, script: Script) -> None:
    results = send_all(bench, [letter(number) for number in range(200)], connections=200)
    assert {type(result) for result in results.values()} == {Accepted}
    assert script.count(TOKEN_PATH) == 1


@pytest.mark.parametrize("errcode", [40001, 40014, 41001, 42001])
def test_a_token_that_is_refused_twice_alarms_once_and_goes_back(
    errcode: int, bench: Bench, script: Script, wire: Wire
) -> None:
    wire.answers[TEMPLATE] = errcode
    results = send_all(bench, [letter(number) for number in range(50)], connections=1)
    assert type(results[0]) is errors.TokenRefused
    assert {type(result) for key, result in results.items() if key} == {errors.NotSent}
    assert bench.alarmed.count("call_auth") == 1
    # The first token, the same again, a forced one, and once more that one.
    assert script.count(TOKEN_PATH) == 4


def test_a_token_that_another_process_renewed_is_taken_over(
    open_bench: OpenBench, script: Script, wire: Wire
) -> None:
    here, there = open_bench(), open_bench()
    assert here.tokens.valid_token() == "token-1"
    script.tokens = 2
    assert there.tokens.replace_refused("token-1") == "token-2"
    asked = script.count(TOKEN_PATH)
    token_answers(wire, "token-2")
    assert send_one(here) == Accepted(message_id="7")
    assert script.count(TOKEN_PATH) == asked


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (-1, errors.NotSent),
        ((500, b""), errors.NotSent),
        (40125, errors.ConfigWrong),
        (45009, errors.QuotaSpent),
        (45011, errors.SlowDown),
    ],
)
def test_without_a_token_nothing_was_sent(
    said: object, kind: type[WeChatError], bench: Bench, script: Script, wire: Wire
) -> None:
    script.answers[TOKEN_PATH] = said
    results = send_all(bench, [letter(number) for number in range(50)], connections=50)
    assert {type(result) for result in results.values()} <= {kind, errors.NotSent}
    assert type(results[0]) is kind
    assert wire.arrived == []
    assert script.count(TOKEN_PATH) <= 3


# --- the end


def test_a_closed_fan_out_gives_unsent_letters_back_and_awaits_the_sent_ones(
    bench: Bench, wire: Wire
) -> None:
    wire.hold()
    results = Results()
    fan_out = bench.gateway.open_fan_out(3, results)
    for key in range(10):
        fan_out.submit(key, letter(key))
    wire.await_held(3)
    closing = threading.Thread(target=fan_out.close)
    closing.start()
    deadline = threading.Event()
    while len(results.by_key) < 7:
        deadline.wait(0.001)
    assert results.kinds() == {errors.NotSent: 7}
    assert fan_out.pending() == 3
    with pytest.raises(RuntimeError, match="closed"):
        fan_out.submit(11, letter(11))
    wire.release()
    closing.join(PATIENCE)
    assert not closing.is_alive()
    assert results.kinds() == {errors.NotSent: 7, Accepted: 3}
    assert wire.counts[TEMPLATE] == 3


def test_letters_with_a_free_connection_are_sent_before_the_end(bench: Bench) -> None:
    for _ in range(20):
        results = Results()
        with bench.gateway.open_fan_out(8, results) as fan_out:
            for key in range(8):
                fan_out.submit(key, letter(key))
        assert results.kinds() == {Accepted: 8}


def test_an_error_inside_the_block_closes_it_too(bench: Bench, wire: Wire) -> None:
    results = Results()
    opened: list[FanOut] = []
    with pytest.raises(ZeroDivisionError), bench.gateway.open_fan_out(1, results) as fan_out:
        opened.append(fan_out)
        fan_out.submit(1, letter())
        raise ZeroDivisionError
    assert opened[0].pending() == 0
    assert len(results.by_key) == 1
    opened[0].close()


def test_nothing_is_left_behind(bench: Bench) -> None:
    before = set(threading.enumerate())
    for _ in range(3):
        send_all(bench, [letter(number) for number in range(20)])
    assert set(threading.enumerate()) <= before


def test_a_fan_out_that_cannot_open_says_so(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="at least one"):
        bench.gateway.open_fan_out(0, Results())
    monkeypatch.setattr(bench.gateway, "_accounts", {})
    with pytest.raises(ValueError, match="max_workers"):
        bench.gateway.open_fan_out(1, Results())


def test_no_result_and_no_log_line_holds_a_secret(
    bench: Bench, script: Script, wire: Wire, caplog: pytest.LogCaptureFixture
) -> None:
    cells = list(CELLS.values())
    wire.answers[TEMPLATE] = lambda a: cells[int(a.body["client_msg_id"][1:])][0]
    script.answers[TOKEN_PATH] = {"access_token": "tok-canary", "expires_in": 7200}
    with caplog.at_level(logging.DEBUG):
        results = send_all(bench, [letter(number) for number in range(len(cells))], connections=1)
    shown = caplog.text + "".join(repr(vars(record)) for record in caplog.records)
    for result in results.values():
        shown += repr(result)
        if isinstance(result, WeChatError):
            shown += repr(vars(result))
            assert (result.__context__, result.__cause__) == (None, None)
            assert result.__traceback__ is None
    for canary in ("tok-canary", OPENID, bench.app.secret, "科学讲座"):
        assert canary not in shown


@pytest.mark.slow
def test_memory_does_not_grow_with_the_letters(bench: Bench, wire: Wire) -> None:
    wire.remember = False
    wire.answers[TEMPLATE] = lambda a: OK if a.raw[-3] % 3 else 43101
    done = 0

    def on_result(_key: int, _result: FanOutResult) -> None:
        nonlocal done
        done += 1

    def send_many(fan_out: FanOut, number: int) -> int:
        for start in range(0, number, 1000):
            for key in range(start, start + 1000):
                fan_out.submit(key, letter(key))
            assert fan_out.drain(PATIENCE)
        bench.counted.told.clear()
        gc.collect()
        return sys.getallocatedblocks()

    with bench.gateway.open_fan_out(64, on_result) as fan_out:
        before = send_many(fan_out, 2000)
        after = send_many(fan_out, 20_000)
    assert done == 22_000
    # A leak of one object for each letter would be 20,000 blocks.
    assert after - before < 2000
