"""Urgency: a change of an activity that starts within a day ignores quiet hours."""

from __future__ import annotations

from datetime import datetime

from server.activities import service as activities
from server.announcements.enums import Purpose
from server.announcements.models import Announcement
from server.announcements.rules.schedule import is_urgent
from server.base.errors import NotFound
from server.base.uow import UnitOfWork


def start_of_changed_activity(uow: UnitOfWork, row: Announcement) -> datetime | None:
    """The start of the activity whose change is announced; None for any other announcement."""
    if row.purpose is not Purpose.CHANGE or row.activity_ref is None:
        return None
    try:
        return activities.times_of_ref(uow, row.activity_ref).starts_at
    except NotFound:
        return None


def ignores_quiet_hours(uow: UnitOfWork, row: Announcement) -> bool:
    """Whether an announcement may be sent in quiet hours now.

    The campaign's hours and each person's own. A change of an activity that is further away than
    a day waits for the morning like any other announcement.
    """
    return is_urgent(start_of_changed_activity(uow, row), uow.now)
