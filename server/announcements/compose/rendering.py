"""Renders an announcement for one recipient: the payload that is really sent. Pure.

The ledger, the preview and the test send call the same function, so that the preview shows exactly
what is sent.
"""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass, field

from server.announcements.compose.content import LetterContent
from server.announcements.enums import Channel
from server.announcements.rules.contents import TEMPLATE_KINDS, TemplateContent
from server.announcements.rules.fields import FREE_TYPES, RULES, type_of_key
from server.announcements.rules.placeholders import Person, Placeholder, fill_text, values_of
from server.base.templates import template_id_of
from server.channel.service import plain_words
from server.wechat.letters import (
    CustomerText,
    MassArticle,
    OfficialSubscription,
    PushLetter,
    SubscriptionMessage,
    TemplateMessage,
)

# The page of a message without one of its own.
INBOX_PAGE = "packages/mine/inbox/index"
# The longest word for a placeholder in a text without a limit of its own.
_LONGEST_WORD = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedTemplate:
    """A message by template; `page` is one of the mini-program."""

    template_id: str
    fields: Mapping[str, str] = field(repr=False)
    page: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedText:
    """A text in the chat, in WeChat's markup."""

    text: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedArticle:
    """The article of a mass message, the same for everybody, without its picture."""

    title: str
    digest: str
    content_html: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedNote:
    """The copy in the inbox, the same for everybody."""

    title: str
    body: str
    page: str | None


Rendered = RenderedTemplate | RenderedText | RenderedArticle | RenderedNote


class NothingWritten(ValueError):
    """The announcement has no content for this channel; approval does not let one through."""


def render_letter(content: LetterContent, channel: Channel, person: Person) -> Rendered:
    """Render the message to one recipient through a channel, without the address.

    Raises: NothingWritten for a channel without content.
    """
    contents = content.contents
    if channel is Channel.INBOX:
        return RenderedNote(title=content.title, body=content.body, page=content.page)
    if channel is Channel.MASS and contents.mass is not None:
        return RenderedArticle(
            title=contents.mass.title,
            digest=contents.mass.digest,
            content_html=_spell_article(content, contents.mass.text),
        )
    values = values_of(person, content.fallbacks)
    if channel is Channel.CUSTOMER_MESSAGE and contents.customer_message is not None:
        return RenderedText(text=_fill_chat_text(content, contents.customer_message.text, values))
    template = contents.template_of(channel)
    if template is None:
        raise NothingWritten(channel.value)
    return RenderedTemplate(
        template_id=template_id_of(template.template),
        fields=_fill_fields(template, values),
        page=content.page or INBOX_PAGE,
    )


def address_letter(
    rendered: Rendered, channel: Channel, openid: str, client_msg_id: str
) -> PushLetter:
    """A rendered message with its address, for the gateway.

    `openid` is the recipient's in the app that sends; `client_msg_id` is used by template messages.
    Raises: NothingWritten for what is not sent person by person.
    """
    if isinstance(rendered, RenderedText):
        return CustomerText(openid=openid, text=rendered.text)
    if not isinstance(rendered, RenderedTemplate) or channel not in TEMPLATE_KINDS:
        raise NothingWritten(channel.value)
    if channel is Channel.MINI_SUBSCRIPTION:
        return SubscriptionMessage(
            openid=openid, template_id=rendered.template_id,
            page=rendered.page, fields=rendered.fields,
        )  # fmt: skip
    if channel is Channel.OFFICIAL_SUBSCRIPTION:
        return OfficialSubscription(
            openid=openid, template_id=rendered.template_id,
            fields=rendered.fields, page=rendered.page,
        )  # fmt: skip
    return TemplateMessage(
        openid=openid, template_id=rendered.template_id, fields=rendered.fields,
        page=rendered.page, client_msg_id=client_msg_id,
    )  # fmt: skip


def finish_article(
    rendered: RenderedArticle, thumb_media_id: str, picture_url: str | None
) -> MassArticle:
    """The article with its cover, and its picture in front of the text."""
    picture = "" if picture_url is None else f'<p><img src="{html.escape(picture_url)}"></p>'
    return MassArticle(
        title=rendered.title,
        digest=rendered.digest,
        content_html=picture + rendered.content_html,
        thumb_media_id=thumb_media_id,
    )


def _fill_fields(template: TemplateContent, values: Mapping[Placeholder, str]) -> dict[str, str]:
    return {
        key: fill_text(text, values, RULES[type_of_key(key)].most)
        if type_of_key(key) in FREE_TYPES
        else text
        for key, text in template.fields.items()
    }


def _fill_chat_text(content: LetterContent, text: str, values: Mapping[Placeholder, str]) -> str:
    # A nickname must not become a link or markup.
    words = {one: plain_words(value[:_LONGEST_WORD]) for one, value in values.items()}
    filled = fill_text(text, words)
    return f"{filled}\n{content.chat_link}" if content.chat_link else filled


def _spell_article(content: LetterContent, text: str) -> str:
    """Paragraphs of an article as HTML, with a link to the page of the mini-program.

    Source: official account, mini-program in articles, text links.
    """
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    parts = [f"<p>{html.escape(line)}</p>" for line in lines]
    if content.page is not None and content.appid:
        parts.append(
            f'<p><a class="weapp_text_link" href="" data-miniprogram-appid="{content.appid}" '
            f'data-miniprogram-path="{html.escape(content.page)}" '
            f'data-miniprogram-nickname="">{html.escape(content.article_link)}</a></p>'
        )
    return "".join(parts)
