"""Practice and the wrong-answer book."""

from __future__ import annotations

from datetime import datetime

from server.base.errors import Invalid, NotFound
from server.base.rate_limits import PRACTICE, PRACTICE_ANSWER
from server.base.uow import UnitOfWork
from server.base.web.auth import Who
from server.base.web.cursor import decode_cursor, encode_cursor
from server.base.web.endpoint import Api, endpoint
from server.base.web.schema import Page, PageQuery, fill_from
from server.quiz.attempts import responses
from server.quiz.practice import mistakes
from server.quiz.practice import service as practice
from server.quiz.practice.mistakes import Mistake
from server.quiz.practice.schemas import (
    MistakeOut,
    PracticeAnswerIn,
    PracticeAnswerOut,
    PracticeIn,
    PracticeOut,
)

PRACTICE_API = Api("practice")


@endpoint(
    PRACTICE_API,
    "POST",
    "/practice",
    who=Who.CITIZEN,
    body=PracticeIn,
    out=PracticeOut,
    status=(201,),
    consent=True,
    pace=PRACTICE,
)
def begin_practice(uow: UnitOfWork, body: PracticeIn) -> PracticeOut:
    """Deal questions to practise: without a clock, without a rank."""
    dealt = practice.begin_practice(
        uow,
        uow.caller_id,
        count=body.count,
        topics=body.topics,
        from_mistakes=body.from_mistakes,
    )
    return PracticeOut(
        id=dealt.ref,
        questions=[responses.question_out(slot, timed=False) for slot in dealt.slots],
    )


@endpoint(
    PRACTICE_API,
    "POST",
    "/practice/<ref>/answers",
    who=Who.CITIZEN,
    body=PracticeAnswerIn,
    out=PracticeAnswerOut,
    errors=(NotFound, Invalid),
    consent=True,
    pace=PRACTICE_ANSWER,
)
def answer_practice(uow: UnitOfWork, ref: str, body: PracticeAnswerIn) -> PracticeAnswerOut:
    """Answer one question; return its key and explanation. A repeat returns the first result."""
    told = practice.answer_question(uow, ref, uow.caller_id, body.question_id, body.answer)
    return fill_from(told, PracticeAnswerOut, question_id=told.question_ref)


@endpoint(
    PRACTICE_API,
    "GET",
    "/me/mistakes",
    who=Who.CITIZEN,
    query=PageQuery,
    out=Page[MistakeOut],
    errors=(Invalid,),
)
def list_mistakes(uow: UnitOfWork, query: PageQuery) -> Page[MistakeOut]:
    """The wrong-answer book, the latest mistake first."""
    after = None if query.after is None else _place_from_cursor(query.after)
    found = [
        m
        for m in mistakes.list_mistakes(uow, uow.caller_id)
        if after is None or _place_of_mistake(m) < after
    ]
    shown = found[: query.limit]
    last = _place_of_mistake(shown[-1]) if len(found) > len(shown) else None
    return Page(
        items=[_mistake_out(mistake) for mistake in shown],
        next=None if last is None else encode_cursor(last[0].isoformat(), last[1]),
    )


def _place_of_mistake(mistake: Mistake) -> tuple[datetime, str]:
    return mistake.wrong_at, mistake.item.ref


def _place_from_cursor(cursor: str) -> tuple[datetime, str]:
    at, ref = decode_cursor(cursor, str, str)
    try:
        instant = datetime.fromisoformat(str(at))
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None:
        raise Invalid((("query", "after"), "an unreadable cursor"))
    return instant, str(ref)


def _mistake_out(mistake: Mistake) -> MistakeOut:
    item = mistake.item
    return fill_from(
        item,
        MistakeOut,
        question_id=item.ref,
        picture=responses.picture_out(item),
        chosen=[item.options[at] for at in mistake.chosen],
        correct=[item.options[at] for at in item.answer],
        where=mistake.where,
        wrong_at=mistake.wrong_at,
        right_in_a_row=mistake.right_in_a_row,
    )
