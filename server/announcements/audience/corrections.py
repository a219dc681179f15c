"""Corrections: which announcement one corrects, and who got a message of that one.

A correction is sent to everybody who has the wrong announcement. Who got it as a message, or opened
the copy in the inbox, gets a message again; to the others the copy of the correction is enough.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, or_, select

from server.announcements.enums import RecipientState
from server.announcements.models import Announcement, Recipient
from server.base.ownership import serving_found_row
from server.base.uow import UnitOfWork

# A call whose result is not known may have arrived.
_MAY_HAVE_IT = (
    RecipientState.CLAIMED,
    RecipientState.SENT,
    RecipientState.IN_DOUBT,
    RecipientState.UNKNOWN,
)


def corrected_by(uow: UnitOfWork, row: Announcement) -> Announcement | None:
    """The announcement that a correction corrects; None for any other."""
    if row.corrects_id is None:
        return None
    # It is of the same place as the correction.
    with serving_found_row(uow.session):
        return uow.session.get_one(Announcement, row.corrects_id)


def first_of(uow: UnitOfWork, row: Announcement) -> Announcement:
    """The announcement at the beginning of a chain of corrections; the row itself without one.

    Its audience, topic and activity are the ground on which the correction is sent too.
    """
    first = row
    while True:
        corrected = corrected_by(uow, first)
        if corrected is None:
            return first
        first = corrected


def select_pushed(announcement_id: int) -> Select[Any]:
    """The row ids of the citizens who may have got an announcement other than as an unread copy."""
    return select(Recipient.citizen_id).where(
        Recipient.announcement_id == announcement_id,
        or_(Recipient.state.in_(_MAY_HAVE_IT), Recipient.opened_at.is_not(None)),
    )
