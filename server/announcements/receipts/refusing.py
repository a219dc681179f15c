"""Tells recipients in the inbox that a message was not pushed after all."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import select

from server.announcements.models import Announcement, Recipient
from server.base.uow import UnitOfWork
from server.notices import service as notices


def mark_copies(uow: UnitOfWork, refused: Sequence[Recipient]) -> None:
    """Store on the inbox copies of these recipients why they were not pushed.

    Locks: the caller holds the citizens.
    """
    reasons: dict[int, dict[int, str]] = defaultdict(dict)
    for row in refused:
        reasons[row.announcement_id][row.citizen_id] = row.reason or ""
    if not reasons:
        return
    letters = uow.session.execute(
        select(Announcement.id, Announcement.letter_id)
        .where(Announcement.id.in_(reasons))
        .order_by(Announcement.id)
    )
    for announcement_id, letter_id in letters:
        if letter_id is not None:
            notices.mark_not_pushed(uow, letter_id, reasons[announcement_id])
