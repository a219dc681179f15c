"""The content of an announcement for rendering."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from server.announcements.audience.corrections import corrected_by
from server.announcements.models import Announcement
from server.announcements.rules.contents import Contents, read_contents
from server.announcements.rules.placeholders import Placeholder
from server.base.clock import BEIJING
from server.base.uow import UnitOfWork
from server.channel import service as channel_service


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterContent:
    """Everything of an announcement that is rendered.

    `page` is a page of the mini-program without a leading slash; None opens the inbox.
    `chat_link` is the same page as a link in a text of the chat, in WeChat's markup, or empty.
    `appid` is that of the mini-program, for links in an article.
    `fallbacks` are the words for what a recipient has not given.
    """

    title: str
    body: str
    page: str | None
    contents: Contents
    fallbacks: Mapping[Placeholder, str]
    chat_link: str = ""
    article_link: str = ""
    appid: str = ""


def write_body(uow: UnitOfWork, row: Announcement) -> str:
    """Spell the text of an announcement; a correction names first what it corrects."""
    corrected = corrected_by(uow, row)
    if corrected is None:
        return row.body
    at = corrected.began_at or corrected.made_at
    day = f"{at.astimezone(BEIJING):%Y-%m-%d}"
    about = uow.texts.fill_text("announcements.correction.of", title=corrected.title, day=day)
    return f"{about}\n\n{row.body}"


def load_content(uow: UnitOfWork, row: Announcement) -> LetterContent:
    """The content of an announcement for rendering; read once, then used for all recipients."""
    say = uow.texts.fill_text
    program = channel_service.program_of(uow.settings.wechat)
    words = say("announcements.link_words")
    link = "" if row.page is None else program.link_pages(f"[{words}]({row.page})")
    return LetterContent(
        title=row.title,
        body=write_body(uow, row),
        page=row.page,
        contents=read_contents(row.contents),
        fallbacks={
            Placeholder.NAME: say("announcements.fallback.name"),
            Placeholder.CITY: say("announcements.fallback.city"),
            Placeholder.UNIT: say("announcements.fallback.unit"),
        },
        chat_link=link,
        article_link=words,
        appid=program.appid,
    )
