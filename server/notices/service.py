"""The ledger of permissions to push, and the inbox; what uses a permission up are the senders.

A permission is told twice, by the client and by WeChat's event, in either order, and counts once.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select, update
from sqlalchemy.orm import InstrumentedAttribute

from server.accounts import service as accounts
from server.base.templates import message_templates
from server.base.uow import UnitOfWork
from server.notices.inbox import Letter as Letter
from server.notices.inbox import list_messages as list_messages
from server.notices.inbox import post as post
from server.notices.models import MessageGrant
from server.notices.pushes import Planned as Planned
from server.notices.pushes import plan_push as plan_push
from server.notices.pushes import with_grant as with_grant
from server.notices.rules import Meaning, meaning_of
from server.wechat.errors import NoGrant, Unclassified, class_of
from server.wechat.words import count_unknown_word

# The two tellings of one tap lie no further apart than this.
PAIRED_WITHIN = timedelta(minutes=10)
# WeChat dates its events by whole seconds.
_SECOND = timedelta(seconds=1)
_DELIVERED, _ERRCODE = "0", re.compile(r"-?[0-9]{1,9}")
_OPEN = (MessageGrant.used_at.is_(None), MessageGrant.revoked_at.is_(None))

Side = InstrumentedAttribute[datetime | None]


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What a citizen chose for one template, in WeChat's word."""

    template_id: str
    status: str


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """How the sending of one message ended. Units: `errcode` as WeChat writes it, `0` delivered."""

    template_id: str
    errcode: str


def record_client_results(
    uow: UnitOfWork, citizen_id: int, results: Mapping[str, str]
) -> dict[str, int]:
    """Take the answers that wx.requestSubscribeMessage gave the client; open permissions then.

    A template that is not ours is left out: the phone may run an older version than the server,
    and the grants of its other templates must not be lost.
    Locks: the citizen.
    Source: wx.requestSubscribeMessage, success callback.
    """
    accounts.lock_citizen(uow, citizen_id)
    chosen = (Choice(template_id=name, status=word) for name, word in results.items())
    for template_id in _granted("subscriptions", chosen):
        _told(uow, citizen_id, template_id, uow.now, side=MessageGrant.client_at)
    return remaining(uow, citizen_id)


def record_popups(uow: UnitOfWork, citizen_id: int, items: Iterable[Choice], at: datetime) -> None:
    """Take what WeChat tells of choices on the subscription sheet; templates not ours are left out.

    Locks: the citizen.
    Source: subscribe_msg_popup_event.
    """
    accounts.lock_citizen(uow, citizen_id)
    for template_id in _granted("subscribe_popup", items):
        _told(uow, citizen_id, template_id, at, side=MessageGrant.event_at)


def record_changes(uow: UnitOfWork, citizen_id: int, items: Iterable[Choice], at: datetime) -> None:
    """A template turned off in WeChat's settings ends every open permission given before.

    Locks: the citizen.
    Source: subscribe_msg_change_event.
    """
    accounts.lock_citizen(uow, citizen_id)
    for item in items:
        if _meaning("subscribe_change", item) is Meaning.REFUSAL:
            _end_grants(uow, citizen_id, item.template_id, at)


def record_deliveries(
    uow: UnitOfWork, citizen_id: int, items: Iterable[Delivery], at: datetime
) -> None:
    """A message that WeChat did not deliver for want of a permission ends those given before.

    Locks: the citizen.
    Source: subscribe_msg_sent_event.
    """
    accounts.lock_citizen(uow, citizen_id)
    for item in items:
        if item.errcode == _DELIVERED:
            continue
        reason = class_of(int(item.errcode)) if _ERRCODE.fullmatch(item.errcode) else Unclassified
        if reason is NoGrant:
            _end_grants(uow, citizen_id, item.template_id, at)
        elif reason is Unclassified:
            count_unknown_word("subscribe_sent", item.errcode)


def _granted(place: str, choices: Iterable[Choice]) -> list[str]:
    """The templates of ours that a citizen allowed."""
    ours = _our_templates()
    return [
        choice.template_id
        for choice in choices
        if _meaning(place, choice) is Meaning.GRANT and choice.template_id in ours
    ]


def _meaning(place: str, choice: Choice) -> Meaning:
    meaning = meaning_of(choice.status)
    if meaning is Meaning.UNKNOWN:
        count_unknown_word(place, choice.status)
    return meaning


def _end_grants(uow: UnitOfWork, citizen_id: int, template_id: str, at: datetime) -> None:
    uow.session.execute(
        update(MessageGrant)
        .where(
            MessageGrant.citizen_id == citizen_id,
            MessageGrant.template_id == template_id,
            MessageGrant.made_at < at + _SECOND,
            *_OPEN,
        )
        .values(revoked_at=uow.now)
    )


def _told(uow: UnitOfWork, citizen_id: int, template_id: str, at: datetime, *, side: Side) -> None:
    other = MessageGrant.event_at if side is MessageGrant.client_at else MessageGrant.client_at
    # A used or revoked one pairs too: its other telling may come late.
    twin = uow.session.scalar(
        select(MessageGrant.id)
        .where(
            MessageGrant.citizen_id == citizen_id,
            MessageGrant.template_id == template_id,
            side.is_(None),
            other.between(at - PAIRED_WITHIN, at + PAIRED_WITHIN),
        )
        .order_by(other, MessageGrant.id)
        .limit(1)
    )
    if twin is None:
        grant = MessageGrant(citizen_id=citizen_id, template_id=template_id, made_at=at)
        setattr(grant, side.key, at)
        uow.session.add(grant)
    else:
        uow.session.execute(
            update(MessageGrant).where(MessageGrant.id == twin).values({side.key: at})
        )
    uow.session.flush()  # the next telling in this list must find it


def remaining(uow: UnitOfWork, citizen_id: int) -> dict[str, int]:
    """How many messages a citizen may still be pushed, by template id; every template is named."""
    counted = uow.session.execute(
        select(MessageGrant.template_id, func.count().label("open"))
        .where(MessageGrant.citizen_id == citizen_id, *_OPEN)
        .group_by(MessageGrant.template_id)
    )
    found: dict[str, int] = {row.template_id: row.open for row in counted}
    return {template_id: found.get(template_id, 0) for template_id in _our_templates()}


def of_senders(uow: UnitOfWork, left: Mapping[str, int]) -> dict[str, int]:
    """What is left of the templates that some slice sends; the others are offered to nobody."""
    sends = uow.dependencies.hooks.sends
    return {one.id: left[one.id] for one in message_templates() if one.slug in sends}


def _our_templates() -> list[str]:
    return [template.id for template in message_templates()]
