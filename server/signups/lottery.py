"""Drawing the lottery of an opening rush.

The seed is made when the activity is published, and its commitment is public from then on. The
draw orders the entered sign-ups by it (`rules.draw_order`): the first get the seats, all others
form the waitlist in the drawn order, however long it is.
"""

from __future__ import annotations

from sqlalchemy import insert, select, update

from server.activities import service as activities
from server.base.uow import UnitOfWork
from server.signups import waitlist
from server.signups.kinds import NoticeKind, SignUpState
from server.signups.models import SignUp, SignUpNotice
from server.signups.rules import draw_order
from server.signups.store import TELL_TASK


def draw_lottery(uow: UnitOfWork, activity_id: int) -> int:
    """Draw the lottery of an activity, if it is due; return the number of entered sign-ups.

    Locks: the activity.
    """
    locked = activities.lock_seats(uow, [activity_id]).get(activity_id)
    if locked is None or not activities.is_draw_due(locked, uow.now):
        return 0
    entered = uow.session.execute(
        select(SignUp.ref, SignUp.id).where(
            SignUp.activity_id == activity_id, SignUp.state == SignUpState.ENTERED
        )
    )
    by_ref = {row.ref: row.id for row in entered}
    drawn = draw_order(activities.draw_seed_of(uow, activity_id), by_ref)
    places = [
        {
            "id": by_ref[ref],
            "state": SignUpState.WAITLISTED,
            "sequence": locked.take_sequence(),
            "changed_at": uow.now,
        }
        for ref in drawn
    ]
    if places:
        uow.session.execute(update(SignUp), places)
    locked.waiting += len(places)
    locked.entered, locked.drawn_at = 0, uow.now
    activities.note_draw(uow, activity_id)
    waitlist.serve_waitlist(uow, locked, drawn=True)
    activities.store_counts(uow, locked)
    _tell_others(uow, activity_id)
    return len(places)


def _tell_others(uow: UnitOfWork, activity_id: int) -> None:
    """Add a message for everybody who got a place on the waitlist."""
    waiting = uow.session.scalars(
        select(SignUp.id).where(
            SignUp.activity_id == activity_id, SignUp.state == SignUpState.WAITLISTED
        )
    )
    told = [
        {"signup_id": one, "kind": NoticeKind.NOT_DRAWN, "number": 0, "facts": {},
         "due_at": uow.now}
        for one in waiting
    ]  # fmt: skip
    if told:
        uow.session.execute(insert(SignUpNotice), told)
        uow.enqueue_after_commit(TELL_TASK)
