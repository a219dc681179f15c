"""Checks the content of an announcement: at each edit, and as a whole before its review."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from server.announcements.enums import Channel
from server.announcements.rules.contents import (
    TEMPLATE_KINDS,
    ArticleContent,
    Contents,
    TemplateContent,
    TextContent,
)
from server.announcements.rules.fields import (
    FREE_TYPES,
    RULES,
    FieldFaultKind,
    check_field,
    count_characters,
    type_of_key,
)
from server.announcements.rules.placeholders import (
    fixed_length,
    has_placeholders,
    unknown_placeholders,
)
from server.base.compliance import PROMISES, find_in_fields
from server.base.templates import Template, templates_of_kind

MOST_TITLE, MOST_BODY = 80, 4000
# Customer message: the filled text with a link stays below WeChat's 2,048 bytes.
MOST_CHAT_TEXT, MOST_PLACEHOLDERS = 500, 5
# Source: drafts of the official account, fields of an article.
MOST_ARTICLE_TITLE, MOST_DIGEST, MOST_ARTICLE = 32, 120, 5000
# The order in which channels are tried: the row of D12, with the account's own notice second.
LADDER = (
    Channel.MINI_SUBSCRIPTION,
    Channel.OFFICIAL_SUBSCRIPTION,
    Channel.TEMPLATE,
    Channel.CUSTOMER_MESSAGE,
)
# Templates that announcements send. The others of the data file belong to messages of other slices,
# for which people gave their grants.
_MINI_TEMPLATES = ("announcement",)


class ContentFault(NamedTuple):
    """A fault: the field of the form, the reason as the end of a text key, and its limit."""

    field: str
    reason: str
    most: int = 0


def templates_for(channel: Channel) -> tuple[Template, ...]:
    """The templates that an announcement may send through a channel."""
    found = templates_of_kind(TEMPLATE_KINDS[channel]) if channel in TEMPLATE_KINDS else ()
    if channel is Channel.MINI_SUBSCRIPTION:
        return tuple(one for one in found if one.slug in _MINI_TEMPLATES)
    return found


def field_name(channel: Channel, key: str) -> str:
    """The name of a channel's field in the form and in faults: `template.thing1`."""
    return f"{channel.value}.{key}"


def check_ladder(ladder: Sequence[Channel]) -> Iterator[ContentFault]:
    """Faults of the choice of channels."""
    if Channel.MASS in ladder and len(ladder) > 1:
        yield ContentFault("ladder", "mass_alone")
    if len(set(ladder)) != len(ladder):
        yield ContentFault("ladder", "twice")


def check_promises(texts: Mapping[str, str], *, whole: bool = True) -> Iterator[ContentFault]:
    """The operating rule that each text breaks, by the name of its field.

    Without `whole` the texts are too short to state the rules of a draw or the purpose of data.
    """
    for name, breach in find_in_fields(texts):
        if whole or breach.clause in PROMISES:
            yield ContentFault(name, breach.clause)


def check_contents(ladder: Sequence[Channel], contents: Contents) -> Iterator[ContentFault]:
    """Faults of the content of each channel of a ladder."""
    for channel in ladder:
        if channel in TEMPLATE_KINDS:
            yield from _check_template(channel, contents.template_of(channel))
        elif channel is Channel.CUSTOMER_MESSAGE:
            yield from _check_chat_text(contents.customer_message)
        elif channel is Channel.MASS:
            yield from _check_article(contents.mass)


def check_text(key: str, text: str) -> tuple[str, int] | None:
    """The reason and the limit of a fault of a template's field; None without a fault."""
    kind = type_of_key(key)
    if has_placeholders(text) and kind not in FREE_TYPES:
        return "placeholder_here", 0
    if unknown_placeholders(text):
        return "placeholder_unknown", 0
    fault = check_field(key, text)
    if has_placeholders(text):
        most = RULES[kind].most
        if fixed_length(text) > most:
            return FieldFaultKind.TOO_LONG.value, most
        if fault is not None and fault.kind is FieldFaultKind.TOO_LONG:
            return None
    return None if fault is None else (fault.kind.value, fault.most)


def _check_template(channel: Channel, content: TemplateContent | None) -> Iterator[ContentFault]:
    offered = {one.slug: one for one in templates_for(channel)}
    if content is None or content.template not in offered:
        yield ContentFault(field_name(channel, "template"), "missing")
        return
    keys = [one.key for one in offered[content.template].fields]
    for key in keys:
        found = check_text(key, content.fields.get(key, ""))
        if found is not None:
            yield ContentFault(field_name(channel, key), *found)
    if set(content.fields) - set(keys):
        yield ContentFault(field_name(channel, "template"), "missing")
    texts = {field_name(channel, key): content.fields.get(key, "") for key in keys}
    yield from check_promises(texts, whole=False)


def _check_chat_text(content: TextContent | None) -> Iterator[ContentFault]:
    name = field_name(Channel.CUSTOMER_MESSAGE, "text")
    text = "" if content is None else content.text
    if not text.strip():
        yield ContentFault(name, "empty")
    elif unknown_placeholders(text):
        yield ContentFault(name, "placeholder_unknown")
    elif fixed_length(text) > MOST_CHAT_TEXT:
        yield ContentFault(name, "too_long", MOST_CHAT_TEXT)
    elif text.count("{") > MOST_PLACEHOLDERS:
        yield ContentFault(name, "placeholders_many", MOST_PLACEHOLDERS)
    yield from check_promises({name: text})


def _check_article(content: ArticleContent | None) -> Iterator[ContentFault]:
    given = content or ArticleContent(title="", digest="", text="")
    limits = (
        ("title", given.title, MOST_ARTICLE_TITLE, False),
        ("digest", given.digest, MOST_DIGEST, False),
        ("text", given.text, MOST_ARTICLE, True),
    )
    for part, text, most, lines in limits:
        name = field_name(Channel.MASS, part)
        if not text.strip():
            yield ContentFault(name, "empty")
        elif has_placeholders(text):
            yield ContentFault(name, "placeholder_shared")
        elif count_characters(text) > most:
            yield ContentFault(name, "too_long", most)
        elif not lines and len(text.splitlines()) > 1:
            yield ContentFault(name, "line_break")
    yield from check_promises({field_name(Channel.MASS, part): text for part, text, *_ in limits})
