"""Appeals of citizens against a hold."""

from __future__ import annotations

from server.base.errors import Invalid, NotFound
from server.base.rate_limits import CHANGE, OWN_WORDS, spend_token
from server.base.uow import UnitOfWork
from server.base.web.auth import Who
from server.base.web.endpoint import Api, PreflightContext, endpoint
from server.quiz.enums import WordsState
from server.quiz.errors import NotHeld, ReasonRefused
from server.quiz.integrity import service as integrity
from server.quiz.integrity.schemas import AppealIn
from server.quiz.integrity.service import Appealed
from server.quiz.review import reports

APPEAL_API = Api("quiz")


def _have_words_judged(
    preflight: PreflightContext, ref: str, body: AppealIn
) -> tuple[Appealed, WordsState]:
    """Check the text with WeChat, unless the hold was appealed before."""
    with preflight.uow_factory.begin(read_only=True) as uow:
        appealed = integrity.find_appealed(uow, ref, preflight.caller.id)
    reason = reports.clean_reason(body.reason)
    if appealed.known:
        return appealed, WordsState.UNCHECKED
    spend_token(preflight.uow_factory.dependencies, OWN_WORDS, preflight.caller.person)
    return appealed, reports.judge_words(preflight.gateway, appealed.openid, reason)


@endpoint(
    APPEAL_API,
    "POST",
    "/attempts/<ref>/appeal",
    who=Who.CITIZEN,
    body=AppealIn,
    status=(202,),
    errors=(NotFound, NotHeld, ReasonRefused, Invalid),
    consent=True,
    ask=_have_words_judged,
    pace=CHANGE,
)
def appeal_hold(
    uow: UnitOfWork,
    ref: str,  # noqa: ARG001 - used by `ask`
    body: AppealIn,
    asked: tuple[Appealed, WordsState],
) -> None:
    """Appeal against the hold of the caller's own result; a repeat keeps the first text."""
    appealed, words = asked
    integrity.appeal_hold(uow, uow.caller_id, appealed, reports.clean_reason(body.reason), words)
