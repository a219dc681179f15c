"""Leaderboard against a sorted list: order, ties, builds, flushes, changes out of order."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from server.base.clock import SystemClock
from server.base.redis.client import RedisClient, RedisUnavailable, create_client
from server.base.redis.embedded import EmbeddedServer
from server.base.redis.leaderboard import (
    Ahead,
    BoardStanding,
    Change,
    Leaderboard,
    Line,
    Rank,
    View,
)
from tests.base.redis.boards import BOARD, GROUP, NOON, built, change, ordered, packed


def test_a_board_that_nobody_built_answers_nothing(kv: RedisClient) -> None:
    boards = Leaderboard(kv)
    boards.apply_changes(GROUP, [change(1, 100)])
    assert boards.read_top(GROUP, BOARD, 10) is None
    assert boards.read_size(GROUP, BOARD) is None
    assert boards.read_rank(GROUP, BOARD, 1) is None
    assert boards.read_around(GROUP, BOARD, 1, 2) is None
    assert boards.count_ahead(GROUP, [BOARD], 100, 1) == [None]
    assert boards.read_view(GROUP, BOARD, 1, 10, 2) is None
    assert kv.run_command("KEYS", "board:*") == []


def test_an_empty_board_is_ready_all_the_same(kv: RedisClient) -> None:
    boards = built(kv)
    assert boards.read_view(GROUP, BOARD, 1, 10, 2) == View([], 0, Rank(None, None), [])
    assert boards.read_top(GROUP, BOARD, 10) == []
    boards.apply_changes(GROUP, [change(1, 100)])
    assert boards.read_top(GROUP, BOARD, 10) == [(1, 100)]


def test_a_board_marked_by_an_earlier_version_is_built_anew(kv: RedisClient) -> None:
    boards = built(kv, [BoardStanding(1, 100, NOON, 1)])
    (ready,) = kv.run_command("KEYS", "board:*:r:*")  # type: ignore[misc]  # a list of keys
    kv.run_command("SET", ready, "0123456789abcdef")
    boards.apply_changes(GROUP, [change(2, 200)])
    assert boards.read_size(GROUP, BOARD) is None
    assert built(kv, [BoardStanding(1, 100, NOON, 1), BoardStanding(2, 200, NOON, 1)]).read_top(
        GROUP, BOARD, 9
    ) == [(2, 200), (1, 100)]


def test_an_entry_that_is_not_on_the_board_has_no_place(kv: RedisClient) -> None:
    boards = built(kv, [BoardStanding(1, 100, NOON, 1)])
    assert boards.read_rank(GROUP, BOARD, 2) == Rank(None, None)
    assert boards.read_around(GROUP, BOARD, 2, 5) == []
    assert boards.read_rank(GROUP, BOARD, 1) == Rank(1, 100)


def test_equal_scores_rank_by_finish_and_then_by_entry(kv: RedisClient) -> None:
    rows = [
        BoardStanding(12, 100, NOON, 1),
        BoardStanding(3, 100, NOON, 1),
        BoardStanding(200, 100, NOON - 1, 1),
        BoardStanding(4, 99, NOON - 50, 1),
        BoardStanding(9_999_999_999, 100, NOON, 1),
        BoardStanding(0, 100, NOON, 1),
    ]
    boards = built(kv, rows)
    order = [200, 0, 3, 12, 9_999_999_999, 4]
    top = boards.read_top(GROUP, BOARD, 10)
    assert top is not None
    assert [entry for entry, _ in top] == order
    assert [boards.read_rank(GROUP, BOARD, entry) for entry in order] == [
        Rank(place, 99 if entry == 4 else 100) for place, entry in enumerate(order, start=1)
    ]


def test_scores_of_53_bits_are_told_apart(kv: RedisClient) -> None:
    most = packed(2**21 - 1, 0)
    assert most == 2**53 - 1
    boards = built(kv, [BoardStanding(1, most - 1, NOON, 1), BoardStanding(2, most, NOON, 1)])
    boards.apply_changes(GROUP, [change(3, most - 2), change(4, 0), change(5, -1)])
    assert boards.read_top(GROUP, BOARD, 9) == [
        (2, most),
        (1, most - 1),
        (3, most - 2),
        (4, 0),
        (5, -1),
    ]
    assert boards.read_rank(GROUP, BOARD, 1) == Rank(2, most - 1)
    assert boards.count_ahead(GROUP, [BOARD], most - 1, 3) == [Ahead(better=1, same=1)]
    assert boards.count_ahead(GROUP, [BOARD], most, 3) == [Ahead(better=0, same=1)]
    assert boards.count_ahead(GROUP, [BOARD], most, 2) == [Ahead(better=0, same=0)]


@pytest.mark.parametrize(
    "wrong",
    [
        BoardStanding(1, 2**53 + 1, NOON, 1),
        BoardStanding(10**10, 1, NOON, 1),
        BoardStanding(-1, 1, NOON, 1),
        BoardStanding(1, 1, -1, 1),
        BoardStanding(1, 1, 10**13, 1),
        BoardStanding(1, 1, NOON, -1),
    ],
)
def test_what_cannot_be_ordered_rightly_is_refused(kv: RedisClient, wrong: BoardStanding) -> None:
    with pytest.raises(ValueError, match=r"no |exactly"):
        built(kv, [wrong])


def test_a_better_standing_takes_the_old_one_away(kv: RedisClient) -> None:
    boards = built(kv, [BoardStanding(1, 100, NOON, 1), BoardStanding(2, 150, NOON, 1)])
    boards.apply_changes(GROUP, [change(1, 200, NOON + 5, 2)])
    assert boards.read_view(GROUP, BOARD, 1, 10, 1) == View(
        [(1, 200), (2, 150)], 2, Rank(1, 200), [Line(1, 1, 200), Line(2, 2, 150)]
    )


def test_an_older_change_that_comes_late_changes_nothing(kv: RedisClient) -> None:
    boards = built(kv)
    boards.apply_changes(GROUP, [change(1, 300, NOON, 3), change(1, 100, NOON, 1)])
    boards.apply_changes(GROUP, [change(1, 200, NOON, 2)])
    boards.apply_changes(GROUP, [change(1, 999, NOON, 3)])
    assert boards.read_top(GROUP, BOARD, 10) == [(1, 300)]
    boards.apply_changes(GROUP, [change(1, 50, NOON, 10)])
    assert boards.read_top(GROUP, BOARD, 10) == [(1, 50)]


def test_a_removed_entry_stays_away_until_something_newer_comes(kv: RedisClient) -> None:
    boards = built(kv, [BoardStanding(1, 100, NOON, 1), BoardStanding(2, 90, NOON, 1)])
    boards.apply_changes(GROUP, [change(1, 0, NOON, 3, removed=True)])
    boards.apply_changes(GROUP, [change(1, 200, NOON, 2)])
    assert boards.read_top(GROUP, BOARD, 10) == [(2, 90)]
    assert boards.read_rank(GROUP, BOARD, 1) == Rank(None, None)
    assert boards.count_ahead(GROUP, [BOARD], 89, 1) == [Ahead(better=1, same=0)]
    assert boards.count_ahead(GROUP, [BOARD], 90, 1) == [Ahead(better=0, same=1)]
    boards.apply_changes(GROUP, [change(1, 80, NOON, 4)])
    assert boards.read_top(GROUP, BOARD, 10) == [(2, 90), (1, 80)]


def test_a_removal_in_the_database_outlives_a_rebuild(kv: RedisClient) -> None:
    boards = built(kv, [BoardStanding(1, 0, 0, 5, removed=True), BoardStanding(2, 90, NOON, 1)])
    boards.apply_changes(GROUP, [change(1, 200, NOON, 4)])
    assert boards.read_top(GROUP, BOARD, 10) == [(2, 90)]


def test_one_call_brings_many_boards_and_touches_only_the_ready(kv: RedisClient) -> None:
    boards = built(kv, board="a")
    built(kv, board="b")
    boards.apply_changes(
        GROUP, [change(1, 5, board="a"), change(2, 6, board="b"), change(3, 7, board="c")]
    )
    assert boards.read_top(GROUP, "a", 10) == [(1, 5)]
    assert boards.read_top(GROUP, "b", 10) == [(2, 6)]
    assert boards.read_top(GROUP, "c", 10) is None
    assert boards.read_top("con_2", "a", 10) is None


def test_more_rows_than_one_batch_come_whole(kv: RedisClient) -> None:
    rows = [BoardStanding(n, n % 97, NOON + n % 7, 1) for n in range(1, 1301)]
    boards = built(kv, rows[:1201])
    boards.apply_changes(GROUP, [change(r.entry, r.score, r.finish_ms) for r in rows[700:]])
    assert boards.read_top(GROUP, BOARD, 2000) == ordered(rows)


def test_who_is_ahead_leaves_the_asker_out(kv: RedisClient) -> None:
    boards = built(kv, [BoardStanding(n, n * 10, NOON, 1) for n in range(1, 6)])

    def ahead(score: int, me: int) -> list[Ahead | None]:
        return boards.count_ahead(GROUP, [BOARD], score, me)

    assert ahead(30, 3) == [Ahead(better=2, same=0)]
    assert ahead(30, 5) == [Ahead(better=1, same=1)]
    assert ahead(30, 1) == [Ahead(better=2, same=1)]
    assert ahead(31, 77) == [Ahead(better=2, same=0)]
    assert ahead(51, 3) == [Ahead(better=0, same=0)]


def test_who_is_ahead_is_told_for_each_board_that_is_ready(kv: RedisClient) -> None:
    boards = built(kv, [BoardStanding(n, n * 10, NOON, 1) for n in range(1, 4)], board="a")
    built(kv, [BoardStanding(2, 20, NOON, 1)], board="c")
    told = boards.count_ahead(GROUP, ["a", "b", "c"], 20, 1)
    assert told == [Ahead(better=1, same=1), None, Ahead(better=0, same=1)]


def test_neighbours_end_with_the_board(kv: RedisClient) -> None:
    boards = built(kv, [BoardStanding(n, 100 - n, NOON, 1) for n in range(1, 8)])
    assert boards.read_around(GROUP, BOARD, 1, 2) == [Line(n, n, 100 - n) for n in (1, 2, 3)]
    assert boards.read_around(GROUP, BOARD, 4, 1) == [Line(n, n, 100 - n) for n in (3, 4, 5)]
    assert boards.read_around(GROUP, BOARD, 7, 2) == [Line(n, n, 100 - n) for n in (5, 6, 7)]
    assert boards.read_around(GROUP, BOARD, 4, 0) == [Line(4, 4, 96)]


ENTRIES = st.integers(1, 9)
CHANGES = st.lists(
    st.builds(
        change,
        entry=ENTRIES,
        score=st.integers(0, 3),
        finish_ms=st.integers(NOON, NOON + 2),
        version=st.integers(1, 6),
        removed=st.sampled_from([False, False, False, True]),
    ),
    max_size=25,
    unique_by=lambda c: (c.entry, c.version),
)


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(changes=CHANGES, cuts=st.tuples(st.integers(0, 25), st.integers(0, 25)), me=ENTRIES)
def test_any_order_of_changes_and_builds_gives_the_sorted_list(
    kv: RedisClient, changes: list[Change], cuts: tuple[int, int], me: int
) -> None:
    kv.run_command("FLUSHALL")
    boards = Leaderboard(kv)
    first, second = sorted(cuts)
    token = boards.begin_build(GROUP, BOARD) or ""
    boards.apply_changes(GROUP, changes[first:second])
    assert boards.load_rows(GROUP, BOARD, token, newest(changes[:first]).values())
    assert boards.finish_build(GROUP, BOARD, token)
    boards.apply_changes(GROUP, changes[second:])

    best = ordered(newest(changes).values())
    place = next((at for at, (entry, _) in enumerate(best, start=1) if entry == me), None)
    lines = [Line(at, *who) for at, who in enumerate(best, start=1)]
    rank = Rank(None, None) if place is None else Rank(place, best[place - 1][1])
    near = [] if place is None else lines[max(0, place - 3) : place + 2]
    assert boards.read_view(GROUP, BOARD, me, 5, 2) == View(best[:5], len(best), rank, near)
    for score in range(4):
        others = [its for entry, its in best if entry != me]
        better, same = sum(its > score for its in others), others.count(score)
        assert boards.count_ahead(GROUP, [BOARD], score, me) == [Ahead(better, same)]


def newest(changes: Iterable[Change]) -> dict[int, BoardStanding]:
    rows: dict[int, BoardStanding] = {}
    for c in sorted(changes, key=lambda c: c.version):
        rows[c.entry] = BoardStanding(c.entry, c.score, c.finish_ms, c.version, c.removed)
    return rows


def test_pages_of_a_shuffled_board_miss_nobody(kv: RedisClient) -> None:
    dice = random.Random(5)
    rows = [
        BoardStanding(n, dice.randrange(20), NOON + dice.randrange(5), 1) for n in range(1, 401)
    ]
    boards = built(kv, dice.sample(rows, len(rows)))
    best = ordered(rows)
    assert boards.read_top(GROUP, BOARD, 400) == best
    ranks = [boards.read_rank(GROUP, BOARD, entry) for entry, _ in best]
    assert ranks == [Rank(at, score) for at, (_, score) in enumerate(best, start=1)]


def test_without_redis_the_caller_hears_of_it(tmp_path: Path) -> None:
    boards = Leaderboard(create_client("embedded:", tmp_path, SystemClock()))
    calls: list[Callable[[], object]] = [
        lambda: boards.apply_changes(GROUP, [change(1, 1)]),
        lambda: boards.begin_build(GROUP, BOARD),
        lambda: boards.load_rows(GROUP, BOARD, "t", [BoardStanding(1, 1, NOON, 1)]),
        lambda: boards.finish_build(GROUP, BOARD, "t"),
        lambda: boards.read_view(GROUP, BOARD, 1, 10, 1),
        lambda: boards.count_ahead(GROUP, [BOARD], 1, 1),
        lambda: boards.drop_group(GROUP),
        lambda: boards.read_mark(GROUP, "synced"),
    ]
    for call in calls:
        with pytest.raises(RedisUnavailable):
            call()


def test_a_board_outlives_a_restart_of_the_server(
    own_server: EmbeddedServer, attach: Callable[..., RedisClient]
) -> None:
    kv = attach()
    boards = built(kv, [BoardStanding(1, 100, NOON, 1)])
    boards.apply_changes(GROUP, [change(2, 200)])
    own_server.stop_server()
    own_server.start_server()
    assert boards.read_top(GROUP, BOARD, 10) == [(2, 200), (1, 100)]


def test_a_mark_changes_with_the_first_hundred_places_alone(kv: RedisClient) -> None:
    boards = built(kv, [BoardStanding(n, 1000 - n, NOON, 1) for n in range(1, 151)])

    def mark() -> bytes:
        view = boards.read_view(GROUP, BOARD, None, 1, -1)
        assert view is not None
        return view.mark

    steps = [
        (change(120, 875, version=2), False),
        (change(149, 0, version=2, removed=True), False),
        (change(100, 901, version=2), True),
        (change(130, 980, version=2), True),
        (change(50, 0, version=2, removed=True), True),
        (change(50, 999, version=1), False),
        (change(200, 5000, version=1), True),
        (change(200, 1, version=2), True),
        (change(201, 2, version=1), False),
    ]
    for one, moves in steps:
        before = mark()
        boards.apply_changes(GROUP, [one])
        assert (mark() != before) is moves, one


def test_a_top_that_is_known_by_its_mark_is_not_told_again(kv: RedisClient) -> None:
    boards = built(kv, [BoardStanding(1, 10, NOON, 1), BoardStanding(2, 20, NOON, 1)])
    first = boards.read_view(GROUP, BOARD, 1, 10, 1)
    assert first is not None
    again = boards.read_view(GROUP, BOARD, 1, 10, 1, known=first.mark)
    assert again is not None
    assert (again.top, again.size, again.rank, again.around) == (
        None, first.size, first.rank, first.around,
    )  # fmt: skip
    boards.apply_changes(GROUP, [change(1, 30, version=2)])
    moved = boards.read_view(GROUP, BOARD, 1, 10, 1, known=first.mark)
    assert moved is not None
    assert moved.top == [(1, 30), (2, 20)]


def test_a_board_that_is_built_anew_has_a_mark_it_never_had(kv: RedisClient) -> None:
    marks = set()
    for _ in range(5):
        kv.run_command("FLUSHALL")
        view = built(kv, [BoardStanding(1, 10, NOON, 1)]).read_view(GROUP, BOARD, None, 1, -1)
        assert view is not None
        marks.add(view.mark)
    assert len(marks) == 5
