"""WeChat's events about subscription messages: choices on the sheet, in the settings, deliveries.

Source: mini-program subscription messages, "event push": popup, change and sent events.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime

from server.accounts import service as accounts
from server.base.uow import UnitOfWork
from server.notices import service
from server.notices.service import Choice, Delivery
from server.wechat.callback.inbound import Message
from server.wechat.callback.replies import Reply

# In XML the list is inside one of these elements (the first two occur for both events), in JSON at
# the top level.
_FRAMES = ("SubscribeMsgPopupEvent", "SubscribeMsgChangeEvent", "SubscribeMsgSentEvent")


def chosen_on_sheet(uow: UnitOfWork, message: Message) -> None:
    """The citizen answered the subscription sheet."""
    _record_choices(uow, message, service.record_popups)


def changed_in_settings(uow: UnitOfWork, message: Message) -> None:
    """The citizen turned templates off in WeChat's settings."""
    _record_choices(uow, message, service.record_changes)


def delivered_or_not(uow: UnitOfWork, message: Message) -> None:
    """WeChat reports the result of sending messages to the citizen."""
    citizen_id = accounts.citizen_of_openid(uow, message.app, message.openid, create=False)
    deliveries = deliveries_in(message.fields)
    if citizen_id is not None and deliveries:
        service.record_deliveries(uow, citizen_id, deliveries, _told_at(uow, message))


def only_delivered(message: Message) -> bool:
    """Whether WeChat reports that every message was delivered, so that no grant ends."""
    return all(one.errcode == service.DELIVERED for one in deliveries_in(message.fields))


def _record_choices(
    uow: UnitOfWork,
    message: Message,
    record: Callable[[UnitOfWork, int, Iterable[Choice], datetime], None],
) -> None:
    citizen_id = accounts.citizen_of_openid(uow, message.app, message.openid, create=False)
    choices = choices_in(message.fields)
    if citizen_id is not None and choices:
        record(uow, citizen_id, choices, _told_at(uow, message))


def _told_at(uow: UnitOfWork, message: Message) -> datetime:
    # An event time in the future is replaced by the present.
    return datetime.fromtimestamp(min(message.created_at, uow.now.timestamp()), UTC)


def choices_in(fields: Mapping[str, object]) -> list[Choice]:
    """The choices in an event: one object or several, in XML or in JSON."""
    return [
        Choice(template_id=template_id, status=status)
        for template_id, status in _listed_pairs(fields, "SubscribeStatusString")
    ]


def deliveries_in(fields: Mapping[str, object]) -> list[Delivery]:
    """The deliveries in an event: one object or several, in XML or in JSON."""
    return [
        Delivery(template_id=template_id, errcode=errcode)
        for template_id, errcode in _listed_pairs(fields, "ErrorCode")
    ]


def _listed_pairs(fields: Mapping[str, object], name: str) -> list[tuple[str, str]]:
    """Template and one more field of every entry of an event that has both."""
    framed = (fields.get(frame) for frame in _FRAMES)
    holder = next((frame for frame in framed if isinstance(frame, Mapping)), fields)
    listed = holder.get("List")
    several = listed if isinstance(listed, list) else [listed]
    told = [(e.get("TemplateId"), e.get(name)) for e in several if isinstance(e, Mapping)]
    return [(one, two) for one, two in told if isinstance(one, str) and isinstance(two, str)]


HANDLERS: tuple[tuple[str, Callable[[UnitOfWork, Message], Reply | None]], ...] = (
    ("subscribe_msg_popup_event", chosen_on_sheet),
    ("subscribe_msg_change_event", changed_in_settings),
    ("subscribe_msg_sent_event", delivered_or_not),
)
IDLE = (("subscribe_msg_sent_event", only_delivered),)
