"""Corrections of announcements that were sent.

A correction is an announcement of the same place with an audience that cannot be chosen: everybody
who has the wrong one (`audience/corrections.py`). It needs the same approvals as any other.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import msgspec
from sqlalchemy import select

from server.announcements.audience.corrections import corrected_by
from server.announcements.audience.rule import AudienceRule
from server.announcements.audience.selecting import count_by_rule
from server.announcements.compose.drafts import (
    EDITABLE,
    AnnouncementDraft,
    add_draft,
    facts_of,
    lock_announcement,
    read_draft,
    subject_of,
)
from server.announcements.compose.faults import (
    MOST_ARTICLE_TITLE,
    MOST_CHAT_TEXT,
    MOST_TITLE,
    ContentFault,
    field_name,
)
from server.announcements.enums import OVER, Channel, Purpose
from server.announcements.errors import NothingToCorrect
from server.announcements.models import Announcement
from server.announcements.rules.contents import Contents
from server.audit.service import record_change
from server.base.access import Organizer
from server.base.ownership import scope_of, serving_found_row
from server.base.uow import UnitOfWork

# Where a content that is not changed is shown in the form; otherwise at the template.
_TOLD_IN = {Channel.CUSTOMER_MESSAGE: "text", Channel.MASS: "text"}


def write_correction(uow: UnitOfWork, organizer: Organizer, ref: str) -> str:
    """Make a draft that corrects an announcement which is over; return its ref.

    It belongs to the place of that announcement and has its content, channels and grounds. While
    there is one that was not sent yet, that is the one, so that a repeated request makes no other.
    Raises: NotFound (404), WrongAnnouncementState, NothingToCorrect (409).
    Locks: the announcement that is corrected.
    """
    first = lock_announcement(uow, organizer, ref, *OVER)
    waiting = [row for row in corrections_of(uow, first) if row.state in EDITABLE]
    if waiting:
        return waiting[0].ref
    if not count_reached(uow, first):
        raise NothingToCorrect(ref=ref)
    row = add_draft(uow, organizer, _correction_draft(uow, first), scope_of(first))
    record_change(
        uow, organizer, "announcements.write_correction", subject_of(row), after=facts_of(row)
    )
    return row.ref


def count_reached(uow: UnitOfWork, row: Announcement) -> int:
    """Number of people whom a correction of an announcement would be for."""
    return count_by_rule(uow, row, AudienceRule(correction_of=row.ref))


def corrections_of(uow: UnitOfWork, row: Announcement) -> list[Announcement]:
    """The corrections of an announcement that the caller found, the newest first."""
    asked = select(Announcement).where(Announcement.corrects_id == row.id)
    # They are of the same place.
    with serving_found_row(uow.session):
        return list(uow.session.scalars(asked.order_by(Announcement.id.desc())))


def find_unchanged(uow: UnitOfWork, row: Announcement) -> Iterator[ContentFault]:
    """Faults of a correction that says the same as the announcement that it corrects."""
    corrected = corrected_by(uow, row)
    if corrected is None:
        return
    old, new = _correction_draft(uow, corrected), read_draft(row)
    if new.body.strip() == old.body.strip():
        yield ContentFault("body", "unchanged")
    for channel in new.ladder:
        content = getattr(new.contents, channel.value, None)
        if content is not None and content == getattr(old.contents, channel.value):
            part = _TOLD_IN.get(channel, "template")
            yield ContentFault(field_name(channel, part), "unchanged")


def _correction_draft(uow: UnitOfWork, first: Announcement) -> AnnouncementDraft:
    """The content with which a correction begins."""
    draft = read_draft(first)
    return replace(
        draft,
        title=_mark_text(uow, draft.title)[:MOST_TITLE],
        purpose=Purpose.CORRECTION,
        corrects_id=first.id,
        audience=AudienceRule(correction_of=first.ref),
        contents=_mark_contents(uow, draft.contents),
        send_at=None,
    )


def _mark_contents(uow: UnitOfWork, contents: Contents) -> Contents:
    """Mark what people see first of a text in the chat and of an article."""
    chat, article = contents.customer_message, contents.mass
    if chat is not None:
        text = _mark_text(uow, chat.text)
        chat = chat if len(text) > MOST_CHAT_TEXT else msgspec.structs.replace(chat, text=text)
    if article is not None:
        title = _mark_text(uow, article.title)[:MOST_ARTICLE_TITLE]
        article = msgspec.structs.replace(article, title=title)
    return msgspec.structs.replace(contents, customer_message=chat, mass=article)


def _mark_text(uow: UnitOfWork, text: str) -> str:
    """The text with the mark of corrections in front, once."""
    mark = uow.texts.fill_text("announcements.correction.mark")
    return text if text.startswith(mark) else mark + text
