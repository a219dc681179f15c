"""Background tasks: notes absences, and erases the words of old feedback."""

from __future__ import annotations

from server.base.jobs import Task, TaskContext
from server.base.retention import drop_all_overdue
from server.checkin.closing import note_absences
from server.checkin.personal_data import FEEDBACK


def drop_old_words(context: TaskContext, *_ids: int) -> int:
    """Erase the words of feedback after their time; return how many answers."""
    return drop_all_overdue(context.uow_factory, FEEDBACK)


TASKS = (
    Task(name="checkin.note_absences", step=note_absences, every_seconds=60),
    Task(name="checkin.drop_old_words", step=drop_old_words, every_seconds=600),
)
