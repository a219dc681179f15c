"""Background tasks of the contest: closing papers at their deadline, fetching poster codes."""

from __future__ import annotations

import logging

from server.base.jobs import Task, TaskContext
from server.base.outbox import deliver_due
from server.quiz.attempts import closing
from server.quiz.attempts.reminders import REMINDER_TASKS
from server.quiz.bank.pictures import drop_unused_pictures
from server.quiz.integrity.inspection import INTEGRITY_TASKS
from server.quiz.leaderboards.tasks import BOARD_TASKS
from server.quiz.review.answering import ANSWER_TASKS
from server.quiz.review.tallies import TALLY_TASKS
from server.quiz.review.voiding import RESCORING_TASKS
from server.quiz.sealing.tasks import SEALING_TASKS
from server.quiz.sharing import codes

_log = logging.getLogger(__name__)
BATCH = 200
# Limits a run, so that a worker can be stopped between runs.
_BATCHES = 20


def close_expired(context: TaskContext, *_ids: int) -> int:
    """Close open papers past deadline and grace, each in its own transaction; return how many."""
    total = 0
    for _ in range(_BATCHES):
        closed = _close_batch(context)
        total += closed
        if closed < BATCH:
            break
    return total


def _close_batch(context: TaskContext) -> int:
    with context.uow_factory.begin(read_only=True) as reading:
        due = closing.overdue_ids(reading, BATCH)
    closed = 0
    trouble: Exception | None = None
    for attempt_id in due:
        try:
            with context.uow_factory.begin() as uow:
                closed += closing.close_overdue(uow, attempt_id)
        except Exception as caught:
            # One paper that cannot be closed must not block the others.
            _log.error("paper not closed", exc_info=caught, extra={"task": "quiz"})
            trouble = caught
    if trouble is not None and not closed:
        raise trouble
    return closed


def fetch_share_codes(context: TaskContext, *_ids: int) -> int:
    """Fetch the missing codes of posters; return how many were fetched."""
    return deliver_due(context, codes.QUEUE).ended


QUEUES = (codes.QUEUE,)
TASKS: tuple[Task, ...] = (
    Task(name=codes.TASK, step=fetch_share_codes, every_seconds=10),
    Task(name="quiz.close_expired", step=close_expired, every_seconds=2),
    Task(name="quiz.drop_unused_pictures", step=drop_unused_pictures, every_seconds=3600),
    *BOARD_TASKS,
    *INTEGRITY_TASKS,
    *REMINDER_TASKS,
    *TALLY_TASKS,
    *SEALING_TASKS,
    *RESCORING_TASKS,
    *ANSWER_TASKS,
)
