"""Background tasks: expired offers, lotteries, and seats that stayed free."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select

from server.activities import service as activities
from server.base.jobs import Task, TaskContext
from server.signups import lottery, waitlist
from server.signups.kinds import SignUpState
from server.signups.models import SignUp


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


TASKS = (
    Task(name="signups.expire_offers", step=expire_offers, every_seconds=2),
    Task(name="signups.draw_lotteries", step=draw_lotteries, every_seconds=2),
    Task(name="signups.fill_idle_seats", step=fill_idle_seats, every_seconds=10),
)
