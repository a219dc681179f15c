"""Voids of questions: proposed by one organizer, decided by another, and lifted again.

A decision raises the contest's marking in its transaction: from then on every paper that closes
counts the question as right. A long job rescores the papers closed before.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select

from server.audit.service import Subject, record_change
from server.base.access import Organizer
from server.base.errors import NotFound
from server.base.jobs import Task, TaskContext
from server.base.ownership import owned_by, scope_of, visible_to, writable_by
from server.base.uow import UnitOfWork
from server.console.long_jobs import JobResult, JobRun, LongJob, start_job
from server.quiz.bank import service as banks
from server.quiz.enums import QuestionState, ReportDecision, VoidState
from server.quiz.errors import NoContestChosen, OwnVoid, VoidPending, WrongVoidState
from server.quiz.models import Contest, Question, QuestionVoid
from server.quiz.review.answering import answer_reports
from server.quiz.review.rescoring import begin_rescoring, finish_rescoring, list_abandoned

SUBJECT = "question_void"
_OPEN = (VoidState.PROPOSED, VoidState.IN_FORCE)
_VERSION = re.compile(r"[1-9][0-9]{0,5}", re.ASCII)


def contests_with(uow: UnitOfWork, organizer: Organizer, question: Question) -> list[Contest]:
    """The organizer's published contests that use the question's bank, the newest first."""
    own = writable_by(_published_over(question.bank), organizer, Contest)
    return list(uow.session.scalars(own))


def _published_over(bank: str) -> Select[Any]:
    asked: Any = select(Contest).where(Contest.bank == bank, Contest.published_at.is_not(None))
    return asked.order_by(Contest.id.desc())  # type: ignore[no-any-return]  # as below


def propose_void(
    uow: UnitOfWork,
    organizer: Organizer,
    question: Question,
    contest_refs: Collection[str],
    since: datetime | None,
    reason: str,
) -> list[QuestionVoid]:
    """Propose that a version is void in these contests; another organizer decides.

    `since` is the earliest start of the papers concerned; None for all papers.
    Raises: NoContestChosen, VoidPending (409).
    """
    chosen = [
        one for one in contests_with(uow, organizer, question) if one.ref in set(contest_refs)
    ]
    if not chosen:
        raise NoContestChosen
    made = []
    for contest in chosen:
        pending = _open_void(uow, organizer, contest.id, question.id)
        if pending is not None:
            raise VoidPending(title=contest.title, about=pending.ref)
        row = QuestionVoid(
            ref=uow.new_ref("vod"), contest_id=contest.id, question_id=question.id,
            state=VoidState.PROPOSED, since=since, reason=reason, proposer_id=organizer.id,
            proposed_at=uow.now, **owned_by(scope_of(contest)),
        )  # fmt: skip
        uow.session.add(row)
        after = {"state": "proposed", "question": question.ref, "contest": contest.ref}
        subject = Subject(SUBJECT, row.ref, scope_of(row))
        record_change(uow, organizer, "quiz.propose_void", subject, after=after, reason=reason)
        made.append(row)
    uow.session.flush()
    return made


def _open_void(
    uow: UnitOfWork, organizer: Organizer, contest_id: int, question_id: int
) -> QuestionVoid | None:
    asked = select(QuestionVoid).where(
        QuestionVoid.contest_id == contest_id,
        QuestionVoid.question_id == question_id,
        QuestionVoid.state.in_(_OPEN),
    )
    row: QuestionVoid | None = uow.session.scalar(writable_by(asked, organizer, QuestionVoid))
    return row


def find_void(uow: UnitOfWork, organizer: Organizer, ref: str) -> QuestionVoid:
    """A void of the organizer's place.

    Raises: NotFound (404).
    """
    return _require_void(uow, _voids_named(ref), organizer)


def _voids_named(ref: str) -> Select[Any]:
    asked: Any = select(QuestionVoid).where(QuestionVoid.ref == ref)
    return asked  # type: ignore[no-any-return]  # one type for all selects


def _require_void(uow: UnitOfWork, asked: Select[Any], organizer: Organizer) -> QuestionVoid:
    row: QuestionVoid | None = uow.session.scalar(writable_by(asked, organizer, QuestionVoid))
    if row is None:
        raise NotFound
    return row


def _lock_void(uow: UnitOfWork, organizer: Organizer, ref: str, state: VoidState) -> QuestionVoid:
    row = _require_void(uow, _voids_named(ref).with_for_update(), organizer)
    if row.state is not state:
        question = find_version(uow, organizer, row.question_id)
        raise WrongVoidState(path=f"/review/{question.ref}/{question.version}")
    return row


def refuse_void(uow: UnitOfWork, organizer: Organizer, ref: str, reason: str) -> None:
    """Refuse a proposed void; nothing is rescored.

    Raises: NotFound (404), WrongVoidState (409).
    """
    row = _lock_void(uow, organizer, ref, VoidState.PROPOSED)
    _store_decision(uow, organizer, row, VoidState.REFUSED, reason)
    _record_decision(uow, organizer, row, "proposed", reason)


def approve_void(uow: UnitOfWork, organizer: Organizer, ref: str, reason: str) -> str:
    """Put a void in force and start the rescoring; return the ref of the job.

    The question is not dealt any more: its live version is retired, or, where it belongs to a
    higher place, the contest leaves it out.
    Raises: NotFound (404), WrongVoidState, OwnVoid (409).
    Locks: the void, the contest.
    """
    row = _lock_void(uow, organizer, ref, VoidState.PROPOSED)
    question = find_version(uow, organizer, row.question_id)
    if organizer.id in (row.proposer_id, question.writer_id):
        raise OwnVoid
    _store_decision(uow, organizer, row, VoidState.IN_FORCE, reason)
    contest = _raise_marking(uow, organizer, row.contest_id)
    row.from_marking = contest.marking
    _stop_dealing(uow, organizer, question, contest)
    if organizer.scope.covers_scope(scope_of(question)):
        answer_reports(uow, organizer, question, ReportDecision.VOIDED, reason)
    _record_decision(uow, organizer, row, "proposed", reason)
    return _start_rescoring(uow, organizer, row, contest, question)


def lift_void(uow: UnitOfWork, organizer: Organizer, ref: str, reason: str) -> str:
    """Lift a void in force and start the rescoring; return the ref of the job.

    The question stays retired; a new version, reviewed as usual, makes it live again. A contest
    that left it out deals it again.
    Raises: NotFound (404), WrongVoidState, OwnVoid (409) for the writer of the question.
    Locks: the void, the contest.
    """
    row = _lock_void(uow, organizer, ref, VoidState.IN_FORCE)
    question = find_version(uow, organizer, row.question_id)
    if organizer.id == question.writer_id:
        raise OwnVoid
    _store_decision(uow, organizer, row, VoidState.LIFTED, reason)
    contest = _raise_marking(uow, organizer, row.contest_id)
    row.until_marking = contest.marking
    if not organizer.scope.covers_scope(scope_of(question)):
        contest.left_out = [one for one in contest.left_out if one != question.ref]
    _record_decision(uow, organizer, row, "in_force", reason)
    return _start_rescoring(uow, organizer, row, contest, question)


def describe_void(
    uow: UnitOfWork, organizer: Organizer, ref: str
) -> tuple[QuestionVoid, Question, str]:
    """A void with its question and the contest's title.

    Raises: NotFound (404).
    """
    row = find_void(uow, organizer, ref)
    contest = select(Contest).where(Contest.id == row.contest_id)
    title = uow.session.scalars(writable_by(contest, organizer, Contest)).one().title
    return row, find_version(uow, organizer, row.question_id), title


def find_own_version(uow: UnitOfWork, organizer: Organizer, ref: str, number: str) -> Question:
    """A version within the organizer's scope, whose reports are answered.

    Raises: NotFound (404).
    """
    if not _VERSION.fullmatch(number):
        raise NotFound
    asked = select(Question).where(Question.ref == ref, Question.version == int(number))
    row: Question | None = uow.session.scalar(writable_by(asked, organizer, Question))
    if row is None:
        raise NotFound
    return row


def find_version(uow: UnitOfWork, organizer: Organizer, question_id: int) -> Question:
    """A version in the organizer's scope, or a published one of a higher place.

    Raises: NotFound (404).
    """
    asked = select(Question).where(Question.id == question_id)
    row: Question | None = uow.session.scalar(visible_to(asked, organizer, Question))
    if row is None:
        raise NotFound
    return row


def _store_decision(
    uow: UnitOfWork, organizer: Organizer, row: QuestionVoid, state: VoidState, reason: str
) -> None:
    row.state, row.decision_reason = state, reason
    row.decider_id, row.decided_at = organizer.id, uow.now


def _raise_marking(uow: UnitOfWork, organizer: Organizer, contest_id: int) -> Contest:
    """Raise the contest's marking: papers that close at the same time are refused and repeated."""
    asked = select(Contest).where(Contest.id == contest_id).with_for_update(key_share=True)
    found = writable_by(asked, organizer, Contest).execution_options(populate_existing=True)
    contest: Contest = uow.session.scalars(found).one()
    contest.marking += 1
    uow.session.flush()
    return contest


def _stop_dealing(
    uow: UnitOfWork, organizer: Organizer, question: Question, contest: Contest
) -> None:
    if not organizer.scope.covers_scope(scope_of(question)):
        contest.left_out = sorted({*contest.left_out, question.ref})
    elif question.state is QuestionState.LIVE:
        question.state = QuestionState.RETIRED
        uow.session.flush()
        banks.renew_revision_for(uow, organizer, question.bank)


def _record_decision(
    uow: UnitOfWork, organizer: Organizer, row: QuestionVoid, before: str, reason: str
) -> None:
    record_change(
        uow, organizer, "quiz.decide_void", Subject(SUBJECT, row.ref, scope_of(row)),
        before={"state": before}, after={"state": row.state.value}, reason=reason,
    )  # fmt: skip


def _start_rescoring(
    uow: UnitOfWork,
    organizer: Organizer,
    row: QuestionVoid,
    contest: Contest,
    question: Question,
) -> str:
    rescoring = begin_rescoring(uow, row, contest.marking)
    facts = {"question": question.ref, "title": contest.title}
    return start_job(uow, organizer, RESCORE_JOB, {"rescoring": rescoring.ref}, title_facts=facts)


def run_rescoring(context: TaskContext, job: JobRun) -> JobResult:
    """Rescore the papers of a void; a repeat after a lost run continues where that run ended."""
    done = finish_rescoring(
        context.uow_factory, job.arguments["rescoring"], job.report_progress, job.organizer
    )
    facts = {"papers": done.papers, "ranks": done.rank_changes}
    return JobResult(said="quiz.rescore.done", facts=facts)


def continue_rescorings(context: TaskContext, *_ids: int) -> int:
    """Finish rescorings whose job was given up; return how many."""
    with context.uow_factory.begin(read_only=True) as uow:
        abandoned = list_abandoned(uow)
    for ref in abandoned:
        finish_rescoring(context.uow_factory, ref, lambda _done, _total: None)
    return len(abandoned)


RESCORE_JOB = LongJob(name="quiz.rescore_papers", title="quiz.rescore.job", run=run_rescoring)
JOBS = (RESCORE_JOB,)
RESCORING_TASKS = (
    Task(name="quiz.continue_rescorings", step=continue_rescorings, every_seconds=60),
)
