"""Limiter against a bucket counted in fractions, on both engines and without Redis."""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path
from typing import Protocol

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from server.base.clock import Clock
from server.base.redis.client import RedisClient, create_client
from server.base.redis.embedded import EmbeddedServer
from server.base.redis.limiter import Limiter


class Stepped(Clock, Protocol):
    passed: float

    def pass_by(self, seconds: float) -> None: ...


class Bucket:
    """Tokens that drip in: the plain reading of 'so many a minute, so many at once'."""

    def __init__(self, per_minute: int, burst: Fraction) -> None:
        self.rate = Fraction(per_minute, 60)
        self.burst = burst
        self.tokens = burst
        self.at = Fraction(0)

    def allow(self, now: Fraction) -> Fraction:
        self.tokens = min(self.burst, self.tokens + (now - self.at) * self.rate)
        self.at = now
        if self.tokens >= 1:
            self.tokens -= 1
            return Fraction(0)
        return (1 - self.tokens) / self.rate


@pytest.fixture(params=["fake", "embedded", "away"])
def any_kv(request: pytest.FixtureRequest, clock: Stepped, tmp_path: Path) -> RedisClient:
    if request.param == "away":
        return create_client("embedded:", tmp_path / "nowhere", clock)
    if request.param == "fake":
        return create_client("fake:limits", tmp_path, clock)
    return create_client(
        "embedded:", request.getfixturevalue("embedded"), clock, timeout_seconds=20.0
    )


def clear(kv: RedisClient) -> None:
    if kv.ping_server():
        kv.run_command("FLUSHALL")


# Figures whose refill is a whole number of microseconds, so that the model is exact.
PER_MINUTE = st.sampled_from([1, 6, 20, 60, 120, 600, 3000])
BURST = st.sampled_from([Fraction(n, 2) for n in (2, 3, 5, 10, 40)])
STEPS = st.lists(st.tuples(st.integers(0, 20_000), st.sampled_from("ab")), min_size=1, max_size=40)


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(per_minute=PER_MINUTE, burst=BURST, steps=STEPS)
def test_a_caller_goes_as_fast_as_a_dripping_bucket_lets_him(
    any_kv: RedisClient,
    clock: Stepped,
    per_minute: int,
    burst: Fraction,
    steps: list[tuple[int, str]],
) -> None:
    clear(any_kv)
    clock.passed = 0.0
    limiter = Limiter(any_kv, clock)
    now = Fraction(0)
    buckets = {who: Bucket(per_minute, burst) for who in "ab"}
    for milliseconds, who in steps:
        now += Fraction(milliseconds, 1000)
        clock.passed = float(now)
        expected = buckets[who].allow(now)
        waited = limiter.take_token("quiz", who, per_minute=per_minute, burst=float(burst))
        assert waited == pytest.approx(float(expected), abs=2e-6)
        assert (waited == 0.0) == (expected == 0)


def test_who_waits_as_told_is_let_through_and_not_a_moment_earlier(
    any_kv: RedisClient, clock: Stepped
) -> None:
    clear(any_kv)
    limiter = Limiter(any_kv, clock)

    def ask() -> float:
        return limiter.take_token("login", "citizen", per_minute=6, burst=2)

    assert [ask(), ask()] == [0.0, 0.0]
    wait = ask()
    assert wait == pytest.approx(10.0)
    clock.pass_by(wait - 0.001)
    assert ask() > 0
    clock.pass_by(0.001)
    assert ask() == 0.0


def test_what_is_given_back_can_be_taken_again_and_never_more_than_the_burst(
    any_kv: RedisClient, clock: Stepped
) -> None:
    clear(any_kv)
    limiter = Limiter(any_kv, clock)

    def ask() -> bool:
        return limiter.take_token("codes", "here", per_minute=6, burst=3) == 0.0

    def give_back() -> None:
        limiter.give_back("codes", "here", per_minute=6, burst=3)

    give_back()
    assert [ask() for _ in range(4)] == [True] * 3 + [False]
    give_back()
    assert [ask(), ask()] == [True, False]
    for _ in range(9):
        give_back()
    assert [ask() for _ in range(4)] == [True] * 3 + [False]
    clock.pass_by(10)
    assert [ask(), ask()] == [True, False]


def test_names_and_callers_do_not_share_a_bucket(any_kv: RedisClient, clock: Stepped) -> None:
    clear(any_kv)
    limiter = Limiter(any_kv, clock)
    for name, who in (("a", "x"), ("a", "y"), ("b", "x")):
        assert limiter.take_token(name, who, per_minute=1, burst=1) == 0.0
    assert limiter.take_token("a", "x", per_minute=1, burst=1) > 0


def test_a_clock_that_is_set_back_locks_nobody_out(any_kv: RedisClient, clock: Stepped) -> None:
    clear(any_kv)
    limiter = Limiter(any_kv, clock)
    clock.passed = 86_400.0
    assert limiter.take_token("quiz", "who", per_minute=60, burst=2) == 0.0
    clock.passed = 0.0
    assert limiter.take_token("quiz", "who", per_minute=60, burst=2) <= 1.0


def test_many_at_once_get_no_more_than_the_burst(any_kv: RedisClient, clock: Stepped) -> None:
    clear(any_kv)
    limiter = Limiter(any_kv, clock)

    def ask(_: int) -> bool:
        return limiter.take_token("quiz", "who", per_minute=1, burst=5) == 0.0

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(ask, range(40))) == 5


def test_a_limit_that_lets_nothing_through_is_a_mistake(kv: RedisClient, clock: Stepped) -> None:
    for per_minute, burst in ((0.0, 1.0), (-1.0, 1.0), (60.0, 0.5), (math.nan, 1.0)):
        with pytest.raises(ValueError, match="limit"):
            Limiter(kv, clock).take_token("n", "w", per_minute=per_minute, burst=burst)


def test_a_key_ends_after_its_bucket_is_full_again(kv: RedisClient, clock: Stepped) -> None:
    Limiter(kv, clock).take_token("quiz", "who", per_minute=6, burst=3)
    left = kv.run_command("PTTL", "limit:quiz:who")
    assert isinstance(left, int)
    assert 30_000 < left <= 90_000


def test_when_redis_goes_away_limits_hold_in_the_process(
    own_server: EmbeddedServer, attach: Callable[..., RedisClient], clock: Stepped
) -> None:
    limiter = Limiter(attach(), clock)

    def ask() -> bool:
        return limiter.take_token("quiz", "who", per_minute=1, burst=3) == 0.0

    assert [ask() for _ in range(4)] == [True] * 3 + [False]
    own_server.stop_server()
    assert [ask() for _ in range(6)] == [True] * 3 + [False] * 3


def test_local_buckets_are_bounded_and_newcomers_share_the_last(
    tmp_path: Path, clock: Stepped
) -> None:
    limiter = Limiter(create_client("embedded:", tmp_path, clock), clock, local_buckets=3)

    def ask(who: str) -> bool:
        return limiter.take_token("quiz", who, per_minute=60, burst=1) == 0.0

    assert [ask(who) for who in "abc"] == [True, True, True]
    assert [ask(who) for who in "defg"] == [True, False, False, False]
    clock.pass_by(1.5)
    assert [ask(who) for who in "defg"] == [True, True, True, True]
    assert len(limiter._local._full_at) <= 4
