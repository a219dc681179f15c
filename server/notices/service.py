"""Push grants and the inbox; pushes.py uses the grants.

A grant is reported twice, by the client and by WeChat's event, in either order, and counts once.
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
from server.notices.bulk import NewGrant as NewGrant
from server.notices.bulk import add_grants as add_grants
from server.notices.grants import end_grants as end_grants
from server.notices.grants import give_back_grants as give_back_grants
from server.notices.grants import open_grants_select as open_grants_select
from server.notices.grants import take_grants as take_grants
from server.notices.inbox import Letter as Letter
from server.notices.inbox import count_unread as count_unread
from server.notices.inbox import find_message as find_message
from server.notices.inbox import list_messages as list_messages
from server.notices.inbox import mark_read as mark_read
from server.notices.inbox import post_message as post_message
from server.notices.inbox import post_messages as post_messages
from server.notices.letters import SharedLetter as SharedLetter
from server.notices.letters import mark_not_pushed as mark_not_pushed
from server.notices.letters import mark_pushed as mark_pushed
from server.notices.letters import post_copies as post_copies
from server.notices.letters import post_shared_letter as post_shared_letter
from server.notices.letters import withdraw_shared_letter as withdraw_shared_letter
from server.notices.models import MessageGrant
from server.notices.outreach import capped_ids as capped_ids
from server.notices.outreach import outreach_counts_select as outreach_counts_select
from server.notices.outreach import release_outreach as release_outreach
from server.notices.outreach import reserve_outreach as reserve_outreach
from server.notices.pushes import PlannedPush as PlannedPush
from server.notices.pushes import list_with_grant as list_with_grant
from server.notices.pushes import plan_push as plan_push
from server.notices.pushes import say_no_grant as say_no_grant
from server.notices.pushes import spare_grants as spare_grants
from server.notices.reasons import NotPushed as NotPushed
from server.notices.reasons import say_reason as say_reason
from server.notices.rules import Meaning, meaning_of
from server.notices.rules import next_loud as next_loud
from server.wechat.errors import NoGrant, Unclassified, class_of
from server.wechat.words import count_unknown_word

# Both reports of one tap arrive within this time.
PAIRED_WITHIN = timedelta(minutes=10)
# WeChat's event times are whole seconds.
_SECOND = timedelta(seconds=1)
DELIVERED, _ERRCODE = "0", re.compile(r"-?[0-9]{1,9}")
_OPEN = (MessageGrant.used_at.is_(None), MessageGrant.revoked_at.is_(None))

Side = InstrumentedAttribute[datetime | None]


@dataclass(frozen=True, kw_only=True)
class Choice:
    """A citizen's choice for one template, in WeChat's word."""

    template_id: str
    status: str


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """Result of sending one message; `errcode` is WeChat's, `0` when delivered."""

    template_id: str
    errcode: str


def record_client_results(
    uow: UnitOfWork, citizen_id: int, results: Mapping[str, str]
) -> dict[str, int]:
    """Store the results of wx.requestSubscribeMessage; return the open grants.

    Unknown templates are ignored: the phone may run an older version than the server, and the
    grants of its other templates must not be lost.
    Locks: the citizen.
    Source: wx.requestSubscribeMessage, success callback.
    """
    accounts.lock_citizen(uow, citizen_id)
    chosen = (Choice(template_id=name, status=word) for name, word in results.items())
    for template_id in _granted_templates("subscriptions", chosen):
        _record_grant(uow, citizen_id, template_id, uow.now, side=MessageGrant.client_at)
    return remaining_grants(uow, citizen_id)


def record_popups(uow: UnitOfWork, citizen_id: int, items: Iterable[Choice], at: datetime) -> None:
    """Store WeChat's report of choices on the sheet; unknown templates are ignored.

    Locks: the citizen.
    Source: subscribe_msg_popup_event.
    """
    accounts.lock_citizen(uow, citizen_id)
    for template_id in _granted_templates("subscribe_popup", items):
        _record_grant(uow, citizen_id, template_id, at, side=MessageGrant.event_at)


def record_changes(uow: UnitOfWork, citizen_id: int, items: Iterable[Choice], at: datetime) -> None:
    """End all earlier grants of a template that was turned off in WeChat's settings.

    Locks: the citizen.
    Source: subscribe_msg_change_event.
    """
    accounts.lock_citizen(uow, citizen_id)
    for item in items:
        if _read_meaning("subscribe_change", item) is Meaning.REFUSAL:
            _end_grants(uow, citizen_id, item.template_id, at)


def record_deliveries(
    uow: UnitOfWork, citizen_id: int, items: Iterable[Delivery], at: datetime
) -> None:
    """End all earlier grants of a template when WeChat did not deliver for lack of one.

    Locks: the citizen.
    Source: subscribe_msg_sent_event.
    """
    accounts.lock_citizen(uow, citizen_id)
    for item in items:
        if item.errcode == DELIVERED:
            continue
        reason = class_of(int(item.errcode)) if _ERRCODE.fullmatch(item.errcode) else Unclassified
        if reason is NoGrant:
            _end_grants(uow, citizen_id, item.template_id, at)
        elif reason is Unclassified:
            count_unknown_word("subscribe_sent", item.errcode)


def _granted_templates(place: str, choices: Iterable[Choice]) -> list[str]:
    """The known templates that a citizen granted."""
    ours = _our_templates()
    return [
        choice.template_id
        for choice in choices
        if _read_meaning(place, choice) is Meaning.GRANT and choice.template_id in ours
    ]


def _read_meaning(place: str, choice: Choice) -> Meaning:
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


def _record_grant(
    uow: UnitOfWork, citizen_id: int, template_id: str, at: datetime, *, side: Side
) -> None:
    other = MessageGrant.event_at if side is MessageGrant.client_at else MessageGrant.client_at
    # A used or revoked grant pairs too, because its second report may be late.
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
    uow.session.flush()  # the next report in this list must find it


def remaining_grants(uow: UnitOfWork, citizen_id: int) -> dict[str, int]:
    """How many messages a citizen may still be pushed, by template id, for every template."""
    counted = uow.session.execute(
        select(MessageGrant.template_id, func.count().label("open"))
        .where(MessageGrant.citizen_id == citizen_id, *_OPEN)
        .group_by(MessageGrant.template_id)
    )
    found: dict[str, int] = {row.template_id: row.open for row in counted}
    return {template_id: found.get(template_id, 0) for template_id in _our_templates()}


def keep_sent_templates(uow: UnitOfWork, left: Mapping[str, int]) -> dict[str, int]:
    """Keep the templates that a slice sends; the others are not offered."""
    sends = uow.dependencies.hooks.sends
    return {one.id: left[one.id] for one in message_templates() if one.slug in sends}


def _our_templates() -> list[str]:
    return [template.id for template in message_templates()]
