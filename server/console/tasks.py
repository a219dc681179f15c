"""Background tasks of the console: run long jobs, delete expired rows."""

from __future__ import annotations

import logging
import threading

from sqlalchemy import and_, delete, exists, or_, select

from server.base.errors import AppError
from server.base.jobs import Task, TaskContext
from server.base.outbox import deliver_due
from server.base.outbox_rows import OutboxState
from server.console.long_jobs import KEPT, QUEUE, TASK
from server.console.models import ConsoleJob

_log = logging.getLogger(__name__)
_DROPPED_AT_ONCE = 20


class JobThread:
    """The one thread of a worker process that runs long jobs.

    Sweeps share a thread and wake-ups share a few, so a job of minutes must not occupy them.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def ensure_running(self, context: TaskContext) -> bool:
        """Start the thread unless it runs; it ends when nothing is due."""
        with self._lock:
            if self._thread is not None and self._thread.is_alive():
                return False
            self._thread = threading.Thread(
                target=_work_quietly, args=(context,), name="long-jobs", daemon=True
            )
            self._thread.start()
            return True

    def wait_until_done(self, seconds: float) -> None:
        """Wait for the end of the thread, at most this long."""
        thread = self._thread
        if thread is not None:
            thread.join(seconds)


def run_due_jobs(context: TaskContext) -> int:
    """Run long jobs one after the other until none is due; return how many runs ended."""
    total = 0
    while moved := deliver_due(context, QUEUE).moved:
        total += moved
    return total


def _work_quietly(context: TaskContext) -> None:
    try:
        run_due_jobs(context)
    except AppError as refusal:
        _log.warning("long jobs refused", extra={"task": TASK, "code": refusal.code})
    except Exception as trouble:
        # The next sweep starts the thread again.
        _log.error("long jobs failed", exc_info=trouble, extra={"task": TASK})


JOB_THREAD = JobThread()


def start_due_jobs(context: TaskContext, *_ids: int) -> int:
    """Start the job thread if a job is due; returns 0, because it runs by itself."""
    with context.uow_factory.begin(read_only=True) as uow:
        lost = and_(
            ConsoleJob.outbox_state == OutboxState.CLAIMED, ConsoleJob.outbox_until <= uow.now
        )
        due = and_(
            ConsoleJob.outbox_state == OutboxState.QUEUED, ConsoleJob.outbox_due_at <= uow.now
        )
        found = uow.session.scalar(select(exists().where(or_(lost, due))))
    if found:
        JOB_THREAD.ensure_running(context)
    return 0


def drop_old_jobs(context: TaskContext, *_ids: int) -> int:
    """Delete jobs with their results three days after their end; return how many."""
    with context.uow_factory.begin() as uow:
        old = (
            select(ConsoleJob.id)
            .where(ConsoleJob.ended_at <= uow.now - KEPT)
            .order_by(ConsoleJob.ended_at)
            .limit(_DROPPED_AT_ONCE)
        )
        gone = uow.session.execute(
            delete(ConsoleJob).where(ConsoleJob.id.in_(old)).returning(ConsoleJob.id)
        )
        return len(gone.all())


TASKS = (
    Task(name=TASK, step=start_due_jobs, every_seconds=3),
    Task(name="console.drop_old_jobs", step=drop_old_jobs, every_seconds=600),
)
