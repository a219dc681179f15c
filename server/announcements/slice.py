"""Manifest of the slice of announcements."""

from __future__ import annotations

from pathlib import Path

from server.announcements import models as models
from server.announcements import tasks
from server.announcements.personal_data import PERSONAL
from server.announcements.publishing.feed_page import feed_pages as feed_pages
from server.announcements.receipts import storing
from server.announcements.receipts import tasks as receipt_tasks
from server.announcements.watching import alarms
from server.announcements.watching import api as watching_api
from server.announcements.watching import console as watching_pages
from server.announcements.watching import tasks as watching_tasks
from server.base.access import Permission
from server.base.manifest import Slice
from server.base.uow import Hooks

SLICE = Slice(
    name="announcements",
    texts=Path(__file__).parent,
    permissions=(
        Permission.ANNOUNCEMENT_READ,
        Permission.ANNOUNCEMENT_WRITE,
        Permission.ANNOUNCEMENT_APPROVE,
    ),
    tasks=(*tasks.TASKS, *receipt_tasks.TASKS, *watching_tasks.TASKS),
    queues=tasks.QUEUES,
    apis=(watching_api.API,),
    pages=(watching_pages.PAGES,),
    metrics=alarms.READINGS,
    waiting=(alarms.tell_alarms,),
    reports=storing.REPORTS,
    personal_data=PERSONAL,
    # Citizens are asked for grants only of templates that some slice sends.
    hooks=Hooks(sends=("announcement",)),
)
