"""Corrects what a citizen reads and is limited by, when a receipt changes the result of a message.

The inbox copy says why a message was not pushed, or no longer says that this is unknown. A message
that was certainly not delivered gives its place in the limit over all senders back.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import NamedTuple

from sqlalchemy import select

from server.announcements.audience.facts import outreach_key
from server.announcements.models import Announcement
from server.base.uow import UnitOfWork
from server.notices import service as notices


class Changed(NamedTuple):
    """A recipient whose result a receipt changed; `reason` is empty when it was delivered."""

    announcement_id: int
    citizen_id: int
    reason: str | None


def tell_changes(uow: UnitOfWork, changes: Iterable[Changed], held: Collection[int]) -> None:
    """Correct the inbox copies of recipients, and release the places of those who got nothing.

    Locks: the caller holds the citizens in `held`; others were erased, or came after the locks.
    """
    by_announcement: dict[int, dict[int, str | None]] = defaultdict(dict)
    for one in changes:
        if one.citizen_id in held:
            by_announcement[one.announcement_id][one.citizen_id] = one.reason
    if not by_announcement:
        return
    found = select(Announcement).where(Announcement.id.in_(by_announcement))
    for row in uow.session.scalars(found.order_by(Announcement.id)):
        _tell_of_one(uow, row, by_announcement[row.id])


def _tell_of_one(uow: UnitOfWork, row: Announcement, results: dict[int, str | None]) -> None:
    refused = {who: reason for who, reason in results.items() if reason is not None}
    delivered = [who for who, reason in results.items() if reason is None]
    if refused:
        notices.release_outreach(uow, outreach_key(row), refused)
    if row.letter_id is None:
        return
    if refused:
        notices.mark_not_pushed(uow, row.letter_id, refused)
    if delivered:
        notices.mark_pushed(uow, row.letter_id, delivered)
