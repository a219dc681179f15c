"""All uses of Redis in one bundle, passed to slices and endpoints."""

from __future__ import annotations

from dataclasses import dataclass

from server.base.clock import Clock
from server.base.redis.client import RedisClient
from server.base.redis.counters import Counters
from server.base.redis.high_mark import HighMark
from server.base.redis.leaderboard import Leaderboard
from server.base.redis.limiter import Limiter
from server.base.redis.lock import Lock
from server.base.redis.replay_cache import ReplayCache
from server.base.redis.shared import Shared


@dataclass(frozen=True)
class RedisFacilities:
    """One object per purpose, over one client."""

    kv: RedisClient
    once: ReplayCache
    lock: Lock
    limiter: Limiter
    shared: Shared
    leaderboard: Leaderboard
    counters: Counters
    high_mark: HighMark


def create_facilities(kv: RedisClient, clock: Clock) -> RedisFacilities:
    """Create the bundle over a client."""
    return RedisFacilities(
        kv=kv,
        once=ReplayCache(kv),
        lock=Lock(kv),
        limiter=Limiter(kv, clock),
        shared=Shared(kv),
        leaderboard=Leaderboard(kv),
        counters=Counters(kv),
        high_mark=HighMark(kv),
    )
