"""Practice: questions without a clock, each with its key and explanation after the answer.

Only questions that give no advantage are dealt: those on the citizen's closed papers, and those of
the region's bank and of the banks of the citizen's own places that no contest may still ask.
Nothing here changes a paper, a limit, a standing or a board.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from server.accounts import service as accounts
from server.base.access import Scope
from server.base.errors import Invalid, NotFound
from server.base.sql.tables import insert_for
from server.base.uow import UnitOfWork
from server.quiz.attempts import papers
from server.quiz.attempts.papers import Slot
from server.quiz.bank.drawing import Item, fits_part
from server.quiz.bank.service import banks_owned_by, every_bank, every_version
from server.quiz.contests import service as contests
from server.quiz.enums import AttemptState, Timer
from server.quiz.models import Attempt, Practice, PracticeAnswer
from server.quiz.practice import mistakes
from server.quiz.rules import is_right


@dataclass(frozen=True, kw_only=True)
class Dealt:
    """A dealt practice; it may have fewer questions than requested, or none."""

    ref: str
    slots: Sequence[Slot]


@dataclass(frozen=True, kw_only=True)
class AnswerFeedback:
    """The result of the first answer to a question, in this practice's option keys."""

    question_ref: str
    chosen: list[str]
    correct: bool
    key: list[str]
    explanation: str


def begin_practice(
    uow: UnitOfWork,
    citizen_id: int,
    *,
    count: int,
    topics: Collection[str] = (),
    from_mistakes: bool = False,
) -> Dealt:
    """Deal questions, the least practised first; fewer when there are not enough.

    Empty `topics` means all; `from_mistakes` deals only from the wrong-answer book.
    """
    pool = _practice_pool(uow, citizen_id)
    if topics:
        pool = [item for item in pool if item.topic in topics]
    if from_mistakes:
        wrong = {mistake.item.ref for mistake in mistakes.list_mistakes(uow, citizen_id)}
        pool = [item for item in pool if item.ref in wrong]
    paper = papers.deal_paper(_least_practised(uow, citizen_id, pool)[:count], uow.random)
    row = Practice(ref=uow.new_ref("pra"), citizen_id=citizen_id, paper=paper, made_at=uow.now)
    uow.session.add(row)
    return Dealt(
        ref=row.ref, slots=_slots_of_practice(paper, {item.id: item for item in pool}, uow.now)
    )


def answer_question(
    uow: UnitOfWork, ref: str, citizen_id: int, question_ref: str, keys: Sequence[str]
) -> AnswerFeedback:
    """Mark an answer; a repeated answer returns the result of the first one.

    Raises: NotFound (404) also for another citizen's practice, Invalid (422) for a question or
    option that is not in it.
    """
    row = uow.session.scalar(
        select(Practice).where(Practice.ref == ref, Practice.citizen_id == citizen_id)
    )
    if row is None:
        raise NotFound
    dealt = _slots_of_practice(row.paper, every_version(uow), row.made_at)
    slots = {slot.item.ref: slot for slot in dealt}
    slot = slots.get(question_ref)
    if slot is None:
        raise Invalid((("body", "question_id"), "no such question in this practice"))
    chosen = _chosen_options(slot, keys)
    first = _keep_first(uow, row.id, slot.item, chosen)
    return AnswerFeedback(
        question_ref=question_ref,
        chosen=slot.keys_of(first),
        correct=is_right(slot.item.answer, first),
        key=slot.keys_of(slot.item.answer),
        explanation=slot.item.explanation,
    )


def _chosen_options(slot: Slot, keys: Sequence[str]) -> list[int]:
    try:
        chosen = slot.options_of(keys)
    except ValueError as trouble:
        raise Invalid((("body", "answer"), str(trouble))) from None
    if not chosen:
        raise Invalid((("body", "answer"), "an answer names an option"))
    return chosen


def _keep_first(uow: UnitOfWork, practice_id: int, item: Item, chosen: list[int]) -> list[int]:
    fresh = insert_for(uow.session, PracticeAnswer).values(
        practice_id=practice_id,
        question_id=item.id,
        chosen=chosen,
        correct=is_right(item.answer, chosen),
        answered_at=uow.now,
    )
    uow.session.execute(fresh.on_conflict_do_nothing())
    first = uow.session.scalar(
        select(PracticeAnswer.chosen).where(
            PracticeAnswer.practice_id == practice_id, PracticeAnswer.question_id == item.id
        )
    )
    return list(first or [])


def _practice_pool(uow: UnitOfWork, citizen_id: int) -> list[Item]:
    """Live questions that this citizen may practise."""
    handed_in = _handed_in(uow, citizen_id)
    to_come = contests.unfinished_contests(uow)
    place = accounts.place_of(uow, citizen_id)
    home = Scope(city=place.city, county=place.county, unit_id=place.unit_id)
    # Another place may keep the questions of its bank for a contest that it has not created yet.
    own = banks_owned_by(uow, {home.spelled, *home.above})
    found = []
    for bank in every_bank(uow):
        preflight = [one for one in to_come if one.bank == bank.slug]
        found += [
            item
            for item in bank.live
            if item.id in handed_in
            or (bank.slug in own and not any(_may_ask(contest, item) for contest in preflight))
        ]
    return found


def _may_ask(contest: contests.ContestView, item: Item) -> bool:
    return item.ref not in contest.left_out and any(
        fits_part(item, part) for part in contest.rules.parts
    )


def _handed_in(uow: UnitOfWork, citizen_id: int) -> set[int]:
    """The question versions on this citizen's closed papers."""
    closed = select(Attempt.paper).where(
        Attempt.citizen_id == citizen_id, Attempt.state != AttemptState.OPEN
    )
    return {row["q"] for paper in uow.session.scalars(closed) for row in paper}


def _least_practised(uow: UnitOfWork, citizen_id: int, pool: Sequence[Item]) -> list[Item]:
    asked = (
        select(PracticeAnswer.question_id, func.count())
        .join(Practice, Practice.id == PracticeAnswer.practice_id)
        .where(Practice.citizen_id == citizen_id)
        .group_by(PracticeAnswer.question_id)
    )
    times: dict[int, int] = {row[0]: row[1] for row in uow.session.execute(asked)}
    mixed = list(pool)
    uow.random.shuffle(mixed)
    return sorted(mixed, key=lambda item: times.get(item.id, 0))


def _slots_of_practice(
    paper: Sequence[Mapping[str, Any]], by_id: Mapping[int, Item], made_at: datetime
) -> list[Slot]:
    return papers.slots_of_paper(paper, by_id, Timer.PAPER, made_at, made_at)
