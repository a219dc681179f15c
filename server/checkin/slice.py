"""Manifest of the slice of check-in."""

from __future__ import annotations

from pathlib import Path

from server.base.access import Permission
from server.base.manifest import Slice
from server.base.uow import Hooks
from server.checkin import (
    api,
    chat,
    console,
    feedback_api,
    feedback_console,
    grant_pages,
    screen_api,
    screen_pages,
    sign_in_sheet,
    tasks,
)
from server.checkin.certificates import ATTENDANCE
from server.checkin.personal_data import PERSONAL
from server.checkin.store import has_come

SLICE = Slice(
    name="checkin",
    texts=Path(__file__).parent,
    apis=(api.API, screen_api.SCREEN_API, feedback_api.API),
    pages=(console.PAGES, grant_pages.PAGES, screen_pages.PAGES, feedback_console.PAGES),
    jobs=sign_in_sheet.JOBS,
    tasks=tasks.TASKS,
    events=chat.EVENTS,
    permissions=(Permission.CHECKIN_READ, Permission.CHECKIN_WRITE),
    certificates=(ATTENDANCE,),
    personal_data=PERSONAL,
    hooks=Hooks(has_come=(has_come,)),
)
