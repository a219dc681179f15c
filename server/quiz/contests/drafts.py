"""Drafts of contests: found again when a form is sent twice, deleted, returned to their author."""

from __future__ import annotations

from sqlalchemy import delete, func, or_, select

from server.audit.service import record_change
from server.base.access import Organizer, Permission
from server.base.ownership import writable_by
from server.base.uow import UnitOfWork
from server.base.web.page import Waiting
from server.quiz.contests import editing
from server.quiz.errors import ContestPublished, OwnContestDraft
from server.quiz.models import Contest, RuleSetRow


def delete_draft(uow: UnitOfWork, organizer: Organizer, ref: str) -> None:
    """Delete a draft of the organizer's scope; the trail keeps what it was.

    Raises: NotFound (404), ContestPublished (409).
    """
    contest = editing.lock_contest(uow, organizer, ref)
    if contest.published_at is not None:
        raise ContestPublished
    before = editing.describe_contest(uow, contest)
    subject = editing.subject_of(contest)
    _delete_rows(uow, contest)
    record_change(uow, organizer, "quiz.delete_contest_draft", subject, before=before)


def _delete_rows(uow: UnitOfWork, contest: Contest) -> None:
    uow.session.execute(delete(RuleSetRow).where(RuleSetRow.contest_id == contest.id))
    uow.session.delete(contest)


def return_draft(uow: UnitOfWork, organizer: Organizer, ref: str, reason: str) -> None:
    """Return a draft of somebody else to its author; the author's change sends it again.

    Raises: NotFound (404), ContestPublished, OwnContestDraft (409).
    """
    contest = editing.lock_contest(uow, organizer, ref)
    if contest.published_at is not None:
        raise ContestPublished
    if contest.drafted_by == organizer.id:
        raise OwnContestDraft
    contest.returned_reason = reason
    subject = editing.subject_of(contest)
    record_change(uow, organizer, "quiz.return_contest", subject, reason=reason)


def tell_waiting(uow: UnitOfWork, organizer: Organizer) -> list[Waiting]:
    """Drafts that an approver may publish, and the author's drafts that were returned."""
    return [*_tell_approver(uow, organizer), *_tell_author(uow, organizer)]


def _tell_approver(uow: UnitOfWork, organizer: Organizer) -> list[Waiting]:
    if not organizer.has_permission(Permission.CONTEST_APPROVE):
        return []
    others = or_(Contest.drafted_by.is_(None), Contest.drafted_by != organizer.id)
    drafts = select(func.count()).select_from(Contest).where(
        Contest.published_at.is_(None), Contest.returned_reason.is_(None), others
    )  # fmt: skip
    count = uow.session.scalar(writable_by(drafts, organizer, Contest)) or 0
    return [Waiting(count=count, said="quiz.contest.waiting", path="/contests?state=draft")]


def _tell_author(uow: UnitOfWork, organizer: Organizer) -> list[Waiting]:
    if not organizer.has_permission(Permission.CONTEST_WRITE):
        return []
    returned = select(func.count()).select_from(Contest).where(
        Contest.published_at.is_(None),
        Contest.returned_reason.is_not(None),
        Contest.drafted_by == organizer.id,
    )  # fmt: skip
    count = uow.session.scalar(writable_by(returned, organizer, Contest)) or 0
    return [
        Waiting(count=count, said="quiz.contest.returned_waiting", path="/contests?state=returned")
    ]
