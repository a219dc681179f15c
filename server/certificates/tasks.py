"""Background task: deletes certificates after their time."""

from __future__ import annotations

from server.base.jobs import Task, TaskContext
from server.base.retention import drop_all_overdue
from server.certificates.personal_data import CERTIFICATES


def drop_old_certificates(context: TaskContext, *_ids: int) -> int:
    """Delete certificates after their time; return how many."""
    return drop_all_overdue(context.uow_factory, CERTIFICATES)


TASKS = (Task(name="certificates.drop_old", step=drop_old_certificates, every_seconds=600),)
