"""The test send: the real message, to the bound WeChat account of the organizer and nobody else.

The account is the one that the organizer bound in the console by scanning a code. A message of the
mini-program uses up one of the organizer's grants, given on the phone like any other.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from server.accounts import service as accounts
from server.announcements.compose.content import load_content
from server.announcements.compose.drafts import read_announcement
from server.announcements.compose.people import load_persons
from server.announcements.compose.rendering import NothingWritten, address_letter, render_letter
from server.announcements.enums import Channel
from server.announcements.models import Announcement
from server.announcements.rules.contents import TEMPLATE_KINDS
from server.announcements.rules.placeholders import Person
from server.base.access import Organizer
from server.base.errors import NotFound
from server.base.ownership import scope_of, serving_found_row
from server.base.uow import UnitOfWork
from server.base.web.page import PagePreflight
from server.organizers import service as organizers
from server.wechat.errors import BadContent, NoGrant, RecipientGone, WeChatError
from server.wechat.gateway import Gateway
from server.wechat.letters import (
    CustomerText,
    OfficialSubscription,
    PushLetter,
    SubscriptionMessage,
    TemplateMessage,
)

_log = logging.getLogger(__name__)
_TESTED = (*TEMPLATE_KINDS, Channel.CUSTOMER_MESSAGE)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Trial:
    """A letter that is ready, or the text key of why there is none."""

    letter: PushLetter | None = field(default=None, repr=False)
    said: str = ""


def channels_of(row: Announcement) -> list[Channel]:
    """The channels of an announcement that can be tested."""
    return [one for one in map(Channel, row.ladder) if one in _TESTED]


def is_bound(uow: UnitOfWork, organizer: Organizer) -> bool:
    """Whether the organizer has bound a WeChat account."""
    with serving_found_row(uow.session):
        return organizers.openid_of(uow, organizer.id) is not None


def send_test(preflight: PagePreflight, ref: str, channel: str | None) -> str:
    """Send the message of one channel now; return the text key of what happened.

    Never in a transaction. Raises: NotFound (404).
    """
    with preflight.uow_factory.begin(read_only=True) as uow:
        trial = _prepare_trial(uow, preflight.organizer, ref, channel or "")
    if trial.letter is None:
        return trial.said
    try:
        _SENDERS[type(trial.letter)](preflight.gateway, trial.letter)
    except WeChatError as trouble:
        _log.warning("test message not sent", extra={"code": trouble.code})
        return _say_refusal(trouble)
    return "announcements.test.sent"


def _prepare_trial(uow: UnitOfWork, organizer: Organizer, ref: str, name: str) -> _Trial:
    row = read_announcement(uow, organizer, ref)
    if not organizer.scope.covers_scope(scope_of(row)):
        raise NotFound
    channel = next((one for one in channels_of(row) if one.value == name), None)
    if channel is None:
        return _Trial(said="announcements.test.no_channel")
    openid = organizers.openid_of(uow, organizer.id)
    if openid is None:
        return _Trial(said="announcements.test.not_bound")
    citizen_id = accounts.citizen_of_openid(uow, "official_account", openid, create=False)
    person = Person()
    if citizen_id is not None:
        person = load_persons(uow, [citizen_id]).get(citizen_id, person)
    if channel is Channel.MINI_SUBSCRIPTION:
        mini = None if citizen_id is None else accounts.openid_of(uow, citizen_id, "mini_program")
        if mini is None:
            return _Trial(said="announcements.test.no_mini_program")
        openid = mini
    try:
        rendered = render_letter(load_content(uow, row), channel, person)
    except NothingWritten:
        return _Trial(said="announcements.test.not_written")
    return _Trial(
        letter=address_letter(rendered, channel, openid, uow.new_ref("t").replace("_", "")[:32])
    )


def _say_refusal(trouble: WeChatError) -> str:
    if isinstance(trouble, NoGrant):
        return "announcements.test.no_grant"
    if isinstance(trouble, RecipientGone):
        return "announcements.test.gone"
    if isinstance(trouble, BadContent):
        return "announcements.test.content"
    return "announcements.test.failed"


def _send_text(gateway: Gateway, letter: PushLetter) -> None:
    assert isinstance(letter, CustomerText)  # noqa: S101 - chosen by its type
    gateway.send_text(letter.openid, letter.text)


def _send_by(name: str) -> Callable[[Gateway, PushLetter], None]:
    return lambda gateway, letter: getattr(gateway, name)(letter)


_SENDERS: Mapping[type, Callable[[Gateway, PushLetter], None]] = {
    CustomerText: _send_text,
    SubscriptionMessage: _send_by("send_subscription"),
    OfficialSubscription: _send_by("send_official_subscription"),
    TemplateMessage: _send_by("send_template"),
}
