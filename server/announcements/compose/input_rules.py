"""The inputs of the contents page, with the limits that its script checks while typing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from server.announcements.compose.faults import (
    MOST_ARTICLE,
    MOST_ARTICLE_TITLE,
    MOST_CHAT_TEXT,
    MOST_DIGEST,
    templates_for,
)
from server.announcements.compose.forms import input_name
from server.announcements.enums import Channel
from server.announcements.rules.contents import TEMPLATE_KINDS
from server.announcements.rules.fields import (
    EMOJI_IN_SCRIPT as EMOJI_IN_SCRIPT,
)
from server.announcements.rules.fields import FREE_TYPES, RULES, type_of_key

_ANY = r"[\s\S]*"


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentInput:
    """One input; `kind` is WeChat's field type, and names the hint beside it.

    Units: `most` in WeChat's characters. `one_line` refuses line breaks and emoji; `free` allows
    placeholders, each of which counts as `LEAST_ROOM`.
    """

    name: str
    label: str
    kind: str
    most: int
    pattern: str = _ANY
    one_line: bool = True
    free: bool = False
    key: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateInputs:
    """The inputs of one template, which are shown when it is chosen."""

    slug: str
    title: str
    inputs: tuple[ContentInput, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelInputs:
    """The part of the page for a channel; `select` names the choice of its template."""

    channel: str
    select: str | None
    templates: tuple[TemplateInputs, ...]


def chosen_inputs(ladder: Sequence[Channel]) -> list[ChannelInputs]:
    """The inputs for the channels of a ladder, in their order."""
    return [_inputs_of(channel) for channel in ladder if channel is not Channel.INBOX]


def _inputs_of(channel: Channel) -> ChannelInputs:
    if channel in TEMPLATE_KINDS:
        return ChannelInputs(
            channel=channel.value,
            select=f"{channel.value}__template",
            templates=tuple(
                TemplateInputs(
                    slug=one.slug,
                    title=one.title,
                    inputs=tuple(
                        _input_of_key(input_name(channel, one.slug, part.key), part.name, part.key)
                        for part in one.fields
                    ),
                )
                for one in templates_for(channel)
            ),
        )
    return ChannelInputs(
        channel=channel.value,
        select=None,
        templates=(TemplateInputs(slug="", title="", inputs=_inputs_of_text(channel)),),
    )


def _inputs_of_text(channel: Channel) -> tuple[ContentInput, ...]:
    """The inputs of a channel without templates: a chat text, or an article."""
    if channel is Channel.CUSTOMER_MESSAGE:
        return (
            ContentInput(
                name="customer_message__text", label="announcements.form.chat_text", kind="chat",
                most=MOST_CHAT_TEXT, one_line=False, free=True, key=True,
            ),
        )  # fmt: skip
    return tuple(
        ContentInput(
            name=f"mass__{part}", label=f"announcements.form.{label}", kind="article",
            most=most, one_line=part != "text", key=True,
        )
        for part, label, most in (
            ("title", "article_title", MOST_ARTICLE_TITLE),
            ("digest", "digest", MOST_DIGEST),
            ("text", "article_text", MOST_ARTICLE),
        )
    )  # fmt: skip


def _input_of_key(name: str, label: str, key: str) -> ContentInput:
    kind = type_of_key(key)
    rule = RULES[kind]
    return ContentInput(
        name=name, label=label, kind=kind, most=rule.most,
        pattern=rule.pattern if kind not in FREE_TYPES else _ANY, free=kind in FREE_TYPES,
    )  # fmt: skip
