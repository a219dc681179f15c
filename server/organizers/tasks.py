"""Background tasks: delete sessions, links and tries of the past; finish merges of units."""

from __future__ import annotations

from server.base.jobs import Task, TaskContext
from server.organizers import links, log_in, sessions, unit_merging


def drop_dead_rows(context: TaskContext, *_ids: int) -> int:
    """Delete dead sessions, links and tries; return how many rows."""
    with context.uow_factory.begin() as uow:
        gone = sessions.drop_dead_sessions(uow) + links.drop_old_links(uow)
        return gone + log_in.drop_old_tries(uow)


TASKS = (
    Task(name="organizers.drop_dead_rows", step=drop_dead_rows, every_seconds=600),
    Task(name="organizers.finish_merges", step=unit_merging.finish_merges, every_seconds=600),
)
