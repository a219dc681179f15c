"""Redis loses everything again and again while many hand in papers: the boards never lie."""

from __future__ import annotations

import queue
import random
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace

import pytest

from server.base.jobs import TaskContext
from server.base.uow import UnitOfWorkFactory
from server.quiz.contests.service import ContestView
from server.quiz.leaderboards import board_view
from server.quiz.leaderboards import tasks as board_tasks
from tests.kit import boards as kit
from tests.kit.boards import a_contest, an_entry, hand_in, recounted
from tests.kit.clock import FakeClock
from tests.kit.effort import repeat_count

PAPERS = repeat_count(5000, 125)
FLUSHES = repeat_count(20, 5)
THREADS = 4
CITIES = ("450100", "450200", None)
Bell = tuple[str, tuple[int, ...]] | None


Truth = dict[tuple[str, str], list[tuple[int, int, int]]]
READ = (("total", "region"), ("day:2026-05-01", "city:450100"))


def the_truth(uow_factory: UnitOfWorkFactory, contest: ContestView) -> Truth:
    with uow_factory.begin(read_only=True) as uow:
        return {
            (period, scope): recounted(uow.session, contest, scope, period)
            for period, scope in READ
        }


def told_the_truth(
    uow_factory: UnitOfWorkFactory, contest: ContestView, citizen: int, truth: Truth
) -> None:
    for (period, scope), rows in truth.items():
        with uow_factory.begin(read_only=True) as uow:
            told = board_view.read_board(
                uow, contest, scope=scope, period=period, limit=100, citizen_id=citizen
            )
        expected = [(points, time_ms) for _, points, time_ms in rows]
        assert [(line.score, line.duration_ms) for line in told.items] == expected[:100]
        assert told.total == len(rows)


@contextmanager
def a_worker(
    uow_factory: UnitOfWorkFactory, bells: queue.Queue[Bell], *, syncing: bool
) -> Iterator[None]:
    """Answers doorbells, and sweeps after each when it is there at all; ends when told None."""
    steps = {task.name: task.step for task in board_tasks.BOARD_TASKS}
    context = TaskContext(uow_factory=uow_factory, gateway=None)
    failures: list[BaseException] = []

    def run() -> None:
        while True:
            bell = bells.get()
            try:
                if bell is None:
                    return
                steps[bell[0]](context, *bell[1])
                if syncing:
                    board_tasks.sync_boards(context)
            except BaseException as trouble:  # told to the test below
                failures.append(trouble)
            finally:
                bells.task_done()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        bells.put(None)
        thread.join()
    assert failures == []


@pytest.mark.race
@pytest.mark.slow
@pytest.mark.parametrize(
    ("either", "syncing"),
    [("fake", False), ("embedded", True)],
    ids=["bells only", "with the sweep"],
    indirect=["either"],
)
def test_flushed_again_and_again_the_boards_equal_a_recount_every_time(
    syncing: bool, either: UnitOfWorkFactory, clock: FakeClock
) -> None:
    chance = random.Random(20260501)
    bells: queue.Queue[Bell] = queue.Queue()
    dependencies = replace(either.dependencies, enqueue=lambda task, *ids: bells.put((task, ids)))
    uow_factory = UnitOfWorkFactory(either.engine, dependencies)
    with uow_factory.begin() as uow:
        contest = a_contest(uow, season="sum_of_scores", papers_per_day=40)
        people = kit.people(uow, max(60, PAPERS // FLUSHES))
        places = [CITIES[at % 3] for at in range(len(people))]
        placed = [
            an_entry(uow, contest, citizen, city=city)
            for citizen, city in zip(people, places, strict=True)
        ]
    with a_worker(uow_factory, bells, syncing=syncing), ThreadPoolExecutor(THREADS) as threads:
        for _ in range(FLUSHES):
            clock.advance(3)
            jobs = chance.sample(placed, PAPERS // FLUSHES)
            flush_at = chance.randrange(len(jobs))
            papers = [
                (
                    entry,
                    chance.randrange(11) * 10,
                    chance.choice([5, 60_000]),
                    syncing and chance.random() < 0.1,
                    at == flush_at,
                )
                for at, entry in enumerate(jobs)
            ]

            def play(paper: tuple[int, int, int, bool, bool]) -> None:
                entry, score, time_ms, killed, flushing = paper
                with uow_factory.begin() as uow:
                    hand_in(uow, contest, entry, score=score, time_ms=time_ms)
                    if flushing:
                        uow_factory.dependencies.kv.kv.run_command("FLUSHALL")
                    if killed:
                        uow.after_commit_calls.clear()
                if entry % 5 == 0:
                    with uow_factory.begin(read_only=True) as uow:
                        board_view.read_board(uow, contest, citizen_id=people[0])

            list(threads.map(play, papers))
            if syncing:
                board_tasks.sync_boards(TaskContext(uow_factory=uow_factory, gateway=None))
            truth = the_truth(uow_factory, contest)
            told_the_truth(uow_factory, contest, people[0], truth)
            bells.join()
            told_the_truth(uow_factory, contest, people[0], truth)


@pytest.mark.race
def test_parallel_papers_leave_every_rank_once(either: UnitOfWorkFactory) -> None:
    with either.begin() as uow:
        contest = a_contest(uow)
        placed = kit.entries(uow, contest, 24)
    assert board_tasks.build_board(either, contest.id, "total/region")

    def play(entry: int) -> int:
        with either.begin() as uow:
            return hand_in(uow, contest, entry, score=entry % 3 * 10).region

    with ThreadPoolExecutor(THREADS) as threads:
        ranks = list(threads.map(play, placed))
    assert all(1 <= rank <= 24 for rank in ranks)
    with either.begin(read_only=True) as uow:
        told = board_view.read_board(uow, contest, limit=100)
        truth = recounted(uow.session, contest, "region", "total")
    assert [line.rank for line in told.items] == list(range(1, 25))
    assert [line.score for line in told.items] == [points for _, points, _ in truth]
