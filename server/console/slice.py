"""Manifest of the console's frame: its first page and the texts of its errors."""

from __future__ import annotations

from pathlib import Path

from server.base.access import Permission
from server.base.manifest import Slice
from server.base.ownership import HandOver
from server.base.uow import Hooks
from server.console import job_pages, list_pages, long_jobs, tasks, unit_moves
from server.console.models import ConsoleJob

SLICE = Slice(
    name="console",
    texts=Path(__file__).parent,
    pages=(job_pages.PAGES,),
    tasks=tasks.TASKS,
    queues=(long_jobs.QUEUE,),
    jobs=(list_pages.EXPORT_JOB,),
    permissions=(Permission.CONSOLE_OPEN,),
    # Running work continues, and its result can be downloaded by the successor.
    hooks=Hooks(
        follow_unit=(unit_moves.UNIT_MOVE,),
        hand_over=(HandOver(said="console.hand_over.jobs", table=ConsoleJob, column="organizer"),),
    ),
)
