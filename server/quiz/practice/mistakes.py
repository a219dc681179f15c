"""The wrong-answer book, computed from closed papers and practice, never stored.

A question enters after a wrong answer, or none on a closed paper, and leaves after two right
answers in a row in practice. An answer of a paper to a void question is no mistake.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from sqlalchemy import select

from server.base.uow import UnitOfWork
from server.quiz.bank.drawing import Item
from server.quiz.bank.service import every_version
from server.quiz.contests.voids import voided_for, voids_at
from server.quiz.enums import AttemptState
from server.quiz.models import Attempt, Practice, PracticeAnswer
from server.quiz.rules import is_right

RIGHT_TO_LEAVE = 2
Where = Literal["paper", "practice"]


@dataclass(frozen=True, kw_only=True)
class Mistake:
    """A question in the book, with the last wrong answer to it.

    Units: `chosen` positions in the item's options; `right_in_a_row` 0 to 1.
    """

    item: Item
    chosen: tuple[int, ...]
    where: Where
    wrong_at: datetime
    right_in_a_row: int = 0


@dataclass(frozen=True, kw_only=True)
class _Answered:
    at: datetime
    number: int
    item: Item
    chosen: tuple[int, ...]
    where: Where


def list_mistakes(uow: UnitOfWork, citizen_id: int) -> list[Mistake]:
    """A citizen's wrong-answer book, the latest mistake first."""
    by_id = every_version(uow)
    answered = [*_on_papers(uow, citizen_id, by_id), *_answers_of_practice(uow, citizen_id, by_id)]
    found: dict[str, Mistake] = {}
    for one in sorted(answered, key=lambda one: (one.at, one.number)):
        _take_answer(found, one)
    return sorted(
        found.values(), key=lambda mistake: (mistake.wrong_at, mistake.item.ref), reverse=True
    )


def _take_answer(found: dict[str, Mistake], one: _Answered) -> None:
    ref = one.item.ref
    if not is_right(one.item.answer, one.chosen):
        found[ref] = Mistake(item=one.item, chosen=one.chosen, where=one.where, wrong_at=one.at)
    elif one.where == "practice" and ref in found:
        found[ref] = replace(found[ref], right_in_a_row=found[ref].right_in_a_row + 1)
        if found[ref].right_in_a_row >= RIGHT_TO_LEAVE:
            del found[ref]


def _on_papers(uow: UnitOfWork, citizen_id: int, by_id: Mapping[int, Item]) -> Iterator[_Answered]:
    asked = select(
        Attempt.id,
        Attempt.paper,
        Attempt.answers,
        Attempt.closed_at,
        Attempt.contest_id,
        Attempt.marking,
        Attempt.started_at,
    ).where(Attempt.citizen_id == citizen_id, Attempt.state != AttemptState.OPEN)
    for number, paper, answers, closed_at, *marked in uow.session.execute(asked):
        voided = _voided_on(uow, *marked)
        for row in paper:
            if row["q"] in voided:
                continue
            item = by_id[row["q"]]
            yield _Answered(
                at=closed_at,
                number=number,
                item=item,
                chosen=tuple(answers.get(item.ref, ())),
                where="paper",
            )


def _voided_on(
    uow: UnitOfWork, contest_id: int, marking: int, started_at: datetime
) -> frozenset[int]:
    return voided_for(voids_at(uow, contest_id, marking), started_at)


def _answers_of_practice(
    uow: UnitOfWork, citizen_id: int, by_id: Mapping[int, Item]
) -> Iterator[_Answered]:
    asked = (
        select(
            PracticeAnswer.id,
            PracticeAnswer.question_id,
            PracticeAnswer.chosen,
            PracticeAnswer.answered_at,
        )
        .join(Practice, Practice.id == PracticeAnswer.practice_id)
        .where(Practice.citizen_id == citizen_id)
    )
    for number, question_id, chosen, answered_at in uow.session.execute(asked):
        yield _Answered(
            at=answered_at,
            number=number,
            item=by_id[question_id],
            chosen=tuple(chosen),
            where="practice",
        )
