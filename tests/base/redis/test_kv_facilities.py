"""The bundle: every facility works over the one client it was made of."""

from __future__ import annotations

from server.base.clock import Clock
from server.base.redis.client import RedisClient
from server.base.redis.facilities import facilities


def test_every_facility_speaks_through_the_one_client(kv: RedisClient, clock: Clock) -> None:
    ours = facilities(kv, clock)
    assert ours.kv is kv
    assert ours.once.remember("k", b"v", 60) is None
    assert ours.once.recall("k") == b"v"
    with ours.lock.hold("k", 60) as mine:
        assert mine
        assert ours.limiter.allow("k", "w", per_minute=1, burst=1) == 0.0
        ours.shared.set_json("k", "v", 60)
        ours.leaderboard.mark("con_1", "k", "v")
        keys = kv.run("KEYS", "*")
    assert isinstance(keys, list)
    assert sorted(key for key in keys if isinstance(key, bytes)) == [
        b"board:{con_1}:marks:",
        b"limit:k:w",
        b"lock:k",
        b"once:k",
        b"shared:k",
    ]
