"""Places that cannot be given up any more, because their people have come."""

from __future__ import annotations

from datetime import timedelta

from server.activities.service import LockedSeats
from server.base.uow import UnitOfWork
from server.signups import store
from server.signups.errors import AlreadyCheckedIn


def refuse_used(uow: UnitOfWork, locked: LockedSeats, signup_id: int) -> None:
    """Refuse to end a sign-up of a locked activity whose people have come.

    Locks: the sign-up, so that no scan admits its people meanwhile.
    Raises: AlreadyCheckedIn (409).
    """
    if is_used(uow, locked, signup_id):
        raise AlreadyCheckedIn


def is_used(uow: UnitOfWork, locked: LockedSeats, signup_id: int) -> bool:
    """Whether the people of a sign-up of a locked activity have come.

    Locks: the sign-up, once the check-in may have begun.
    """
    opens_at = locked.starts_at - timedelta(minutes=uow.settings.checkin.opens_minutes)
    if uow.now < opens_at:
        return False
    store.lock_signup(uow, signup_id)
    return any(has_come(uow, signup_id) for has_come in uow.dependencies.hooks.has_come)
