"""Queued subscription messages: one row per message, sent at most once.

WeChat offers no deduplication for subscription messages, so an attempt with an unknown result is
never repeated. The claim (see `base/outbox.py`) uses the citizen's grant; it is restored when
WeChat certainly did not accept the message.

Lock order: the citizen, then the message and its grant.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, select, update

from server.accounts import service as accounts
from server.base.errors import AppError
from server.base.jobs import TaskContext
from server.base.outbox_rows import (
    Claim,
    Done,
    GiveUp,
    OutboxState,
    Outcome,
    PutOff,
    Queue,
    Retry,
)
from server.base.uow import UnitOfWork
from server.notices import inbox, outreach
from server.notices.inbox import Letter
from server.notices.models import InboxMessage, MessageGrant, Push
from server.notices.reasons import NotPushed, say_reason
from server.notices.rules import next_loud
from server.wechat.errors import NoGrant, WeChatError
from server.wechat.letters import SubscriptionMessage
from server.wechat.retries import outcome_of

TASK = "notices.send_pushes"
APP: accounts.AppName = "mini_program"
_NO_GRANT = NotPushed.NO_GRANT.value
# A claim this old belongs to a dead worker; the message may have been sent.
CLAIM_LASTS = timedelta(seconds=60)
_OPEN_GRANT = (MessageGrant.used_at.is_(None), MessageGrant.revoked_at.is_(None))


@dataclass(frozen=True, kw_only=True)
class PlannedPush:
    """A message to push, and its copy for the inbox.

    After `expires_at` it is not pushed any more; `fields` has values by the template's keys.
    `counted` is set where the message is no answer to an act of the citizen's own: the limit over
    all senders holds for it, and it is not pushed to people who turned announcements off. An
    `urgent` one ignores quiet hours.
    """

    letter: Letter
    template_id: str
    page: str
    fields: Mapping[str, str]
    expires_at: datetime
    counted: bool = False
    urgent: bool = False


def plan_push(uow: UnitOfWork, citizen_id: int, planned: PlannedPush) -> bool:
    """Add a message to the inbox and its push to the queue; False when it exists.

    False too for a citizen who was erased meanwhile.
    Locks: the citizen.
    """
    if not inbox.post_message(uow, citizen_id, planned.letter):
        return False
    push = Push(
        citizen_id=citizen_id,
        key=planned.letter.key,
        template_id=planned.template_id,
        page=planned.page,
        fields=dict(planned.fields),
        expires_at=planned.expires_at,
        counted=planned.counted,
        urgent=planned.urgent,
        made_at=uow.now,
    )
    push.enqueue_again(uow.now)
    uow.session.add(push)
    uow.session.flush()
    uow.enqueue_after_commit(TASK, push.id)
    return True


def spare_grants(uow: UnitOfWork, citizen_id: int, template_id: str) -> int:
    """How many more messages may be planned for a citizen: open grants without queued pushes.

    Locks: nothing; the caller holds the citizen.
    """
    open_ones = select(func.count()).select_from(MessageGrant)
    queued = select(func.count()).select_from(Push)
    granted = uow.session.scalar(
        open_ones.where(
            MessageGrant.citizen_id == citizen_id,
            MessageGrant.template_id == template_id,
            *_OPEN_GRANT,
        )
    )
    planned = uow.session.scalar(
        queued.where(
            Push.citizen_id == citizen_id,
            Push.template_id == template_id,
            Push.outbox_state == OutboxState.QUEUED,
        )
    )
    return (granted or 0) - (planned or 0)


def say_no_grant(uow: UnitOfWork) -> str:
    """The sentence for a letter that is not pushed, because the citizen has no grant for it."""
    return say_reason(uow, _NO_GRANT)


def list_with_grant(
    uow: UnitOfWork, template_id: str, key: str, *, without: Select[Any], limit: int
) -> list[int]:
    """Citizens with an open grant for a template and no planned message with this key.

    `without` selects the ids of citizens to leave out.
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


def _lock_owner(uow: UnitOfWork, claim: Claim, _outcome: Outcome | None) -> bool:
    citizen_id = uow.session.scalar(select(Push.citizen_id).where(Push.id == claim.row_id))
    if citizen_id is None:
        return False
    try:
        accounts.lock_citizen(uow, citizen_id)
    except AppError:
        # Erased or merged meanwhile: the row was deleted or moved too.
        return False
    return True


def _prepare_message(uow: UnitOfWork, push: Push) -> SubscriptionMessage | Outcome:
    loud = uow.now
    if not push.urgent:
        loud = next_loud(uow.now, accounts.quiet_hours(uow, push.citizen_id))
    if loud >= push.expires_at:
        return GiveUp(reason="too_late" if loud == uow.now else "quiet_hours")
    if loud > uow.now:
        return PutOff(until=loud)
    openid = accounts.openid_of(uow, push.citizen_id, APP)
    if openid is None:
        return GiveUp(reason="no_openid")
    grant = _oldest_grant(uow, push)
    if grant is None:
        return GiveUp(reason=_NO_GRANT)
    unwanted = _why_unwanted(uow, push) if push.counted else None
    if unwanted is not None:
        return GiveUp(reason=unwanted)
    grant.used_at, push.grant_id = uow.now, grant.id
    return SubscriptionMessage(
        openid=openid, template_id=push.template_id, page=push.page, fields=push.fields
    )


def _why_unwanted(uow: UnitOfWork, push: Push) -> str | None:
    """Reserve a place within the limit for an unasked message, or return why it is not sent."""
    if accounts.has_announcements_off(uow, push.citizen_id):
        return NotPushed.OPTED_OUT.value
    limit = uow.settings.outreach
    reserved = outreach.reserve_outreach(
        uow, _outreach_key(push), [push.citizen_id], limit.per_day, limit.per_week
    )
    return None if reserved else NotPushed.CAPPED.value


def _outreach_key(push: Push) -> str:
    return f"push:{push.id}"


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


def _send_message(context: TaskContext, message: SubscriptionMessage) -> Outcome:
    try:
        return Done(result=context.gateway.send_subscription(message))
    except NoGrant:
        return GiveUp(reason=_NO_GRANT)
    except WeChatError as trouble:
        # A busy response of WeChat means that nothing was delivered.
        return outcome_of(
            trouble, context.uow_factory.dependencies.clock.now(), busy_did_nothing=True
        )


def _settle_message(uow: UnitOfWork, push: Push, outcome: Outcome) -> None:
    match outcome:
        case Done():
            push.message_id = outcome.result or None
        case Retry():
            _give_back(uow, push)
            _release_place(uow, push)
        case GiveUp(reason=reason):
            # WeChat has no grant of this citizen, so all open ones are invalid.
            (_end_grants if reason == _NO_GRANT else _give_back)(uow, push)
            _release_place(uow, push)
            _tell_in_inbox(uow, push, reason)


QUEUE = Queue(
    name="pushes",
    task=TASK,
    table=Push,
    lock_first=_lock_owner,
    prepare=_prepare_message,
    send=_send_message,
    settle=_settle_message,
    lease=CLAIM_LASTS,
    batch=100,
)


def _tell_in_inbox(uow: UnitOfWork, push: Push, reason: str) -> None:
    uow.session.execute(
        update(InboxMessage)
        .where(InboxMessage.citizen_id == push.citizen_id, InboxMessage.key == push.key)
        .values(not_pushed_reason=say_reason(uow, reason))
    )


def _release_place(uow: UnitOfWork, push: Push) -> None:
    if push.counted:
        outreach.release_outreach(uow, _outreach_key(push), [push.citizen_id])


def _give_back(uow: UnitOfWork, push: Push) -> None:
    uow.session.execute(_update_grants(push, MessageGrant.id == push.grant_id).values(used_at=None))
    push.grant_id = None


def _end_grants(uow: UnitOfWork, push: Push) -> None:
    ended = _update_grants(push, MessageGrant.template_id == push.template_id, *_OPEN_GRANT)
    uow.session.execute(ended.values(revoked_at=uow.now))


def _update_grants(push: Push, *where: ColumnElement[bool]) -> Any:
    return update(MessageGrant).where(and_(MessageGrant.citizen_id == push.citizen_id, *where))


def tell_pushes(uow: UnitOfWork, citizen_id: int) -> list[dict[str, object]]:
    """A citizen's pushes and their results, for the export."""
    rows = uow.session.scalars(select(Push).where(Push.citizen_id == citizen_id).order_by(Push.id))
    return [
        {
            "template_id": row.template_id,
            "fields": row.fields,
            "state": row.state.value,
            "reason": row.reason,
            "made_at": row.made_at,
        }
        for row in rows
    ]
