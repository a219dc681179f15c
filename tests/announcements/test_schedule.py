"""When an announcement starts: the time to cancel it, quiet hours, urgent changes."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial

import pytest

from server.activities.service import is_urgent
from server.announcements.rules.schedule import (
    has_moved,
    is_quiet,
    leave_quiet_hours,
    plan_start,
)
from server.base.clock import BEIJING


def at(day: int, clock: str) -> datetime:
    hour, minute = map(int, clock.split(":"))
    return datetime(2026, 5, day, hour, minute, tzinfo=BEIJING)


def test_a_job_at_22_30_starts_at_8() -> None:
    assert plan_start(at(1, "22:30"), at(1, "15:00")) == at(2, "08:00")


@pytest.mark.parametrize(
    ("send_at", "approved_at", "starts_at"),
    [
        (None, at(1, "15:00"), at(1, "15:02")),
        (at(1, "14:00"), at(1, "15:00"), at(1, "15:02")),
        (at(1, "15:01"), at(1, "15:00"), at(1, "15:02")),
        (at(3, "09:00"), at(1, "15:00"), at(3, "09:00")),
        (at(3, "21:59"), at(1, "15:00"), at(3, "21:59")),
        (at(3, "22:00"), at(1, "15:00"), at(4, "08:00")),
        (at(3, "00:30"), at(1, "15:00"), at(3, "08:00")),
        (at(3, "07:59"), at(1, "15:00"), at(3, "08:00")),
        (at(3, "08:00"), at(1, "15:00"), at(3, "08:00")),
        # Approved at 21:59: the two minutes end in the quiet hours.
        (None, at(1, "21:59"), at(2, "08:00")),
        (None, at(31, "23:00"), datetime(2026, 6, 1, 8, tzinfo=BEIJING)),
    ],
)
def test_the_start_leaves_two_minutes_and_the_night_free(
    send_at: datetime | None, approved_at: datetime, starts_at: datetime
) -> None:
    assert plan_start(send_at, approved_at) == starts_at
    assert not is_quiet(starts_at)


@pytest.mark.parametrize(
    ("activity", "starts_at"),
    [
        (at(2, "09:00"), at(1, "23:02")),
        (at(2, "23:02"), at(1, "23:02")),
        (at(2, "23:03"), at(2, "08:00")),
        (at(1, "22:00"), at(2, "08:00")),
    ],
)
def test_only_a_change_within_24_hours_is_sent_at_night(
    activity: datetime, starts_at: datetime
) -> None:
    later = at(20, "12:00")
    for times in ((activity, None), (later, activity)):
        assert plan_start(None, at(1, "23:00"), partial(is_urgent, *times)) == starts_at


def test_the_instant_keeps_its_moment() -> None:
    assert leave_quiet_hours(at(1, "12:00")) - at(1, "12:00") == timedelta(0)


@pytest.mark.parametrize(
    ("counted", "now", "moved"),
    [(100, 100, False), (100, 101, False), (100, 102, True), (100, 98, True), (1000, 990, False),
     (50, 51, True), (0, 0, False), (0, 1, True)],
)  # fmt: skip
def test_a_count_may_move_by_one_percent(counted: int, now: int, moved: bool) -> None:
    assert has_moved(counted, now) is moved
