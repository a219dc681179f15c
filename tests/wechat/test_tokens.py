"""One token for the fleet: fetched once, renewed early, never replaced by an older one."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import requests

from server.wechat.errors import (
    CallInDoubt,
    ConfigWrong,
    NotSent,
    QuotaSpent,
    SlowDown,
    TryLater,
    Unclassified,
    WeChatAway,
    WeChatError,
)
from server.wechat.tokens import PATH
from tests.kit.clock import FakeClock
from tests.wechat.script import Bench, Script, Seen

DEAD = "unix:///nowhere/kv.sock"


@pytest.fixture
def kv_name(tmp_path: object) -> str:
    return f"fake:{tmp_path}"


@pytest.fixture
def script(clock: FakeClock) -> Script:
    return Script(clock)


@pytest.fixture
def bench(clock: FakeClock, script: Script, kv_name: str) -> Bench:
    return Bench(clock, script, kv=kv_name)


def given(value: str, seconds: int = 7200) -> dict[str, object]:
    return {"access_token": value, "expires_in": seconds}


def forced(seen: Seen) -> bool:
    return bool(seen.body["force_refresh"])


def test_a_token_is_asked_for_once_and_kept(bench: Bench, script: Script) -> None:
    assert {bench.tokens.valid_token() for _ in range(50)} == {"token-1"}
    assert script.count(PATH) == 1
    assert script.seen[0].method == "POST"
    assert script.seen[0].body == {
        "grant_type": "client_credential",
        "appid": bench.app.appid,
        "secret": bench.app.secret,
        "force_refresh": False,
    }
    assert script.seen[0].query == {}


def test_another_process_takes_the_token_of_the_first(
    bench: Bench, script: Script, kv_name: str
) -> None:
    bench.tokens.valid_token()
    other = Bench(bench.clock, script, kv=kv_name)
    assert other.tokens.valid_token() == "token-1"
    assert script.count(PATH) == 1


def test_a_token_is_renewed_when_less_than_four_minutes_are_left(
    bench: Bench, script: Script
) -> None:
    script.answers[PATH] = [given("first"), given("second")]
    bench.tokens.valid_token()
    bench.clock.advance(7200 - 241)
    assert bench.tokens.valid_token() == "first"
    bench.clock.advance(2)
    assert bench.tokens.valid_token() == "second"
    assert bench.tokens.valid_token() == "second"
    assert script.count(PATH) == 2


def test_a_token_renewed_elsewhere_is_noticed_soon(
    bench: Bench, script: Script, kv_name: str
) -> None:
    script.answers[PATH] = [given("first"), given("second")]
    other = Bench(bench.clock, script, kv=kv_name)
    assert bench.tokens.valid_token() == other.tokens.valid_token() == "first"
    assert other.tokens.replace_refused("first") == "second"
    bench.clock.advance(5)
    assert bench.tokens.valid_token() == "second"
    assert script.count(PATH) == 2


def test_a_life_longer_than_documented_is_taken_as_the_documented_one(
    bench: Bench, script: Script
) -> None:
    script.answers[PATH] = [given("long", 99_999_999), given("next")]
    assert bench.tokens.valid_token() == "long"
    bench.clock.advance(7200 - 241)
    assert bench.tokens.valid_token() == "long"
    bench.clock.advance(2)
    assert bench.tokens.valid_token() == "next"


def test_the_age_is_counted_from_the_asking(bench: Bench) -> None:
    assert bench.tokens.age_seconds() is None
    bench.tokens.valid_token()
    bench.clock.advance(90)
    assert bench.tokens.age_seconds() == pytest.approx(90)


@pytest.mark.parametrize("kv", ["fake:threads", DEAD])
def test_many_threads_at_a_cold_start_ask_once(kv: str, clock: FakeClock, script: Script) -> None:
    bench = Bench(clock, script, kv=kv)
    together = threading.Barrier(32)

    def one(_: int) -> str:
        together.wait(60)
        return bench.tokens.valid_token()

    with ThreadPoolExecutor(32) as threads:
        assert set(threads.map(one, range(32))) == {"token-1"}
    assert script.count(PATH) == 1


def test_a_thousand_refusals_of_one_token_ask_once(bench: Bench, script: Script) -> None:
    script.answers[PATH] = [given("first"), given("second")]
    bench.tokens.valid_token()
    with ThreadPoolExecutor(32) as threads:
        found = set(threads.map(lambda _: bench.tokens.replace_refused("first"), range(1000)))
    assert found == {"second"}
    assert script.count(PATH) == 2
    assert not any(forced(seen) for seen in script.seen)


def test_a_token_still_given_out_though_refused_is_forced_once(
    bench: Bench, script: Script
) -> None:
    script.answers[PATH] = lambda seen: given("second" if forced(seen) else "first")
    bench.tokens.valid_token()
    assert bench.tokens.replace_refused("first") == "second"
    assert [forced(seen) for seen in script.seen] == [False, False, True]
    assert bench.alarmed == ["token_forced"]
    assert bench.tokens.valid_token() == "second"


def test_it_is_not_forced_again_for_ten_minutes_by_anybody(
    bench: Bench, script: Script, kv_name: str
) -> None:
    script.answers[PATH] = lambda seen: given("same")
    other = Bench(bench.clock, script, kv=kv_name)
    bench.tokens.valid_token()
    for tokens in (bench.tokens, bench.tokens, other.tokens):
        with pytest.raises(TryLater):
            tokens.replace_refused("same")
    assert sum(forced(seen) for seen in script.seen) == 1


def test_without_redis_forcing_is_rare_in_each_process(clock: FakeClock, script: Script) -> None:
    script.answers[PATH] = lambda seen: given("same")
    bench = Bench(clock, script, kv=DEAD)
    bench.tokens.valid_token()
    for _ in range(3):
        with pytest.raises(TryLater):
            bench.tokens.replace_refused("same")
    clock.advance(601)
    with pytest.raises(TryLater):
        bench.tokens.replace_refused("same")
    assert sum(forced(seen) for seen in script.seen) == 2


def test_while_there_is_no_other_token_calls_do_not_ask_for_one_each(
    bench: Bench, script: Script
) -> None:
    script.answers[PATH] = lambda seen: given("first")
    assert bench.tokens.valid_token() == "first"
    for _ in range(20):
        with pytest.raises(TryLater):
            bench.tokens.replace_refused("first")
    # The first token, the same again, and the forced one.
    assert script.count(PATH) == 3
    # WeChat may accept it again, so it stays in use meanwhile.
    assert bench.tokens.valid_token() == "first"
    bench.clock.advance(61)
    script.answers[PATH] = lambda seen: given("second")
    assert bench.tokens.replace_refused("first") == "second"


def test_a_refused_token_that_somebody_replaced_costs_no_call(
    bench: Bench, script: Script, kv_name: str
) -> None:
    script.answers[PATH] = [given("first"), given("second")]
    other = Bench(bench.clock, script, kv=kv_name)
    bench.tokens.valid_token()
    other.tokens.replace_refused("first")
    assert bench.tokens.replace_refused("first") == "second"
    assert script.count(PATH) == 2


def test_a_slow_old_answer_does_not_replace_a_newer_token(
    bench: Bench, script: Script, kv_name: str
) -> None:
    """The first asker is so slow that its lease ends and a second one asks and is answered."""
    other = Bench(bench.clock, script, kv=kv_name)

    def slow(_seen: Seen) -> dict[str, object]:
        bench.clock.at += timedelta(seconds=60)
        bench.facilities.kv.run_command("DEL", f"lock:wechat-token:{bench.app.appid}")
        script.answers[PATH] = given("newer")
        assert other.tokens.valid_token() == "newer"
        return given("older", seconds=300)

    script.answers[PATH] = slow
    assert bench.tokens.valid_token() == "newer"
    assert other.tokens.valid_token() == "newer"
    third = Bench(bench.clock, script, kv=kv_name)
    assert third.tokens.valid_token() == "newer"


def test_a_clock_that_was_put_back_does_not_keep_a_token_for_ever(
    bench: Bench, script: Script, kv_name: str
) -> None:
    script.answers[PATH] = [given("tomorrow"), given("today")]
    bench.clock.advance(86_400)
    bench.tokens.valid_token()
    bench.clock.at = FakeClock().at
    other = Bench(bench.clock, script, kv=kv_name)
    assert other.tokens.valid_token() == "today"
    assert Bench(bench.clock, script, kv=kv_name).tokens.valid_token() == "today"
    assert script.count(PATH) == 2


@pytest.mark.parametrize("record", [[], {}, {"token": 1}, "x", {"token": "t", "asked_ms": "1"}])
def test_a_record_that_is_none_is_replaced(bench: Bench, script: Script, record: object) -> None:
    bench.facilities.shared.set_json(f"wechat-token:{bench.app.appid}", record, 60)
    assert bench.tokens.valid_token() == "token-1"
    assert bench.facilities.shared.get_json(f"wechat-token:{bench.app.appid}") != record


FAILURES: list[tuple[str, object, type[WeChatError]]] = [
    ("HTML", b"<html>", CallInDoubt),
    ("a list", b"[]", CallInDoubt),
    ("500", (500, b""), CallInDoubt),
    ("502", (502, b"<html>"), CallInDoubt),
    ("404", (404, b""), Unclassified),
    ("half an answer", b'{"access_token": "x', CallInDoubt),
    ("an errcode as text", {"errcode": "0", "access_token": "x", "expires_in": 7200}, CallInDoubt),
    ("no token", {"expires_in": 7200}, CallInDoubt),
    ("an empty token", given(""), CallInDoubt),
    ("a token that is a number", {"access_token": 5, "expires_in": 7200}, CallInDoubt),
    ("a token of two lines", given("a\nb"), CallInDoubt),
    ("no end", {"access_token": "x"}, CallInDoubt),
    ("an end in words", {"access_token": "x", "expires_in": "7200"}, CallInDoubt),
    ("an end in the past", given("x", -1), CallInDoubt),
    ("an end of nought", given("x", 0), CallInDoubt),
    ("an end that is true", {"access_token": "x", "expires_in": True}, CallInDoubt),
    ("time-out", requests.exceptions.ReadTimeout(), CallInDoubt),
    ("reset", requests.exceptions.ConnectionError(), CallInDoubt),
    ("refused", requests.exceptions.ConnectTimeout(), NotSent),
    ("busy", -1, TryLater),
    ("minute quota", 45011, SlowDown),
    ("day quota", 45009, QuotaSpent),
    ("wrong secret", 40001, ConfigWrong),
    ("wrong secret, newer code", 40125, ConfigWrong),
    ("wrong appid", 40013, ConfigWrong),
    ("address not listed", 40164, ConfigWrong),
    ("no right", 48001, ConfigWrong),
    ("barred", 48004, ConfigWrong),
    ("limited", 50002, ConfigWrong),
    ("malformed token", 40014, ConfigWrong),
    ("unknown", 1234567, Unclassified),
]
each_failure = pytest.mark.parametrize(
    ("said", "kind"), [f[1:] for f in FAILURES], ids=[f[0] for f in FAILURES]
)


@each_failure
def test_a_failure_is_never_stored(
    said: object, kind: type[WeChatError], bench: Bench, script: Script
) -> None:
    script.answers[PATH] = said
    with pytest.raises(WeChatAway) as caught:
        bench.tokens.valid_token()
    assert type(caught.value) is kind
    assert caught.value.status == 503
    assert bench.tokens.age_seconds() is None


@each_failure
def test_after_a_failure_the_old_token_serves_to_its_end(
    said: object, kind: type[WeChatError], bench: Bench, script: Script
) -> None:
    bench.tokens.valid_token()
    bench.clock.advance(7200 - 100)
    script.answers[PATH] = said
    assert bench.tokens.valid_token() == "token-1"
    bench.clock.advance(101)
    with pytest.raises(WeChatAway):
        bench.tokens.valid_token()


@each_failure
def test_after_a_failure_is_over_the_next_call_gets_a_token(
    said: object, kind: type[WeChatError], bench: Bench, script: Script
) -> None:
    script.answers[PATH] = said
    with pytest.raises(WeChatAway):
        bench.tokens.valid_token()
    script.answers[PATH] = given("fresh")
    bench.clock.advance(301)
    assert bench.tokens.valid_token() == "fresh"


@pytest.mark.parametrize(
    ("errcode", "seconds", "alarms"),
    [
        (40001, 300, ["token_config"]),
        (40125, 300, ["token_config"]),
        (40164, 300, ["token_config"]),
        (45009, 300, ["token_quota"]),
        (45011, 60, []),
    ],
)
def test_after_an_error_of_ours_nothing_is_asked_for_a_while(
    errcode: int, seconds: int, alarms: list[str], bench: Bench, script: Script
) -> None:
    script.answers[PATH] = errcode
    for _ in range(20):
        with pytest.raises(WeChatAway):
            bench.tokens.valid_token()
    bench.clock.advance(seconds - 1)
    with pytest.raises(WeChatAway) as caught:
        bench.tokens.valid_token()
    assert script.count(PATH) == 1
    assert bench.alarmed == alarms
    assert len(_trace(caught.value)) < 20
    bench.clock.advance(2)
    with pytest.raises(WeChatAway):
        bench.tokens.valid_token()
    assert script.count(PATH) == 2


def _trace(error: BaseException) -> list[object]:
    steps: list[object] = []
    step = error.__traceback__
    while step is not None:
        steps.append(step)
        step = step.tb_next
    return steps


def test_busy_is_asked_three_times_and_then_left(bench: Bench, script: Script) -> None:
    script.answers[PATH] = [-1, -1, given("third")]
    assert bench.tokens.valid_token() == "third"
    script.answers[PATH] = -1
    bench.clock.advance(7200)
    with pytest.raises(TryLater):
        bench.tokens.valid_token()
    assert script.count(PATH) == 6


def test_when_the_one_request_fails_all_who_wait_hear_of_it(
    clock: FakeClock, script: Script, kv_name: str
) -> None:
    bench = Bench(clock, script, kv=kv_name)
    begun, go_on = threading.Event(), threading.Event()

    def hang(_seen: Seen) -> object:
        begun.set()
        assert go_on.wait(60)
        return b"<html>"

    script.answers[PATH] = hang
    with ThreadPoolExecutor(8) as threads:
        first = threads.submit(bench.tokens.valid_token)
        assert begun.wait(60)
        others = [threads.submit(bench.tokens.valid_token) for _ in range(7)]
        wait_until_running(others)
        go_on.set()
        for one in (first, *others):
            with pytest.raises(CallInDoubt):
                one.result(10)
    # Whoever came too late for the first request may have made one of its own.
    assert 1 <= script.count(PATH) <= 8


def wait_until_running(futures: list[object]) -> None:
    for future in futures:
        while not future.running():  # type: ignore[attr-defined]
            threading.Event().wait(0.001)


def test_while_another_process_asks_an_old_token_serves(
    bench: Bench, script: Script, kv_name: str
) -> None:
    bench.tokens.valid_token()
    bench.clock.advance(7200 - 100)
    with bench.facilities.lock.hold_lock(f"wechat-token:{bench.app.appid}", 30) as ours:
        assert ours
        assert bench.tokens.valid_token() == "token-1"
    assert script.count(PATH) == 1


def test_while_another_process_asks_a_cold_one_waits_within_its_patience(
    bench: Bench, script: Script
) -> None:
    with (
        bench.facilities.lock.hold_lock(f"wechat-token:{bench.app.appid}", 3000) as ours,
        pytest.raises(WeChatAway),
    ):
        assert ours
        bench.tokens.valid_token()
    assert script.count(PATH) == 0


def test_a_cold_process_takes_what_the_other_one_brings(
    clock: FakeClock, script: Script, kv_name: str
) -> None:
    brought: list[str] = []
    other = Bench(clock, script, kv=kv_name)

    def bring(seconds: float) -> None:
        clock.advance(seconds)
        if clock.monotonic() > 1000.5 and not brought:
            kv = other.facilities.kv
            kv.run_command("DEL", f"lock:wechat-token:{other.app.appid}")
            brought.append(other.tokens.valid_token())

    bench = Bench(clock, script, kv=kv_name, pause=bring)
    bench.facilities.kv.run_command(
        "SET", f"lock:wechat-token:{bench.app.appid}", "other", "PX", 60_000
    )
    assert bench.tokens.valid_token() == "token-1"
    assert script.count(PATH) == 1


@pytest.mark.parametrize("how", ["token", "refused"])
def test_an_app_secret_is_in_no_error(how: str, bench: Bench, script: Script) -> None:
    script.answers[PATH] = requests.exceptions.ConnectionError()
    call: Callable[[], str] = {
        "token": bench.tokens.valid_token,
        "refused": lambda: bench.tokens.replace_refused("tok-canary"),
    }[how]
    with pytest.raises(WeChatAway) as caught:
        call()
    shown = repr(caught.value) + str(caught.value) + repr(vars(caught.value))
    context = caught.value.__context__
    assert bench.app.secret not in shown + repr(context)
    assert "tok-canary" not in shown + repr(context)


def test_a_token_shows_itself_to_nobody(bench: Bench) -> None:
    bench.tokens.valid_token()
    assert "token-1" not in repr(bench.tokens._kept)
