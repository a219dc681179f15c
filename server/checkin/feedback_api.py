"""Feedback of citizens who attended an activity."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from server.base.errors import Invalid, NotFound
from server.base.rate_limits import CHANGE, OWN_WORDS, spend_token
from server.base.uow import UnitOfWork
from server.base.web.auth import Who
from server.base.web.endpoint import Api, PreflightContext, endpoint
from server.base.web.schema import In, Instant, Out
from server.checkin import feedback
from server.checkin.errors import FeedbackGiven, FeedbackRefused, FeedbackTooEarly, NotAttended
from server.checkin.feedback import OwnFeedback
from server.checkin.feedback_models import BEST, MOST_WORDS, WORST, WordsCheck

API = Api("feedback")


class FeedbackIn(In, frozen=True, kw_only=True):
    """A rating from 1 to 5, the best, and words of one's own, which may be empty."""

    rating: Annotated[int, Meta(ge=WORST, le=BEST)]
    text: Annotated[str, Meta(max_length=MOST_WORDS)] = ""


class FeedbackOut(Out, frozen=True, kw_only=True):
    """The feedback of the caller."""

    rating: int
    text: str
    made_at: Instant


class FeedbackStateOut(Out, frozen=True, kw_only=True):
    """State of the caller's feedback: whether it may be given now, and its content."""

    open: bool
    given: FeedbackOut | None


def _have_words_judged(
    preflight: PreflightContext, ref: str, body: FeedbackIn
) -> tuple[str, WordsCheck]:
    """Check the words with WeChat, for callers who may give feedback."""
    words = feedback.clean_words(body.text)
    with preflight.uow_factory.begin(read_only=True) as uow:
        rated = feedback.find_rated(uow, preflight.caller.id, ref)
    if words:
        spend_token(preflight.uow_factory.dependencies, OWN_WORDS, preflight.caller.person)
    return words, feedback.judge_words(preflight.gateway, rated, words)


@endpoint(
    API,
    "POST",
    "/activities/<ref>/feedback",
    who=Who.CITIZEN,
    body=FeedbackIn,
    out=FeedbackOut,
    status=(201,),
    errors=(NotFound, NotAttended, FeedbackTooEarly, FeedbackGiven, FeedbackRefused, Invalid),
    consent=True,
    ask=_have_words_judged,
    pace=CHANGE,
)
def give_feedback(
    uow: UnitOfWork, ref: str, body: FeedbackIn, asked: tuple[str, WordsCheck]
) -> FeedbackOut:
    """Give feedback about an activity, once, after its start, and only after attending it."""
    given = feedback.give_feedback(uow, uow.caller_id, ref, body.rating, asked)
    return _show_feedback(given)


@endpoint(
    API,
    "GET",
    "/activities/<ref>/feedback",
    who=Who.CITIZEN,
    out=FeedbackStateOut,
    errors=(NotFound,),
)
def show_feedback(uow: UnitOfWork, ref: str) -> FeedbackStateOut:
    """Whether the caller may give feedback about an activity, and the feedback given."""
    state = feedback.read_state(uow, uow.caller_id, ref)
    given = None if state.given is None else _show_feedback(state.given)
    return FeedbackStateOut(open=state.open, given=given)


def _show_feedback(given: OwnFeedback) -> FeedbackOut:
    return FeedbackOut(rating=given.rating, text=given.words, made_at=given.made_at)
