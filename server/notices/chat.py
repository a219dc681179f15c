"""What WeChat tells of a citizen's choices on the subscription sheet and in the settings.

Source: mini-program subscription messages, "event push": popup and change events.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime

from server.accounts import service as accounts
from server.base.work import Work
from server.notices import service
from server.notices.service import Choice
from server.wechat.inbound import Message
from server.wechat.replies import Reply

# In XML the list stands inside one of these (each was seen for both events), in JSON at the top.
_FRAMES = ("SubscribeMsgPopupEvent", "SubscribeMsgChangeEvent")


def chosen_on_sheet(work: Work, message: Message) -> None:
    """The citizen answered the subscription sheet."""
    _record(work, message, service.record_popups)


def changed_in_settings(work: Work, message: Message) -> None:
    """The citizen turned templates off in WeChat's settings."""
    _record(work, message, service.record_changes)


def _record(
    work: Work,
    message: Message,
    record: Callable[[Work, int, Iterable[Choice], datetime], None],
) -> None:
    citizen_id = accounts.citizen_of_openid(work, message.app, message.openid, create=False)
    choices = choices_in(message.fields)
    if citizen_id is not None and choices:
        record(work, citizen_id, choices, _told_at(work, message))


def _told_at(work: Work, message: Message) -> datetime:
    # An event from ahead of our clock happened now.
    return datetime.fromtimestamp(min(message.created_at, work.now.timestamp()), UTC)


def choices_in(fields: Mapping[str, object]) -> list[Choice]:
    """The choices that an event lists: one object or several, in XML or in JSON."""
    framed = (fields.get(frame) for frame in _FRAMES)
    holder = next((frame for frame in framed if isinstance(frame, Mapping)), fields)
    listed = holder.get("List")
    several = listed if isinstance(listed, list) else [listed]
    return [choice for entry in several if (choice := _choice(entry)) is not None]


def _choice(entry: object) -> Choice | None:
    if not isinstance(entry, Mapping):
        return None
    template_id, status = entry.get("TemplateId"), entry.get("SubscribeStatusString")
    if not isinstance(template_id, str) or not isinstance(status, str):
        return None
    return Choice(template_id=template_id, status=status)


HANDLERS: tuple[tuple[str, Callable[[Work, Message], Reply | None]], ...] = (
    ("subscribe_msg_popup_event", chosen_on_sheet),
    ("subscribe_msg_change_event", changed_in_settings),
)
