"""Announcements and their ledger rows for tests."""

from __future__ import annotations

import itertools
from typing import Any

from server.announcements.enums import AnnouncementState, Purpose, RecipientState
from server.announcements.models import Announcement, Recipient
from server.base.access import REGION, Scope
from server.base.outbox_rows import queued_values
from server.base.ownership import owned_by
from server.base.uow import UnitOfWork

_count = itertools.count(1)


def an_announcement(uow: UnitOfWork, *, scope: Scope = REGION, **columns: Any) -> Announcement:
    """A stored announcement of a place, a draft without recipients; columns as in the table."""
    values = {
        "ref": f"ann_{next(_count):08d}",
        "state": AnnouncementState.DRAFT,
        "purpose": Purpose.NEWS,
        "title": "科普讲座下周开讲",
        "body": "欢迎报名参加。",
        "made_at": uow.now,
        "changed_at": uow.now,
        **owned_by(scope),
        **columns,
    }
    row = Announcement(**values)
    uow.session.add(row)
    uow.session.flush()
    return row


def a_recipient(
    uow: UnitOfWork, announcement: Announcement, citizen_id: int, **columns: Any
) -> Recipient:
    """A ledger row of a citizen, queued and due now; columns as in the table."""
    values = {"state": RecipientState.QUEUED, **queued_values(uow.now), **columns}
    row = Recipient(announcement_id=announcement.id, citizen_id=citizen_id, **values)
    uow.session.add(row)
    uow.session.flush()
    return row
