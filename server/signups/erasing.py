"""Erases the contacts and answers of sign-ups, some time after the activity has ended.

The sign-up itself stays, because seats and attendance are counted by its row.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, func, select, update

from server.activities import service as activities
from server.base.uow import UnitOfWork
from server.signups.models import SignUp

# Long enough to call a person who left something in the hall, or to answer complaints.
CONTACTS_KEPT = timedelta(days=30)
# Values of a sign-up about its person, to be erased.
BLANK: dict[str, Any] = {
    "answers": {}, "name": None, "phone": None, "phone_blind": None, "phone_tail": None,
}  # fmt: skip
_BATCH = 2000


def count_due(uow: UnitOfWork, at: datetime) -> int:
    """How many sign-ups have contacts that must be erased at an instant."""
    asked = select(func.count()).select_from(SignUp).where(_is_due(at))
    return uow.session.scalar(asked) or 0


def erase_contacts(uow: UnitOfWork) -> int:
    """Erase the contacts of ended activities, a batch at a time; return how many sign-ups.

    Locks: those rows, skipping those that an erasure of a citizen holds.
    """
    due = (
        select(SignUp.id)
        .where(_is_due(uow.now))
        .order_by(SignUp.id)
        .limit(_BATCH)
        .with_for_update(skip_locked=True)
    )
    blanked = update(SignUp).where(SignUp.id.in_(due)).values(**BLANK, contacts_erased_at=uow.now)
    done: Any = uow.session.execute(blanked.execution_options(synchronize_session=False))
    return int(done.rowcount)


def _is_due(at: datetime) -> ColumnElement[bool]:
    ended = activities.ids_ended(at - CONTACTS_KEPT)
    return and_(SignUp.contacts_erased_at.is_(None), SignUp.activity_id.in_(ended))
