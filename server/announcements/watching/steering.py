"""Pausing, resuming and cancelling an announcement, by an organizer."""

from __future__ import annotations

from collections.abc import Callable

from server.announcements.enums import AnnouncementState
from server.announcements.ledger.control import cancel_sending, pause_sending, resume_sending
from server.announcements.ledger.outcomes import Stop
from server.announcements.models import Announcement
from server.announcements.watching.desk import read_own
from server.audit.service import Subject, record_change
from server.base.access import Organizer
from server.base.ownership import scope_of, serving_found_row
from server.base.uow import UnitOfWork

SUBJECT = "announcement"
# States from which sending can be cancelled.
CANCELLABLE = (AnnouncementState.SCHEDULED, AnnouncementState.SENDING, AnnouncementState.PAUSED)


def pause_announcement(uow: UnitOfWork, organizer: Organizer, ref: str) -> None:
    """Begin no further call of an announcement until it is resumed.

    Raises: NotFound (404), WrongAnnouncementState (409) unless it is being sent.
    Locks: the announcement.
    """
    stop = Stop(reason="organizer", detail="")
    _steer(uow, organizer, ref, "pause", lambda row: pause_sending(uow, row.id, stop))


def resume_announcement(uow: UnitOfWork, organizer: Organizer, ref: str) -> None:
    """Continue a paused announcement where it stopped; nobody is sent it twice.

    Raises: NotFound (404), WrongAnnouncementState (409) unless it is paused.
    Locks: the announcement.
    """
    _steer(uow, organizer, ref, "resume", lambda row: resume_sending(uow, row.id))


def cancel_announcement(uow: UnitOfWork, organizer: Organizer, ref: str, reason: str) -> None:
    """Cancel what is not sent yet; calls that run are still settled.

    Raises: NotFound (404), WrongAnnouncementState (409) once it is over.
    Locks: the announcement, then its waiting recipients.
    """

    def cancel(row: Announcement) -> None:
        cancel_sending(uow, row.id, reason)

    _steer(uow, organizer, ref, "cancel", cancel, reason)


def _steer(
    uow: UnitOfWork,
    organizer: Organizer,
    ref: str,
    verb: str,
    change: Callable[[Announcement], None],
    reason: str = "",
) -> None:
    row = read_own(uow, organizer, ref)
    before = row.state.value
    with serving_found_row(uow.session):
        change(row)
        uow.session.flush()
    record_change(
        uow,
        organizer,
        f"announcements.{verb}_announcement",
        Subject(SUBJECT, row.ref, scope_of(row)),
        before={"state": before},
        after={"state": row.state.value},
        reason=reason,
    )
