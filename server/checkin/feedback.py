"""Feedback about an activity, by people who attended it, once each.

The words pass WeChat's check first; the endpoint runs it between two transactions. Organizers read
figures and words without names, and only when enough people have answered that an answer does not
tell its author.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import sqrt
from typing import Any

from sqlalchemy import func, select

from server.accounts import service as accounts
from server.activities import service as activities
from server.base.access import Organizer
from server.base.errors import Invalid
from server.base.sql.tables import insert_for
from server.base.uow import UnitOfWork
from server.checkin.errors import FeedbackGiven, FeedbackRefused, FeedbackTooEarly, NotAttended
from server.checkin.feedback_models import BEST, WORST, ActivityFeedback, WordsCheck
from server.checkin.reading import attendance_in
from server.wechat.gateway import TextPlace, Verdict
from server.wechat.text_check import TextCheck, verdict_or_none

# Fewer answers are only counted: the writer of one of them could be guessed.
SHOWN_FROM = 5
_MOST_SHOWN = 200
_CHECKS = {Verdict.PASS: WordsCheck.PASSED, Verdict.REVIEW: WordsCheck.REVIEW}


@dataclass(frozen=True, kw_only=True)
class Rated:
    """The activity that a citizen may rate, and the openid for WeChat's check."""

    activity_id: int
    openid: str | None


@dataclass(frozen=True, kw_only=True)
class OwnFeedback:
    """The feedback of a citizen, and its instant."""

    rating: int
    words: str
    made_at: datetime


@dataclass(frozen=True, kw_only=True)
class FeedbackState:
    """State of a citizen's feedback about an activity: whether it may be given, and its content."""

    open: bool
    given: OwnFeedback | None


@dataclass(frozen=True, kw_only=True)
class FeedbackSummary:
    """The feedback as organizers see it: `mean` and the others are None below `SHOWN_FROM` answers.

    `spread` is the standard deviation, `counts` the number of answers by rating, the best first.
    """

    count: int
    mean: float | None = None
    spread: float | None = None
    counts: Sequence[tuple[int, int]] = ()
    words: Sequence[tuple[str, WordsCheck]] = ()


def clean_words(text: str) -> str:
    """A text without invisible characters and repeated spaces; it may be empty."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())


def find_rated(uow: UnitOfWork, citizen_id: int, ref: str) -> Rated:
    """The activity, if this citizen attended it and has given no feedback yet.

    Raises: NotFound (404), FeedbackTooEarly, NotAttended, FeedbackGiven (409).
    """
    activity = activities.find_activity(uow, ref).activity
    if uow.now < activity.starts_at:
        raise FeedbackTooEarly
    if activity.id not in attendance_in(uow, [activity.id], citizen_id):
        raise NotAttended
    if _find_own(uow, citizen_id, activity.id) is not None:
        raise FeedbackGiven
    openid = accounts.openid_of(uow, citizen_id, "mini_program")
    return Rated(activity_id=activity.id, openid=openid)


def judge_words(gateway: TextCheck, rated: Rated, words: str) -> WordsCheck:
    """WeChat's verdict on the words; never call it inside a transaction.

    Raises: FeedbackRefused (409).
    """
    if not words:
        return WordsCheck.PASSED
    verdict = verdict_or_none(gateway, rated.openid, words, TextPlace.COMMENT)
    if verdict is Verdict.RISKY:
        raise FeedbackRefused
    return WordsCheck.UNCHECKED if verdict is None else _CHECKS[verdict]


def give_feedback(
    uow: UnitOfWork, citizen_id: int, ref: str, rating: int, judged: tuple[str, WordsCheck]
) -> OwnFeedback:
    """Store a citizen's feedback, with the verdict on the words.

    Locks: the citizen.
    Raises: NotFound (404), Invalid (422), FeedbackTooEarly, NotAttended, FeedbackGiven (409).
    """
    if not WORST <= rating <= BEST:
        raise Invalid((("body", "rating"), f"{WORST} to {BEST}"))
    accounts.lock_citizen(uow, citizen_id)
    rated = find_rated(uow, citizen_id, ref)
    words, check = judged
    fresh = insert_for(uow.session, ActivityFeedback).values(
        activity_id=rated.activity_id,
        citizen_id=citizen_id,
        rating=rating,
        words=words,
        words_check=check,
        made_at=uow.now,
    )
    made = uow.session.scalar(fresh.on_conflict_do_nothing().returning(ActivityFeedback.id))
    if made is None:
        raise FeedbackGiven
    return OwnFeedback(rating=rating, words=words, made_at=uow.now)


def read_state(uow: UnitOfWork, citizen_id: int, ref: str) -> FeedbackState:
    """Whether a citizen may give feedback, and the feedback given.

    Raises: NotFound (404).
    """
    activity = activities.find_activity(uow, ref).activity
    given = _find_own(uow, citizen_id, activity.id)
    attended = activity.id in attendance_in(uow, [activity.id], citizen_id)
    return FeedbackState(
        open=given is None and attended and uow.now >= activity.starts_at,
        given=None if given is None else _say_own(given),
    )


def _find_own(uow: UnitOfWork, citizen_id: int, activity_id: int) -> ActivityFeedback | None:
    return uow.session.scalar(
        select(ActivityFeedback).where(
            ActivityFeedback.citizen_id == citizen_id,
            ActivityFeedback.activity_id == activity_id,
        )
    )


def _say_own(row: ActivityFeedback) -> OwnFeedback:
    return OwnFeedback(rating=row.rating, words=row.words, made_at=row.made_at)


def export_feedback(uow: UnitOfWork, citizen_id: int) -> list[dict[str, object]]:
    """A citizen's feedback about activities, for the export."""
    rows = uow.session.scalars(
        select(ActivityFeedback)
        .where(ActivityFeedback.citizen_id == citizen_id)
        .order_by(ActivityFeedback.id)
    )
    return [
        {
            "activity": activities.name_of(uow, row.activity_id).title,
            "rating": row.rating,
            "text": row.words,
            "made_at": row.made_at,
        }
        for row in rows
    ]


def summarize_feedback(uow: UnitOfWork, organizer: Organizer, ref: str) -> FeedbackSummary:
    """The figures and the words about an activity of the organizer's place.

    Raises: NotFound (404).
    """
    activities.own_activity(uow, organizer, ref)
    asked = _select_counts(ref)
    own = activities.restrict_to_own(asked, organizer, ActivityFeedback.activity_id)
    counts = {row[0]: row[1] for row in uow.session.execute(own)}
    total = sum(counts.values())
    if total < SHOWN_FROM:
        return FeedbackSummary(count=total)
    mean, spread = measure_ratings(counts)
    return FeedbackSummary(
        count=total,
        mean=mean,
        spread=spread,
        counts=[(rating, counts.get(rating, 0)) for rating in range(BEST, WORST - 1, -1)],
        words=_read_words(uow, organizer, ref),
    )


def measure_ratings(counts: Mapping[int, int]) -> tuple[float, float]:
    """Mean and standard deviation of ratings, given by their numbers; at least one is needed."""
    total = sum(counts.values())
    mean = sum(rating * count for rating, count in counts.items()) / total
    squares = sum(count * (rating - mean) ** 2 for rating, count in counts.items())
    return mean, sqrt(squares / total)


def _read_words(uow: UnitOfWork, organizer: Organizer, ref: str) -> list[tuple[str, WordsCheck]]:
    """The words in alphabetical order, which does not reveal the order of writing."""
    asked = _select_words(ref)
    own = activities.restrict_to_own(asked, organizer, ActivityFeedback.activity_id)
    return [(row.words, row.words_check) for row in uow.session.execute(own)]


def _select_counts(ref: str) -> Any:
    """The number of answers about an activity by rating."""
    asked = select(ActivityFeedback.rating, func.count()).group_by(ActivityFeedback.rating)
    return asked.where(activities.has_ref(ref))


def _select_words(ref: str) -> Any:
    """The words about an activity with their verdicts."""
    asked = select(ActivityFeedback.words, ActivityFeedback.words_check)
    said = asked.where(activities.has_ref(ref), ActivityFeedback.words != "")
    return said.order_by(ActivityFeedback.words).limit(_MOST_SHOWN)
