"""Background tasks that send pushes and delete what is no longer counted."""

from __future__ import annotations

from server.base.jobs import Task, TaskContext
from server.base.outbox import deliver_due
from server.base.retention import drop_all_overdue
from server.notices import pushes
from server.notices.personal_data import PERSONAL


def send_pushes(context: TaskContext, *_row_ids: int) -> int:
    """Send due pushes, the longest waiting first; return how many rows were processed."""
    return deliver_due(context, pushes.QUEUE).moved


def delete_overdue(context: TaskContext, *_row_ids: int) -> int:
    """Delete records of unasked messages that no limit counts any more; return how many."""
    return sum(drop_all_overdue(context.uow_factory, one) for one in PERSONAL)


QUEUES = (pushes.QUEUE,)
TASKS = (
    Task(name=pushes.TASK, step=send_pushes, every_seconds=5.0),
    Task(name="notices.tidy", step=delete_overdue, every_seconds=600.0),
)
