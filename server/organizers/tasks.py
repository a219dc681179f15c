"""Background tasks: delete expired rows, finish merges of units, send notices."""

from __future__ import annotations

from server.base.jobs import Task, TaskContext
from server.organizers import links, log_in, sessions, unit_merging, wechat_notices


def drop_dead_rows(context: TaskContext, *_ids: int) -> int:
    """Delete expired sessions, links and tries; return how many rows."""
    with context.uow_factory.begin() as uow:
        gone = sessions.drop_dead_sessions(uow) + links.drop_old_links(uow)
        return gone + log_in.drop_old_tries(uow) + wechat_notices.drop_old_notices(uow)


TASKS = (
    Task(name="organizers.drop_dead_rows", step=drop_dead_rows, every_seconds=600),
    Task(name="organizers.finish_merges", step=unit_merging.finish_merges, every_seconds=600),
    Task(name="organizers.plan_notices", step=wechat_notices.plan_notices, every_seconds=600),
    Task(name=wechat_notices.SEND_TASK, step=wechat_notices.send_notices, every_seconds=60),
)
