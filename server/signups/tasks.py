"""Background tasks: expired offers, lotteries, free seats, messages, and the closing."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from sqlalchemy import select

from server.activities import service as activities
from server.base.errors import AppError
from server.base.jobs import Task, TaskContext
from server.signups import changes, lottery, notices, reminders, store, waitlist
from server.signups.kinds import SignUpState
from server.signups.models import SignUp

_log = logging.getLogger(__name__)


def expire_offers(context: TaskContext, *_ids: int) -> int:
    """End expired offers and give their seats on; return the number of activities."""
    with context.uow_factory.begin(read_only=True) as reading:
        due = reading.session.scalars(
            select(SignUp.activity_id)
            .where(SignUp.state == SignUpState.OFFERED, SignUp.offer_expires_at <= reading.now)
            .distinct()
            .order_by(SignUp.activity_id)
        ).all()
    return _serve_each(context, due)


def draw_lotteries(context: TaskContext, *_ids: int) -> int:
    """Draw the lotteries that are due; return the number of entered sign-ups."""
    with context.uow_factory.begin(read_only=True) as reading:
        due = activities.due_draws(reading)
    drawn = 0
    for activity_id in due:
        with context.uow_factory.begin() as uow:
            drawn += lottery.draw_lottery(uow, activity_id)
    return drawn


def fill_idle_seats(context: TaskContext, *_ids: int) -> int:
    """Serve waitlists with free seats; return the number of activities.

    A seat is given on in the transaction that frees it. This finds those who could not be served
    then, because they had a place at the same time in an activity that was moved or cancelled.
    """
    with context.uow_factory.begin(read_only=True) as reading:
        idle = activities.idle_waitlists(reading)
    return _serve_each(context, idle)


def _serve_each(context: TaskContext, activity_ids: Iterable[int]) -> int:
    served = 0
    for activity_id in activity_ids:
        with context.uow_factory.begin() as uow:
            locked = activities.lock_seats(uow, [activity_id]).get(activity_id)
            if locked is not None:
                waitlist.serve_waitlist(uow, locked)
                activities.store_counts(uow, locked)
                served += 1
    return served


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
    with context.uow_factory.begin(read_only=True) as reading:
        due = reminders.due_reminders(reading)
    added = 0
    for one in due:
        with context.uow_factory.begin() as uow:
            added += reminders.add_reminders(uow, one)
    return added


def close_activities(context: TaskContext, *_ids: int) -> int:
    """Close the activities that ended a day ago; return how many."""
    with context.uow_factory.begin(read_only=True) as reading:
        due = activities.due_closings(reading)
    closed = 0
    for activity_id in due:
        with context.uow_factory.begin() as uow:
            closed += changes.close_activity(uow, activity_id)
    return closed


TASKS = (
    Task(name="signups.expire_offers", step=expire_offers, every_seconds=2),
    Task(name="signups.draw_lotteries", step=draw_lotteries, every_seconds=2),
    Task(name=changes.FILL_TASK, step=fill_idle_seats, every_seconds=10),
    Task(name=store.TELL_TASK, step=tell_notices, every_seconds=5),
    Task(name="signups.plan_reminders", step=plan_reminders, every_seconds=15),
    Task(name="signups.close_activities", step=close_activities, every_seconds=60),
)
