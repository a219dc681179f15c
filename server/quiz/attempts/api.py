"""Contests with the caller's progress, and papers, for the mini-program."""

from __future__ import annotations

from collections.abc import Sequence

from server.base.errors import Invalid, NotFound, Unavailable
from server.base.rate_limits import ANSWER, REPEAT
from server.base.uow import UnitOfWork
from server.base.web.auth import Who
from server.base.web.cursor import decode_cursor, encode_cursor
from server.base.web.endpoint import Answer, Api, endpoint
from server.base.web.schema import Page, PageQuery
from server.quiz.attempts import records, responses
from server.quiz.attempts import service as attempts
from server.quiz.attempts.contest_progress import contest_progress
from server.quiz.attempts.progress import season_progress
from server.quiz.attempts.responses import OwnProgress
from server.quiz.attempts.schemas import (
    AnswersIn,
    AttemptOut,
    ContestOut,
    NothingIn,
    QuestionOut,
    RecordOut,
    RecordsQuery,
    ResultOut,
    StartIn,
    SubmissionIn,
)
from server.quiz.contests import service as contests
from server.quiz.contests.service import ContestView
from server.quiz.errors import (
    AnswerFirst,
    AttemptClosed,
    BankTooSmall,
    ContestClosed,
    ContestNotOpen,
    ContestPaused,
    DivisionFixed,
    DivisionNeeded,
    NoAttemptsLeft,
    NoMoreQuestions,
    WarmUpFirst,
)

ATTEMPT_API = Api("quiz")


def _progress_of_caller(uow: UnitOfWork, found: Sequence[ContestView]) -> dict[int, OwnProgress]:
    """The caller's progress in these contests, by id; empty without a citizen."""
    caller = uow.maybe_caller_id
    if caller is None:
        return {}
    tries = contest_progress(uow, found, caller)
    reached = season_progress(uow, found, caller)
    return {one.id: (tries[one.id], reached[one.id]) for one in found}


@endpoint(
    ATTEMPT_API,
    "GET",
    "/contests",
    who=Who.MAYBE_CITIZEN,
    query=PageQuery,
    out=Page[ContestOut],
    errors=(Invalid,),
)
def list_contests(uow: UnitOfWork, query: PageQuery) -> Page[ContestOut]:
    """Contests, the newest first."""
    before = None if query.after is None else int(decode_cursor(query.after, int)[0])
    found = contests.list_contests(uow, query.limit + 1, before)
    shown = found[: query.limit]
    mine = _progress_of_caller(uow, shown)
    return Page(
        items=[responses.contest_out(one, uow.now, mine.get(one.id)) for one in shown],
        next=encode_cursor(shown[-1].id) if len(found) > len(shown) else None,
    )


@endpoint(
    ATTEMPT_API,
    "GET",
    "/contests/<ref>",
    who=Who.MAYBE_CITIZEN,
    out=ContestOut,
    errors=(NotFound,),
)
def show_contest(uow: UnitOfWork, ref: str) -> ContestOut:
    """Show one contest, with the caller's progress in it."""
    found = contests.find_contest(uow, ref)
    mine = _progress_of_caller(uow, [found])
    return responses.contest_out(found, uow.now, mine.get(found.id))


@endpoint(
    ATTEMPT_API,
    "POST",
    "/contests/<ref>/attempts",
    who=Who.CITIZEN,
    body=StartIn,
    out=AttemptOut,
    status=(201, 200),
    errors=(
        NotFound,
        Invalid,
        DivisionNeeded,
        DivisionFixed,
        WarmUpFirst,
        ContestNotOpen,
        ContestPaused,
        ContestClosed,
        NoAttemptsLeft,
        BankTooSmall,
        Unavailable,
    ),
    consent=True,
    pace=REPEAT,
    device=True,
)
def start_attempt(uow: UnitOfWork, ref: str, body: StartIn) -> Answer:
    """Start a paper, or resume the open one."""
    started = attempts.start_paper(uow, ref, uow.caller_id, body.division)
    return Answer(value=responses.attempt_out(started.view), status=201 if started.fresh else 200)


@endpoint(
    ATTEMPT_API,
    "POST",
    "/attempts/<ref>/next",
    who=Who.CITIZEN,
    body=NothingIn,
    out=QuestionOut,
    status=(201,),
    errors=(NotFound, AttemptClosed, AnswerFirst, NoMoreQuestions),
    pace=ANSWER,
)
def open_next(uow: UnitOfWork, ref: str, body: NothingIn) -> QuestionOut:  # noqa: ARG001 - the body has no fields
    """Open the next question of a paper with a timer per question."""
    return responses.question_out(attempts.open_next(uow, ref, uow.caller_id), timed=True)


@endpoint(
    ATTEMPT_API, "GET", "/attempts/<ref>", who=Who.CITIZEN, out=AttemptOut, errors=(NotFound,)
)
def show_attempt(uow: UnitOfWork, ref: str) -> AttemptOut:
    """Show one of the caller's papers: to resume, or with its result."""
    return responses.attempt_out(attempts.read_paper(uow, ref, uow.caller_id))


@endpoint(
    ATTEMPT_API,
    "PUT",
    "/attempts/<ref>/answers",
    who=Who.CITIZEN,
    body=AnswersIn,
    status=(204,),
    errors=(NotFound, AttemptClosed, Invalid),
    pace=ANSWER,
)
def save_answers(uow: UnitOfWork, ref: str, body: AnswersIn) -> None:
    """Save answers of an open paper."""
    attempts.save_answers(uow, ref, uow.caller_id, body.answers)


@endpoint(
    ATTEMPT_API,
    "POST",
    "/attempts/<ref>/submission",
    who=Who.CITIZEN,
    body=SubmissionIn,
    out=ResultOut,
    errors=(NotFound, Invalid, Unavailable),
    pace=REPEAT,
)
def submit(uow: UnitOfWork, ref: str, body: SubmissionIn) -> ResultOut:
    """Submit a paper; a repeat returns the same result."""
    return responses.result_out(attempts.submit_paper(uow, ref, uow.caller_id, body.answers))


@endpoint(
    ATTEMPT_API,
    "GET",
    "/me/attempts",
    who=Who.CITIZEN,
    query=RecordsQuery,
    out=Page[RecordOut],
    errors=(NotFound, Invalid),
)
def list_records(uow: UnitOfWork, query: RecordsQuery) -> Page[RecordOut]:
    """The citizen's closed papers, the last started first."""
    found = records.closed_papers(
        uow,
        uow.caller_id,
        contest_name=query.contest,
        before_id=None if query.after is None else int(decode_cursor(query.after, int)[0]),
        limit=query.limit + 1,
    )
    shown = found[: query.limit]
    return Page(
        items=[responses.record_out(one) for one in shown],
        next=encode_cursor(shown[-1].id) if len(found) > len(shown) else None,
    )
