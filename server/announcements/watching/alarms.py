"""Faults of sending that somebody has to look at: as metrics, and on the first page.

They are counted over announcements that are under way, so that a scrape stays cheap.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from sqlalchemy import ColumnElement, and_, exists, func, or_, select

from server.announcements.enums import AnnouncementState, Channel, RecipientState, TryState
from server.announcements.models import Announcement, Recipient, SendReceipt, SendTry
from server.base.access import Organizer, Permission
from server.base.outbox_rows import OutboxPause
from server.base.ownership import writable_by
from server.base.uow import UnitOfWork
from server.base.web.page import Waiting

# A call without an answer is settled within ten minutes; an older one is a fault.
DOUBT_LASTS = timedelta(minutes=10)
# A share of unknown results above this is a fault, from this number of them on.
MOST_UNKNOWN_SHARE, FEWEST_UNKNOWN = 0.01, 10
STARTS_WITHIN = timedelta(minutes=5)
_PAUSES = tuple(f"announcements:{one}" for one in Channel)
_UNDER_WAY = (AnnouncementState.SENDING, AnnouncementState.PAUSED)


def _in_doubt_condition(uow: UnitOfWork) -> ColumnElement[bool]:
    """Announcements with a call that has had no result for too long."""
    old = (
        select(SendTry.id)
        .join(Recipient, Recipient.id == SendTry.recipient_id)
        .where(
            Recipient.announcement_id == Announcement.id,
            SendTry.state.in_((TryState.IN_DOUBT, TryState.CLAIMED)),
            SendTry.made_at < uow.now - DOUBT_LASTS,
            Recipient.state.in_((RecipientState.IN_DOUBT, RecipientState.CLAIMED)),
        )
    )
    return and_(Announcement.state.in_(_UNDER_WAY), old.exists())


def _is_overdue(uow: UnitOfWork) -> ColumnElement[bool]:
    """Announcements whose start has passed without a worker, or with recipients long overdue."""
    waiting = exists().where(
        Recipient.announcement_id == Announcement.id,
        Recipient.state == RecipientState.QUEUED,
        Recipient.outbox_due_at < uow.now - timedelta(hours=1),
    )
    return or_(
        and_(
            Announcement.state == AnnouncementState.SCHEDULED,
            Announcement.starts_at < uow.now - STARTS_WITHIN,
        ),
        and_(
            Announcement.state == AnnouncementState.FREEZING,
            Announcement.approved_at < uow.now - STARTS_WITHIN,
        ),
        and_(Announcement.state == AnnouncementState.SENDING, waiting),
    )


def _is_paused(_uow: UnitOfWork) -> ColumnElement[bool]:
    return Announcement.state == AnnouncementState.PAUSED


def _unknown_condition(_uow: UnitOfWork) -> ColumnElement[bool]:
    """Announcements under way with too many unknown results."""
    mine = Recipient.announcement_id == Announcement.id
    unknown = (
        select(func.count()).where(mine, Recipient.state == RecipientState.UNKNOWN)
    ).scalar_subquery()
    settled = (
        select(func.count()).where(
            mine, Recipient.state.in_((RecipientState.UNKNOWN, RecipientState.SENT))
        )
    ).scalar_subquery()
    too_many = and_(unknown >= FEWEST_UNKNOWN, unknown > MOST_UNKNOWN_SHARE * settled)
    return and_(Announcement.state.in_(_UNDER_WAY), too_many)


# The text key of the sentence, and the condition of each alarm.
ALARMS: tuple[tuple[str, Callable[[UnitOfWork], ColumnElement[bool]]], ...] = (
    ("announcements.alarm.paused", _is_paused),
    ("announcements.alarm.overdue", _is_overdue),
    ("announcements.alarm.in_doubt", _in_doubt_condition),
    ("announcements.alarm.unknown", _unknown_condition),
)


def tell_alarms(uow: UnitOfWork, organizer: Organizer) -> list[Waiting]:
    """Announcements of the organizer's place that somebody has to look at."""
    if not organizer.has_permission(Permission.ANNOUNCEMENT_WRITE) and not organizer.has_permission(
        Permission.ANNOUNCEMENT_APPROVE
    ):
        return []
    told = []
    for said, condition in ALARMS:
        found = select(Announcement.ref).where(condition(uow)).order_by(Announcement.id.desc())
        refs = uow.session.scalars(writable_by(found, organizer, Announcement)).all()
        if refs:
            path = f"/announcements/{refs[0]}/progress"
            told.append(Waiting(count=len(refs), said=said, path=path))
    return told


def _count_announcements(
    condition: Callable[[UnitOfWork], ColumnElement[bool]],
) -> Callable[[UnitOfWork], float]:
    def count(uow: UnitOfWork) -> float:
        found = select(func.count()).select_from(Announcement).where(condition(uow))
        return float(uow.session.scalar(found) or 0)

    return count


def count_unmatched(uow: UnitOfWork) -> float:
    """The receipts of a day whose message nobody here has sent; they are looked for no more."""
    found = (
        select(func.count())
        .select_from(SendReceipt)
        .where(
            SendReceipt.applied_at.is_(None),
            SendReceipt.received_at > uow.now - timedelta(days=1),
            SendReceipt.due_at.is_(None),
        )
    )
    return float(uow.session.scalar(found) or 0)


def count_waiting_receipts(uow: UnitOfWork) -> float:
    """The receipts that still look for their message."""
    found = select(func.count()).select_from(SendReceipt).where(SendReceipt.due_at.is_not(None))
    return float(uow.session.scalar(found) or 0)


def count_paused_channels(uow: UnitOfWork) -> float:
    """The channels whose quota at WeChat is spent."""
    found = (
        select(func.count())
        .select_from(OutboxPause)
        .where(
            OutboxPause.queue.in_(_PAUSES),
            or_(OutboxPause.until.is_(None), OutboxPause.until > uow.now),
        )
    )
    return float(uow.session.scalar(found) or 0)


READINGS = {
    "announcements_paused": _count_announcements(_is_paused),
    "announcements_overdue": _count_announcements(_is_overdue),
    "announcements_in_doubt_old": _count_announcements(_in_doubt_condition),
    "announcements_unknown_many": _count_announcements(_unknown_condition),
    "announcement_channels_paused": count_paused_channels,
    "send_receipts_waiting": count_waiting_receipts,
    "send_receipts_unmatched": count_unmatched,
}
