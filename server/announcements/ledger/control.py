"""Starting, pausing, resuming, cancelling and ending announcements.

Each changes the row of the announcement first. Claims hold it shared, so after the commit no
further call begins; calls that run are still settled.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, func, select, update

from server.announcements.audience.facts import outreach_key
from server.announcements.audience.freezing import FREEZE_TASK
from server.announcements.compose.content import load_content
from server.announcements.compose.rendering import RenderedNote, render_letter
from server.announcements.enums import AnnouncementState, Channel, Purpose, RecipientState, TryState
from server.announcements.errors import WrongAnnouncementState
from server.announcements.ledger.claiming import CANCELLED
from server.announcements.ledger.outcomes import Stop
from server.announcements.ledger.queue import TASK
from server.announcements.models import Announcement, MassBatch, Recipient, SendTry
from server.announcements.rules.placeholders import Person
from server.base.outbox_rows import OutboxState, idle_values
from server.base.sql.many import is_any
from server.base.uow import UnitOfWork
from server.notices import service as notices
from server.notices.service import SharedLetter

_NO_SYNC = {"synchronize_session": False}
_WAITING = (OutboxState.QUEUED, OutboxState.CLAIMED)
_DUE_AT_ONCE = 20


def start_due(uow: UnitOfWork) -> list[int]:
    """Start scheduled announcements whose time has come; return their row ids.

    Locks: the announcements, skipping those locked by others.
    """
    due = uow.session.scalars(
        select(Announcement)
        .where(Announcement.state == AnnouncementState.SCHEDULED, Announcement.starts_at <= uow.now)
        .order_by(Announcement.starts_at, Announcement.id)
        .limit(_DUE_AT_ONCE)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    ).all()
    for row in due:
        first = select(func.min(Recipient.id)).where(Recipient.announcement_id == row.id)
        row.next_row = uow.session.scalar(first)
        row.letter_id = notices.post_shared_letter(uow, _letter_of(uow, row))
        row.state, row.began_at = AnnouncementState.SENDING, uow.now
    uow.session.flush()
    return [row.id for row in due]


def _letter_of(uow: UnitOfWork, row: Announcement) -> SharedLetter:
    note = render_letter(load_content(uow, row), Channel.INBOX, Person())
    if not isinstance(note, RenderedNote):
        raise TypeError("the inbox gets a note")
    return SharedLetter(key=outreach_key(row), title=note.title, body=note.body, page=note.page)


def lock_in(uow: UnitOfWork, announcement_id: int, *states: AnnouncementState) -> Announcement:
    """Lock an announcement in one of these states.

    Raises: WrongAnnouncementState (409).
    """
    row = uow.session.scalar(
        select(Announcement)
        .where(Announcement.id == announcement_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if row is None or row.state not in states:
        raise WrongAnnouncementState
    return row


def pause_sending(uow: UnitOfWork, announcement_id: int, stop: Stop) -> None:
    """Begin no further call of an announcement, until it is resumed.

    Raises: WrongAnnouncementState (409) unless it is being sent.
    """
    row = lock_in(uow, announcement_id, AnnouncementState.SENDING)
    row.state, row.paused_at = AnnouncementState.PAUSED, uow.now
    row.pause_reason, row.pause_detail = stop.reason, stop.detail


def stop_sending(uow: UnitOfWork, announcement_id: int, stop: Stop) -> bool:
    """As `pause_sending`, by the worker; False when it is not being sent any more."""
    try:
        pause_sending(uow, announcement_id, stop)
    except WrongAnnouncementState:
        return False
    return True


def resume_sending(uow: UnitOfWork, announcement_id: int) -> None:
    """Continue a paused announcement where it stopped.

    Raises: WrongAnnouncementState (409) unless it is paused.
    """
    row = lock_in(uow, announcement_id, AnnouncementState.PAUSED)
    row.state, row.paused_at = AnnouncementState.SENDING, None
    row.pause_reason = row.pause_detail = None
    uow.enqueue_after_commit(TASK, row.ref)


def cancel_sending(uow: UnitOfWork, announcement_id: int, remark: str | None) -> None:
    """Cancel an announcement; recipients that wait get nothing because of it.

    Calls that run are still settled. A call in doubt is not repeated, its recipient is unknown.
    Many waiting rows are ended in the background; no call begins for them.
    Raises: WrongAnnouncementState (409) unless it is scheduled, being sent, or paused.
    Locks: the announcement, then its waiting rows.
    """
    row = lock_in(
        uow,
        announcement_id,
        AnnouncementState.SCHEDULED,
        AnnouncementState.SENDING,
        AnnouncementState.PAUSED,
    )
    row.state, row.ended_at, row.remark = AnnouncementState.CANCELLED, uow.now, remark
    _leave_doubtful(uow, row)
    row.next_row = None
    if (row.audience_size or 0) > uow.settings.announcements.frozen_at_once:
        row.rows_left = True
        uow.enqueue_after_commit(FREEZE_TASK, row.ref)
    else:
        _cancel_rows(uow, Recipient.announcement_id == row.id)


def cancel_next(uow: UnitOfWork, row: Announcement, most: int) -> bool:
    """Cancel some waiting recipients of a cancelled announcement; False after the last.

    Locks: the caller holds the announcement; their rows.
    """
    mine = and_(Recipient.announcement_id == row.id, Recipient.id >= (row.next_row or 0))
    some = select(Recipient.id).where(mine).order_by(Recipient.id).limit(most).subquery()
    last, size = uow.session.execute(select(func.max(some.c[0]), func.count())).one()
    if size:
        _cancel_rows(uow, and_(mine, Recipient.id <= last))
    row.next_row = last + 1 if size == most else None
    return bool(size == most)


def _leave_doubtful(uow: UnitOfWork, row: Announcement) -> None:
    """Make the recipients unknown whose call had no answer."""
    doubtful = uow.session.scalars(
        update(Recipient)
        .where(Recipient.announcement_id == row.id, Recipient.state == RecipientState.IN_DOUBT)
        .values(
            **idle_values(OutboxState.IN_DOUBT),
            state=RecipientState.UNKNOWN,
            reason=CANCELLED,
            settled_at=uow.now,
        )
        .returning(Recipient.id)
        .execution_options(**_NO_SYNC)
    ).all()
    _end_tries(uow, doubtful)


def _cancel_rows(uow: UnitOfWork, which: ColumnElement[bool]) -> None:
    uow.session.execute(
        update(Recipient)
        .where(
            which,
            Recipient.state == RecipientState.QUEUED,
            Recipient.outbox_state == OutboxState.QUEUED,
        )
        .values(
            **idle_values(), state=RecipientState.CANCELLED, reason=CANCELLED, settled_at=uow.now
        )
        .execution_options(**_NO_SYNC)
    )


def _end_tries(uow: UnitOfWork, row_ids: Sequence[int]) -> None:
    if row_ids:
        uow.session.execute(
            update(SendTry)
            .where(is_any(SendTry.recipient_id, row_ids), SendTry.state == TryState.IN_DOUBT)
            .values(state=TryState.UNKNOWN, settled_at=uow.now)
            .execution_options(**_NO_SYNC)
        )


def finish_sent(uow: UnitOfWork) -> int:
    """End the announcements without waiting recipients; return how many."""
    rows = exists().where(
        Recipient.announcement_id == Announcement.id, Recipient.outbox_state.in_(_WAITING)
    )
    batches = exists().where(
        MassBatch.announcement_id == Announcement.id, MassBatch.outbox_state.in_(_WAITING)
    )
    done: Any = uow.session.execute(
        update(Announcement)
        .where(Announcement.state == AnnouncementState.SENDING, ~rows, ~batches)
        .values(state=AnnouncementState.DONE, ended_at=uow.now, next_row=None)
        .execution_options(**_NO_SYNC)
    )
    return int(done.rowcount)


def due_announcements(uow: UnitOfWork, *, mass: bool = False) -> list[int]:
    """The announcements that are being sent: urgent ones first, then those that began earlier.

    Those by mass message, or all others.
    """
    urgent = Announcement.purpose != Purpose.CHANGE
    rows = uow.session.execute(
        select(Announcement.id, Announcement.ladder)
        .where(Announcement.state == AnnouncementState.SENDING)
        .order_by(urgent, Announcement.began_at, Announcement.id)
    )
    return [row.id for row in rows if (Channel.MASS in row.ladder) is mass]
