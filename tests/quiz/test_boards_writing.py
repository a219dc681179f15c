"""Papers, moves, erasures and joins on the boards, and what heals when Redis lost something."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from server.accounts.models import Citizen
from server.base.jobs import TaskContext, run_until_idle
from server.base.redis.client import RedisUnavailable
from server.base.uow import UnitOfWorkFactory
from server.quiz.attempts import personal_data as board_hooks
from server.quiz.contests.service import ContestView
from server.quiz.leaderboards import board_keys, board_view, rank_order
from server.quiz.leaderboards import tasks as board_tasks
from server.quiz.leaderboards.board_view import Board
from server.quiz.leaderboards.commands import rebuild_leaderboards
from server.quiz.leaderboards.service import Ranks
from server.quiz.models import Attempt, Entry, Standing
from tests.kit import boards as kit
from tests.kit.boards import a_contest, a_paper, an_entry, answer_wake_ups, hand_in, recounted
from tests.kit.clock import FakeClock

NANNING, LIUZHOU = "450100", "450200"
Rung = list[tuple[str, tuple[int, ...]]]


def read(uow_factory: UnitOfWorkFactory, contest: ContestView, **asked: object) -> Board:
    with uow_factory.begin(read_only=True) as uow:
        return board_view.read_board(uow, contest, **asked)  # type: ignore[arg-type]


def scores(
    uow_factory: UnitOfWorkFactory, contest: ContestView, scope: str = "region"
) -> list[float]:
    return [line.score for line in read(uow_factory, contest, scope=scope, limit=100).items]


def in_redis(
    uow_factory: UnitOfWorkFactory, contest: ContestView, board: str = "total/region"
) -> list[int] | None:
    """Points on a board as Redis alone tells them, None while it is not ready."""
    group = board_keys.group_name(contest.id)
    top = uow_factory.dependencies.kv.leaderboard.read_top(group, board, 100)
    return None if top is None else [rank_order.unpack_score(score).points for _, score in top]


def build(uow_factory: UnitOfWorkFactory, contest: ContestView, *names: str) -> None:
    for board in names or ("total/region",):
        assert board_tasks.build_board(uow_factory, contest.id, board)


def sync(uow_factory: UnitOfWorkFactory) -> int:
    return board_tasks.sync_boards(TaskContext(uow_factory=uow_factory, gateway=None))


def flush(uow_factory: UnitOfWorkFactory) -> None:
    uow_factory.dependencies.kv.kv.run_command("FLUSHALL")


def a_game(
    uow_factory: UnitOfWorkFactory, count: int, **columns: Any
) -> tuple[ContestView, list[int], list[int]]:
    """A contest with citizens of Nanning in it: contest, citizens, entries."""
    with uow_factory.begin() as uow:
        contest = a_contest(uow, papers_per_day=20)
        people = kit.people(uow, count, city=NANNING, **columns)
        placed = [an_entry(uow, contest, citizen, city=NANNING) for citizen in people]
    return contest, people, placed


def test_a_paper_is_on_the_board_when_its_transaction_is_over(
    either: UnitOfWorkFactory, without: UnitOfWorkFactory
) -> None:
    contest, people, placed = a_game(either, 2)
    build(either, contest)
    for uow_factory in (either, without):
        for citizen, entry in zip(people, placed, strict=True):
            with uow_factory.begin() as uow:
                hand_in(uow, contest, entry, score=50)
            mine = read(uow_factory, contest, citizen_id=citizen).me
            assert mine is not None
            assert mine.score == 50
            assert in_redis(either, contest) is not None


def test_the_ranks_of_a_submission_are_those_of_the_board(
    either: UnitOfWorkFactory, without: UnitOfWorkFactory, clock: FakeClock
) -> None:
    contest, people, placed = a_game(either, 9)
    with either.begin() as uow:
        uow.session.execute(update(Entry).where(Entry.id.in_(placed[6:])).values(city=None))
    build(either, contest, "total/region", f"total/city:{NANNING}")
    papers = [(30, 5), (30, 5), (90, 5), (30, 4), (0, 9), (30, 5), (30, 5), (90, 5), (10, 5)]
    for at, (score, time_ms) in enumerate(papers):
        uow_factory = (either, without)[at % 2]
        with uow_factory.begin() as uow:
            ranks = hand_in(uow, contest, placed[at], score=score, time_ms=time_ms)
        if uow_factory is without:
            sync(either)
        for source in (either, without):
            region = read(source, contest, citizen_id=people[at]).me
            city = read(source, contest, scope=f"city:{NANNING}", citizen_id=people[at]).me
            assert ranks == Ranks(
                region=region.rank if region else 0, city=city.rank if city else None
            )


def test_a_paper_closed_by_the_clock_ranks_by_its_end_not_by_the_sweep(
    either: UnitOfWorkFactory, without: UnitOfWorkFactory, clock: FakeClock
) -> None:
    contest, people, placed = a_game(either, 4)
    build(either, contest, "total/region", f"total/city:{NANNING}")
    ended = clock.now() - timedelta(seconds=30)
    for uow_factory, (entry, citizen), late in zip(
        (either, without, either, without),
        zip(reversed(placed), reversed(people), strict=True),
        (9, 3, 6, 0),
        strict=True,
    ):
        with uow_factory.begin() as uow:
            closed = ended + timedelta(seconds=late)
            ranks = hand_in(
                uow, contest, entry, score=0, time_ms=300_000, state="expired", closed_at=closed
            )
        mine = read(without, contest, citizen_id=citizen).me
        assert mine is not None
        assert (ranks.region, ranks.city) == (mine.rank, mine.rank)


def test_a_worse_paper_under_the_last_paper_policy_moves_its_owner_down(
    either: UnitOfWorkFactory, without: UnitOfWorkFactory
) -> None:
    with either.begin() as uow:
        contest = a_contest(uow, season="last_paper", papers_per_day=9)
        mine, other = kit.entries(uow, contest, 2)
    build(either, contest)
    for uow_factory in (either, without):
        with uow_factory.begin() as uow:
            assert hand_in(uow, contest, other, score=50).region == 1
        with uow_factory.begin() as uow:
            assert hand_in(uow, contest, mine, score=90).region == 1
        with uow_factory.begin() as uow:
            assert hand_in(uow, contest, mine, score=10).region == 2
        assert scores(uow_factory, contest) == [50, 10]
        sync(either)


def test_the_day_and_week_of_the_start_count_wherever_the_paper_ends(
    uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    contest, _, (entry,) = a_game(uow_factory, 1)
    # Started at 23:59 of a Sunday, handed in on Monday.
    clock.set(clock.now().replace(month=5, day=3, hour=16, minute=1))
    with uow_factory.begin() as uow:
        hand_in(uow, contest, entry, score=70, time_ms=120_000)
    assert scores_of(uow_factory, contest, "day:2026-05-03") == [70]
    assert scores_of(uow_factory, contest, "day:2026-05-04") == []
    assert scores_of(uow_factory, contest, "week:2026-W18") == [70]
    assert scores_of(uow_factory, contest, "week:2026-W19") == []


def scores_of(uow_factory: UnitOfWorkFactory, contest: ContestView, period: str) -> list[float]:
    return [line.score for line in read(uow_factory, contest, period=period).items]


def test_a_flush_changes_no_answer_and_heals_by_itself(
    either: UnitOfWorkFactory, rung: Rung
) -> None:
    contest, people, placed = a_game(either, 3)
    build(either, contest)
    for score, entry in zip((10, 30, 20), placed, strict=True):
        with either.begin() as uow:
            hand_in(uow, contest, entry, score=score)
    before = read(either, contest, citizen_id=people[0])
    flush(either)
    rung.clear()
    assert read(either, contest, citizen_id=people[0]) == before
    assert in_redis(either, contest) is None
    assert [name for name, _ in rung] == ["quiz.rebuild_boards"]
    assert answer_wake_ups(either, rung) == 1
    assert in_redis(either, contest) == [30, 20, 10]
    assert read(either, contest, citizen_id=people[0]) == before


def test_many_readers_of_a_lost_board_ring_once(uow_factory: UnitOfWorkFactory, rung: Rung) -> None:
    contest, _, _ = a_game(uow_factory, 1)
    for _ in range(20):
        read(uow_factory, contest)
    assert len(rung) == 1


def test_nobody_rings_while_redis_is_away(
    without: UnitOfWorkFactory, uow_factory: UnitOfWorkFactory, rung: Rung
) -> None:
    contest, _, (entry,) = a_game(uow_factory, 1)
    rung.clear()
    for _ in range(3):
        read(without, contest)
        with without.begin() as uow:
            hand_in(uow, contest, entry, score=10)
    assert rung == []


def test_after_a_flush_the_sweep_asks_for_the_main_boards(
    either: UnitOfWorkFactory, rung: Rung, clock: FakeClock
) -> None:
    contest, _, (entry,) = a_game(either, 1)
    with either.begin() as uow:
        hand_in(uow, contest, entry, score=40)
    sync(either)
    flush(either)
    rung.clear()
    sync(either)
    answer_wake_ups(either, rung)
    for board in (
        "total/region", "day:2026-05-01/region", "week:2026-W18/region", f"total/city:{NANNING}",
    ):  # fmt: skip
        assert in_redis(either, contest, board) == [40]
    assert in_redis(either, contest, f"total/city:{LIUZHOU}") == []


def test_boards_of_a_contest_long_over_are_built_for_readers_only(
    uow_factory: UnitOfWorkFactory, rung: Rung, clock: FakeClock
) -> None:
    contest, _, (entry,) = a_game(uow_factory, 1)
    with uow_factory.begin() as uow:
        hand_in(uow, contest, entry, score=40)
    clock.set(contest.closes_at + timedelta(days=2))
    flush(uow_factory)
    rung.clear()
    sync(uow_factory)
    assert rung == []
    assert scores(uow_factory, contest) == [40]
    assert answer_wake_ups(uow_factory, rung) == 1
    assert in_redis(uow_factory, contest) == [40]


def test_killed_between_commit_and_board_is_healed_by_the_next_sweep(
    either: UnitOfWorkFactory, clock: FakeClock
) -> None:
    contest, _, (first, second) = a_game(either, 2)
    build(either, contest)
    sync(either)
    clock.advance(2)
    with either.begin() as uow:
        hand_in(uow, contest, first, score=80)
        uow.after_commit_calls.clear()  # the process dies right after its commit
    assert in_redis(either, contest) == []
    assert sync(either) == 3
    assert in_redis(either, contest) == [80]
    clock.advance(2)
    assert sync(either) == 0
    with either.begin() as uow:
        hand_in(uow, contest, second, score=90)
    assert in_redis(either, contest) == [90, 80]


def test_a_transaction_that_was_open_during_a_sweep_is_found_by_the_next(
    either: UnitOfWorkFactory, clock: FakeClock
) -> None:
    contest, _, (entry, _) = a_game(either, 2)
    build(either, contest)
    with either.begin() as uow:
        hand_in(uow, contest, entry, score=80)
        clock.advance(5)
        sync(either)
        uow.after_commit_calls.clear()  # the process dies right after its commit
    assert in_redis(either, contest) == []
    sync(either)
    assert in_redis(either, contest) == [80]


def test_what_was_written_while_redis_was_away_comes_with_the_next_sweep(
    either: UnitOfWorkFactory, without: UnitOfWorkFactory, clock: FakeClock
) -> None:
    contest, people, placed = a_game(either, 30)
    build(either, contest)
    sync(either)
    for at, entry in enumerate(placed):
        clock.advance(30)
        with without.begin() as uow:
            hand_in(uow, contest, entry, score=at)
        mine = read(without, contest, citizen_id=people[at]).me
        assert mine is not None
        assert mine.rank == 1
    assert in_redis(either, contest) == []
    assert sync(either) == 90
    assert in_redis(either, contest) == list(range(29, -1, -1))


def test_the_same_client_goes_on_when_redis_comes_back(
    uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    contest, _, placed = a_game(uow_factory, 3)
    build(uow_factory, contest)
    sync(uow_factory)
    clock.advance(2)
    server = uow_factory.dependencies.kv.kv.redis_for_jobs().connection_pool.connection_kwargs[
        "server"
    ]
    server.connected = False
    with uow_factory.begin() as uow:
        hand_in(uow, contest, placed[0], score=10)
    assert scores(uow_factory, contest) == [10]
    assert sync(uow_factory) == 0
    server.connected = True
    clock.advance(6)
    assert sync(uow_factory) == 3
    assert in_redis(uow_factory, contest) == [10]
    assert scores(uow_factory, contest) == [10]


def test_a_long_absence_is_made_good_in_pieces(
    either: UnitOfWorkFactory, without: UnitOfWorkFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.quiz.leaderboards.standings_queries.CHUNK", 7)
    contest, _, placed = a_game(either, 25)
    build(either, contest)
    sync(either)
    for entry in placed:
        with without.begin() as uow:
            hand_in(uow, contest, entry, score=10)
    sync(either)
    assert in_redis(either, contest) == [10] * 25
    flush(either)
    build(either, contest)
    assert in_redis(either, contest) == [10] * 25


@pytest.mark.parametrize("days", [-30, -1, 1, 30])
def test_a_clock_that_jumps_loses_nothing(
    days: int, either: UnitOfWorkFactory, clock: FakeClock
) -> None:
    contest, _, (first, second) = a_game(either, 2)
    build(either, contest)
    sync(either)
    with either.begin() as uow:
        hand_in(uow, contest, first, score=10)
        uow.after_commit_calls.clear()
    clock.set(clock.now() + timedelta(days=days))
    with either.begin() as uow:
        hand_in(uow, contest, second, score=20)
        uow.after_commit_calls.clear()
    sync(either)
    if in_redis(either, contest) is None:
        build(either, contest)
    assert in_redis(either, contest) == [20, 10]
    sync(either)
    assert in_redis(either, contest) == [20, 10]


def test_a_flush_in_the_middle_of_a_build_makes_it_begin_anew(
    either: UnitOfWorkFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    contest, _, placed = a_game(either, 12)
    for entry in placed:
        with either.begin() as uow:
            hand_in(uow, contest, entry, score=10)
    monkeypatch.setattr("server.quiz.leaderboards.standings_queries.CHUNK", 5)
    rows = board_tasks.standings_queries.board_rows
    flushes = iter([True, True])

    def flushed(*asked: Any) -> Iterator[Any]:
        for at, row in enumerate(rows(*asked)):
            if at == 8 and next(flushes, False):
                flush(either)
            yield row

    monkeypatch.setattr("server.quiz.leaderboards.standings_queries.board_rows", flushed)
    build(either, contest)
    assert in_redis(either, contest) == [10] * 12


def test_a_paper_handed_in_while_a_board_is_built_is_on_it(either: UnitOfWorkFactory) -> None:
    contest, _, (first, second) = a_game(either, 2)
    with either.begin() as uow:
        hand_in(uow, contest, first, score=10)
    group, leaderboard = board_keys.group_name(contest.id), either.dependencies.kv.leaderboard
    token = leaderboard.begin_build(group, "total/region")
    assert token is not None
    with either.begin() as uow:
        hand_in(uow, contest, second, score=20)
        hand_in(uow, contest, first, score=15)
    assert leaderboard.finish_build(group, "total/region", token)
    assert in_redis(either, contest) == [20, 15]


def test_two_builders_do_not_get_in_each_others_way(either: UnitOfWorkFactory) -> None:
    contest, _, _ = a_game(either, 1)
    group = board_keys.group_name(contest.id)
    assert either.dependencies.kv.leaderboard.begin_build(group, "total/region") is not None
    assert not board_tasks.build_board(either, contest.id, "total/region")


def test_tasks_do_nothing_while_redis_is_away(
    without: UnitOfWorkFactory, uow_factory: UnitOfWorkFactory
) -> None:
    contest, _, _ = a_game(uow_factory, 1)
    context = TaskContext(uow_factory=without, gateway=None)
    assert board_tasks.sync_boards(context) == 0
    assert board_tasks.rebuild_boards(context, contest.id) == 0
    with pytest.raises(RedisUnavailable):
        rebuild_leaderboards(without, lambda _done, _total: None)


def test_a_worker_that_runs_until_idle_comes_to_an_end(uow_factory: UnitOfWorkFactory) -> None:
    contest, _, (entry,) = a_game(uow_factory, 1)
    with uow_factory.begin() as uow:
        hand_in(uow, contest, entry, score=10)
    context = TaskContext(uow_factory=uow_factory, gateway=None)
    assert run_until_idle(context, board_tasks.BOARD_TASKS, rounds=5) <= 3
    assert run_until_idle(context, board_tasks.BOARD_TASKS, rounds=5) == 0


def test_the_command_builds_every_board_that_holds_anybody(either: UnitOfWorkFactory) -> None:
    with either.begin() as uow:
        contest, other = a_contest(uow), a_contest(uow)
        unit = kit.a_unit(uow)
        place = {"city": NANNING, "county": "450103", "unit_id": unit.id, "audience": "youth"}
        hand_in(uow, contest, *kit.entries(uow, contest, 1, **place), score=60)
        hand_in(uow, other, *kit.entries(uow, other, 1), score=70)
    told: list[tuple[int, int]] = []
    report = rebuild_leaderboards(either, lambda done, total: told.append((done, total)))
    assert report.contests == 2
    assert report.busy == 0
    assert told == [(at, report.boards) for at in range(1, report.boards + 1)]
    scopes = ("region", f"city:{NANNING}", "county:450103", f"unit:{unit.id}", "audience:youth")
    for period, scope in itertools.product(("total", "day:2026-05-01", "week:2026-W18"), scopes):
        assert in_redis(either, contest, f"{period}/{scope}") == [60]
    assert in_redis(either, other) == [70]


# --- people who move, go and turn out to be one ---------------------------------------------


def move(uow_factory: UnitOfWorkFactory, citizen: int, **place: Any) -> None:
    with uow_factory.begin() as uow:
        uow.session.execute(update(Citizen).where(Citizen.id == citizen).values(**place))
        board_hooks.relocate_entries(uow, citizen)


Lost = Callable[[UnitOfWorkFactory, int], None]


def moved_aloud(uow_factory: UnitOfWorkFactory, citizen: int) -> None:
    move(uow_factory, citizen, city=LIUZHOU)


def moved_and_killed(uow_factory: UnitOfWorkFactory, citizen: int) -> None:
    with uow_factory.begin() as uow:
        uow.session.execute(update(Citizen).where(Citizen.id == citizen).values(city=LIUZHOU))
        board_hooks.relocate_entries(uow, citizen)
        uow.after_commit_calls.clear()
    sync(uow_factory)


@pytest.mark.parametrize("moving", [moved_aloud, moved_and_killed])
def test_who_moves_leaves_the_old_boards_and_takes_all_along(
    moving: Lost, either: UnitOfWorkFactory, without: UnitOfWorkFactory
) -> None:
    contest, people, placed = a_game(either, 2)
    build(either, contest, "total/region", f"total/city:{NANNING}", f"total/city:{LIUZHOU}")
    sync(either)
    for score, entry in zip((60, 50), placed, strict=True):
        with either.begin() as uow:
            hand_in(uow, contest, entry, score=score)
    moving(either, people[0])
    assert in_redis(either, contest, f"total/city:{NANNING}") == [50]
    assert in_redis(either, contest, f"total/city:{LIUZHOU}") == [60]
    assert in_redis(either, contest) == [60, 50]
    for source in (either, without):
        assert scores(source, contest) == [60, 50]
        assert scores(source, contest, f"city:{NANNING}") == [50]
        assert scores(source, contest, f"city:{LIUZHOU}") == [60]
    move(either, people[0], city=NANNING)
    assert in_redis(either, contest, f"total/city:{NANNING}") == [60, 50]
    assert in_redis(either, contest, f"total/city:{LIUZHOU}") == []
    with either.begin() as uow:
        assert hand_in(uow, contest, placed[1], score=70) == Ranks(region=1, city=1)


def test_a_place_chosen_after_the_first_paper_brings_it_to_the_boards(
    uow_factory: UnitOfWorkFactory,
) -> None:
    with uow_factory.begin() as uow:
        contest = a_contest(uow)
        (citizen,) = kit.people(uow, 1)
        assert hand_in(uow, contest, an_entry(uow, contest, citizen), score=30).city is None
    move(uow_factory, citizen, city=NANNING, county="450103", audience="farmer")
    for scope in (f"city:{NANNING}", "county:450103", "audience:farmer"):
        assert scores(uow_factory, contest, scope) == [30]


def test_who_moves_after_the_end_stays_where_he_was_counted(
    uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    contest, (citizen,), (entry,) = a_game(uow_factory, 1)
    with uow_factory.begin() as uow:
        hand_in(uow, contest, entry, score=60)
    clock.set(contest.closes_at)
    move(uow_factory, citizen, city=LIUZHOU)
    assert scores(uow_factory, contest, f"city:{NANNING}") == [60]
    assert scores(uow_factory, contest, f"city:{LIUZHOU}") == []


def test_who_is_erased_keeps_the_rank_without_a_name(
    either: UnitOfWorkFactory, without: UnitOfWorkFactory
) -> None:
    contest, people, placed = a_game(either, 3, public_rank=True)
    build(either, contest)
    for score, entry in zip((30, 20, 10), placed, strict=True):
        with either.begin() as uow:
            hand_in(uow, contest, entry, score=score)
    before = read(either, contest)
    with either.begin() as uow:
        board_hooks.erase_entries(uow, people[1])
        uow.session.execute(
            update(Citizen)
            .where(Citizen.id == people[1])
            .values(erased_at=uow.now, nickname=None, city=None)
        )
    for source in (either, without):
        after = read(source, contest)
        assert after.total == before.total
        assert [line.rank for line in after.items] == [1, 2, 3]
        assert [line.score for line in after.items] == [30, 20, 10]
        assert after.items[1].nickname == "已注销用户"
        assert after.items[1].city == NANNING
    with either.begin() as uow:
        entry = uow.session.get_one(Entry, placed[1])
        assert entry.erased_at == uow.now
        assert len(uow.session.scalars(select(Attempt)).all()) == 3


def test_the_export_holds_entries_papers_and_answers(uow_factory: UnitOfWorkFactory) -> None:
    contest, (citizen, other), placed = a_game(uow_factory, 2)
    with uow_factory.begin() as uow:
        for entry in placed:
            hand_in(uow, contest, entry, score=40)
        a_paper(uow, contest, placed[0], score=0, state="open")
        papers: Any = board_hooks.tell_papers(uow, citizen)
        assert [(p["contest"], p["state"], p["score"]) for p in papers] == [
            (contest.title, "submitted", 40),
            (contest.title, "open", None),
        ]
        assert board_hooks.tell_entries(uow, citizen) == [
            {
                "contest": contest.title,
                "city": NANNING,
                "county": None,
                "audience": None,
                "division": None,
            }
        ]
        assert board_hooks.tell_entries(uow, citizen + other) == []
        assert board_hooks.tell_papers(uow, citizen + other) == []


@pytest.mark.parametrize("killed", [False, True])
def test_two_citizens_who_are_one_become_one_line(
    killed: bool, either: UnitOfWorkFactory, without: UnitOfWorkFactory, clock: FakeClock
) -> None:
    with either.begin() as uow:
        contest = a_contest(uow, papers_per_day=2)
        keep, gone, third = kit.people(uow, 3, city=NANNING)
        kept, left, noise = (
            an_entry(uow, contest, citizen, city=NANNING) for citizen in (keep, gone, third)
        )
    build(either, contest, "total/region", f"total/city:{NANNING}", "day:2026-05-01/region")
    sync(either)
    for entry, score in ((kept, 50), (left, 90), (left, 80), (noise, 60)):
        with either.begin() as uow:
            hand_in(uow, contest, entry, score=score)
    clock.advance(86_400)
    with either.begin() as uow:
        hand_in(uow, contest, left, score=40)
    with either.begin() as uow:
        board_hooks.merge_entries(uow, keep, gone)
        if killed:
            uow.after_commit_calls.clear()
    if killed:
        sync(either)
    # Of the first day the earlier of the two papers fits beside the one that was there.
    assert in_redis(either, contest) == [130, 60]
    assert in_redis(either, contest, f"total/city:{NANNING}") == [130, 60]
    assert in_redis(either, contest, "day:2026-05-01/region") == [90, 60]
    with either.begin(read_only=True) as uow:
        truth = recounted(uow.session, contest, "region", "total")
    assert truth == [(kept, 130, 120_000), (noise, 60, 60_000)]
    for source in (either, without):
        assert scores(source, contest) == [130, 60]
        mine = read(source, contest, citizen_id=keep).me
        assert mine is not None
        assert mine.rank == 1
        assert read(source, contest, citizen_id=gone).me is None


def test_an_entry_without_a_double_only_changes_its_owner(either: UnitOfWorkFactory) -> None:
    contest, (keep, gone), _ = a_game(either, 2)
    with either.begin() as uow:
        other = a_contest(uow)
        entry = an_entry(uow, other, gone, city=NANNING)
        hand_in(uow, other, entry, score=70)
        paper = a_paper(
            uow, other, entry, score=0, state="open", started_on=contest.opens_at.date()
        )
    with either.begin() as uow:
        board_hooks.merge_entries(uow, keep, gone)
    mine = read(either, other, citizen_id=keep).me
    assert mine is not None
    assert mine.score == 70
    with either.begin() as uow:
        assert uow.session.get_one(Attempt, paper).citizen_id == keep


def test_only_one_open_paper_stays_of_two(uow_factory: UnitOfWorkFactory, clock: FakeClock) -> None:
    with uow_factory.begin() as uow:
        contest = a_contest(uow, papers_per_day=3)
        keep, gone = kit.people(uow, 2)
        kept, left = an_entry(uow, contest, keep), an_entry(uow, contest, gone)
        for entry in (kept, left):
            a_paper(uow, contest, entry, score=0, state="open")
        late = uow.session.scalar(select(Attempt.id).where(Attempt.entry_id == left))
    with uow_factory.begin() as uow:
        board_hooks.merge_entries(uow, keep, gone)
    with uow_factory.begin() as uow:
        assert late is not None
        # The clock closes it later: it counts for nobody, and nothing breaks.
        kit.close_paper(uow, late, score=100, time_ms=5)
        kit.count(uow, late)
    assert scores(uow_factory, contest) == []
    with uow_factory.begin() as uow:
        periods = uow.session.scalars(select(Standing.period)).all()
    assert all(period.startswith("gone:") for period in periods)
