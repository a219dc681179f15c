"""The stored content of each channel, as JSON of the announcement. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from server.announcements.enums import Channel
from server.base.templates import MINI_ONCE, OFFICIAL_NOTICE, OFFICIAL_TEMPLATE, template_id_of

# The kind of template that each of these channels sends.
TEMPLATE_KINDS: Mapping[Channel, str] = {
    Channel.MINI_SUBSCRIPTION: MINI_ONCE,
    Channel.OFFICIAL_SUBSCRIPTION: OFFICIAL_NOTICE,
    Channel.TEMPLATE: OFFICIAL_TEMPLATE,
}


class TemplateContent(msgspec.Struct, frozen=True, kw_only=True):
    """Values for a template: its slug, and the text of each of its fields by WeChat's key."""

    template: str
    fields: dict[str, str] = msgspec.field(default_factory=dict)


class TextContent(msgspec.Struct, frozen=True, kw_only=True):
    """The text of a customer message."""

    text: str


class ArticleContent(msgspec.Struct, frozen=True, kw_only=True):
    """The article of a mass message; a blank line separates paragraphs."""

    title: str
    digest: str
    text: str


class Contents(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The content of each channel, under the channel's name; None for one without content.

    The inbox has none of its own: it shows the title and the text of the announcement.
    """

    mini_subscription: TemplateContent | None = None
    official_subscription: TemplateContent | None = None
    template: TemplateContent | None = None
    customer_message: TextContent | None = None
    mass: ArticleContent | None = None

    def template_of(self, channel: Channel) -> TemplateContent | None:
        """The values for the template of a channel; None for a channel without a template."""
        return getattr(self, channel.value) if channel in TEMPLATE_KINDS else None


_READ = msgspec.json.Decoder(Contents)


def read_contents(stored: Mapping[str, Any]) -> Contents:
    """The contents of a row."""
    return _READ.decode(msgspec.json.encode(stored))


def spell_contents(contents: Contents) -> dict[str, Any]:
    """The contents as they are stored."""
    spelled: dict[str, Any] = msgspec.to_builtins(contents)
    return spelled


def template_id_for(contents: Contents, channel: Channel) -> str | None:
    """WeChat's id of the template that a channel sends; None for a channel without one."""
    found = contents.template_of(channel)
    return None if found is None else template_id_of(found.template)
