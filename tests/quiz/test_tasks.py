"""Papers that nobody hands in: closed by the sweep, foretold by a reading, the same either way."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from server.base.jobs import TaskContext, run_until_idle
from server.base.redis.client import RedisRefused
from server.base.uow import UnitOfWorkFactory
from server.quiz import tasks
from server.quiz.attempts import closing
from server.quiz.attempts import service as attempts
from server.quiz.enums import AttemptState
from server.quiz.leaderboards import tasks as board_tasks
from server.quiz.models import Attempt, Standing
from server.quiz.slice import SLICE
from tests.kit.clock import FakeClock
from tests.kit.quiz import citizens, open_contest, shown, some_right, started, take


def sweep(uow_factory: UnitOfWorkFactory) -> int:
    return tasks.close_expired(TaskContext(uow_factory=uow_factory, gateway=None))


def left_open(
    uow_factory: UnitOfWorkFactory, citizen: int, contest: object, right: int
) -> attempts.AttemptView:
    """A paper with kept answers that is not handed in."""
    with uow_factory.begin() as uow:
        view = started(uow, contest, citizen)  # type: ignore[arg-type]
        attempts.save_answers(uow, view.sheet.ref, citizen, some_right(shown(view), right))
    return view


def test_the_sweep_runs_every_two_seconds_so_that_five_are_kept() -> None:
    (task,) = [task for task in tasks.TASKS if task.name == "quiz.close_expired"]
    assert task.every_seconds == 2
    assert closing.GRACE.total_seconds() + task.every_seconds < 5


def test_the_sweep_closes_what_is_over_and_nothing_else(
    uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    contest = open_contest(uow_factory)
    early, late = citizens(uow_factory, 2)
    left_open(uow_factory, early, contest, 6)
    clock.advance(100)
    left_open(uow_factory, late, contest, 3)
    clock.advance(202)
    assert sweep(uow_factory) == 0  # the grace of the first runs to this very moment
    clock.advance(0.001)
    assert sweep(uow_factory) == 1
    assert sweep(uow_factory) == 0
    with uow_factory.begin(read_only=True) as uow:
        rows = {row.citizen_id: row for row in uow.session.scalars(select(Attempt))}
        entry_lock = uow.session.scalars(select(Standing.points)).all()
    assert rows[late].state is AttemptState.OPEN
    closed = rows[early]
    assert (closed.state, closed.score, closed.duration_ms) == (AttemptState.EXPIRED, 60, 300_000)
    assert closed.closed_at == closed.deadline_at
    assert set(entry_lock) == {60}


@pytest.mark.parametrize(
    "season", ["sum_of_daily_best", "best_single_paper", "mean_of_papers", "last_paper"]
)
def test_a_reading_before_the_sweep_tells_the_same_and_writes_nothing(
    uow_factory: UnitOfWorkFactory, clock: FakeClock, season: str
) -> None:
    contest = open_contest(uow_factory, season_score=season, papers_per_day=3)
    me, better, worse, equal = citizens(uow_factory, 4, city="450100")
    take(uow_factory, contest, me, 9)
    for citizen, right in ((better, 10), (worse, 2), (equal, 5)):
        clock.advance(1)
        take(uow_factory, contest, citizen, right)
    view = left_open(uow_factory, me, contest, 5)
    clock.advance(302.5)
    with uow_factory.begin(read_only=True) as uow:
        before = attempts.read_paper(uow, view.sheet.ref, me)
        state = uow.session.scalar(select(Attempt.state).where(Attempt.ref == view.sheet.ref))
    assert state is AttemptState.OPEN
    assert before.result is not None
    assert before.result.score == 50
    assert before.remaining_time == timedelta(0)
    assert sweep(uow_factory) == 1
    with uow_factory.begin(read_only=True) as uow:
        after = attempts.read_paper(uow, view.sheet.ref, me)
    assert after.result == before.result
    with uow_factory.begin() as uow:
        assert attempts.submit_paper(uow, view.sheet.ref, me, {}).result == before.result


def test_a_paper_that_cannot_be_closed_does_not_keep_the_others_open(
    uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    contest = open_contest(uow_factory)
    broken, sound = citizens(uow_factory, 2)
    view = left_open(uow_factory, broken, contest, 5)
    left_open(uow_factory, sound, contest, 5)
    with uow_factory.begin() as uow:
        row = uow.session.scalars(select(Attempt).where(Attempt.ref == view.sheet.ref)).one()
        row.paper = [{"q": -1, "order": [0, 1]}]
    clock.advance(303)
    assert sweep(uow_factory) == 1
    with pytest.raises(KeyError):
        sweep(uow_factory)


def test_more_papers_than_a_batch_holds_are_closed_in_one_run(
    uow_factory: UnitOfWorkFactory, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "BATCH", 3)
    contest = open_contest(uow_factory)
    for citizen in citizens(uow_factory, 10):
        left_open(uow_factory, citizen, contest, 0)
    clock.advance(303)
    assert sweep(uow_factory) == 10


def test_papers_that_wait_for_the_sweep_are_a_figure_of_the_house(
    uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    contest = open_contest(uow_factory)
    for citizen in citizens(uow_factory, 3):
        left_open(uow_factory, citizen, contest, 0)
    clock.advance(303)
    reading = SLICE.metrics["quiz_overdue_papers"]
    with uow_factory.begin(read_only=True) as uow:
        assert reading(uow) == 3
    assert sweep(uow_factory) == 3
    with uow_factory.begin(read_only=True) as uow:
        assert reading(uow) == 0


def test_a_worker_comes_to_an_end_after_a_clock_that_was_ahead(
    uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    contest = open_contest(uow_factory)
    early, late = citizens(uow_factory, 2)
    context = TaskContext(uow_factory=uow_factory, gateway=None)
    board_tasks.sync_boards(context)
    clock.set(clock.now() + timedelta(days=1))
    take(uow_factory, contest, early, 5)
    assert board_tasks.sync_boards(context) > 0
    clock.set(clock.now() + timedelta(days=-1))
    take(uow_factory, contest, late, 3)
    run_until_idle(context, board_tasks.BOARD_TASKS, rounds=20)
    clock.advance(1)
    assert run_until_idle(context, board_tasks.BOARD_TASKS, rounds=20) == 0


def test_a_refusal_of_redis_costs_no_answer(
    uow_factory: UnitOfWorkFactory,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def refused(*_: object) -> None:
        raise RedisRefused("ERR of a script")

    contest = open_contest(uow_factory)
    (citizen,) = citizens(uow_factory, 1)
    monkeypatch.setattr(uow_factory.dependencies.kv.leaderboard, "apply_changes", refused)
    take(uow_factory, contest, citizen, 5)
    assert "standings wait for the sweep" in caplog.text
    with uow_factory.begin(read_only=True) as uow:
        assert set(uow.session.scalars(select(Standing.points))) == {50}
