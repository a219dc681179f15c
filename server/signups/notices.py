"""Delivery of messages about sign-ups: a letter in the inbox, and a push if it is granted.

A row of `SignUpNotice` is the job. Its letter, its push and its mark are written in one
transaction, so that a worker that dies leaves nothing half sent; the letter's key is also unique.
Lock order: the citizen, then the row, which other workers skip.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import exists, func, select

from server.accounts import service as accounts
from server.activities import service as activities
from server.activities.service import ActivityState
from server.base.errors import NotAuthenticated
from server.base.templates import template_id_of
from server.base.uow import UnitOfWork
from server.notices import service as inbox
from server.signups.kinds import NoticeKind, SignUpState
from server.signups.models import SignUp, SignUpNotice
from server.signups.reminders import BEFORE, is_over
from server.signups.wording import TEMPLATE_OF, DueNotice, write_letter, write_push

BATCH = 200


def due_notices(uow: UnitOfWork, signup_ids: Collection[int] = ()) -> list[int]:
    """Messages that are due, the longest waiting first; of these sign-ups or of all."""
    asked = (
        select(SignUpNotice.id)
        .where(SignUpNotice.told_at.is_(None), SignUpNotice.due_at <= uow.now)
        .order_by(SignUpNotice.due_at, SignUpNotice.id)
        .limit(BATCH)
    )
    if signup_ids:
        asked = asked.where(SignUpNotice.signup_id.in_(list(signup_ids)))
    return list(uow.session.scalars(asked))


def deliver_notice(uow: UnitOfWork, notice_id: int) -> bool:
    """Deliver one message; False when it was delivered before, is postponed, or is no longer true.

    A guest without an account, and an erased citizen, get no letter.
    Locks: the citizen, then the message, unless somebody else has it.
    Raises: Unavailable (503) when the citizen is merged at this moment.
    """
    owner = _owner_of(uow, notice_id)
    if owner is None:
        return False
    present = _lock_owner(uow, owner.citizen_id)
    due = _lock_notice(uow, notice_id, owner)
    if due is None:
        return False
    if _is_obsolete(uow, due):
        _drop_notice(uow, due)
        return False
    if _put_off(uow, due):
        return False
    due.notice.told_at = uow.now
    if present:
        _tell_citizen(uow, due)
    return True


def _drop_notice(uow: UnitOfWork, due: DueNotice) -> None:
    """End a message that is no longer true; a reminder is added again after a new start."""
    if due.kind in BEFORE:
        uow.session.delete(due.notice)
    else:
        due.notice.told_at = uow.now


def _owner_of(uow: UnitOfWork, notice_id: int) -> SignUp | None:
    return uow.session.scalar(
        select(SignUp)
        .join(SignUpNotice, SignUpNotice.signup_id == SignUp.id)
        .where(SignUpNotice.id == notice_id, SignUpNotice.told_at.is_(None))
    )


def _lock_owner(uow: UnitOfWork, citizen_id: int | None) -> bool:
    """Lock the citizen; False for a guest and for an erased one."""
    if citizen_id is None:
        return False
    try:
        accounts.lock_citizen(uow, citizen_id)
    except NotAuthenticated:
        return False
    return True


def _lock_notice(uow: UnitOfWork, notice_id: int, owner: SignUp) -> DueNotice | None:
    """Lock and return the message, if it is not delivered yet and no other worker has locked it."""
    citizen_id = owner.citizen_id
    notice = uow.session.scalar(
        select(SignUpNotice)
        .where(SignUpNotice.id == notice_id, SignUpNotice.told_at.is_(None))
        .with_for_update(of=SignUpNotice, skip_locked=True)
    )
    if notice is None:
        return None
    uow.session.refresh(owner)
    if owner.citizen_id != citizen_id:
        # A merge moved it to another citizen, who is not locked.
        return None
    (view,) = activities.views_of(uow, [owner.activity_id])
    return DueNotice(notice=notice, signup=owner, view=view)


def _put_off(uow: UnitOfWork, due: DueNotice) -> bool:
    """Postpone a reminder to its time after a new start, and to the end of quiet hours.

    Quiet hours that last until the activity begins do not count: its letter is silent.
    """
    before, citizen_id = BEFORE.get(due.kind), due.signup.citizen_id
    if before is None or citizen_id is None:
        return False
    begins = max(uow.now, due.starts_at - before)
    loud = inbox.next_loud(begins, accounts.quiet_hours(uow, citizen_id))
    wanted = begins if loud >= due.starts_at else loud
    if wanted == uow.now:
        return False
    due.notice.due_at = wanted
    return True


def _is_obsolete(uow: UnitOfWork, due: DueNotice) -> bool:
    """Whether the message is no longer true."""
    if due.kind is NoticeKind.OFFERED:
        return due.signup.state is not SignUpState.OFFERED
    if due.kind not in BEFORE:
        return False
    activity = due.view.activity
    seated = due.signup.state is SignUpState.CONFIRMED
    running = activity.state is ActivityState.PUBLISHED
    return not seated or not running or is_over(due.kind, activity.starts_at, uow.now)


def _tell_citizen(uow: UnitOfWork, due: DueNotice) -> None:
    citizen_id = due.signup.citizen_id
    if citizen_id is None:
        raise ValueError("a guest gets no letter")
    reason = _why_not_pushed(uow, due, citizen_id)
    if due.kind not in TEMPLATE_OF or reason is not None:
        inbox.post_message(uow, citizen_id, write_letter(uow, due, reason))
    else:
        inbox.plan_push(uow, citizen_id, write_push(uow, due))


def _why_not_pushed(uow: UnitOfWork, due: DueNotice, citizen_id: int) -> str | None:
    """The reason why a message with a template is only in the inbox; None when it is pushed."""
    slug = TEMPLATE_OF.get(due.kind)
    if slug is None:
        return None
    spare = inbox.spare_grants(uow, citizen_id, template_id_of(slug))
    if spare <= 0:
        return inbox.say_no_grant(uow)
    if due.kind is NoticeKind.TOMORROW and spare <= _count_reserved(uow, citizen_id):
        return uow.texts.fill_text("signups.not_pushed.kept_for_later")
    return None


def _count_reserved(uow: UnitOfWork, citizen_id: int) -> int:
    """The number of places whose second reminder is still to come: one grant is kept for each."""
    told = exists().where(
        SignUpNotice.signup_id == SignUp.id,
        SignUpNotice.kind == NoticeKind.SOON,
        SignUpNotice.told_at.is_not(None),
    )
    asked = select(func.count()).where(
        SignUp.citizen_id == citizen_id,
        SignUp.state == SignUpState.CONFIRMED,
        SignUp.activity_id.in_(activities.ids_ahead(uow)),
        ~told,
    )
    return uow.session.scalar(asked) or 0
