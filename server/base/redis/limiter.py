"""Rate limiter: a token bucket per caller, shared by all processes.

Without Redis each process uses local buckets with the same figures, so limits never fail open.
Callers decide which requests count and how to respond.
"""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import cast

from server.base.clock import Clock
from server.base.redis.client import RedisClient, RedisUnavailable, Script

_PREFIX = "limit:"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = 1_000_000
# A key outlives its bucket by this, because an injected clock may stand still for a while.
_KEEP_MILLISECONDS = 60_000
_LOCAL_BUCKETS = 50_000

# The stored number is the instant at which the bucket is full again. One further in the future than
# an empty bucket allows was written before the clock was set back.
_TAKE = Script("""
local now, interval, depth = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local full_at = tonumber(redis.call('GET', KEYS[1]) or '0')
full_at = math.min(math.max(full_at, now), now + depth)
local wait = full_at + interval - depth - now
if wait > 0 then
  return wait
end
redis.call('SET', KEYS[1], string.format('%.0f', full_at + interval), 'PX', ARGV[4])
return 0
""")

# Nothing to give back when the bucket is full or expired.
_GIVE_BACK = Script("""
local now, interval = tonumber(ARGV[1]), tonumber(ARGV[2])
local full_at = tonumber(redis.call('GET', KEYS[1]) or '0') - interval
if full_at <= now then
  redis.call('DEL', KEYS[1])
else
  redis.call('SET', KEYS[1], string.format('%.0f', full_at), 'PX', ARGV[3])
end
return 0
""")


@dataclass(frozen=True)
class _Figures:
    """Microseconds: per token, and from an empty bucket to a full one."""

    interval: int
    depth: int


class Limiter:
    """Buckets by name and caller."""

    def __init__(
        self, kv: RedisClient, clock: Clock, *, local_buckets: int = _LOCAL_BUCKETS
    ) -> None:
        self._kv = kv
        self._clock = clock
        self._local = _LocalBuckets(local_buckets)

    def take_token(self, name: str, who: str, *, per_minute: float, burst: float) -> float:
        """Take a token; return 0.0, or the wait until one is available.

        Units: the result in seconds; `burst` is the bucket's capacity, at least 1.
        """
        figures = _bucket_figures(per_minute, burst)
        key = f"{_PREFIX}{name}:{who}"
        now = (self._clock.now() - _EPOCH) // timedelta(microseconds=1)
        try:
            wait = self._ask_redis(key, now, figures)
        except RedisUnavailable:
            wait = self._local.take_token(key, now, figures)
        return wait / _SECOND

    def give_back(self, name: str, who: str, *, per_minute: float, burst: float) -> None:
        """Return a token when the request turns out not to count."""
        figures = _bucket_figures(per_minute, burst)
        key = f"{_PREFIX}{name}:{who}"
        now = (self._clock.now() - _EPOCH) // timedelta(microseconds=1)
        keep = figures.depth // 1000 + _KEEP_MILLISECONDS
        try:
            self._kv.run_script(_GIVE_BACK, [key], (now, figures.interval, keep))
        except RedisUnavailable:
            self._local.give_back(key, figures)

    def _ask_redis(self, key: str, now: int, figures: _Figures) -> int:
        keep = figures.depth // 1000 + _KEEP_MILLISECONDS
        arguments = (now, figures.interval, figures.depth, keep)
        return cast(int, self._kv.run_script(_TAKE, [key], arguments))


class _LocalBuckets:
    """Token buckets of this process, limited in number; callers above the limit share one."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._full_at: dict[str, int] = {}
        self._sweep_after = 0
        self._lock = threading.Lock()

    def take_token(self, key: str, now: int, figures: _Figures) -> int:
        with self._lock:
            key = self._bucket_key(key, now)
            full_at = min(max(self._full_at.get(key, 0), now), now + figures.depth)
            wait = full_at + figures.interval - figures.depth - now
            if wait > 0:
                return wait
            self._full_at[key] = full_at + figures.interval
            return 0

    def give_back(self, key: str, figures: _Figures) -> None:
        with self._lock:
            key = key if key in self._full_at else ""
            if key in self._full_at:
                self._full_at[key] -= figures.interval

    def _bucket_key(self, key: str, now: int) -> str:
        if key in self._full_at or len(self._full_at) < self._most:
            return key
        if now >= self._sweep_after:
            self._full_at = {kept: at for kept, at in self._full_at.items() if at > now}
            self._sweep_after = now + _SECOND
        return key if len(self._full_at) < self._most else ""


def _bucket_figures(per_minute: float, burst: float) -> _Figures:
    if not (per_minute > 0 and burst >= 1):
        raise ValueError("a limit lets something through: per_minute > 0 and burst >= 1")
    interval = math.ceil(60 * _SECOND / per_minute)
    return _Figures(interval=interval, depth=math.floor(interval * burst))
