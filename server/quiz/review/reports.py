"""Citizens' reports about questions: stored once per version, for the organizers.

The text passes WeChat's check first; the endpoint runs it between two transactions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from server.accounts import service as accounts
from server.base.errors import Invalid, NotFound
from server.base.sql.tables import insert_for
from server.base.uow import UnitOfWork
from server.quiz.enums import WordsState
from server.quiz.errors import ReasonRefused
from server.quiz.models import Attempt, Practice, Question, QuestionReport
from server.wechat.gateway import TextPlace, Verdict
from server.wechat.text_check import TextCheck, verdict_or_none

_STATES = {Verdict.PASS: WordsState.PASSED, Verdict.REVIEW: WordsState.REVIEW}


@dataclass(frozen=True, kw_only=True)
class Reported:
    """The reported version, and the openid for WeChat's check; `known` when it is a repeat."""

    question_id: int
    openid: str | None
    known: bool


@dataclass(frozen=True, kw_only=True)
class PastReport:
    """A report with its time, about a version of a question that the citizen has seen."""

    citizen_id: int
    question_id: int
    reason: str
    at: datetime


def clean_reason(text: str) -> str:
    """Remove invisible characters from a reason.

    Raises: Invalid (422) when nothing remains.
    """
    clean = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    if not clean:
        raise Invalid((("body", "reason"), "1 to 500 characters, not all of them invisible"))
    return clean


def find_seen_version(uow: UnitOfWork, question_ref: str, citizen_id: int) -> Reported:
    """The version of a question that a citizen saw last.

    Raises: NotFound (404) for a question that the citizen has not seen.
    """
    question_id = _seen_version(uow, question_ref, citizen_id)
    if question_id is None:
        raise NotFound
    known = uow.session.scalar(
        select(QuestionReport.id).where(
            QuestionReport.citizen_id == citizen_id, QuestionReport.question_id == question_id
        )
    )
    return Reported(
        question_id=question_id,
        openid=accounts.openid_of(uow, citizen_id, "mini_program"),
        known=known is not None,
    )


def judge_reason(gateway: TextCheck, reported: Reported, reason: str) -> WordsState:
    """WeChat's verdict on the text; never call it inside a transaction.

    Raises: ReasonRefused (409).
    """
    return judge_words(gateway, reported.openid, reason)


def judge_words(gateway: TextCheck, openid: str | None, words: str) -> WordsState:
    """WeChat's verdict on a citizen's text; never call it inside a transaction.

    Raises: ReasonRefused (409).
    """
    verdict = verdict_or_none(gateway, openid, words, TextPlace.COMMENT)
    if verdict is None:
        return WordsState.UNCHECKED
    if verdict is Verdict.RISKY:
        raise ReasonRefused
    return _STATES[verdict]


def store_report(
    uow: UnitOfWork, citizen_id: int, reported: Reported, reason: str, words: WordsState
) -> None:
    """Store a report; an earlier report about the version is kept instead."""
    fresh = insert_for(uow.session, QuestionReport).values(
        ref=uow.new_ref("rep"),
        citizen_id=citizen_id,
        question_id=reported.question_id,
        reason=reason,
        words=words,
        made_at=uow.now,
    )
    uow.session.execute(fresh.on_conflict_do_nothing())


def add_reports(uow: UnitOfWork, reports: Sequence[PastReport]) -> None:
    """Store reports of the past, for the sample data of the demo."""
    rows = [
        {
            "ref": uow.new_ref("rep"),
            "citizen_id": one.citizen_id,
            "question_id": one.question_id,
            "reason": clean_reason(one.reason),
            "words": WordsState.PASSED,
            "made_at": one.at,
        }
        for one in reports
    ]
    if rows:
        fresh = insert_for(uow.session, QuestionReport).on_conflict_do_nothing()
        uow.session.execute(fresh, rows)


def _seen_version(uow: UnitOfWork, question_ref: str, citizen_id: int) -> int | None:
    versions = select(Question.id).where(Question.ref == question_ref)
    ids = set(uow.session.scalars(versions))
    if not ids:
        return None
    seen = [
        row["q"]
        for paper, timed in _papers_dealt_to(uow, citizen_id)
        for row in paper
        if row["q"] in ids and (not timed or "opened_at" in row)
    ]
    return max(seen, default=None)


def _papers_dealt_to(
    uow: UnitOfWork, citizen_id: int
) -> list[tuple[list[dict[str, object]], bool]]:
    """Every paper and practice of a citizen, and whether its questions are opened one by one."""
    dealt = [
        *uow.session.scalars(select(Attempt.paper).where(Attempt.citizen_id == citizen_id)),
        *uow.session.scalars(select(Practice.paper).where(Practice.citizen_id == citizen_id)),
    ]
    return [(paper, any("opened_at" in row for row in paper)) for paper in dealt]
