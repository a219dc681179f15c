"""Manifest of the slice of sign-ups."""

from __future__ import annotations

from pathlib import Path

from server.base.access import Permission
from server.base.manifest import Slice
from server.base.uow import Hooks
from server.signups import api, change_pages, chat, console, printing, tasks
from server.signups.personal_data import PERSONAL
from server.signups.wording import TEMPLATES

SLICE = Slice(
    name="signups",
    texts=Path(__file__).parent,
    apis=(api.API,),
    pages=(console.PAGES, change_pages.PAGES),
    permissions=(
        Permission.SIGNUP_READ,
        Permission.SIGNUP_WRITE,
        Permission.ACTIVITY_WRITE,
        Permission.ACTIVITY_APPROVE,
    ),
    jobs=printing.JOBS,
    tasks=tasks.TASKS,
    answers=chat.ANSWERS,
    personal_data=PERSONAL,
    hooks=Hooks(sends=TEMPLATES),
)
