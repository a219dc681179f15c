"""Announcements and their ledger rows for tests."""

from __future__ import annotations

import itertools
from typing import Any

from server.announcements.enums import (
    AnnouncementState,
    Channel,
    Purpose,
    RecipientState,
    TryState,
)
from server.announcements.models import Announcement, Recipient, SendTry
from server.announcements.rules.contents import TemplateContent
from server.base.access import REGION, Scope
from server.base.outbox_rows import OutboxState, idle_values, queued_values
from server.base.ownership import owned_by
from server.base.uow import UnitOfWork

FIELDS = {
    "thing1": "科普讲座下周开讲",
    "thing2": "{城市}科协",
    "time3": "2026年5月16日 15:00",
    "thing4": "{昵称}，欢迎报名",
}
TEMPLATE = TemplateContent(template="oa-announcement", fields=FIELDS)
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


def a_try(
    uow: UnitOfWork, recipient: Recipient, channel: Channel, state: TryState, **columns: Any
) -> SendTry:
    """A call for a recipient, whose channel it becomes; columns as in the table."""
    recipient.channel = channel
    row = SendTry(
        recipient_id=recipient.id,
        channel=channel,
        state=state,
        **{"client_msg_id": f"try{next(_count):08d}", "made_at": uow.now, **columns},
    )
    uow.session.add(row)
    uow.session.flush()
    return row


def a_sent_one(
    uow: UnitOfWork,
    announcement: Announcement,
    citizen_id: int,
    message_id: str | None,
    channel: Channel = Channel.TEMPLATE,
) -> Recipient:
    """A recipient to whom a message was sent; WeChat may have answered without an id of it."""
    row = a_recipient(
        uow,
        announcement,
        citizen_id,
        **{"state": RecipientState.SENT, **idle_values(OutboxState.DONE)},
        settled_at=uow.now,
    )
    a_try(uow, row, channel, TryState.ACCEPTED, message_id=message_id, settled_at=uow.now)
    return row


def a_doubtful_one(
    uow: UnitOfWork,
    announcement: Announcement,
    citizen_id: int,
    state: RecipientState = RecipientState.UNKNOWN,
    channel: Channel = Channel.TEMPLATE,
) -> Recipient:
    """A recipient whose call had no answer."""
    row = a_recipient(
        uow,
        announcement,
        citizen_id,
        **{"state": state, **idle_values(OutboxState.IN_DOUBT)},
    )
    a_try(uow, row, channel, TryState(state.value))
    return row
