"""What the leaderboard's tests share: the sorted-list model, a built board, a change."""

from __future__ import annotations

from collections.abc import Iterable

from server.base.redis.client import RedisClient
from server.base.redis.leaderboard import BoardStanding, Change, Leaderboard

GROUP = "con_1"
BOARD = "total|region"
NOON = 1_781_000_000_000


def packed(points: int, milliseconds: int) -> int:
    return points << 32 | (2**32 - 1 - milliseconds)


def ordered(standings: Iterable[BoardStanding]) -> list[tuple[int, int]]:
    """The model: the higher score, then the earlier finish, then the smaller entry."""
    there = [s for s in standings if not s.removed]
    best = sorted(there, key=lambda s: (-s.score, s.finish_ms, s.entry))
    return [(s.entry, s.score) for s in best]


def built(kv: RedisClient, rows: Iterable[BoardStanding] = (), board: str = BOARD) -> Leaderboard:
    boards = Leaderboard(kv)
    token = boards.begin_build(GROUP, board)
    assert token is not None
    assert boards.load_rows(GROUP, board, token, rows)
    assert boards.finish_build(GROUP, board, token)
    return boards


def change(
    entry: int,
    score: int,
    finish_ms: int = NOON,
    version: int = 1,
    *,
    board: str = BOARD,
    removed: bool = False,
) -> Change:
    return Change(
        board=board,
        entry=entry,
        score=score,
        finish_ms=finish_ms,
        version=version,
        removed=removed,
    )
