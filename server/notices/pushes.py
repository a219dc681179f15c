"""Subscription messages on their way: one row a message, sent at most once.

WeChat gives no name to a subscription message, so a try whose end is unknown is never repeated. The
claim uses up the citizen's permission and is committed before the call; where WeChat surely took
nothing, the permission is given back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, select, update

from server.accounts import service as accounts
from server.base.errors import AppError
from server.base.uow import UnitOfWork
from server.notices import inbox
from server.notices.inbox import Letter
from server.notices.models import InboxMessage, MessageGrant, Push, PushState
from server.notices.rules import next_loud
from server.wechat.gateway import SubscriptionMessage

TASK = "notices.send_pushes"
APP: accounts.AppName = "mini_program"
# A claim this old belongs to a worker that is gone: the message may have been sent.
CLAIM_LASTS = timedelta(seconds=60)
_OPEN_GRANT = (MessageGrant.used_at.is_(None), MessageGrant.revoked_at.is_(None))


@dataclass(frozen=True, kw_only=True)
class Planned:
    """A message to push, and the letter that lies in the inbox in any case.

    Units: after `expires_at` it is not pushed any more; `fields` by the template's keys.
    """

    letter: Letter
    template_id: str
    page: str
    fields: Mapping[str, str]
    expires_at: datetime


@dataclass(frozen=True, kw_only=True)
class Claim:
    """One message that this worker alone may send. Units: `tries` is the fence."""

    id: int
    tries: int
    message: SubscriptionMessage


@dataclass(frozen=True, kw_only=True)
class Step:
    """One row taken from the queue; without a claim it was settled or put off."""

    claim: Claim | None = None


def plan_push(uow: UnitOfWork, citizen_id: int, planned: Planned) -> bool:
    """Put a message into the inbox and its push into the queue; False when it is there already.

    A citizen who was erased meanwhile gets nothing, which is False too.
    Locks: the citizen.
    """
    if not inbox.post(uow, citizen_id, planned.letter):
        return False
    push = Push(
        citizen_id=citizen_id,
        key=planned.letter.key,
        template_id=planned.template_id,
        page=planned.page,
        fields=dict(planned.fields),
        state=PushState.QUEUED,
        due_at=uow.now,
        expires_at=planned.expires_at,
        made_at=uow.now,
        tries=0,
    )
    uow.session.add(push)
    uow.session.flush()
    uow.enqueue_after_commit(TASK, push.id)
    return True


def with_grant(
    uow: UnitOfWork, template_id: str, key: str, *, without: Select[Any], limit: int
) -> list[int]:
    """Citizens with an open permission for a template to whom no message of this key was planned.

    Units: `without` selects the numbers of citizens to leave out.
    """
    planned = select(InboxMessage.citizen_id).where(InboxMessage.key == key)
    found = uow.session.scalars(
        select(MessageGrant.citizen_id)
        .where(
            MessageGrant.template_id == template_id,
            *_OPEN_GRANT,
            MessageGrant.citizen_id.not_in(planned),
            MessageGrant.citizen_id.not_in(without),
        )
        .distinct()
        .order_by(MessageGrant.citizen_id)
        .limit(limit)
    )
    return list(found)


def end_lost(uow: UnitOfWork) -> int:
    """End the claims of workers that are gone: nobody knows whether those messages were sent."""
    lost = uow.session.scalars(
        select(Push)
        .where(Push.state == PushState.CLAIMED, Push.claimed_at <= uow.now - CLAIM_LASTS)
        .with_for_update(skip_locked=True)
    ).all()
    for push in lost:
        push.state, push.reason = PushState.UNKNOWN, "worker_lost"
    return len(lost)


def claim_next(uow: UnitOfWork) -> Step | None:
    """Take the message that is due longest; None when nothing is due.

    Locks: the citizen, then the message and a permission.
    """
    due = (Push.state == PushState.QUEUED, Push.due_at <= uow.now)
    first = uow.session.execute(
        select(Push.id, Push.citizen_id).where(*due).order_by(Push.due_at, Push.id).limit(1)
    ).first()
    if first is None:
        return None
    try:
        accounts.lock_citizen(uow, first.citizen_id)
    except AppError:
        # Erased or joined with another citizen meanwhile: the row went the same way.
        return Step()
    push = uow.session.scalar(
        select(Push)
        .where(Push.id == first.id, Push.citizen_id == first.citizen_id, *due)
        .with_for_update()
    )
    return Step() if push is None else Step(claim=_claimed(uow, push))


def _claimed(uow: UnitOfWork, push: Push) -> Claim | None:
    loud = next_loud(uow.now, accounts.quiet_hours(uow, push.citizen_id))
    if loud >= push.expires_at:
        _refuse(uow, push, "too_late" if loud == uow.now else "quiet_hours")
        return None
    if loud > uow.now:
        push.due_at = loud
        return None
    openid = accounts.openid_of(uow, push.citizen_id, APP)
    if openid is None:
        _refuse(uow, push, "no_openid")
        return None
    grant = _oldest_grant(uow, push)
    if grant is None:
        _refuse(uow, push, "no_grant")
        return None
    grant.used_at = uow.now
    push.state, push.claimed_at, push.grant_id = PushState.CLAIMED, uow.now, grant.id
    push.tries += 1
    message = SubscriptionMessage(
        openid=openid, template_id=push.template_id, page=push.page, fields=push.fields
    )
    return Claim(id=push.id, tries=push.tries, message=message)


def _oldest_grant(uow: UnitOfWork, push: Push) -> MessageGrant | None:
    return uow.session.scalar(
        select(MessageGrant)
        .where(
            MessageGrant.citizen_id == push.citizen_id,
            MessageGrant.template_id == push.template_id,
            *_OPEN_GRANT,
        )
        .order_by(MessageGrant.made_at, MessageGrant.id)
        .limit(1)
    )


def settle_sent(uow: UnitOfWork, claim: Claim, message_id: str) -> None:
    """WeChat took it, also when that took longer than the claim lasts."""
    push = _mine(uow, claim, PushState.CLAIMED, PushState.UNKNOWN)
    if push is not None:
        push.state, push.reason, push.message_id = PushState.SENT, None, message_id or None


def settle_unknown(uow: UnitOfWork, claim: Claim, reason: str) -> None:
    """It may have been sent; it is not sent again, and the permission stays used up."""
    push = _mine(uow, claim, PushState.CLAIMED)
    if push is not None:
        push.state, push.reason = PushState.UNKNOWN, reason


def settle_refused(uow: UnitOfWork, claim: Claim, reason: str, *, no_grant: bool) -> None:
    """WeChat will not take it.

    Units: with `no_grant` WeChat knows of no permission, so every open one is over; else the one
    that the claim used up is given back.
    """
    push = _mine(uow, claim, PushState.CLAIMED, PushState.UNKNOWN)
    if push is None:
        return
    if no_grant:
        _end_grants(uow, push)
    else:
        _give_back(uow, push)
    _refuse(uow, push, "no_grant" if no_grant else reason)


def put_back(uow: UnitOfWork, claim: Claim, after: timedelta) -> None:
    """It surely was not sent: it goes back into the queue with its permission."""
    push = _mine(uow, claim, PushState.CLAIMED)
    if push is not None:
        _give_back(uow, push)
        push.state, push.due_at, push.claimed_at = PushState.QUEUED, uow.now + after, None


def _mine(uow: UnitOfWork, claim: Claim, *states: PushState) -> Push | None:
    found = uow.session.execute(select(Push.citizen_id).where(Push.id == claim.id)).first()
    if found is None:
        return None
    try:
        accounts.lock_citizen(uow, found.citizen_id)
    except AppError:
        return None
    return uow.session.scalar(
        select(Push)
        .where(Push.id == claim.id, Push.tries == claim.tries, Push.state.in_(states))
        .with_for_update()
    )


def _refuse(uow: UnitOfWork, push: Push, reason: str) -> None:
    push.state, push.reason = PushState.REFUSED, reason
    uow.session.execute(
        update(InboxMessage)
        .where(InboxMessage.citizen_id == push.citizen_id, InboxMessage.key == push.key)
        .values(not_pushed_reason=_said(uow, reason))
    )


def _said(uow: UnitOfWork, reason: str) -> str:
    sentences = {
        "no_grant": uow.texts.say("notices.not_pushed.no_grant"),
        "quiet_hours": uow.texts.say("notices.not_pushed.quiet_hours"),
        "too_late": uow.texts.say("notices.not_pushed.too_late"),
    }
    return sentences.get(reason) or uow.texts.say("notices.not_pushed.refused")


def _give_back(uow: UnitOfWork, push: Push) -> None:
    uow.session.execute(_grants(push, MessageGrant.id == push.grant_id).values(used_at=None))
    push.grant_id = None


def _end_grants(uow: UnitOfWork, push: Push) -> None:
    ended = _grants(push, MessageGrant.template_id == push.template_id, *_OPEN_GRANT)
    uow.session.execute(ended.values(revoked_at=uow.now))


def _grants(push: Push, *where: ColumnElement[bool]) -> Any:
    return update(MessageGrant).where(and_(MessageGrant.citizen_id == push.citizen_id, *where))
