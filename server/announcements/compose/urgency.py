"""Urgency: a change of an activity that starts within a day ignores quiet hours."""

from __future__ import annotations

from datetime import datetime

from server.activities import service as activities
from server.announcements.enums import Purpose
from server.announcements.models import Announcement
from server.base.errors import NotFound
from server.base.uow import UnitOfWork


def ignores_quiet_hours(uow: UnitOfWork, row: Announcement, at: datetime) -> bool:
    """Whether an announcement may be sent in quiet hours at an instant.

    The campaign's hours and each person's own. A change of an activity that is further away than
    a day waits for the morning like any other announcement.
    """
    if row.purpose is not Purpose.CHANGE or row.activity_ref is None:
        return False
    try:
        times = activities.times_of_ref(uow, row.activity_ref)
    except NotFound:
        return False
    return activities.is_urgent(times.starts_at, times.moved_from, at)
