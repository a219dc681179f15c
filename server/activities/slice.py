"""Manifest of the slice of activities."""

from __future__ import annotations

from pathlib import Path

from server.activities import activity_files, console, desk, import_pages, planning_pages, tasks
from server.activities import models as models
from server.base.access import Permission
from server.base.manifest import Slice

SLICE = Slice(
    name="activities",
    texts=Path(__file__).parent,
    pages=(console.PAGES, planning_pages.PAGES, import_pages.PAGES),
    tasks=tasks.TASKS,
    jobs=activity_files.ACTIVITY_FILES.jobs,
    permissions=(
        Permission.ACTIVITY_READ,
        Permission.ACTIVITY_WRITE,
        Permission.ACTIVITY_APPROVE,
    ),
    waiting=(desk.tell_waiting,),
    hooks=desk.HOOKS,
)
