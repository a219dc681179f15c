"""A citizen at a paper: limits of the Beijing day, resuming, the clock, the result."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update

from server.base.errors import Invalid, NotFound
from server.base.uow import UnitOfWorkFactory
from server.quiz.attempts import closing
from server.quiz.attempts import service as attempts
from server.quiz.attempts.contest_progress import contest_progress
from server.quiz.bank import service as bank
from server.quiz.contests.service import ContestView
from server.quiz.enums import AttemptState
from server.quiz.errors import (
    AnswerFirst,
    AttemptClosed,
    BankTooSmall,
    ContestClosed,
    ContestNotOpen,
    NoAttemptsLeft,
    NoMoreQuestions,
)
from server.quiz.models import Attempt, Entry, Question, Standing
from tests.kit.clock import FakeClock
from tests.kit.effort import repeat_count
from tests.kit.quiz import all_right, citizens, open_contest, shown, some_right, started, take

MAY_2_BEIJING = datetime(2026, 5, 1, 16, 0, tzinfo=UTC)
ONE = timedelta(seconds=1)


def game_of_one(
    uow_factory: UnitOfWorkFactory, preset: str = "default", **changes: Any
) -> tuple[ContestView, int]:
    """A contest and one citizen."""
    contest = open_contest(uow_factory, preset, **changes)
    (citizen,) = citizens(uow_factory, 1)
    return contest, citizen


def begun_paper(
    uow_factory: UnitOfWorkFactory, preset: str = "default", **changes: Any
) -> tuple[ContestView, int, attempts.AttemptView]:
    """A contest and one citizen who has just begun a paper."""
    contest, citizen = game_of_one(uow_factory, preset, **changes)
    with uow_factory.begin() as uow:
        return contest, citizen, started(uow, contest, citizen)


def starts(uow_factory: UnitOfWorkFactory, name: str, citizen: int) -> attempts.Started:
    with uow_factory.begin() as uow:
        return attempts.start_paper(uow, name, citizen)


def read(uow_factory: UnitOfWorkFactory, ref: str, citizen: int) -> attempts.AttemptView:
    with uow_factory.begin(read_only=True) as uow:
        return attempts.read_paper(uow, ref, citizen)


def save(
    uow_factory: UnitOfWorkFactory, ref: str, citizen: int, answers: dict[str, list[str]]
) -> None:
    with uow_factory.begin() as uow:
        attempts.save_answers(uow, ref, citizen, answers)


def submit(
    uow_factory: UnitOfWorkFactory,
    ref: str,
    citizen: int,
    answers: dict[str, list[str]] | None = None,
) -> closing.Result:
    with uow_factory.begin() as uow:
        result = attempts.submit_paper(uow, ref, citizen, answers or {}).result
    assert result is not None
    return result


def attempt_rows(uow_factory: UnitOfWorkFactory) -> int:
    with uow_factory.begin(read_only=True) as uow:
        return uow.session.scalar(select(func.count()).select_from(Attempt)) or 0


def tries_left(
    uow_factory: UnitOfWorkFactory, contest: ContestView, citizen: int
) -> tuple[int, int | None]:
    with uow_factory.begin(read_only=True) as uow:
        mine = contest_progress(uow, [contest], citizen)[contest.id]
    return mine.attempts_left_today, mine.attempts_left_total


# A1


@pytest.mark.parametrize("seed", [2026, 1, 2][: repeat_count(3, 1)])
@pytest.mark.parametrize("preset", ["default", "nanjing-2018"])
def test_200_starts_match_the_blueprint_and_no_question_is_overused(
    uow_factory: UnitOfWorkFactory, preset: str, seed: int
) -> None:
    uow_factory.dependencies.random.seed(seed)
    contest = open_contest(uow_factory, preset)
    need = {part.kind.value: part.count for part in contest.rules.parts if part.kind}
    used: Counter[str] = Counter()
    kinds: dict[str, str] = {}
    papers = []
    for citizen in citizens(uow_factory, 200):
        with uow_factory.begin() as uow:
            view = started(uow, contest, citizen)
        items = [slot.item for slot in view.slots]
        assert Counter(item.kind.value for item in items) == need
        used.update(item.ref for item in items)
        kinds |= {item.ref: item.kind.value for item in items}
        papers.append(frozenset(item.ref for item in items))
    supply = {"single": 38, "judge": 13, "multiple": 9}
    for ref, count in used.items():
        cap = 1.5 * 200 * need[kinds[ref]] / supply[kinds[ref]]
        assert count <= cap, (ref, count, cap)
    assert len(used) == 60
    assert len(set(papers)) == 200


def test_people_who_come_daily_do_not_wear_out_single_questions(
    uow_factory: UnitOfWorkFactory,
) -> None:
    contest = open_contest(uow_factory)
    used: Counter[str] = Counter()
    people = citizens(uow_factory, 50)
    for _day in range(4):
        for citizen in people:
            view = take(uow_factory, contest, citizen)
            used.update(slot.item.ref for slot in view.slots if slot.item.kind == "multiple")
        uow_factory.dependencies.clock.advance(86_400)  # type: ignore[attr-defined]
    assert max(used.values()) <= 1.5 * 200 * 2 / 9


def test_a_citizen_meets_nothing_twice_in_four_days_and_what_is_due_after(
    uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    contest, citizen = game_of_one(uow_factory)
    papers = []
    for _day in range(5):
        view = take(uow_factory, contest, citizen)
        papers.append([slot.item for slot in view.slots])
        clock.advance(86_400)
    first_four = [item.ref for paper in papers[:4] for item in paper]
    assert len(set(first_four)) == 40
    again = {item.ref for item in papers[4]} & set(first_four)
    assert again < {item.ref for item in papers[0]}
    assert len(again) == 1


def test_a_bank_that_ran_dry_refuses_a_start(uow_factory: UnitOfWorkFactory) -> None:
    contest, citizen = game_of_one(uow_factory)
    with uow_factory.begin() as uow:
        uow.session.execute(
            update(Question).where(Question.kind == "judge").values(state="retired")
        )
        bank.renew_revision(uow, "demo")
    with pytest.raises(BankTooSmall):
        starts(uow_factory, contest.ref, citizen)
    assert attempt_rows(uow_factory) == 0


# A3


def test_one_second_before_midnight_is_refused_and_midnight_is_another_day(
    uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    contest, citizen = game_of_one(uow_factory)
    take(uow_factory, contest, citizen)
    clock.set(MAY_2_BEIJING - ONE)
    with pytest.raises(NoAttemptsLeft) as refusal:
        starts(uow_factory, contest.ref, citizen)
    assert refusal.value.code == "no_attempts_left"
    clock.set(MAY_2_BEIJING)
    assert starts(uow_factory, contest.ref, citizen).fresh
    assert attempt_rows(uow_factory) == 2


def test_a_paper_belongs_to_the_day_on_which_it_was_started(
    uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    contest, citizen = game_of_one(uow_factory)
    clock.set(MAY_2_BEIJING - timedelta(seconds=10))
    with uow_factory.begin() as uow:
        view = started(uow, contest, citizen)
    clock.set(MAY_2_BEIJING + timedelta(seconds=60))
    submit(uow_factory, view.sheet.ref, citizen, all_right(shown(view)))
    with uow_factory.begin(read_only=True) as uow:
        periods = set(uow.session.scalars(select(Standing.period)))
    assert periods == {"total", "day:2026-05-01", "week:2026-W18"}
    assert starts(uow_factory, contest.ref, citizen).fresh


@pytest.mark.parametrize("limit", [2, 5])
def test_as_many_papers_a_day_as_the_rule_says(uow_factory: UnitOfWorkFactory, limit: int) -> None:
    contest, citizen = game_of_one(uow_factory, papers_per_day=limit)
    for _ in range(limit):
        take(uow_factory, contest, citizen)
    with pytest.raises(NoAttemptsLeft):
        starts(uow_factory, contest.ref, citizen)
    assert attempt_rows(uow_factory) == limit


def test_a_limit_over_the_whole_contest_holds_too(
    uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    contest, citizen = game_of_one(uow_factory, papers_total=3, papers_per_day=2)
    left = []
    for papers in (2, 1):
        for _ in range(papers):
            left.append(tries_left(uow_factory, contest, citizen))
            take(uow_factory, contest, citizen)
        clock.advance(86_400)
    left.append(tries_left(uow_factory, contest, citizen))
    assert left == [(2, 3), (1, 2), (1, 1), (0, 0)]
    with pytest.raises(NoAttemptsLeft):
        starts(uow_factory, contest.ref, citizen)


def test_the_clock_set_back_gives_no_second_paper_of_a_day(
    uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    contest, citizen = game_of_one(uow_factory)
    take(uow_factory, contest, citizen)
    for hours in (-1, -3, 2, 7):
        clock.advance(hours * 3600)
        with pytest.raises(NoAttemptsLeft):
            starts(uow_factory, contest.ref, citizen)


def test_a_contest_takes_starts_in_its_window_and_one_second_after(
    uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    now = clock.now()
    contest = open_contest(uow_factory, opens_at=now, closes_at=now + timedelta(hours=1))
    early, late, very_late = citizens(uow_factory, 3)
    clock.set(now - timedelta(milliseconds=1))
    with pytest.raises(ContestNotOpen):
        starts(uow_factory, contest.ref, early)
    clock.set(now)
    assert starts(uow_factory, contest.ref, early).fresh
    clock.set(contest.closes_at + timedelta(milliseconds=900))
    assert starts(uow_factory, contest.slug, late).fresh
    clock.set(contest.closes_at + ONE)
    with pytest.raises(ContestClosed):
        starts(uow_factory, contest.ref, very_late)


def test_a_paper_begun_in_time_may_be_finished_after_the_end(
    uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    now = clock.now()
    contest, citizen, view = begun_paper(
        uow_factory, opens_at=now, closes_at=now + timedelta(minutes=1)
    )
    clock.advance(200)
    assert starts(uow_factory, contest.ref, citizen).view.sheet.ref == view.sheet.ref
    assert submit(uow_factory, view.sheet.ref, citizen, all_right(shown(view))).score == 100


# A4


def test_another_device_finds_the_same_paper_answers_and_time(
    uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    contest, citizen, view = begun_paper(uow_factory)
    first, second = shown(view)[:2]
    clock.advance(100.5)
    save(uow_factory, view.sheet.ref, citizen, {first.id: first.key})
    save(uow_factory, view.sheet.ref, citizen, {second.id: second.wrong})
    clock.advance(20)
    again = starts(uow_factory, contest.ref, citizen)
    assert not again.fresh
    for there in (again.view, read(uow_factory, view.sheet.ref, citizen)):
        assert shown(there) == shown(view)
        assert there.answers == {first.id: first.key, second.id: second.wrong}
        assert there.remaining_time == timedelta(seconds=179.5)
        assert there.result is None
    assert attempt_rows(uow_factory) == 1


def test_answers_are_merged_replaced_and_taken_back(uow_factory: UnitOfWorkFactory) -> None:
    _, citizen, view = begun_paper(uow_factory)
    first, second = shown(view)[:2]
    save(uow_factory, view.sheet.ref, citizen, {first.id: first.wrong, second.id: second.key})
    save(uow_factory, view.sheet.ref, citizen, {first.id: first.key, second.id: []})
    assert read(uow_factory, view.sheet.ref, citizen).answers == {first.id: first.key}


@pytest.mark.parametrize(
    "bad", [["Z"], ["a"], ["AB"], [""], ["E"], ["A", "A"], ["A", "B"], ["A", "B", "C", "D"]]
)
def test_an_answer_that_the_paper_cannot_hold_is_refused_whole(
    uow_factory: UnitOfWorkFactory, bad: list[str]
) -> None:
    _, citizen, view = begun_paper(uow_factory)
    first, second = shown(view)[:2]
    for answers in ({first.id: bad, second.id: second.key}, {"KX9999": ["A"]}):
        with pytest.raises(Invalid) as refusal:
            save(uow_factory, view.sheet.ref, citizen, answers)
        assert refusal.value.errors[0][0][:2] == ("body", "answers")
        with pytest.raises(Invalid):
            submit(uow_factory, view.sheet.ref, citizen, answers)
    assert read(uow_factory, view.sheet.ref, citizen).answers == {}


def test_another_citizens_paper_is_not_there(uow_factory: UnitOfWorkFactory) -> None:
    contest = open_contest(uow_factory)
    owner, stranger = citizens(uow_factory, 2)
    with uow_factory.begin() as uow:
        ref = started(uow, contest, owner).sheet.ref
    for act in (read, submit):
        with pytest.raises(NotFound):
            act(uow_factory, ref, stranger)
    with pytest.raises(NotFound):
        save(uow_factory, ref, stranger, {})
    with pytest.raises(NotFound), uow_factory.begin() as uow:
        attempts.open_next(uow, ref, stranger)


# A2 and the clock


@pytest.mark.parametrize(
    ("late", "counts"), [(-1.0, True), (1.0, True), (2.0, True), (2.001, False), (3.0, False)]
)
def test_an_answer_counts_until_the_deadline_and_two_seconds_of_grace(
    uow_factory: UnitOfWorkFactory, clock: FakeClock, late: float, counts: bool
) -> None:
    _, citizen, view = begun_paper(uow_factory)
    clock.advance(300 + late)
    answers = all_right(shown(view))
    if counts:
        save(uow_factory, view.sheet.ref, citizen, answers)
    else:
        with pytest.raises(AttemptClosed):
            save(uow_factory, view.sheet.ref, citizen, answers)
    result = submit(uow_factory, view.sheet.ref, citizen, answers)
    assert result.score == (100 if counts else 0)
    assert result.state is (AttemptState.SUBMITTED if counts else AttemptState.EXPIRED)
    assert result.duration_ms == min(300_000, 300_000 + int(late * 1000))
    if not counts:
        assert result.closed_at == view.sheet.deadline_at


def test_a_closed_paper_takes_no_answer_and_tells_the_same_result(
    uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    contest = open_contest(uow_factory)
    citizen, rival = citizens(uow_factory, 2, city="450100")
    with uow_factory.begin() as uow:
        view = started(uow, contest, citizen)
    ref, questions = view.sheet.ref, shown(view)
    clock.advance(42.195)
    first = submit(uow_factory, ref, citizen, some_right(questions, 7))
    assert (first.score, first.max_score, first.correct_count, first.question_count) == (
        70, 100, 7, 10,
    )  # fmt: skip
    assert (first.duration_ms, first.personal_best) == (42_195, 70)
    assert first.ranks == ("at_close", 1, 1, "450100")
    with pytest.raises(AttemptClosed):
        save(uow_factory, ref, citizen, all_right(questions))
    clock.advance(1)
    take(uow_factory, contest, rival)
    assert submit(uow_factory, ref, citizen, all_right(questions)) == first
    assert submit(uow_factory, ref, citizen, {"nonsense": ["Q"]}) == first
    assert read(uow_factory, ref, citizen).result == first
    assert read(uow_factory, ref, citizen).remaining_time == timedelta(0)
    with uow_factory.begin() as uow:
        uow.session.execute(update(Entry).values(city="450300", left_scopes=["city:450100"]))
    moved = read(uow_factory, ref, citizen).result
    assert moved is not None
    assert (moved.ranks.city_rank, moved.ranks.city) == (1, None)


def test_the_review_speaks_in_the_keys_of_this_paper(uow_factory: UnitOfWorkFactory) -> None:
    _, citizen, view = begun_paper(uow_factory)
    questions = shown(view)
    answers = some_right(questions, 5)
    del answers[questions[9].id]
    result = submit(uow_factory, view.sheet.ref, citizen, answers)
    assert [one.question_ref for one in result.review] == [q.id for q in questions]
    for question, one in zip(questions, result.review, strict=True):
        assert one.correct == question.key
        assert one.chosen == answers.get(question.id, [])
        assert len(one.explanation) > 5
    assert result.ranks.city_rank is None


def test_the_best_so_far_is_told_as_it_was_when_the_paper_was_closed(
    uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    contest = open_contest(uow_factory)
    citizen, better = citizens(uow_factory, 2)
    take(uow_factory, contest, better)
    bests, refs = [], []
    for right in (6, 4, 9):
        view = take(uow_factory, contest, citizen, right)
        assert view.result is not None
        bests.append(view.result.personal_best)
        refs.append(view.sheet.ref)
        clock.advance(86_400)
    assert bests == [60, 60, 90]
    assert [submit(uow_factory, ref, citizen).personal_best for ref in refs] == bests


def test_a_start_after_the_time_was_up_closes_the_old_paper_first(
    uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    contest, citizen = game_of_one(uow_factory, papers_per_day=2)
    with uow_factory.begin() as uow:
        old = started(uow, contest, citizen)
    clock.advance(303)
    new = starts(uow_factory, contest.ref, citizen)
    assert new.fresh
    assert new.view.sheet.ref != old.sheet.ref
    there = read(uow_factory, old.sheet.ref, citizen)
    assert there.sheet.state is AttemptState.EXPIRED


# The timer of each item (Nanjing)


def test_only_opened_items_are_shown_and_the_next_opens_after_an_answer(
    uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    _, citizen, view = begun_paper(uow_factory, "nanjing-2018")
    ref = view.sheet.ref
    assert len(shown(view)) == 1
    assert view.shown_slots[0].deadline_at == clock.now() + timedelta(seconds=30)
    with pytest.raises(AnswerFirst), uow_factory.begin() as uow:
        attempts.open_next(uow, ref, citizen)
    hidden = view.slots[1].item.ref
    with pytest.raises(Invalid):
        save(uow_factory, ref, citizen, {hidden: ["A"]})
    question = shown(view)[0]
    save(uow_factory, ref, citizen, {question.id: question.key})
    clock.advance(5)
    with uow_factory.begin() as uow:
        second = attempts.open_next(uow, ref, citizen)
    assert second.item.ref == hidden
    assert second.deadline_at == clock.now() + timedelta(seconds=30)
    there = read(uow_factory, ref, citizen)
    assert [slot.item.ref for slot in there.shown_slots] == [question.id, hidden]
    assert [s.deadline_at for s in there.shown_slots] == [
        view.shown_slots[0].deadline_at,
        second.deadline_at,
    ]


def test_a_late_item_counts_nothing_and_the_next_may_be_opened(
    uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    _, citizen, view = begun_paper(uow_factory, "nanjing-2018")
    ref, question = view.sheet.ref, shown(view)[0]
    clock.advance(32.001)
    save(uow_factory, ref, citizen, {question.id: question.key})
    assert read(uow_factory, ref, citizen).answers == {}
    with uow_factory.begin() as uow:
        attempts.open_next(uow, ref, citizen)
    result = submit(uow_factory, ref, citizen)
    assert (result.score, len(result.review)) == (0, 20)


def test_the_next_item_opens_without_an_answer_the_moment_time_is_up(
    uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    _, citizen, view = begun_paper(uow_factory, "nanjing-2018")
    ref = view.sheet.ref
    clock.advance(29.999)
    with pytest.raises(AnswerFirst), uow_factory.begin() as uow:
        attempts.open_next(uow, ref, citizen)
    clock.advance(0.001)
    with uow_factory.begin() as uow:
        attempts.open_next(uow, ref, citizen)


def test_a_kept_answer_stays_when_a_late_one_would_replace_it(
    uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    _, citizen, view = begun_paper(uow_factory, "nanjing-2018")
    ref, question = view.sheet.ref, shown(view)[0]
    save(uow_factory, ref, citizen, {question.id: question.key})
    clock.advance(33)
    save(uow_factory, ref, citizen, {question.id: question.wrong})
    assert submit(uow_factory, ref, citizen, {question.id: question.wrong}).score == 5


def test_twenty_items_in_turn_give_a_full_score_and_no_twenty_first(
    uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    _, citizen, view = begun_paper(uow_factory, "nanjing-2018")
    ref = view.sheet.ref
    for number in range(20):
        question = shown(read(uow_factory, ref, citizen))[number]
        clock.advance(29)
        save(uow_factory, ref, citizen, {question.id: question.key})
        if number < 19:
            with uow_factory.begin() as uow:
                attempts.open_next(uow, ref, citizen)
    with pytest.raises(NoMoreQuestions), uow_factory.begin() as uow:
        attempts.open_next(uow, ref, citizen)
    result = submit(uow_factory, ref, citizen)
    assert (result.score, result.max_score, result.duration_ms) == (100, 100, 580_000)


def test_the_whole_paper_ends_after_600_seconds_whatever_item_is_open(
    uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    _, citizen, view = begun_paper(uow_factory, "nanjing-2018")
    ref = view.sheet.ref
    clock.advance(590)
    with uow_factory.begin() as uow:
        slot = attempts.open_next(uow, ref, citizen)
    assert slot.deadline_at == view.sheet.deadline_at
    clock.advance(12.5)
    with pytest.raises(AttemptClosed), uow_factory.begin() as uow:
        attempts.open_next(uow, ref, citizen)


def test_a_paper_with_one_timer_has_no_next(uow_factory: UnitOfWorkFactory) -> None:
    _, citizen, view = begun_paper(uow_factory)
    ref = view.sheet.ref
    with pytest.raises(NoMoreQuestions), uow_factory.begin() as uow:
        attempts.open_next(uow, ref, citizen)


# The clock is the server's (I12)


def test_no_jump_of_the_clock_makes_a_duration_negative_or_changes_what_is_closed(
    uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    contest = open_contest(uow_factory)
    chance = random.Random(7)
    for citizen in citizens(uow_factory, 20):
        clock.set(MAY_2_BEIJING)
        with uow_factory.begin() as uow:
            view = started(uow, contest, citizen)
        clock.advance(chance.choice([-86_400, -1, 1, 299, 86_400, 30 * 86_400]))
        result = submit(uow_factory, view.sheet.ref, citizen, all_right(shown(view)))
        assert 0 <= result.duration_ms <= 300_000
        assert result.score in (0, 100)
        clock.advance(-3600)
        assert submit(uow_factory, view.sheet.ref, citizen) == result
