"""Shared values: seen by all, and an old token never overwrites a newer one."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from server.base.clock import SystemClock
from server.base.redis.client import RedisClient, RedisUnavailable, create_client
from server.base.redis.shared import Shared, Versioned


def test_a_value_comes_back_as_it_was(kv: RedisClient) -> None:
    shared = Shared(kv)
    value = {"token": "壮:乡", "list": [1, 2.5, None, True]}
    assert shared.get_json("k") is None
    shared.set_json("k", value, 60)
    assert shared.get_json("k") == value
    shared.delete_value("k")
    assert shared.get_json("k") is None


def test_a_value_has_an_end(kv: RedisClient) -> None:
    shared = Shared(kv)
    shared.set_json("plain", 1, 60)
    shared.compare_and_set_newer("newer", 1, 1, 30)
    plain, newer = kv.run_pipeline([("TTL", "shared:plain"), ("TTL", "shared:newer")])
    assert isinstance(plain, int)
    assert isinstance(newer, int)
    assert (0 < plain <= 60, 0 < newer <= 30) == (True, True)


def test_an_old_token_never_overwrites_a_newer_one(kv: RedisClient) -> None:
    shared = Shared(kv)
    assert shared.compare_and_set_newer("token", {"t": "new"}, 2, 60)
    assert not shared.compare_and_set_newer("token", {"t": "old"}, 1, 60)
    assert not shared.compare_and_set_newer("token", {"t": "same"}, 2, 60)
    assert shared.get_versioned("token") == Versioned(version=2, value={"t": "new"})
    assert shared.compare_and_set_newer("token", {"t": "next"}, 10, 60)
    assert shared.get_json("token") == {"t": "next"}


def test_versions_are_numbers_and_not_text(kv: RedisClient) -> None:
    shared = Shared(kv)
    assert shared.compare_and_set_newer("token", "nine", 9, 60)
    assert shared.compare_and_set_newer("token", "ten", 10, 60)
    assert shared.compare_and_set_newer("token", "most", 2**53, 60)
    assert not shared.compare_and_set_newer("token", "less", 2**53 - 1, 60)
    for wrong in (0, -1, 2**53 + 1):
        with pytest.raises(ValueError, match="version"):
            shared.compare_and_set_newer("token", "x", wrong, 60)


def test_writers_in_any_order_leave_the_newest(kv: RedisClient) -> None:
    shared = Shared(kv)
    versions = list(range(1, 101))
    random.Random(7).shuffle(versions)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda v: shared.compare_and_set_newer("token", f"t{v}", v, 60), versions))
    assert shared.get_versioned("token") == Versioned(version=100, value="t100")


def test_without_redis_the_caller_hears_of_it(tmp_path: Path) -> None:
    shared = Shared(create_client("embedded:", tmp_path, SystemClock()))
    with pytest.raises(RedisUnavailable):
        shared.get_json("k")
    with pytest.raises(RedisUnavailable):
        shared.set_json("k", 1, 60)
    with pytest.raises(RedisUnavailable):
        shared.compare_and_set_newer("k", 1, 1, 60)
    with pytest.raises(RedisUnavailable):
        shared.delete_value("k")


@pytest.mark.parametrize(
    "foreign", [b"", b"x", b"1", b"x:1", b"1:{", b"1:\xff", b"1:" + b"[" * 99_999]
)
def test_what_a_stranger_has_put_there_is_as_good_as_nothing(
    kv: RedisClient, foreign: bytes
) -> None:
    shared = Shared(kv)
    kv.run_command("SET", "shared:token", foreign)
    assert shared.get_json("token") is None
    shared.set_json("token", 1, 60)
    assert shared.get_json("token") == 1
