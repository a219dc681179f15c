"""Eight writers, a builder and a flusher at once; at rest a ready board equals the database."""

from __future__ import annotations

import random
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from server.base.redis.client import RedisClient
from server.base.redis.leaderboard import BoardStanding, Change, Leaderboard

GROUP = "con_1"
BOARD = "total"
WRITERS = 8


class Database:
    """Committed standings: the independent model, with one writer at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rows: dict[int, BoardStanding] = {}

    def commit(self, entry: int, dice: random.Random) -> Change:
        with self._lock:
            before = self._rows.get(entry)
            row = BoardStanding(
                entry=entry,
                score=dice.randrange(50),
                finish_ms=1_781_000_000_000 + dice.randrange(20),
                version=1 if before is None else before.version + 1,
                removed=dice.random() < 0.1,
            )
            self._rows[entry] = row
        return Change(
            board=BOARD,
            entry=entry,
            score=row.score,
            finish_ms=row.finish_ms,
            version=row.version,
            removed=row.removed,
        )

    def read(self, first: int, last: int) -> list[BoardStanding]:
        with self._lock:
            return [self._rows[n] for n in range(first, last) if n in self._rows]

    def ordered(self) -> list[tuple[int, int]]:
        there = [row for row in self._rows.values() if not row.removed]
        best = sorted(there, key=lambda row: (-row.score, row.finish_ms, row.entry))
        return [(row.entry, row.score) for row in best]


def build(boards: Leaderboard, database: Database) -> bool:
    token = boards.begin_build(GROUP, BOARD)
    if token is None:
        return False
    for first in range(0, 120, 30):
        if not boards.load_rows(GROUP, BOARD, token, database.read(first, first + 30)):
            return False
    return boards.finish_build(GROUP, BOARD, token)


def write(boards: Leaderboard, database: Database, seed: int) -> None:
    dice = random.Random(seed)
    late: list[Change] = []
    for _ in range(60):
        late.append(database.commit(dice.randrange(120), dice))
        # What is committed first may well arrive last.
        if len(late) > 3 or dice.random() < 0.5:
            dice.shuffle(late)
            boards.apply_changes(GROUP, late)
            late = []
    boards.apply_changes(GROUP, late)


def keep_building(boards: Leaderboard, database: Database, writing: threading.Event) -> list[bool]:
    outcomes = [build(boards, database)]
    while writing.is_set():
        outcomes.append(build(boards, database))
    return outcomes


def flush_now_and_then(kv: RedisClient, times: int) -> None:
    for _ in range(times):
        kv.run_command("FLUSHALL")
        for _ in range(30):
            kv.run_command("PING")


def one_round(kv: RedisClient, database: Database, seeds: range, flushes: int) -> list[bool]:
    boards, writing = Leaderboard(kv), threading.Event()
    writing.set()
    with ThreadPoolExecutor(len(seeds) + 2) as pool:
        builder = pool.submit(keep_building, boards, database, writing)
        flusher = pool.submit(flush_now_and_then, kv, flushes)
        try:
            for writer in [pool.submit(write, boards, database, seed) for seed in seeds]:
                writer.result()
            flusher.result()
        finally:
            writing.clear()
        return builder.result()


@pytest.mark.race
@pytest.mark.parametrize("flushes", [0, 20])
def test_a_ready_board_at_rest_equals_the_database(kv: RedisClient, flushes: int) -> None:
    boards = Leaderboard(kv)
    database = Database()
    outcomes: list[bool] = []
    for number in range(4):
        seeds = range(number * WRITERS, (number + 1) * WRITERS)
        outcomes += one_round(kv, database, seeds, flushes)
        if boards.read_top(GROUP, BOARD, 200) is None:
            assert build(boards, database)
        assert boards.read_top(GROUP, BOARD, 200) == database.ordered()
        assert boards.read_size(GROUP, BOARD) == len(database.ordered())
    assert True in outcomes
    assert flushes or False not in outcomes
