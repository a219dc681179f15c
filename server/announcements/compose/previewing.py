"""The preview for real recipients, chosen among the first ones of the audience."""

from __future__ import annotations

from dataclasses import dataclass, field

from server.accounts import service as accounts
from server.announcements.audience.selecting import select_recipients
from server.announcements.compose.content import LetterContent, load_content
from server.announcements.compose.people import load_persons
from server.announcements.compose.preview import payload_bytes
from server.announcements.compose.rendering import (
    NothingWritten,
    Rendered,
    RenderedArticle,
    RenderedNote,
    RenderedTemplate,
    RenderedText,
    render_letter,
)
from server.announcements.enums import Channel
from server.announcements.models import Announcement
from server.announcements.rules.contents import template_id_for
from server.announcements.rules.placeholders import Person
from server.base.access import Organizer
from server.base.errors import NotFound
from server.base.ownership import scope_of, serving_found_row
from server.base.templates import all_templates
from server.base.uow import UnitOfWork

# The number of recipients offered for the preview.
MOST_PEOPLE = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelPreview:
    """The message of one channel: lines of name and value, and the payload as it is sent.

    `written` is False for a channel whose content is missing.
    """

    channel: str
    title: str
    lines: tuple[tuple[str, str], ...] = field(repr=False, default=())
    payload: str = field(repr=False, default="")
    written: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """The messages to one recipient; `people` are the masked names of the choice, in order."""

    people: tuple[str, ...]
    number: int
    channels: tuple[ChannelPreview, ...]


def preview_for(uow: UnitOfWork, organizer: Organizer, row: Announcement, number: int) -> Preview:
    """The preview for a recipient by number; without recipients that of a person without facts.

    Raises: NotFound (404) for an announcement of another place, WrongAudienceRule (422).
    """
    if not organizer.scope.covers_scope(scope_of(row)):
        raise NotFound
    with serving_found_row(uow.session):
        people = select_recipients(uow, row)
        ids = list(
            uow.session.scalars(people.order_by(people.selected_columns[0]).limit(MOST_PEOPLE))
        )
        names = accounts.names_of(uow, ids)
        person = Person()
        number = min(number, max(0, len(ids) - 1))
        if ids:
            person = load_persons(uow, [ids[number]]).get(ids[number], person)
    content = load_content(uow, row)
    ladder = [Channel(one) for one in row.ladder if one != Channel.INBOX]
    return Preview(
        people=tuple(names[one].shown for one in ids),
        number=number,
        channels=tuple(_preview_of(content, one, person) for one in (*ladder, Channel.INBOX)),
    )


def _preview_of(content: LetterContent, channel: Channel, person: Person) -> ChannelPreview:
    try:
        rendered = render_letter(content, channel, person)
    except NothingWritten:
        return ChannelPreview(channel=channel.value, title="", written=False)
    payload = payload_bytes(rendered, channel, content.appid).decode()
    title, lines = _lines_of(content, channel, rendered)
    return ChannelPreview(channel=channel.value, title=title, lines=lines, payload=payload)


def _lines_of(
    content: LetterContent, channel: Channel, rendered: Rendered
) -> tuple[str, tuple[tuple[str, str], ...]]:
    if isinstance(rendered, RenderedNote):
        return rendered.title, (("", rendered.body),)
    if isinstance(rendered, RenderedArticle):
        mass = content.contents.mass
        return rendered.title, (("", rendered.digest), ("", "" if mass is None else mass.text))
    if isinstance(rendered, RenderedText):
        return "", (("", rendered.text),)
    return _template_lines(content, channel, rendered)


def _template_lines(
    content: LetterContent, channel: Channel, rendered: RenderedTemplate
) -> tuple[str, tuple[tuple[str, str], ...]]:
    wanted = template_id_for(content.contents, channel)
    template = next(one for one in all_templates() if one.id == wanted)
    names = {one.key: one.name for one in template.fields}
    return template.title, tuple((names[key], text) for key, text in rendered.fields.items())
