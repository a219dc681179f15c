"""Reports of citizens about questions."""

from __future__ import annotations

from server.base.errors import Invalid, NotFound
from server.base.rate_limits import CHANGE, OWN_WORDS, spend_token
from server.base.uow import UnitOfWork
from server.base.web.auth import Who
from server.base.web.endpoint import Api, PreflightContext, endpoint
from server.quiz.enums import WordsState
from server.quiz.errors import ReasonRefused
from server.quiz.review import reports
from server.quiz.review.reports import Reported
from server.quiz.review.schemas import ReportIn

REPORT_API = Api("practice")


def _have_words_judged(
    preflight: PreflightContext, ref: str, body: ReportIn
) -> tuple[Reported, WordsState]:
    """Check the text with WeChat, unless this version was reported before."""
    with preflight.uow_factory.begin(read_only=True) as uow:
        reported = reports.find_seen_version(uow, ref, preflight.caller.id)
    reason = reports.clean_reason(body.reason)
    if reported.known:
        return reported, WordsState.UNCHECKED
    spend_token(preflight.uow_factory.dependencies, OWN_WORDS, preflight.caller.person)
    return reported, reports.judge_reason(preflight.gateway, reported, reason)


@endpoint(
    REPORT_API,
    "POST",
    "/questions/<ref>/reports",
    who=Who.CITIZEN,
    body=ReportIn,
    status=(202,),
    errors=(NotFound, ReasonRefused, Invalid),
    consent=True,
    ask=_have_words_judged,
    pace=CHANGE,
)
def report_question(
    uow: UnitOfWork,
    ref: str,  # noqa: ARG001 - used by `ask`
    body: ReportIn,
    asked: tuple[Reported, WordsState],
) -> None:
    """Report a fault of a question that the caller has seen, once per version."""
    reported, words = asked
    reports.store_report(uow, uow.caller_id, reported, reports.clean_reason(body.reason), words)
