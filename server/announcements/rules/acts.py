"""Acts that follow from the opening of an announcement or of a code."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from server.base.clock import BEIJING

ACTS_WITHIN = timedelta(days=7)


def followed(opened_at: datetime, at: datetime) -> bool:
    """Whether an act at an instant came after the opening, and soon enough."""
    return opened_at <= at <= opened_at + ACTS_WITHIN


def followed_on(opened_at: datetime, day: date, hour: int | None) -> bool:
    """As `followed`, for a participation: its day is known, and for a paper the hour of its start.

    One on the day of the opening counts, except when it began in an earlier hour.
    """
    opened = opened_at.astimezone(BEIJING)
    if day == opened.date():
        return hour is None or hour >= opened.hour
    return opened.date() < day <= opened.date() + ACTS_WITHIN
