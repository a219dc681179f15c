"""Background tasks of announcements: freeze, start, send, end."""

from __future__ import annotations

from server.announcements.approval.preparing import prepare_recipients
from server.announcements.audience.freezing import FREEZE_TASK
from server.announcements.compose.pictures import drop_unused_announcement_pictures
from server.announcements.ledger import control, mass, sending
from server.announcements.ledger.mass_planning import plan_batches
from server.announcements.ledger.queue import QUEUE, TASK
from server.base.jobs import Task, TaskContext
from server.base.outbox import deliver_due
from server.base.outbox_batches import end_overdue_batch

# One run of the sweep is short, because all sweeps share a thread; a wake-up may send for longer.
_OF_SWEEP, _OF_WAKE_UP = 500, 20_000


def send_announcements(context: TaskContext, *keys: int | str) -> int:
    """Start due announcements, settle what dead workers left, send, and end what is complete."""
    uow_factory = context.uow_factory
    with uow_factory.begin() as uow:
        started = len(control.start_due(uow))
    moved = end_overdue_batch(uow_factory, QUEUE)
    most = _OF_WAKE_UP if keys else _OF_SWEEP
    sent = sending.send_due(context, most)
    moved += plan_batches(context)
    with uow_factory.begin() as uow:
        moved += control.finish_sent(uow)
    if sent:
        # Others may be due at once, or have become due meanwhile.
        uow_factory.dependencies.enqueue(TASK, "more")
    return started + moved + sent


def send_mass_messages(context: TaskContext, *_row_ids: int) -> int:
    """Make due mass calls; return how many batches were processed."""
    return deliver_due(context, mass.QUEUE).moved


QUEUES = (QUEUE, mass.QUEUE)
TASKS = (
    Task(
        name="announcements.drop_pictures",
        step=drop_unused_announcement_pictures,
        every_seconds=3600,
    ),
    Task(name=FREEZE_TASK, step=prepare_recipients, every_seconds=2.0),
    Task(name=TASK, step=send_announcements, every_seconds=2.0),
    Task(name=mass.TASK, step=send_mass_messages, every_seconds=5.0),
)
