"""Practice deals only what gives no advantage; the wrong-answer book follows from the answers."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update

from server.accounts import privacy
from server.base.access import Scope
from server.base.errors import Invalid, NotFound
from server.base.ownership import owned_by
from server.base.uow import UnitOfWorkFactory
from server.quiz.attempts import service as attempts
from server.quiz.attempts.contest_progress import contest_progress
from server.quiz.bank.commands import import_questions
from server.quiz.contests import commands
from server.quiz.contests import service as contests
from server.quiz.contests.service import ContestView
from server.quiz.models import Attempt, Bank, Entry, PracticeAnswer, Standing
from server.quiz.practice import mistakes
from server.quiz.practice import service as practice
from tests.kit.accounts import a_citizen, a_session
from tests.kit.clock import FakeClock
from tests.kit.quiz import (
    QUESTIONS,
    Shown,
    all_at_once,
    citizens,
    open_contest,
    right_texts,
    rows,
    seen,
    take,
)

FIFTHS = [ref for at, ref in enumerate(rows(), start=1) if at % 5 == 0]


@pytest.fixture
def demo(uow_factory: UnitOfWorkFactory) -> ContestView:
    """The demo's own contest over its sixty questions."""
    assert import_questions(uow_factory, QUESTIONS).count == 60
    ref = commands.open_demo_contest(uow_factory)
    with uow_factory.begin(read_only=True) as uow:
        return contests.find_contest(uow, ref)


def dealt(
    uow_factory: UnitOfWorkFactory, citizen: int, count: int = 20, **asked: Any
) -> tuple[str, list[Shown]]:
    with uow_factory.begin() as uow:
        made = practice.begin_practice(uow, citizen, count=count, **asked)
        return made.ref, [
            Shown(
                slot.item.ref,
                slot.item.kind.value,
                [("ABCDEFGH"[at], slot.item.options[o]) for at, o in enumerate(slot.order)],
            )
            for slot in made.slots
        ]


def say(
    uow_factory: UnitOfWorkFactory, citizen: int, ref: str, question: str, keys: list[str]
) -> practice.AnswerFeedback:
    with uow_factory.begin() as uow:
        return practice.answer_question(uow, ref, citizen, question, keys)


def in_book(uow_factory: UnitOfWorkFactory, citizen: int) -> list[str]:
    with uow_factory.begin(read_only=True) as uow:
        return [mistake.item.ref for mistake in mistakes.list_mistakes(uow, citizen)]


def test_practice_begins_with_the_twelve_that_the_demo_contest_leaves_out(
    uow_factory: UnitOfWorkFactory, demo: ContestView
) -> None:
    (citizen,) = citizens(uow_factory, 1)
    _, questions = dealt(uow_factory, citizen)
    assert sorted(question.id for question in questions) == FIFTHS
    assert len(FIFTHS) == 12


def test_the_demo_contest_never_asks_what_it_leaves_out(
    uow_factory: UnitOfWorkFactory, demo: ContestView
) -> None:
    asked: set[str] = set()
    for citizen in citizens(uow_factory, 40):
        with uow_factory.begin() as uow:
            view = attempts.start_paper(uow, demo.ref, citizen).view
        asked |= {slot.item.ref for slot in view.slots}
    assert not asked & set(FIFTHS)
    assert len(asked) == 48


def test_what_was_handed_in_may_be_practised_and_what_is_open_may_not(
    uow_factory: UnitOfWorkFactory, demo: ContestView
) -> None:
    one, other = citizens(uow_factory, 2)
    with uow_factory.begin() as uow:
        view = attempts.start_paper(uow, demo.ref, one).view
    paper = {slot.item.ref for slot in view.slots}
    assert not paper & {question.id for question in dealt(uow_factory, one)[1]}
    with uow_factory.begin() as uow:
        attempts.submit_paper(uow, view.sheet.ref, one, {})
    there = {q.id for _ in range(4) for q in dealt(uow_factory, one)[1]}
    assert there <= paper | set(FIFTHS)
    assert dealt(uow_factory, one, from_mistakes=True)[1]
    assert not paper & {question.id for question in dealt(uow_factory, other)[1]}


def test_a_contest_keeps_its_questions_until_its_last_paper_is_over(
    uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    closes = clock.now() + timedelta(hours=1)
    opens = clock.now() + timedelta(minutes=30)
    open_contest(uow_factory, opens_at=opens, closes_at=closes)
    (citizen,) = citizens(uow_factory, 1)
    assert dealt(uow_factory, citizen)[1] == []  # it will ask them soon
    clock.set(closes + timedelta(seconds=303))
    assert dealt(uow_factory, citizen)[1] == []
    clock.advance(0.001)
    assert len(dealt(uow_factory, citizen)[1]) == 20


@pytest.mark.parametrize(
    ("owner", "dealt_there"),
    [
        (Scope(), True),
        (Scope(city="450100"), True),
        (Scope(city="450100", county="450103"), True),
        (Scope(city="450100", county="450102"), False),
        (Scope(city="450200"), False),
        (Scope(city="450100", unit_id=7), False),
    ],
    ids=lambda value: value.spelled if isinstance(value, Scope) else str(value),
)
def test_practice_deals_the_banks_of_the_region_and_of_ones_own_places(
    uow_factory: UnitOfWorkFactory, owner: Scope, dealt_there: bool
) -> None:
    import_questions(uow_factory, QUESTIONS)
    with uow_factory.begin() as uow:
        uow.session.execute(update(Bank).values(**owned_by(owner)))
    (citizen,) = citizens(uow_factory, 1, city="450100", county="450103")
    assert bool(dealt(uow_factory, citizen)[1]) is dealt_there


def test_the_least_practised_come_first_and_topics_choose(
    uow_factory: UnitOfWorkFactory, demo: ContestView
) -> None:
    (citizen,) = citizens(uow_factory, 1)
    ref, first = dealt(uow_factory, citizen, 5)
    for question in first:
        assert say(uow_factory, citizen, ref, question.id, question.key).correct
    _, second = dealt(uow_factory, citizen, 7)
    assert not {q.id for q in first} & {q.id for q in second}
    topic = rows()[FIFTHS[0]]["topic"]
    _, chosen = dealt(uow_factory, citizen, topics=[topic])
    assert sorted(q.id for q in chosen) == [r for r in FIFTHS if rows()[r]["topic"] == topic]
    assert dealt(uow_factory, citizen, topics=["没有这个"])[1] == []


def test_an_answer_is_told_with_key_and_explanation_and_the_first_one_stays(
    uow_factory: UnitOfWorkFactory, demo: ContestView
) -> None:
    citizen, other = citizens(uow_factory, 2)
    ref, questions = dealt(uow_factory, citizen)
    question = questions[0]
    told = say(uow_factory, citizen, ref, question.id, question.wrong)
    assert (told.correct, told.key, told.chosen) == (False, question.key, question.wrong)
    assert told.explanation == rows()[question.id]["explanation"]
    assert say(uow_factory, citizen, ref, question.id, question.key) == told
    for wrong in (["Z"], [], ["A", "A"]):
        with pytest.raises(Invalid):
            say(uow_factory, citizen, ref, questions[1].id, wrong)
    with pytest.raises(Invalid):
        say(uow_factory, citizen, ref, "KX0001", ["A"])
    for who, where in ((other, ref), (citizen, "pra_nothing")):
        with pytest.raises(NotFound):
            say(uow_factory, who, where, question.id, ["A"])


@pytest.mark.race
def test_of_many_answers_at_once_one_is_the_first(
    uow_factory: UnitOfWorkFactory, demo: ContestView
) -> None:
    (citizen,) = citizens(uow_factory, 1)
    ref, questions = dealt(uow_factory, citizen)
    question = next(q for q in questions if q.kind == "single")
    steps = [
        lambda keys=keys: say(uow_factory, citizen, ref, question.id, keys)
        for keys in [question.key, question.wrong] * 6
    ]
    told = all_at_once(steps)
    assert len({str(one) for one in told}) == 1
    with uow_factory.begin(read_only=True) as uow:
        assert uow.session.scalar(select(func.count()).select_from(PracticeAnswer)) == 1


def test_practice_touches_no_rank_and_no_limit(
    uow_factory: UnitOfWorkFactory, demo: ContestView
) -> None:
    (citizen,) = citizens(uow_factory, 1)
    ref, questions = dealt(uow_factory, citizen)
    for question in questions:
        say(uow_factory, citizen, ref, question.id, question.key)
    with uow_factory.begin(read_only=True) as uow:
        for table in (Attempt, Entry, Standing):
            assert uow.session.scalar(select(func.count()).select_from(table)) == 0
        assert contest_progress(uow, [demo], citizen)[demo.id].attempts_left_today == 1


def test_a_mistake_leaves_the_book_after_two_right_answers_in_a_row(
    uow_factory: UnitOfWorkFactory, clock: FakeClock, demo: ContestView
) -> None:
    citizen, other = citizens(uow_factory, 2)
    book = []
    for right in (False, True, False, True, True):
        clock.advance(60)
        ref, questions = dealt(uow_factory, citizen)
        question = next(q for q in questions if q.id == FIFTHS[3])
        say(uow_factory, citizen, ref, question.id, question.key if right else question.wrong)
        book.append(in_book(uow_factory, citizen))
    assert book == [[FIFTHS[3]]] * 4 + [[]]
    assert in_book(uow_factory, other) == []


def test_a_closed_paper_fills_the_book_and_an_open_one_does_not(
    uow_factory: UnitOfWorkFactory, clock: FakeClock, demo: ContestView
) -> None:
    (citizen,) = citizens(uow_factory, 1)
    view = take(uow_factory, demo, citizen, right=7)
    wrong = [slot.item.ref for slot in view.slots][7:]
    assert sorted(in_book(uow_factory, citizen)) == sorted(wrong)
    clock.advance(86_400)
    with uow_factory.begin() as uow:
        attempts.start_paper(uow, demo.ref, citizen)
    assert sorted(in_book(uow_factory, citizen)) == sorted(wrong)
    for _ in range(2):
        clock.advance(1)
        ref, questions = dealt(uow_factory, citizen, from_mistakes=True)
        assert sorted(q.id for q in questions) == sorted(wrong)
        for question in questions:
            assert say(uow_factory, citizen, ref, question.id, question.key).correct
    assert in_book(uow_factory, citizen) == []
    assert dealt(uow_factory, citizen, from_mistakes=True)[1] == []


def test_practice_over_http(client: Any, uow_factory: UnitOfWorkFactory, demo: ContestView) -> None:
    with uow_factory.begin() as uow:
        phone = a_session(uow, a_citizen(uow))
        stranger = a_session(uow, a_citizen(uow, consented=False))
    made = client.post("/practice", json={}, citizen=phone)
    assert made.status_code == 201
    assert len(made.get_json()["questions"]) == 5
    for body in ({"count": 0}, {"count": 101}, {"topics": [""]}, {"score": 1}):
        assert client.post("/practice", json=body, citizen=phone).status_code == 422
    refused = client.post("/practice", json={}, citizen=stranger)
    assert (refused.status_code, refused.get_json()["code"]) == (409, "consent_required")
    assert client.post("/practice", json={}).status_code == 401
    ref, questions = made.get_json()["id"], seen(made.get_json())
    assert "explanation" not in made.text
    for question in questions:
        answer = client.post(
            f"/practice/{ref}/answers",
            json={"question_id": question.id, "answer": question.wrong},
            citizen=phone,
        )
        told = answer.get_json()
        assert (answer.status_code, told["correct"], told["key"]) == (200, False, question.key)
    first = client.get("/me/mistakes?limit=3", citizen=phone).get_json()
    rest = client.get(f"/me/mistakes?limit=3&after={first['next']}", citizen=phone).get_json()
    listed = first["items"] + rest["items"]
    assert (len(first["items"]), rest["next"]) == (3, None)
    assert {one["question_id"] for one in listed} == {question.id for question in questions}
    for one in listed:
        assert set(one["correct"]) == right_texts(one["question_id"])
        assert (one["where"], one["right_in_a_row"]) == ("practice", 0)
        assert one["explanation"] == rows()[one["question_id"]]["explanation"]
    assert client.get("/me/mistakes?after=x", citizen=phone).status_code == 422
    assert client.get("/me/mistakes").status_code == 401


def test_practice_is_exported_handed_over_and_forgotten(
    uow_factory: UnitOfWorkFactory, demo: ContestView
) -> None:
    keep, gone = citizens(uow_factory, 2)
    ref, questions = dealt(uow_factory, gone)
    say(uow_factory, gone, ref, questions[0].id, questions[0].wrong)
    with uow_factory.begin() as uow:
        for merge in uow.dependencies.hooks.merge:
            merge(uow, keep, gone)
    assert in_book(uow_factory, keep) == [questions[0].id]
    with uow_factory.begin() as uow:
        held = privacy.export_citizen(uow, keep)
        assert [one["question_id"] for one in held["practice"]] == [questions[0].id]
        assert [one["question_id"] for one in held["mistakes"]] == [questions[0].id]
        privacy.erase_citizen(uow, keep)
        assert uow.session.scalar(select(func.count()).select_from(PracticeAnswer)) == 0
