"""Building a board: what is committed meanwhile, flushes at every moment, what is left behind."""

from __future__ import annotations

import pytest

from server.base.redis.client import RedisClient
from server.base.redis.leaderboard import BoardStanding, Leaderboard
from tests.base.redis.boards import BOARD, GROUP, NOON, built, change


def test_two_do_not_build_at_once(kv: RedisClient) -> None:
    boards = Leaderboard(kv)
    first = boards.begin_build(GROUP, BOARD)
    assert first is not None
    assert boards.begin_build(GROUP, BOARD) is None
    assert boards.begin_build(GROUP, "another") is not None
    boards.abandon_build(GROUP, BOARD, "somebody")
    assert boards.begin_build(GROUP, BOARD) is None
    boards.abandon_build(GROUP, BOARD, first)
    second = boards.begin_build(GROUP, BOARD)
    assert second not in (None, first)
    assert not boards.load_rows(GROUP, BOARD, first, [BoardStanding(1, 1, NOON, 1)])
    assert not boards.finish_build(GROUP, BOARD, first)
    assert boards.finish_build(GROUP, BOARD, second or "")
    assert boards.read_top(GROUP, BOARD, 10) == []


def test_what_is_committed_during_a_build_is_in_it(kv: RedisClient) -> None:
    boards = Leaderboard(kv)
    token = boards.begin_build(GROUP, BOARD) or ""
    boards.apply_changes(GROUP, [change(1, 300, NOON, 3), change(9, 10, NOON, 1)])
    boards.apply_changes(GROUP, [change(1, 200, NOON, 2), change(3, 0, NOON, 2, removed=True)])
    rows = [BoardStanding(n, 100, NOON, 1) for n in (1, 2, 3)] + [BoardStanding(4, 100, NOON, 7)]
    assert boards.load_rows(GROUP, BOARD, token, rows[:2])
    boards.apply_changes(GROUP, [change(4, 50, NOON, 6), change(2, 120, NOON, 2)])
    assert boards.load_rows(GROUP, BOARD, token, rows[2:])
    assert boards.read_top(GROUP, BOARD, 10) is None
    assert boards.finish_build(GROUP, BOARD, token)
    assert boards.read_top(GROUP, BOARD, 10) == [(1, 300), (2, 120), (4, 100), (9, 10)]


def test_a_ready_board_serves_while_it_is_built_anew(kv: RedisClient) -> None:
    boards = built(kv, [BoardStanding(1, 100, NOON, 1), BoardStanding(2, 5, NOON, 1)])
    token = boards.begin_build(GROUP, BOARD) or ""
    assert boards.load_rows(GROUP, BOARD, token, [BoardStanding(1, 100, NOON, 1)])
    boards.apply_changes(GROUP, [change(1, 110, NOON, 2)])
    assert boards.read_top(GROUP, BOARD, 10) == [(1, 110), (2, 5)]
    assert boards.finish_build(GROUP, BOARD, token)
    assert boards.read_top(GROUP, BOARD, 10) == [(1, 110)]


def test_a_board_built_anew_from_nothing_is_empty(kv: RedisClient) -> None:
    boards = built(kv, [BoardStanding(1, 100, NOON, 1)])
    built(kv)
    assert boards.read_top(GROUP, BOARD, 10) == []
    boards.apply_changes(GROUP, [change(1, 50)])
    assert boards.read_top(GROUP, BOARD, 10) == [(1, 50)]


def test_rows_read_twice_count_once_and_the_newest_counts(kv: RedisClient) -> None:
    boards = built(
        kv,
        [
            BoardStanding(1, 100, NOON, 1),
            BoardStanding(2, 10, NOON, 1),
            BoardStanding(1, 300, NOON, 3),
            BoardStanding(1, 200, NOON + 1, 2),
            *(BoardStanding(n, 1, NOON, 1) for n in range(10, 600)),
            BoardStanding(2, 20, NOON + 9, 2),
            BoardStanding(1, 100, NOON, 1),
        ],
    )
    assert boards.read_top(GROUP, BOARD, 2) == [(1, 300), (2, 20)]
    assert boards.read_size(GROUP, BOARD) == 592


@pytest.mark.parametrize("moment", ["before loading", "between loads", "before finishing"])
def test_a_flush_during_a_build_loses_the_build_and_nothing_else(
    kv: RedisClient, moment: str
) -> None:
    boards = Leaderboard(kv)
    token = boards.begin_build(GROUP, BOARD) or ""
    if moment != "before loading":
        assert boards.load_rows(GROUP, BOARD, token, [BoardStanding(1, 100, NOON, 1)])
    kv.run_command("FLUSHALL")
    if moment != "before finishing":
        assert not boards.load_rows(GROUP, BOARD, token, [BoardStanding(2, 100, NOON, 1)])
    assert not boards.finish_build(GROUP, BOARD, token)
    assert boards.read_top(GROUP, BOARD, 10) is None
    assert kv.run_command("KEYS", "board:*") == []
    built(kv, [BoardStanding(1, 100, NOON, 1)])
    assert boards.read_top(GROUP, BOARD, 10) == [(1, 100)]


def test_a_build_begun_by_another_after_a_flush_is_not_disturbed(kv: RedisClient) -> None:
    boards = Leaderboard(kv)
    lost = boards.begin_build(GROUP, BOARD) or ""
    kv.run_command("FLUSHALL")
    token = boards.begin_build(GROUP, BOARD) or ""
    assert not boards.load_rows(GROUP, BOARD, lost, [BoardStanding(66, 666, NOON, 6)])
    assert boards.load_rows(GROUP, BOARD, token, [BoardStanding(1, 100, NOON, 1)])
    assert not boards.finish_build(GROUP, BOARD, lost)
    assert boards.finish_build(GROUP, BOARD, token)
    assert boards.read_top(GROUP, BOARD, 10) == [(1, 100)]


def test_leavings_of_a_build_that_died_do_not_get_into_the_next(kv: RedisClient) -> None:
    boards = Leaderboard(kv)
    dead = boards.begin_build(GROUP, BOARD) or ""
    boards.load_rows(GROUP, BOARD, dead, [BoardStanding(66, 666, NOON, 6)])
    boards.apply_changes(GROUP, [change(67, 667, NOON, 6)])
    kv.run_command("DEL", f"board:{{{GROUP}}}:b:{BOARD}")  # as if its lease had run out
    built(kv, [BoardStanding(1, 100, NOON, 1)])
    assert boards.read_top(GROUP, BOARD, 10) == [(1, 100)]


def test_a_lease_and_all_leavings_end_by_themselves(kv: RedisClient) -> None:
    boards = Leaderboard(kv)
    token = boards.begin_build(GROUP, BOARD) or ""
    boards.load_rows(GROUP, BOARD, token, [BoardStanding(1, 1, NOON, 1)])
    boards.apply_changes(GROUP, [change(2, 2)])
    lease = kv.run_command("PTTL", f"board:{{{GROUP}}}:b:{BOARD}")
    assert isinstance(lease, int)
    assert 0 < lease <= 30_000
    for part in "ZHp":
        left = kv.run_command("TTL", f"board:{{{GROUP}}}:{part}:{BOARD}")
        assert isinstance(left, int)
        assert 0 < left <= 3600


def test_a_board_of_a_past_day_expires_with_its_mark_first(kv: RedisClient) -> None:
    boards = Leaderboard(kv)
    token = boards.begin_build(GROUP, BOARD) or ""
    boards.load_rows(GROUP, BOARD, token, [BoardStanding(1, 1, NOON, 1)])
    assert boards.finish_build(GROUP, BOARD, token, expire_seconds=100)
    boards.apply_changes(GROUP, [change(2, 2)])
    parts = {part: kv.run_command("TTL", f"board:{{{GROUP}}}:{part}:{BOARD}") for part in "rzh"}
    assert all(isinstance(left, int) for left in parts.values())
    assert 0 < int(str(parts["r"])) <= 100 < int(str(parts["z"])) <= 160
    assert 100 < int(str(parts["h"])) <= 160


def test_a_board_of_a_running_contest_does_not_expire(kv: RedisClient) -> None:
    built(kv, [BoardStanding(1, 1, NOON, 1)])
    assert [kv.run_command("TTL", f"board:{{{GROUP}}}:{part}:{BOARD}") for part in "rzh"] == [
        -1
    ] * 3


def test_a_dropped_group_leaves_no_key(kv: RedisClient) -> None:
    boards = built(kv, [BoardStanding(1, 1, NOON, 1)])
    built(kv, [BoardStanding(1, 1, NOON, 1)], board="day:2026-05-01|city:450100")
    running = boards.begin_build(GROUP, "half") or ""
    boards.load_rows(GROUP, "half", running, [BoardStanding(1, 1, NOON, 1)])
    boards.store_mark(GROUP, "synced", 17)
    boards.store_mark("con_2", "synced", "x")
    boards.drop_group(GROUP)
    assert boards.read_mark(GROUP, "synced") is None
    assert not boards.finish_build(GROUP, "half", running)
    assert kv.run_command("KEYS", "board:*") == [b"board:{con_2}:marks:"]
    boards.drop_group("con_never")


def test_a_mark_is_kept_until_everything_is_lost(kv: RedisClient) -> None:
    boards = Leaderboard(kv)
    assert boards.read_mark(GROUP, "synced") is None
    boards.store_mark(GROUP, "synced", 17)
    boards.store_mark(GROUP, "synced", 18)
    assert boards.read_mark(GROUP, "synced") == "18"
    kv.run_command("FLUSHALL")
    assert boards.read_mark(GROUP, "synced") is None


def test_all_keys_of_a_group_lie_together(kv: RedisClient) -> None:
    boards = built(kv, [BoardStanding(1, 1, NOON, 1)])
    boards.store_mark(GROUP, "synced", 1)
    boards.begin_build(GROUP, BOARD)
    boards.apply_changes(GROUP, [change(2, 2)])
    keys = kv.run_command("KEYS", "*")
    assert isinstance(keys, list)
    assert len(keys) == 7
    assert all(f"{{{GROUP}}}" in str(key) for key in keys)
    with pytest.raises(ValueError, match="group"):
        boards.store_mark("a{b", "x", 1)
