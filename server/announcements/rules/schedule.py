"""The start of an announcement: the time to cancel it, and the hours without messages. Pure."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, time, timedelta

from server.base.clock import BEIJING

# After the last approval an announcement can still be cancelled for this time.
CANCEL_WINDOW = timedelta(minutes=2)
# The hours of the night in Beijing time in which nothing is pushed.
QUIET_FROM, QUIET_TO = time(22), time(8)
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


def plan_start(
    send_at: datetime | None,
    approved_at: datetime,
    ignores_quiet: Callable[[datetime], bool] = lambda _at: False,
) -> datetime:
    """The start of an announcement that is approved at an instant.

    `ignores_quiet` tells whether it may be sent in quiet hours at an instant.
    """
    earliest = max(send_at or approved_at, approved_at + CANCEL_WINDOW)
    if ignores_quiet(earliest):
        return earliest
    return leave_quiet_hours(earliest)


def has_moved(counted: int, now_counted: int) -> bool:
    """Whether the count of an audience differs by more than one percent from the confirmed one."""
    return abs(now_counted - counted) > counted * MOST_MOVED
