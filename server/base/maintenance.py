"""Maintenance sweeps: delete old idempotency answers and drawings, truncate SQLite's WAL.

Until it is truncated, the WAL keeps old pages, and with them data that a citizen has erased.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing

from server.base.jobs import Task, TaskContext
from server.base.retention import drop_all_overdue
from server.base.web import idempotency
from server.base.web.drawings import kept_drawings

_PATIENCE_SECONDS = 0.2


def drop_kept_answers(context: TaskContext, *_ids: int) -> int:
    """Delete stored answers older than two days."""
    return sum(drop_all_overdue(context.uow_factory, one) for one in idempotency.PERSONAL)


def empty_log(context: TaskContext, *_ids: int) -> int:
    """Checkpoint and truncate SQLite's WAL; returns 0.

    Waits only briefly for readers and writers, because the next round comes soon.
    """
    url = context.uow_factory.engine.url
    if url.get_backend_name() == "sqlite" and url.database:
        with closing(sqlite3.connect(url.database, timeout=_PATIENCE_SECONDS)) as file:
            file.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return 0


def trim_drawings(context: TaskContext, *_ids: int) -> int:
    """Delete drawings that are too old or too many; returns 0."""
    kept_drawings(context.uow_factory.dependencies.settings).trim_files()
    return 0


TASKS: tuple[Task, ...] = (
    Task(name="base.empty_log", step=empty_log, every_seconds=20),
    Task(name="base.drop_kept_answers", step=drop_kept_answers, every_seconds=600),
    Task(name="base.trim_drawings", step=trim_drawings, every_seconds=600),
)
