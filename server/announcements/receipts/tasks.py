"""Background tasks of receipts: applies them to the ledger, deletes old ones."""

from __future__ import annotations

from server.announcements.receipts.applying import BATCH, apply_due
from server.announcements.receipts.delivered import apply_delivered
from server.announcements.receipts.retention import RECEIPTS
from server.base.jobs import Task, TaskContext
from server.base.retention import drop_all_overdue


def apply_receipts(context: TaskContext, *_ids: int) -> int:
    """Apply the due receipts, a batch in each transaction; return how many found their send."""
    total = 0
    while True:
        with context.uow_factory.begin() as uow:
            delivered = apply_delivered(uow, BATCH)
        with context.uow_factory.begin() as uow:
            applied = apply_due(uow)
        total += delivered + applied.matched
        if delivered < BATCH and not applied.more:
            return total


def drop_old_receipts(context: TaskContext, *_ids: int) -> int:
    """Delete receipts whose time is over; return how many."""
    return drop_all_overdue(context.uow_factory, RECEIPTS)


TASKS = (
    # A sweep and no wake-ups: in a storm each batch of receipts would send one.
    Task(name="announcements.apply_receipts", step=apply_receipts, every_seconds=2),
    Task(name="announcements.drop_receipts", step=drop_old_receipts, every_seconds=600),
)
