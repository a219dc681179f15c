"""Lock: one holder at a time, freed by its holder alone or by time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from server.base.clock import SystemClock
from server.base.redis.client import RedisClient, RedisUnavailable, create_client
from server.base.redis.embedded import EmbeddedServer
from server.base.redis.lock import Lock


def test_a_held_name_is_not_given_again_until_it_is_free(kv: RedisClient) -> None:
    lock = Lock(kv)
    with lock.hold_lock("tokens", 60) as mine:
        assert mine
        with lock.hold_lock("tokens", 60) as second, lock.hold_lock("boards", 60) as other:
            assert not second
            assert other
        with lock.hold_lock("tokens", 60) as still:
            assert not still
    with lock.hold_lock("tokens", 60) as again:
        assert again


def test_a_failing_block_frees_the_name(kv: RedisClient) -> None:
    lock = Lock(kv)
    with pytest.raises(LookupError), lock.hold_lock("tokens", 60):
        raise LookupError
    with lock.hold_lock("tokens", 60) as again:
        assert again


def test_a_lease_runs_out_by_itself(kv: RedisClient) -> None:
    with Lock(kv).hold_lock("tokens", 1.5):
        left = kv.run_command("PTTL", "lock:tokens")
        assert isinstance(left, int)
        assert 0 < left <= 1500


def test_who_outstayed_the_lease_does_not_free_the_next_holder(kv: RedisClient) -> None:
    lock = Lock(kv)
    with lock.hold_lock("tokens", 60):
        kv.run_command("DEL", "lock:tokens")  # as if the lease had run out
        following = lock.hold_lock("tokens", 60)
        assert following.__enter__()
    with lock.hold_lock("tokens", 60) as third:
        assert not third
    following.__exit__(None, None, None)
    with lock.hold_lock("tokens", 60) as fourth:
        assert fourth


def test_threads_exclude_each_other(kv: RedisClient) -> None:
    lock = Lock(kv)
    inside = threading.Semaphore(1)
    start = threading.Barrier(8)

    def work(_: int) -> int:
        start.wait()
        got = 0
        while got < 5:
            with lock.hold_lock("work", 60) as mine:
                if mine:
                    assert inside.acquire(blocking=False), "two holders at once"
                    kv.run_command("INCR", "worked")
                    inside.release()
                    got += 1
        return got

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(work, range(8))) == 40
    assert kv.run_command("GET", "worked") == b"40"


def test_without_redis_nobody_is_told_that_he_holds(tmp_path: Path) -> None:
    lock = Lock(create_client("embedded:", tmp_path, SystemClock()))
    with pytest.raises(RedisUnavailable), lock.hold_lock("tokens", 60):
        pytest.fail("entered without a lock")


def test_redis_lost_inside_the_block_does_not_undo_the_work(
    own_server: EmbeddedServer, attach: Callable[..., RedisClient]
) -> None:
    lock = Lock(attach())
    with lock.hold_lock("tokens", 60) as mine:
        assert mine
        own_server.stop_server()
    with pytest.raises(RedisUnavailable), lock.hold_lock("tokens", 60):
        pytest.fail("entered without a lock")
