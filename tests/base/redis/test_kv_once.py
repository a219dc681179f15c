"""Once: the first answer is the answer, and nothing is held up when Redis is away."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from server.base.clock import SystemClock
from server.base.redis.client import RedisClient, create_client
from server.base.redis.replay_cache import ReplayCache


def test_the_first_answer_is_given_again(kv: RedisClient) -> None:
    once = ReplayCache(kv)
    assert once.store_first("msg:1", b"first", 60) is None
    assert once.store_first("msg:1", b"second", 60) == b"first"
    assert once.store_first("msg:2", b"other", 60) is None
    assert once.recall_value("msg:1") == b"first"


def test_an_empty_answer_is_an_answer(kv: RedisClient) -> None:
    once = ReplayCache(kv)
    assert once.store_first("msg:1", b"", 60) is None
    assert once.store_first("msg:1", b"late", 60) == b""


def test_two_keys_are_asked_at_once_and_answered_apart(kv: RedisClient) -> None:
    once = ReplayCache(kv)
    assert once.remember_pair("sig:a", b"1", "msg:1", b"first", 60) == (None, None)
    assert once.remember_pair("sig:b", b"2", "msg:1", b"second", 60) == (None, b"first")
    assert once.remember_pair("sig:a", b"3", "msg:2", b"third", 60) == (b"1", None)


def test_what_is_remembered_ends_by_itself(kv: RedisClient) -> None:
    once = ReplayCache(kv)
    once.store_first("msg:1", b"first", 60)
    once.remember_pair("sig:a", b"1", "msg:2", b"first", 30)
    once.put_value("page", b"p", 10)
    lifetimes = kv.run_pipeline(
        [("TTL", f"once:{key}") for key in ("msg:1", "sig:a", "msg:2", "page")]
    )
    assert [
        0 < int(str(left)) <= most for left, most in zip(lifetimes, (60, 30, 30, 10), strict=True)
    ] == [True] * 4


def test_a_value_can_be_replaced_and_forgotten(kv: RedisClient) -> None:
    once = ReplayCache(kv)
    once.put_value("k", b"one", 60)
    once.put_value("k", b"two", 60)
    assert once.recall_value("k") == b"two"
    once.delete_entry("k")
    assert once.recall_value("k") is None
    assert once.store_first("k", b"three", 60) is None


def test_of_many_threads_exactly_one_is_first(kv: RedisClient) -> None:
    once = ReplayCache(kv)

    def send(n: int) -> bytes | None:
        return once.store_first("msg", f"answer {n}".encode(), 60)

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(send, range(40)))
    assert answers.count(None) == 1
    assert len(set(answers)) == 2
    assert once.recall_value("msg") == next(answer for answer in answers if answer is not None)


def test_without_redis_everything_is_new_and_is_counted(tmp_path: Path) -> None:
    once = ReplayCache(create_client("embedded:", tmp_path, SystemClock()))
    assert once.store_first("msg", b"one", 60) is None
    assert once.store_first("msg", b"two", 60) is None
    assert once.remember_pair("s", b"1", "msg", b"x", 60) == (None, None)
    assert once.recall_value("msg") is None
    once.put_value("k", b"v", 60)
    once.delete_entry("k")
    assert once.forgotten == 6
