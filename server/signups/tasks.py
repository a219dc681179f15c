"""Background tasks: expired offers, lotteries, free seats, messages, and the closing."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import TypeVar

from server.activities import service as activities
from server.base.errors import AppError
from server.base.jobs import Task, TaskContext
from server.base.retention import drop_all_overdue
from server.base.uow import UnitOfWork
from server.signups import changes, lottery, notices, reminders, store, waitlist
from server.signups.personal_data import SIGNUPS

_log = logging.getLogger(__name__)
Due = TypeVar("Due")


def expire_offers(context: TaskContext, *_ids: int) -> int:
    """End expired offers and give their seats to the waitlist; return the number of activities."""
    return _process_each(context, store.activities_with_due_offers, _serve_activity)


def draw_lotteries(context: TaskContext, *_ids: int) -> int:
    """Draw the lotteries that are due; return the number of entered sign-ups."""
    return _process_each(context, activities.due_draws, lottery.draw_lottery)


def fill_idle_seats(context: TaskContext, *_ids: int) -> int:
    """Serve waitlists with free seats; return the number of activities.

    A seat is given to the waitlist in the transaction that frees it. This task finds people who
    could not be served then, because they had a place at the same time: in an activity that was
    moved or cancelled later, or in one where they lost it later.
    """
    return _process_each(context, activities.idle_waitlists, _serve_activity)


def _serve_activity(uow: UnitOfWork, activity_id: int) -> int:
    locked = activities.lock_seats(uow, [activity_id]).get(activity_id)
    if locked is None:
        return 0
    waitlist.serve_waitlist(uow, locked)
    activities.store_counts(uow, locked)
    return 1


def _process_each(
    context: TaskContext,
    find_due: Callable[[UnitOfWork], Iterable[Due]],
    process: Callable[[UnitOfWork, Due], int],
) -> int:
    """Process what is due, each in a transaction of its own; return the sum of the results."""
    with context.uow_factory.begin(read_only=True) as reading:
        due = find_due(reading)
    total = 0
    for one in due:
        with context.uow_factory.begin() as uow:
            total += process(uow, one)
    return total


def tell_notices(context: TaskContext, *signup_ids: int) -> int:
    """Deliver due messages, of all sign-ups or of the given ones; return how many.

    Each has a transaction of its own. A full batch wakes the task again.
    """
    with context.uow_factory.begin(read_only=True) as reading:
        due = notices.due_notices(reading, signup_ids)
    told = 0
    for notice_id in due:
        try:
            with context.uow_factory.begin() as uow:
                told += notices.deliver_notice(uow, notice_id)
        except AppError as refusal:
            # The citizen is being merged: the row stays due for the next run.
            _log.info("message put off", extra={"code": refusal.code})
    if told and len(due) == notices.BATCH:
        context.uow_factory.dependencies.enqueue(store.TELL_TASK)
    return told


def plan_reminders(context: TaskContext, *_ids: int) -> int:
    """Add the reminders that are due, those of an activity together; return how many."""
    return _process_each(context, reminders.due_reminders, reminders.add_reminders)


def close_activities(context: TaskContext, *_ids: int) -> int:
    """Close the activities that ended a day ago; return how many."""
    return _process_each(context, activities.due_closings, changes.close_activity)


def erase_contacts(context: TaskContext, *_ids: int) -> int:
    """Erase names, numbers and answers of activities that are over for long; return how many."""
    return drop_all_overdue(context.uow_factory, SIGNUPS)


TASKS = (
    Task(name="signups.expire_offers", step=expire_offers, every_seconds=2),
    Task(name="signups.draw_lotteries", step=draw_lotteries, every_seconds=2),
    Task(name=store.FILL_TASK, step=fill_idle_seats, every_seconds=10),
    Task(name=store.TELL_TASK, step=tell_notices, every_seconds=5),
    Task(name="signups.plan_reminders", step=plan_reminders, every_seconds=15),
    Task(name="signups.close_activities", step=close_activities, every_seconds=60),
    Task(name="signups.erase_contacts", step=erase_contacts, every_seconds=600),
)
