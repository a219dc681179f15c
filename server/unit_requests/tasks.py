"""Background task: sends citizens the answer to their request."""

from __future__ import annotations

from server.base.jobs import Task, TaskContext
from server.unit_requests import service


def tell_requesters(context: TaskContext, *_ids: int) -> int:
    """Send the answer to each requester in a transaction of its own; return how many were sent."""
    with context.uow_factory.begin(read_only=True) as uow:
        waiting = service.untold_requesters(uow)
    told = 0
    for row_id in waiting:
        with context.uow_factory.begin() as uow:
            told += service.tell_requester(uow, row_id)
    return told


TASKS = (Task(name=service.TELL_TASK, step=tell_requesters, every_seconds=60),)
