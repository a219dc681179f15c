"""Background task that sends pushes."""

from __future__ import annotations

from server.base.jobs import Task, TaskContext
from server.base.outbox import deliver_due
from server.notices import pushes


def send_pushes(context: TaskContext, *_row_ids: int) -> int:
    """Send due pushes, the longest waiting first; return how many rows were processed."""
    return deliver_due(context, pushes.QUEUE).moved


QUEUES = (pushes.QUEUE,)
TASKS = (Task(name=pushes.TASK, step=send_pushes, every_seconds=5.0),)
