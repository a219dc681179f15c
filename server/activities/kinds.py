"""Kinds and states of activities."""

from __future__ import annotations

from enum import StrEnum


class ActivityKind(StrEnum):
    """The kind of an activity; all kinds have the same seats and the same check-in."""

    LECTURE = "lecture"
    OPEN_DAY = "open_day"
    CAMPUS_DAY = "campus_day"
    CARAVAN_STOP = "caravan_stop"
    VOLUNTEER_SHIFT = "volunteer_shift"
    OTHER = "other"


class ActivityState(StrEnum):
    """The stored state of an activity; see `Activity`."""

    DRAFT = "draft"
    REVIEW = "review"
    PUBLISHED = "published"
    POSTPONED = "postponed"
    CANCELLED = "cancelled"
    CLOSED = "closed"


# States in which citizens see an activity.
PUBLIC = (
    ActivityState.PUBLISHED,
    ActivityState.POSTPONED,
    ActivityState.CANCELLED,
    ActivityState.CLOSED,
)


class SignUpPhase(StrEnum):
    """Phase of the sign-up of an activity, which decides what a citizen can do."""

    NOT_OPEN = "not_open"
    LOTTERY = "lottery"
    OPEN = "open"
    CLOSED = "closed"
    POSTPONED = "postponed"
    CANCELLED = "cancelled"
    ENDED = "ended"
