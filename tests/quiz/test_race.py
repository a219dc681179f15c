"""Everything at once, on both databases; with the guards off the same tests see the race."""

from __future__ import annotations

import itertools
from collections import Counter
from typing import Any

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError

from server.base.errors import Unavailable
from server.base.jobs import Shop
from server.base.work import Desk
from server.quiz import attempts, sheets, tasks
from server.quiz.attempts import AttemptView, Started
from server.quiz.errors import NoAttemptsLeft
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


def start_50(desk: Desk, contest_ref: str, citizen: int) -> list[Started | Exception]:
    def start() -> Started:
        with desk.work() as work:
            return attempts.start(work, contest_ref, citizen)

    return all_at_once([start] * 50)


def submit_50(desk: Desk, view: AttemptView, citizen: int) -> list[AttemptView | Exception]:
    questions = shown(view)

    def submission(right: int) -> Any:
        def submit() -> AttemptView:
            with desk.work() as work:
                answers = some_right(questions, right)
                return attempts.submit(work, view.sheet.ref, citizen, answers)

        return submit

    return all_at_once([submission(at % 11) for at in range(50)])


def rows(desk: Desk) -> int:
    with desk.work(read_only=True) as work:
        return work.session.scalar(select(func.count()).select_from(Attempt)) or 0


def closings(desk: Desk) -> int:
    """How often the total of the only entry was written."""
    with desk.work(read_only=True) as work:
        asked = select(Standing.version).where(Standing.period == "total")
        return work.session.scalars(asked).one()


def test_50_parallel_starts_are_one_paper(desk: Desk) -> None:
    contest = open_contest(desk)
    (citizen,) = citizens(desk, 1)
    found = start_50(desk, contest.ref, citizen)
    assert rows(desk) == 1
    begun = [one for one in found if isinstance(one, Started)]
    assert Counter(one.fresh for one in begun) == {True: 1, False: 49}
    assert len({one.view.sheet.ref for one in begun}) == 1


def test_50_parallel_starts_after_the_last_paper_of_the_day_are_all_refused(desk: Desk) -> None:
    contest = open_contest(desk)
    (citizen,) = citizens(desk, 1)
    take(desk, contest, citizen)
    assert {type(one) for one in start_50(desk, contest.ref, citizen)} == {NoAttemptsLeft}
    assert rows(desk) == 1


def read_before_the_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every start believes what it saw before the first one: nothing."""
    numbers = itertools.count(1)
    monkeypatch.setattr(sheets, "in_contest", lambda *_: [])
    monkeypatch.setattr(attempts, "_free_try", lambda *_: next(numbers))


def test_without_the_lock_the_race_is_seen(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    contest = open_contest(desk, papers_per_day=50)
    (citizen,) = citizens(desk, 1)
    read_before_the_lock(monkeypatch)
    with unguarded(desk.engine):
        start_50(desk, contest.ref, citizen)
        assert rows(desk) > 1


def test_without_the_lock_the_database_has_the_last_word(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    contest = open_contest(desk, papers_per_day=50)
    (citizen,) = citizens(desk, 1)
    read_before_the_lock(monkeypatch)
    found = start_50(desk, contest.ref, citizen)
    assert rows(desk) == 1
    assert Counter(type(one) for one in found) == {Started: 1, IntegrityError: 49}


def test_50_parallel_submissions_are_one_score(desk: Desk) -> None:
    contest = open_contest(desk)
    (citizen,) = citizens(desk, 1)
    with desk.work() as work:
        view = started(work, contest, citizen)
    found = submit_50(desk, view, citizen)
    results = [one.result for one in found if isinstance(one, AttemptView)]
    assert len(results) == 50
    assert all(result == results[0] for result in results)
    assert closings(desk) == 1
    with desk.work(read_only=True) as work:
        assert work.session.scalars(select(Attempt.score)).one() == results[0].score  # type: ignore[union-attr]


def read_before_handing_in(
    desk: Desk, view: AttemptView, citizen: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every submission believes that the paper is open."""
    with desk.work(read_only=True) as work:
        stale = sheets.of_citizen(work, view.sheet.ref, citizen)
    monkeypatch.setattr(sheets, "of_citizen", lambda *_, **__: stale)


def write_without_asking(monkeypatch: pytest.MonkeyPatch) -> None:
    """The write that closes a paper does not ask whether it is open."""
    monkeypatch.setattr(sheets, "CLOSE", sheets._KEEP)


def scores_told(found: list[AttemptView | Exception]) -> Counter[int]:
    return Counter(v.result.score for v in found if isinstance(v, AttemptView) and v.result)


def score_kept(desk: Desk) -> int | None:
    with desk.work(read_only=True) as work:
        return work.session.scalars(select(Attempt.score)).one()


def test_without_any_guard_a_paper_is_scored_again_and_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    contest = open_contest(desk)
    (citizen,) = citizens(desk, 1)
    with desk.work() as work:
        view = started(work, contest, citizen)
    read_before_handing_in(desk, view, citizen, monkeypatch)
    write_without_asking(monkeypatch)
    with unguarded(desk.engine):
        found = submit_50(desk, view, citizen)
        assert closings(desk) > 1
    assert len(scores_told(found)) > 1


def test_without_the_lock_the_write_itself_asks(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    contest = open_contest(desk)
    (citizen,) = citizens(desk, 1)
    with desk.work() as work:
        view = started(work, contest, citizen)
    read_before_handing_in(desk, view, citizen, monkeypatch)
    with unguarded(desk.engine):
        found = submit_50(desk, view, citizen)
        assert Counter(type(one) for one in found) == {AttemptView: 1, Unavailable: 49}
        assert (closings(desk), list(scores_told(found))) == (1, [score_kept(desk)])


def test_without_lock_and_question_the_trigger_keeps_the_first_score(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    contest = open_contest(desk)
    (citizen,) = citizens(desk, 1)
    with desk.work() as work:
        view = started(work, contest, citizen)
    read_before_handing_in(desk, view, citizen, monkeypatch)
    write_without_asking(monkeypatch)
    found = submit_50(desk, view, citizen)
    # Whoever writes the very same answers changes nothing and is let through.
    assert {type(one) for one in found} == {AttemptView, IntegrityError}
    assert list(scores_told(found)) == [score_kept(desk)]


def test_answers_of_ten_devices_at_once_are_all_kept(desk: Desk) -> None:
    contest = open_contest(desk)
    (citizen,) = citizens(desk, 1)
    with desk.work() as work:
        view = started(work, contest, citizen)

    def saving(ref: str, keys: list[str]) -> Any:
        def save() -> None:
            with desk.work() as work:
                attempts.save_answers(work, view.sheet.ref, citizen, {ref: keys})

        return save

    answers = all_right(shown(view))
    assert all_at_once([saving(*one) for one in answers.items()]) == [None] * 10
    with desk.work(read_only=True) as work:
        assert attempts.read(work, view.sheet.ref, citizen).answers == answers


def test_the_sweep_and_the_citizen_close_a_paper_once_between_them(
    desk: Desk, clock: FakeClock
) -> None:
    contest = open_contest(desk)
    people = citizens(desk, 10)
    papers = []
    for citizen in people:
        with desk.work() as work:
            view = started(work, contest, citizen)
            attempts.save_answers(work, view.sheet.ref, citizen, some_right(shown(view), 4))
            papers.append((view.sheet.ref, citizen))
    clock.advance(302.5)

    def submission(ref: str, citizen: int) -> Any:
        def submit() -> int:
            with desk.work() as work:
                result = attempts.submit(work, ref, citizen, {}).result
            return -1 if result is None else result.score

        return submit

    def sweep() -> int:
        return tasks.close_expired(Shop(desk=desk, gateway=None))

    found = all_at_once([*(submission(*paper) for paper in papers), *[sweep] * 5])
    assert found[:10] == [40] * 10
    with desk.work(read_only=True) as work:
        versions = work.session.scalars(
            select(Standing.version).where(Standing.period == "total")
        ).all()
    assert versions == [1] * 10


def test_parallel_starts_of_many_lose_no_count_of_a_deck(desk: Desk) -> None:
    contest = open_contest(desk)

    def starting(citizen: int) -> Any:
        def start() -> bool:
            with desk.work() as work:
                return attempts.start(work, contest.ref, citizen).fresh

        return start

    assert all_at_once([starting(citizen) for citizen in citizens(desk, 40)]) == [True] * 40
    with desk.work(read_only=True) as work:
        decks = work.session.scalars(select(Deck.counts)).all()
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
def test_not_even_sql_changes_a_closed_paper(desk: Desk, change: str) -> None:
    contest = open_contest(desk)
    (citizen,) = citizens(desk, 1)
    with desk.work() as work:
        view = started(work, contest, citizen)
        work.session.execute(text(f"UPDATE attempt SET rules_version = '{contest.rules.version}'"))
        attempts.submit(work, view.sheet.ref, citizen, some_right(shown(view), 3))
    with pytest.raises(IntegrityError, match="a closed attempt stays"), desk.work() as work:
        work.session.execute(text(f"UPDATE attempt SET {change}"))
    with desk.work() as work:
        work.session.execute(text("UPDATE attempt SET day_limit = 5, try_no = 2"))


@pytest.mark.parametrize("change", ["try_no = 2", "try_no = 0", "state = 'expired'"])
def test_the_database_holds_the_daily_limit_and_whole_results(desk: Desk, change: str) -> None:
    contest = open_contest(desk)
    (citizen,) = citizens(desk, 1)
    with desk.work() as work:
        started(work, contest, citizen)
    with pytest.raises(IntegrityError), desk.work() as work:
        work.session.execute(text(f"UPDATE attempt SET {change}"))
