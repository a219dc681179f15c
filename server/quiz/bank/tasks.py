"""Background task: checks and stores the files of questions that organizers uploaded."""

from __future__ import annotations

from server.base.jobs import Task, TaskContext
from server.quiz.bank import file_imports


def read_imports(context: TaskContext, *_ids: int) -> int:
    """Check waiting files and store confirmed ones; return how many."""
    return file_imports.read_imports(context.uow_factory)


BANK_TASKS = (Task(name=file_imports.TASK, step=read_imports, every_seconds=10),)
