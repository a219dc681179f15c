"""Manifest of the slice of announcements."""

from __future__ import annotations

from pathlib import Path

from server.announcements import console, tasks
from server.announcements import models as models
from server.announcements.approval import console as approval_console
from server.announcements.compose import audience_pages as audience_pages
from server.announcements.personal_data import PERSONAL
from server.announcements.publishing import api as publishing_api
from server.announcements.publishing import console as publishing_pages
from server.announcements.publishing.feed_page import feed_pages as feed_pages
from server.announcements.publishing.public_page import public_pages as public_pages
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
        Permission.PERSON_READ,
        Permission.SCENE_READ,
        Permission.SCENE_WRITE,
    ),
    tasks=(*tasks.TASKS, *receipt_tasks.TASKS, *watching_tasks.TASKS),
    queues=tasks.QUEUES,
    apis=(watching_api.API, publishing_api.API),
    # The pages of review and of the announcement itself are declared on the same table.
    pages=(approval_console.PAGES, watching_pages.PAGES, publishing_pages.PAGES),
    metrics=alarms.READINGS,
    waiting=(console.tell_waiting, alarms.tell_alarms),
    reports=storing.REPORTS,
    personal_data=PERSONAL,
    # Citizens are asked for grants only of templates that some slice sends.
    hooks=console.HOOKS + Hooks(sends=("announcement",)),
)
