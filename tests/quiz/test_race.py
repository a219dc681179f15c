"""Everything at once, on both databases; with the guards off the same tests see the race."""

from __future__ import annotations

import itertools
from collections import Counter
from typing import Any

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError

from server.base.errors import Unavailable
from server.base.jobs import TaskContext
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.quiz import tasks
from server.quiz.attempts import attempt_store
from server.quiz.attempts import service as attempts
from server.quiz.attempts.service import AttemptView, Started
from server.quiz.errors import NoAttemptsLeft
from server.quiz.leaderboards import service as boards
from server.quiz.models import Attempt, Deck, Standing
from tests.kit.clock import FakeClock
from tests.kit.quiz import (
    all_at_once,
    all_right,
    citizens,
    open_contest,
    shown,
    some_right,
    started,
    take,
    unguarded,
)

pytestmark = pytest.mark.race


def start_50(
    uow_factory: UnitOfWorkFactory, contest_ref: str, citizen: int
) -> list[Started | Exception]:
    def start() -> Started:
        with uow_factory.begin() as uow:
            return attempts.start_paper(uow, contest_ref, citizen)

    return all_at_once([start] * 50)


def submit_50(
    uow_factory: UnitOfWorkFactory, view: AttemptView, citizen: int
) -> list[AttemptView | Exception]:
    questions = shown(view)

    def submission(right: int) -> Any:
        def submit() -> AttemptView:
            with uow_factory.begin() as uow:
                answers = some_right(questions, right)
                return attempts.submit_paper(uow, view.sheet.ref, citizen, answers)

        return submit

    return all_at_once([submission(at % 11) for at in range(50)])


def rows(uow_factory: UnitOfWorkFactory) -> int:
    with uow_factory.begin(read_only=True) as uow:
        return uow.session.scalar(select(func.count()).select_from(Attempt)) or 0


def closings(uow_factory: UnitOfWorkFactory) -> int:
    """How often the total of the only entry was written."""
    with uow_factory.begin(read_only=True) as uow:
        asked = select(Standing.version).where(Standing.period == "total")
        return uow.session.scalars(asked).one()


def test_50_parallel_starts_are_one_paper(uow_factory: UnitOfWorkFactory) -> None:
    contest = open_contest(uow_factory)
    (citizen,) = citizens(uow_factory, 1)
    found = start_50(uow_factory, contest.ref, citizen)
    assert rows(uow_factory) == 1
    begun = [one for one in found if isinstance(one, Started)]
    assert Counter(one.fresh for one in begun) == {True: 1, False: 49}
    assert len({one.view.sheet.ref for one in begun}) == 1


def test_50_parallel_starts_after_the_last_paper_of_the_day_are_all_refused(
    uow_factory: UnitOfWorkFactory,
) -> None:
    contest = open_contest(uow_factory)
    (citizen,) = citizens(uow_factory, 1)
    take(uow_factory, contest, citizen)
    assert {type(one) for one in start_50(uow_factory, contest.ref, citizen)} == {NoAttemptsLeft}
    assert rows(uow_factory) == 1


def read_before_the_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every start believes what it saw before the first one: nothing."""
    numbers = itertools.count(1)
    monkeypatch.setattr(attempt_store, "list_in_contest", lambda *_: [])
    monkeypatch.setattr(attempts, "_free_try", lambda *_: next(numbers))


def test_without_the_lock_the_race_is_seen(
    uow_factory: UnitOfWorkFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    contest = open_contest(uow_factory, papers_per_day=50)
    (citizen,) = citizens(uow_factory, 1)
    read_before_the_lock(monkeypatch)
    with unguarded(uow_factory.engine):
        start_50(uow_factory, contest.ref, citizen)
        assert rows(uow_factory) > 1


def test_without_the_lock_the_database_has_the_last_word(
    uow_factory: UnitOfWorkFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    contest = open_contest(uow_factory, papers_per_day=50)
    (citizen,) = citizens(uow_factory, 1)
    read_before_the_lock(monkeypatch)
    found = start_50(uow_factory, contest.ref, citizen)
    assert rows(uow_factory) == 1
    assert Counter(type(one) for one in found) == {Started: 1, IntegrityError: 49}


def test_50_parallel_submissions_are_one_score(uow_factory: UnitOfWorkFactory) -> None:
    contest = open_contest(uow_factory)
    (citizen,) = citizens(uow_factory, 1)
    with uow_factory.begin() as uow:
        view = started(uow, contest, citizen)
    found = submit_50(uow_factory, view, citizen)
    results = [one.result for one in found if isinstance(one, AttemptView)]
    assert len(results) == 50
    assert all(result == results[0] for result in results)
    assert closings(uow_factory) == 1
    with uow_factory.begin(read_only=True) as uow:
        assert uow.session.scalars(select(Attempt.score)).one() == results[0].score  # type: ignore[union-attr]


def read_before_handing_in(
    uow_factory: UnitOfWorkFactory, view: AttemptView, citizen: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every submission believes that the paper is open."""
    with uow_factory.begin(read_only=True) as uow:
        stale = attempt_store.find_attempt(uow, view.sheet.ref, citizen)
    assert stale is not None

    def held(uow: UnitOfWork, *_: object) -> tuple[attempt_store.Sheet, boards.LockedEntry]:
        return stale, boards.lock_entry(uow, stale.entry_id)

    monkeypatch.setattr(attempt_store, "locked_with_entry", held)


def write_without_asking(monkeypatch: pytest.MonkeyPatch) -> None:
    """The write that closes a paper does not ask whether it is open."""
    monkeypatch.setattr(attempt_store, "CLOSE", attempt_store._KEEP)


def scores_told(found: list[AttemptView | Exception]) -> Counter[int]:
    return Counter(v.result.score for v in found if isinstance(v, AttemptView) and v.result)


def score_kept(uow_factory: UnitOfWorkFactory) -> int | None:
    with uow_factory.begin(read_only=True) as uow:
        return uow.session.scalars(select(Attempt.score)).one()


def test_without_any_guard_a_paper_is_scored_again_and_again(
    uow_factory: UnitOfWorkFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    contest = open_contest(uow_factory)
    (citizen,) = citizens(uow_factory, 1)
    with uow_factory.begin() as uow:
        view = started(uow, contest, citizen)
    read_before_handing_in(uow_factory, view, citizen, monkeypatch)
    write_without_asking(monkeypatch)
    with unguarded(uow_factory.engine):
        found = submit_50(uow_factory, view, citizen)
        assert closings(uow_factory) > 1
    assert len(scores_told(found)) > 1


def test_without_the_lock_the_write_itself_asks(
    uow_factory: UnitOfWorkFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    contest = open_contest(uow_factory)
    (citizen,) = citizens(uow_factory, 1)
    with uow_factory.begin() as uow:
        view = started(uow, contest, citizen)
    read_before_handing_in(uow_factory, view, citizen, monkeypatch)
    with unguarded(uow_factory.engine):
        found = submit_50(uow_factory, view, citizen)
        assert Counter(type(one) for one in found) == {AttemptView: 1, Unavailable: 49}
        assert (closings(uow_factory), list(scores_told(found))) == (1, [score_kept(uow_factory)])


def test_without_lock_and_question_the_trigger_keeps_the_first_score(
    uow_factory: UnitOfWorkFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    contest = open_contest(uow_factory)
    (citizen,) = citizens(uow_factory, 1)
    with uow_factory.begin() as uow:
        view = started(uow, contest, citizen)
    read_before_handing_in(uow_factory, view, citizen, monkeypatch)
    write_without_asking(monkeypatch)
    found = submit_50(uow_factory, view, citizen)
    # Whoever writes the very same answers changes nothing and is let through.
    assert {type(one) for one in found} == {AttemptView, IntegrityError}
    assert list(scores_told(found)) == [score_kept(uow_factory)]


def test_answers_of_ten_devices_at_once_are_all_kept(uow_factory: UnitOfWorkFactory) -> None:
    contest = open_contest(uow_factory)
    (citizen,) = citizens(uow_factory, 1)
    with uow_factory.begin() as uow:
        view = started(uow, contest, citizen)

    def saving(ref: str, keys: list[str]) -> Any:
        def save() -> None:
            with uow_factory.begin() as uow:
                attempts.save_answers(uow, view.sheet.ref, citizen, {ref: keys})

        return save

    answers = all_right(shown(view))
    assert all_at_once([saving(*one) for one in answers.items()]) == [None] * 10
    with uow_factory.begin(read_only=True) as uow:
        assert attempts.read_paper(uow, view.sheet.ref, citizen).answers == answers


def test_the_sweep_and_the_citizen_close_a_paper_once_between_them(
    uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    contest = open_contest(uow_factory)
    people = citizens(uow_factory, 10)
    papers = []
    for citizen in people:
        with uow_factory.begin() as uow:
            view = started(uow, contest, citizen)
            attempts.save_answers(uow, view.sheet.ref, citizen, some_right(shown(view), 4))
            papers.append((view.sheet.ref, citizen))
    clock.advance(302.5)

    def submission(ref: str, citizen: int) -> Any:
        def submit() -> int:
            with uow_factory.begin() as uow:
                result = attempts.submit_paper(uow, ref, citizen, {}).result
            return -1 if result is None else result.score

        return submit

    def sweep() -> int:
        return tasks.close_expired(TaskContext(uow_factory=uow_factory, gateway=None))

    found = all_at_once([*(submission(*paper) for paper in papers), *[sweep] * 5])
    assert found[:10] == [40] * 10
    with uow_factory.begin(read_only=True) as uow:
        versions = uow.session.scalars(
            select(Standing.version).where(Standing.period == "total")
        ).all()
    assert versions == [1] * 10


def test_parallel_starts_of_many_lose_no_count_of_a_deck(uow_factory: UnitOfWorkFactory) -> None:
    contest = open_contest(uow_factory)

    def starting(citizen: int) -> Any:
        def start() -> bool:
            with uow_factory.begin() as uow:
                return attempts.start_paper(uow, contest.ref, citizen).fresh

        return start

    assert all_at_once([starting(citizen) for citizen in citizens(uow_factory, 40)]) == [True] * 40
    with uow_factory.begin(read_only=True) as uow:
        decks = uow.session.scalars(select(Deck.counts)).all()
    assert sum(sum(counts.values()) for counts in decks) == 400


@pytest.mark.parametrize(
    "change",
    [
        "score = 1000",
        "state = 'open'",
        "state = 'expired'",
        "answers = '{}'",
        "paper = '[]'",
        "correct_count = 10",
        "duration_ms = 1",
        "rules_version = 'other'",
        "day_limit = 5, on_week = '2026-W01'",
        "rank_region = 2",
        "rank_city = 1",
    ],
)
def test_not_even_sql_changes_a_closed_paper(uow_factory: UnitOfWorkFactory, change: str) -> None:
    contest = open_contest(uow_factory)
    (citizen,) = citizens(uow_factory, 1)
    with uow_factory.begin() as uow:
        view = started(uow, contest, citizen)
        uow.session.execute(text(f"UPDATE attempt SET rules_version = '{contest.rules.version}'"))
        attempts.submit_paper(uow, view.sheet.ref, citizen, some_right(shown(view), 3))
    with pytest.raises(IntegrityError, match="a closed attempt stays"), uow_factory.begin() as uow:
        uow.session.execute(text(f"UPDATE attempt SET {change}"))
    with uow_factory.begin() as uow:
        uow.session.execute(text("UPDATE attempt SET day_limit = 5, try_no = 2"))


@pytest.mark.parametrize("change", ["try_no = 2", "try_no = 0", "state = 'expired'"])
def test_the_database_holds_the_daily_limit_and_whole_results(
    uow_factory: UnitOfWorkFactory, change: str
) -> None:
    contest = open_contest(uow_factory)
    (citizen,) = citizens(uow_factory, 1)
    with uow_factory.begin() as uow:
        started(uow, contest, citizen)
    with pytest.raises(IntegrityError), uow_factory.begin() as uow:
        uow.session.execute(text(f"UPDATE attempt SET {change}"))
