"""Boards and rate limits in Redis as all peers share them: keys, scripts, arguments, replies.

A board is a sorted set; equal scores are ordered by the member's text, the earlier finish first.
The mark of a board grows with every change, so that a page of its top can be kept.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from tests.bench.peers.rules import Stand

NEIGHBOURS = 3
PAGE_SECONDS = 1.0
_TIME_BITS = 32
_MOST_TIME = (1 << _TIME_BITS) - 1
_LAST_MS = 9_999_999_999_999
_LAST_ENTRY = 9_999_999_999
_MINUTE_US = 60_000_000

# KEYS: three a board (mark, zset, hash).  ARGV: four a board (entry, version, score, member).
APPLY = """
for at = 1, #KEYS, 3 do
  local base = (at - 1) / 3 * 4
  local entry, version = ARGV[base + 1], tonumber(ARGV[base + 2])
  if redis.call('EXISTS', KEYS[at]) == 1 then
    local old = redis.call('HGET', KEYS[at + 2], entry)
    local kept, member
    if old then kept, member = string.match(old, '^(%d+):(.*)$') end
    if not old or tonumber(kept) < version then
      if old then redis.call('ZREM', KEYS[at + 1], member) end
      redis.call('ZADD', KEYS[at + 1], ARGV[base + 3], ARGV[base + 4])
      redis.call('HSET', KEYS[at + 2], entry, ARGV[base + 2] .. ':' .. ARGV[base + 4])
      redis.call('INCR', KEYS[at])
    end
  end
end
return 1
"""

# KEYS: mark, zset, hash.  ARGV: entry, limit, neighbours, the mark whose top is known.
VIEW = """
local mark = redis.call('GET', KEYS[1])
if not mark then return false end
local top = false
if mark ~= ARGV[4] then
  top = redis.call('ZREVRANGE', KEYS[2], 0, tonumber(ARGV[2]) - 1, 'WITHSCORES')
end
local size = redis.call('ZCARD', KEYS[2])
local kept = redis.call('HGET', KEYS[3], ARGV[1])
local place = kept and redis.call('ZREVRANK', KEYS[2], string.match(kept, '^%d+:(.*)$'))
if not place then return {mark, size, top, -1, -1, {}} end
local first = math.max(0, place - ARGV[3])
return {mark, size, top, place, first,
        redis.call('ZREVRANGE', KEYS[2], first, place + ARGV[3], 'WITHSCORES')}
"""

# KEYS: three a board.  ARGV: score, entry that is not counted.
AHEAD = """
local found, asked = {}, tonumber(ARGV[1])
for at = 1, #KEYS, 3 do
  local better, same = -1, -1
  if redis.call('EXISTS', KEYS[at]) == 1 then
    better = redis.call('ZCOUNT', KEYS[at + 1], '(' .. ARGV[1], '+inf')
    same = redis.call('ZCOUNT', KEYS[at + 1], ARGV[1], ARGV[1])
    local kept = redis.call('HGET', KEYS[at + 2], ARGV[2])
    if kept then
      local score = tonumber(redis.call('ZSCORE', KEYS[at + 1], string.match(kept, '^%d+:(.*)$')))
      if score > asked then better = better - 1 elseif score == asked then same = same - 1 end
    end
  end
  found[#found + 1] = better
  found[#found + 1] = same
end
return found
"""

# KEYS: buckets.  ARGV: now, then two a bucket (interval, depth); microseconds.
TAKE = """
local now = tonumber(ARGV[1])
for at = 1, #KEYS do
  local interval, depth = tonumber(ARGV[2 * at]), tonumber(ARGV[2 * at + 1])
  local full_at = math.max(tonumber(redis.call('GET', KEYS[at]) or '0'), now)
  local wait = full_at + interval - depth - now
  if wait > 0 then return wait end
  redis.call('SET', KEYS[at], string.format('%.0f', full_at + interval),
             'PX', math.ceil(depth / 1000) + 60000)
end
return 0
"""

# How often one citizen may do something, a minute; half of it at once.
LIMITS = {"repeat": 180, "start": 6, "answers": 120}


@dataclass(frozen=True)
class Place:
    """The places that an entry is counted in."""

    city: str | None
    county: str | None

    @property
    def scopes(self) -> list[str]:
        """The scopes of its boards, the region first."""
        scopes = ["region"]
        if self.city is not None:
            scopes.append(f"city:{self.city}")
        if self.county is not None:
            scopes.append(f"county:{self.county}")
        return scopes


class Spot(NamedTuple):
    """One place on a board.  Units: `rank` from 1, milliseconds."""

    rank: int
    entry_id: int
    points: int
    time_ms: int


@dataclass(frozen=True)
class View:
    """What one reader sees; `top` is None when the reader has it by this mark."""

    mark: bytes
    size: int
    top: list[Spot] | None
    mine: Spot | None
    around: list[Spot]


class Page(NamedTuple):
    """The lines of a board's first places under a mark, with the names of `read_at`."""

    mark: bytes
    lines: list[Any]
    read_at: float

    @property
    def fresh(self) -> bool:
        """Whether its names are still young enough."""
        return time.monotonic() - self.read_at < PAGE_SECONDS


def keys_of(prefix: str, contest_id: int, period: str, scope: str) -> list[str]:
    """Mark, sorted set and hash of a board; `prefix` keeps the peers apart."""
    board = f"{prefix}:{{{contest_id}}}:{period}/{scope}"
    return [f"{board}:mark", f"{board}:zset", f"{board}:hash"]


def packed(points: int, time_ms: int) -> int:
    """Points first, then the shorter time, as one number."""
    return (points << _TIME_BITS) + _MOST_TIME - min(time_ms, _MOST_TIME)


def member_of(entry_id: int, reached_at: datetime) -> str:
    """Text whose reverse order is the earlier finish first, then the older entry."""
    finish = int(reached_at.timestamp()) * 1000 + reached_at.microsecond // 1000
    return f"{_LAST_MS - finish:013d}:{_LAST_ENTRY - entry_id:010d}"


def apply_arguments(
    prefix: str, contest_id: int, place: Place, entry_id: int,
    moved: Mapping[str, tuple[Stand, int]],
) -> tuple[list[str], list[Any]]:  # fmt: skip
    """Keys and arguments that bring an entry's standings, each with its version, to its boards."""
    keys: list[str] = []
    arguments: list[Any] = []
    for period, (stand, version) in moved.items():
        score = packed(stand.points, stand.time_ms)
        member = member_of(entry_id, stand.reached_at)
        for scope in place.scopes:
            keys += keys_of(prefix, contest_id, period, scope)
            arguments += (entry_id, version, score, member)
    return keys, arguments


def ahead_arguments(
    prefix: str, contest_id: int, city: str | None, stand: Stand, entry_id: int
) -> tuple[list[str], list[Any]]:
    """Keys and arguments that count who is before a standing in the region and in its city."""
    keys = keys_of(prefix, contest_id, "total", "region")
    if city is not None:
        keys += keys_of(prefix, contest_id, "total", f"city:{city}")
    return keys, [packed(stand.points, stand.time_ms), entry_id]


def take_arguments(who: int, *limits: str) -> tuple[list[str], list[Any]]:
    """Keys and arguments that take one call of a citizen from each of these limits."""
    arguments: list[Any] = [time.time_ns() // 1000]
    for limit in limits:
        interval = _MINUTE_US // LIMITS[limit]
        arguments += (interval, interval * max(1, LIMITS[limit] // 2))
    return [f"peer:limit:{limit}:{who}" for limit in limits], arguments


def view_from(reply: Any, entry_id: int | None) -> View | None:
    """What the VIEW script has told; None for a board that is not there."""
    if reply is None:
        return None
    mark, size, top, _place, first, around = reply
    near = _spots(around, first + 1)
    return View(
        mark=mark, size=size, top=None if top is None else _spots(top, 1),
        mine=next((spot for spot in near if spot.entry_id == entry_id), None), around=near,
    )  # fmt: skip


def _spots(flat: Sequence[bytes], first: int) -> list[Spot]:
    spots = []
    for at in range(0, len(flat), 2):
        score = int(float(flat[at + 1]))
        spots.append(
            Spot(
                first + at // 2, _LAST_ENTRY - int(flat[at].partition(b":")[2]),
                score >> _TIME_BITS, _MOST_TIME - (score & _MOST_TIME),
            )
        )  # fmt: skip
    return spots


def loading(
    prefix: str, contest_id: int, period: str, scope: str,
    rows: Iterable[tuple[int, Stand, int]],
) -> list[tuple[Any, ...]]:  # fmt: skip
    """Commands that build a board of its standings (entry, stand, version); its mark comes last."""
    mark, zset, kept = keys_of(prefix, contest_id, period, scope)
    commands: list[tuple[Any, ...]] = [("DEL", mark, zset, kept)]
    ranked: list[Any] = []
    stored: list[Any] = []
    for entry_id, stand, version in rows:
        member = member_of(entry_id, stand.reached_at)
        ranked += (packed(stand.points, stand.time_ms), member)
        stored += (entry_id, f"{version}:{member}")
    for at in range(0, len(ranked), 2000):
        commands.append(("ZADD", zset, *ranked[at : at + 2000]))
        commands.append(("HSET", kept, *stored[at : at + 2000]))
    return [*commands, ("SET", mark, time.time_ns() // 1000)]
