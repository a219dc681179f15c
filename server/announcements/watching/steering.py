"""Pausing, resuming and cancelling an announcement, by an organizer."""

from __future__ import annotations

from server.announcements.ledger.control import cancel_sending, pause_sending, resume_sending
from server.announcements.ledger.outcomes import Stop
from server.announcements.models import Announcement
from server.announcements.watching.desk import read_own
from server.audit.service import Subject, record_change
from server.base.access import Organizer
from server.base.ownership import scope_of, serving_found_row
from server.base.uow import UnitOfWork

SUBJECT = "announcement"


def pause_announcement(uow: UnitOfWork, organizer: Organizer, ref: str) -> None:
    """Begin no further call of an announcement until it is resumed.

    Raises: NotFound (404), WrongAnnouncementState (409) unless it is being sent.
    Locks: the announcement.
    """
    row = read_own(uow, organizer, ref)
    before = {"state": row.state.value}
    with serving_found_row(uow.session):
        pause_sending(uow, row.id, Stop(reason="organizer", detail=""))
    record_change(
        uow, organizer, "announcements.pause_announcement", _subject_of(row),
        before=before, after={"state": row.state.value},
    )  # fmt: skip


def resume_announcement(uow: UnitOfWork, organizer: Organizer, ref: str) -> None:
    """Continue a paused announcement where it stopped; nobody is sent it twice.

    Raises: NotFound (404), WrongAnnouncementState (409) unless it is paused.
    Locks: the announcement.
    """
    row = read_own(uow, organizer, ref)
    before = {"state": row.state.value}
    with serving_found_row(uow.session):
        resume_sending(uow, row.id)
    record_change(
        uow, organizer, "announcements.resume_announcement", _subject_of(row),
        before=before, after={"state": row.state.value},
    )  # fmt: skip


def cancel_announcement(uow: UnitOfWork, organizer: Organizer, ref: str, reason: str) -> None:
    """Cancel what is not sent yet; calls that run are still settled.

    Raises: NotFound (404), WrongAnnouncementState (409) once it is over.
    Locks: the announcement, then its waiting recipients.
    """
    row = read_own(uow, organizer, ref)
    before = {"state": row.state.value}
    with serving_found_row(uow.session):
        cancel_sending(uow, row.id, reason)
    record_change(
        uow, organizer, "announcements.cancel_announcement", _subject_of(row),
        before=before, after={"state": row.state.value}, reason=reason,
    )  # fmt: skip


def _subject_of(row: Announcement) -> Subject:
    return Subject(SUBJECT, row.ref, scope_of(row))
