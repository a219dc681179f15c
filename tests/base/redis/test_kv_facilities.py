"""The bundle: every facility works over the one client it was made of."""

from __future__ import annotations

from server.base.clock import Clock
from server.base.redis.client import RedisClient
from server.base.redis.facilities import create_facilities


def test_every_facility_speaks_through_the_one_client(kv: RedisClient, clock: Clock) -> None:
    ours = create_facilities(kv, clock)
    assert ours.kv is kv
    assert ours.once.store_first("k", b"v", 60) is None
    assert ours.once.recall_value("k") == b"v"
    with ours.lock.hold_lock("k", 60) as mine:
        assert mine
        assert ours.limiter.take_token("k", "w", per_minute=1, burst=1) == 0.0
        ours.shared.set_json("k", "v", 60)
        ours.leaderboard.store_mark("con_1", "k", "v")
        keys = kv.run_command("KEYS", "*")
    assert isinstance(keys, list)
    assert sorted(key for key in keys if isinstance(key, bytes)) == [
        b"board:{con_1}:marks:",
        b"limit:k:w",
        b"lock:k",
        b"once:k",
        b"shared:k",
    ]
