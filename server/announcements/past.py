"""Stores an announcement of the past with its ledger, for sample data; sends nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select

from server.announcements.approval.hashing import hash_content
from server.announcements.compose import drafts
from server.announcements.enums import (
    AnnouncementState,
    Channel,
    ReceiptWord,
    RecipientState,
    TryState,
)
from server.announcements.models import Announcement, AnnouncementApproval, Recipient, SendTry
from server.base.access import Organizer
from server.base.outbox_rows import OutboxState, idle_values
from server.base.uow import UnitOfWork
from server.notices import service as notices

_TRIES = {
    RecipientState.SENT: TryState.ACCEPTED,
    RecipientState.REFUSED: TryState.REFUSED,
    RecipientState.UNKNOWN: TryState.UNKNOWN,
}


@dataclass(frozen=True, kw_only=True)
class PastResult:
    """The end of one recipient: the last channel, None when none was permitted, and the reason."""

    citizen_id: int
    state: RecipientState
    channel: Channel | None = None
    reason: str | None = None
    receipt: ReceiptWord | None = None
    opened_at: datetime | None = None


def known_announcements(uow: UnitOfWork, refs: Sequence[str]) -> set[str]:
    """Those of the refs that exist."""
    return set(uow.session.scalars(select(Announcement.ref).where(Announcement.ref.in_(refs))))


def add_past_results(
    uow: UnitOfWork,
    ref: str,
    approver: Organizer,
    began_at: datetime,
    results: Sequence[PastResult],
) -> None:
    """Make a draft one that was sent: approval, recipients, calls, and copies in the inboxes.

    Units: `began_at` is the start; one hundred recipients take a second. Locks: the caller holds
    the citizens.
    """
    row = drafts.lock_announcement(uow, approver, ref, AnnouncementState.DRAFT)
    ended_at = began_at + timedelta(seconds=1 + len(results) // 100)
    row.state = AnnouncementState.DONE
    row.content_hash = hash_content(row)
    row.counted = row.audience_size = len(results)
    row.made_at = began_at - timedelta(hours=20)
    row.approved_at = began_at - timedelta(minutes=2)
    row.starts_at, row.began_at, row.ended_at = began_at, began_at, ended_at
    letter = notices.SharedLetter(
        key=f"announcement:{ref}", title=row.title, body=row.body, page=row.page
    )
    row.letter_id = notices.post_shared_letter(uow, letter)
    _add_approval(uow, row, approver)
    recipients = [_recipient_of(row, one, ended_at) for one in results]
    uow.session.add_all(recipients)
    uow.session.flush()
    uow.session.add_all(_tries_of(recipients, results, began_at, ended_at))
    refused = RecipientState.REFUSED
    copies = [(one.citizen_id, one.reason if one.state is refused else None) for one in results]
    notices.post_copies(uow, row.letter_id, copies)


def _add_approval(uow: UnitOfWork, row: Announcement, approver: Organizer) -> None:
    uow.session.add(
        AnnouncementApproval(
            announcement_id=row.id,
            organizer_id=approver.id,
            content_hash=row.content_hash,
            counted=row.counted,
            approved_at=row.approved_at,
        )
    )


def _tries_of(
    recipients: Sequence[Recipient],
    results: Sequence[PastResult],
    began_at: datetime,
    ended_at: datetime,
) -> list[SendTry]:
    return [
        SendTry(
            recipient_id=recipient.id,
            channel=one.channel,
            state=_TRIES[one.state],
            client_msg_id=f"past{recipient.id}",
            message_id=str(10**15 + recipient.id) if one.state is RecipientState.SENT else None,
            reason=one.reason,
            made_at=began_at,
            settled_at=ended_at,
        )
        for recipient, one in zip(recipients, results, strict=True)
        if one.channel is not None
    ]


def _recipient_of(row: Announcement, one: PastResult, at: datetime) -> Recipient:
    return Recipient(
        announcement_id=row.id,
        citizen_id=one.citizen_id,
        state=one.state,
        channel=one.channel,
        reason=one.reason,
        receipt=one.receipt,
        settled_at=at,
        opened_at=one.opened_at,
        **idle_values(OutboxState.DONE),
    )
