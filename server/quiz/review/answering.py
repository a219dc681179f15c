"""Answers to citizens' reports about a question: one decision, one message per reporter.

A decision closes the open reports of one version and its signs of doubt. A task sends the messages,
one citizen per transaction.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import select, update

from server.audit.service import Subject, record_change
from server.base.access import Organizer
from server.base.jobs import Task, TaskContext
from server.base.ownership import scope_of, serving_found_row
from server.base.uow import UnitOfWork
from server.notices import service as notices
from server.notices.service import Letter
from server.quiz.enums import ReportDecision
from server.quiz.errors import NothingToAnswer, OwnQuestion
from server.quiz.models import ItemFigure, Question, QuestionReport

TASK = "quiz.tell_reporters"
# At most this many messages are sent in one run of the task.
_MOST = 200


def answer_reports(
    uow: UnitOfWork,
    organizer: Organizer,
    question: Question,
    decision: ReportDecision,
    words: str,
) -> int:
    """Answer the open reports of a version and accept its signs; return how many reports.

    Raises: OwnQuestion (409) for the writer who finds no fault, NothingToAnswer (409).
    """
    if decision is ReportDecision.NO_FAULT and question.writer_id == organizer.id:
        raise OwnQuestion(ref=question.ref)
    facts = {"decision": decision.value, "answer": words, "decider_id": organizer.id}
    with serving_found_row(uow.session):
        answered = _close_reports(uow, question.id, facts)
        figure = _find_figure(uow, question.id)
    doubtful = figure is not None and figure.doubtful
    if not answered and not doubtful and decision is not ReportDecision.VOIDED:
        raise NothingToAnswer
    if figure is not None and doubtful:
        figure.accepted, figure.doubtful = figure.signs, False
    subject = Subject("question", question.ref, scope_of(question))
    record_change(
        uow, organizer, "quiz.answer_reports", subject,
        after={
            "version": question.version, "decision": decision.value, "reports": answered,
            "signs": figure.signs if figure is not None and doubtful else "",
        },
        reason=words,
    )  # fmt: skip
    uow.enqueue_after_commit(TASK)
    return answered


def _close_reports(uow: UnitOfWork, question_id: int, facts: dict[str, Any]) -> int:
    """Close the open reports of a version; return how many."""
    closed = (
        update(QuestionReport)
        .where(QuestionReport.question_id == question_id, QuestionReport.decision.is_(None))
        .values(**facts, decided_at=uow.now)
        .returning(QuestionReport.id)
    )
    return len(uow.session.execute(closed).all())


def _find_figure(uow: UnitOfWork, question_id: int) -> ItemFigure | None:
    return uow.session.get(ItemFigure, question_id)


def tell_reporters(context: TaskContext, *_ids: int) -> int:
    """Send citizens the decision about their reports; return how many messages were sent."""
    with context.uow_factory.begin(read_only=True) as uow:
        untold = select(QuestionReport.id).where(
            QuestionReport.decided_at.is_not(None), QuestionReport.told_at.is_(None)
        )
        due = list(uow.session.scalars(untold.order_by(QuestionReport.id).limit(_MOST)))
    for report_id in due:
        with context.uow_factory.begin() as uow:
            _tell_reporter(uow, report_id)
    return len(due)


def _tell_reporter(uow: UnitOfWork, report_id: int) -> None:
    """Send one answer; its key makes it unique.

    Locks: the citizen, then the row of the report.
    """
    asked = (
        select(QuestionReport, Question.stem)
        .join(Question, Question.id == QuestionReport.question_id)
        .where(QuestionReport.id == report_id)
    )
    found = uow.session.execute(asked).one_or_none()
    if found is None:
        return  # erased meanwhile
    report, stem = found
    said = uow.texts.fill_text
    letter = Letter(
        key=f"{report.ref}:answer",
        title=said("quiz.report_letter.title"),
        body=said(f"quiz.report_letter.{report.decision}", stem=stem[:40], answer=report.answer),
    )
    notices.post_message(uow, report.citizen_id, letter)
    told = update(QuestionReport).where(QuestionReport.id == report_id)
    uow.session.execute(told.values(told_at=uow.now))


ANSWER_TASKS = (Task(name=TASK, step=tell_reporters, every_seconds=30),)
