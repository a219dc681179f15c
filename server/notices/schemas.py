"""API types of push grants and of the inbox."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from server.base.web.schema import In, Instant, Out, Page

TemplateId = Annotated[str, Meta(min_length=1, max_length=64)]


class SubscriptionsIn(In, frozen=True, kw_only=True):
    """The answers of wx.requestSubscribeMessage by template id.

    WeChat's list of answers is open: each that begins with `accept` is a grant, any other is none.
    """

    results: Annotated[dict[TemplateId, str], Meta(min_length=1, max_length=20)]


class SubscriptionsOut(Out, frozen=True, kw_only=True):
    """The number of messages that may still be pushed, by template id."""

    remaining: dict[str, int]


class InboxItem(Out, frozen=True, kw_only=True):
    """One message; `not_pushed_reason` says why it is only in the inbox.

    `page` is the mini-program page to open, without a leading slash; null for none. A `withdrawn`
    message has the reason as its `body`.
    """

    id: str
    title: str
    body: str
    page: str | None
    posted_at: Instant
    not_pushed_reason: str | None
    withdrawn: bool
    read: bool


class InboxOut(Page[InboxItem], frozen=True, kw_only=True):
    """One page of the inbox; `unread` counts the messages of all pages that were not opened."""

    unread: int
