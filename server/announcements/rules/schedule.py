"""The start of an announcement: the time to cancel it, and the hours without messages. Pure."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from server.base.clock import BEIJING

# After the last approval an announcement can still be cancelled for this time.
CANCEL_WINDOW = timedelta(minutes=2)
# The hours of the night in Beijing time in which nothing is pushed.
QUIET_FROM, QUIET_TO = time(22), time(8)
# A change of an activity that starts within this time is sent at once.
URGENT_WITHIN = timedelta(hours=24)
# The count of the audience may move by this share between an approval and the freezing.
MOST_MOVED = 0.01


def is_quiet(at: datetime) -> bool:
    """Whether an instant lies in the quiet hours."""
    local = at.astimezone(BEIJING).time()
    return local >= QUIET_FROM or local < QUIET_TO


def leave_quiet_hours(at: datetime) -> datetime:
    """The instant itself, or the end of the quiet hours in which it lies."""
    if not is_quiet(at):
        return at
    local = at.astimezone(BEIJING)
    day = local.date() + timedelta(days=1 if local.time() >= QUIET_FROM else 0)
    return datetime.combine(day, QUIET_TO, BEIJING).astimezone(at.tzinfo)


def is_urgent(activity_starts_at: datetime | None, at: datetime) -> bool:
    """Whether a change of an activity is so near its start that quiet hours do not count."""
    return activity_starts_at is not None and at <= activity_starts_at <= at + URGENT_WITHIN


def plan_start(
    send_at: datetime | None, approved_at: datetime, activity_starts_at: datetime | None = None
) -> datetime:
    """The start of an announcement that is approved at an instant.

    `activity_starts_at` is given for a change or cancellation of that activity only.
    """
    earliest = max(send_at or approved_at, approved_at + CANCEL_WINDOW)
    if is_urgent(activity_starts_at, earliest):
        return earliest
    return leave_quiet_hours(earliest)


def has_moved(counted: int, now_counted: int) -> bool:
    """Whether the count of an audience differs by more than one percent from the confirmed one."""
    return abs(now_counted - counted) > counted * MOST_MOVED
