"""Manifest of the slice of organizers."""

from __future__ import annotations

from pathlib import Path

from server.base.access import Permission
from server.base.manifest import Slice
from server.organizers import (
    account_pages,
    console,
    import_pages,
    log_in_pages,
    merge_pages,
    tasks,
    unit_files,
    unit_merging,
    unit_pages,
    wechat_notices,
)

SLICE = Slice(
    name="organizers",
    texts=Path(__file__).parent,
    pages=(
        log_in_pages.PAGES,
        account_pages.PAGES,
        console.PAGES,
        unit_pages.PAGES,
        merge_pages.PAGES,
        import_pages.PAGES,
    ),
    tasks=tasks.TASKS,
    jobs=(unit_merging.MERGE_JOB, *unit_files.UNIT_FILES.jobs),
    queues=(wechat_notices.QUEUE,),
    permissions=(
        Permission.CONSOLE_OPEN,
        Permission.ORGANIZER_READ,
        Permission.UNIT_READ,
        Permission.UNIT_WRITE,
        Permission.ORGANIZER_WRITE,
    ),
)
