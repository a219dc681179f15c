"""The messages that can be sent through WeChat, and its answers to a send.

An openid belongs to one app: `SubscriptionMessage` takes that of the mini-program, every other
kind that of the official account.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionMessage:
    """One subscription message of the mini-program.

    `page` is without a leading slash, with its query; `fields` has values by the template's keys,
    each within the limits of its type.
    """

    openid: str = field(repr=False)
    template_id: str
    page: str
    fields: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class OfficialSubscription:
    """One subscription notice of the official account; `page` is one of the mini-program.

    WeChat has no deduplication id for it.
    """

    openid: str = field(repr=False)
    template_id: str
    fields: Mapping[str, str] = field(repr=False)
    page: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateMessage:
    """One template message to a follower; `page` is one of the mini-program.

    Units: `client_msg_id` has at most 32 letters and digits. For ten minutes WeChat sends one id to
    one person once.
    """

    openid: str = field(repr=False)
    template_id: str
    fields: Mapping[str, str] = field(repr=False)
    page: str | None = None
    client_msg_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerText:
    """One text in the chat, while the person's window is open."""

    openid: str = field(repr=False)
    text: str = field(repr=False)


PushLetter = SubscriptionMessage | OfficialSubscription | TemplateMessage | CustomerText


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """WeChat took the message; `message_id` is empty for a kind that gets none.

    Accepted is not delivered: a later receipt under the id says whether it was.
    """

    message_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MassArticle:
    """The article of a mass message.

    Units: `title` at most 32 characters, `content_html` under 20,000; its pictures must come from
    `upload_article_picture`. `thumb_media_id` is the cover, from `upload_picture`.
    """

    title: str
    digest: str
    content_html: str = field(repr=False)
    thumb_media_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MassSend:
    """One mass message to chosen followers.

    Units: 2 to 10,000 `openids`; `media_id` is that of a draft, which the send uses up;
    `client_msg_id` at most 64 bytes. For a day WeChat refuses a second send under one id.
    """

    openids: tuple[str, ...] = field(repr=False)
    media_id: str
    client_msg_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MassAccepted:
    """WeChat started a mass message; the receipt with the counts comes under `msg_id`."""

    msg_id: str
    msg_data_id: str


class Material(NamedTuple):
    """A picture kept by WeChat: as a cover it is named by its id, in an article by its address."""

    media_id: str
    url: str


class TemplateKind(StrEnum):
    """The three lists of templates."""

    TEMPLATE = "template"
    OFFICIAL_SUBSCRIPTION = "official_subscription"
    MINI_SUBSCRIPTION = "mini_subscription"


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageTemplate:
    """A template of one of our apps.

    Units: `fields` are the labels by key, in the template's order; `choices` the values that a key
    of the type `enum` allows; `long_term` is False for a template of one grant, one message.
    """

    template_id: str
    title: str
    content: str
    example: str
    fields: Mapping[str, str]
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    long_term: bool = False
