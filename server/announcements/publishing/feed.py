"""The announcements that everybody may read, as a feed in Atom format (RFC 4287)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from html import escape
from typing import NamedTuple
from urllib.parse import urlsplit

from sqlalchemy import or_, select

from server.announcements.audience.corrections import first_of
from server.announcements.audience.rule import AudienceRule, read_rule
from server.announcements.compose.content import write_body
from server.announcements.enums import AnnouncementState
from server.announcements.errors import WrongAudienceRule
from server.announcements.models import Announcement
from server.announcements.rules.placeholders import has_placeholders
from server.base.settings import Settings
from server.base.uow import UnitOfWork
from server.units import service as units

# Entries of a feed, and rows that are read to find them: most announcements are for everybody.
MOST_ENTRIES, _MOST_READ = 50, 400
_PUBLIC = (AnnouncementState.SENDING, AnnouncementState.PAUSED, AnnouncementState.DONE)
# Characters that XML 1.0 does not allow, not even escaped.
_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class FeedEntry(NamedTuple):
    """A public announcement; a withdrawn one has its reason as text."""

    ref: str
    title: str
    text: str
    place: str
    published_at: datetime
    updated_at: datetime
    withdrawn: bool


def list_public(uow: UnitOfWork, city: str | None = None) -> list[FeedEntry]:
    """The newest announcements that were sent and are for everybody, the newest first.

    One that is chosen by participation, results, sign-ups, units or codes is for its recipients
    alone. A correction is public if the announcement that it corrects is. With `city` only those of
    the city and of the region, without those for other cities.
    """
    asked = select(Announcement).where(
        Announcement.state.in_(_PUBLIC), Announcement.began_at.is_not(None)
    )
    if city is not None:
        asked = asked.where(or_(Announcement.owner_city == city, Announcement.owner == "region"))
    newest = asked.order_by(Announcement.began_at.desc(), Announcement.id.desc())
    rows = uow.session.scalars(newest.limit(_MOST_READ)).all()
    public = [
        row for row in rows if is_public(uow, row) and (city is None or _is_for(uow, row, city))
    ]
    return [_entry_of(uow, row) for row in public[:MOST_ENTRIES]]


def was_sent(row: Announcement) -> bool:
    """Whether the sending of an announcement has begun, and was not cancelled."""
    return row.state in _PUBLIC and row.began_at is not None


def is_public(uow: UnitOfWork, row: Announcement) -> bool:
    """Whether an announcement that was sent is for everybody of some places, or of a topic."""
    first = first_of(uow, row)
    if not was_sent(first):
        return False
    try:
        rule = read_rule(first.audience)
    except WrongAudienceRule:
        return False
    whole = AudienceRule(cities=rule.cities, counties=rule.counties, topics=rule.topics)
    return rule == whole and not has_placeholders(row.title + row.body)


def _is_for(uow: UnitOfWork, row: Announcement, city: str) -> bool:
    """Whether people of a city are in the audience."""
    rule = read_rule(first_of(uow, row).audience)
    regions = units.load_regions()
    named = {regions.city_of(code) for code in rule.counties}
    counties = {one.code for one in named if one is not None}
    if rule.cities and city not in rule.cities:
        return False
    return not counties or city in counties


def _entry_of(uow: UnitOfWork, row: Announcement) -> FeedEntry:
    began = row.began_at
    assert began is not None  # noqa: S101 - selected so
    say = uow.texts.fill_text
    withdrawn = row.withdrawn_at is not None
    title = say("announcements.feed.withdrawn", title=row.title) if withdrawn else row.title
    gone = row.remark or say("announcements.feed.no_reason")
    return FeedEntry(
        ref=row.ref,
        title=title,
        text=gone if withdrawn else write_body(uow, row),
        # An author needs a name; an owner may have none today.
        place=units.name_owner(uow, row.owner) or say("announcements.feed.author"),
        published_at=began,
        updated_at=row.withdrawn_at or began,
        withdrawn=withdrawn,
    )


def write_atom(
    uow: UnitOfWork, entries: Sequence[FeedEntry], city: str | None, settings: Settings
) -> bytes:
    """Write the feed document. The same entries give the same bytes, so that it can be cached.

    Ids are tag URIs (RFC 4151) that never change.
    """
    say = uow.texts.fill_text
    base = settings.own_address
    tag = f"tag:{urlsplit(base).hostname},2026:"
    query = "" if city is None else f"?city={city}"
    name = "" if city is None else f":{city}"
    place = say("announcements.feed.region") if city is None else units.name_place(city)
    updated = max((one.updated_at for one in entries), default=datetime(2026, 1, 1, tzinfo=UTC))
    lines = [
        '<?xml version="1.0" encoding="utf-8"?>',
        '<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="zh-CN">',
        _element("id", f"{tag}announcements{name}"),
        _element("title", say("announcements.feed.title", place=place)),
        _element("updated", _spell_instant(updated)),
        f"<author>{_element('name', say('announcements.feed.author'))}</author>",
        f'<link rel="self" type="application/atom+xml" href="{_clean(base)}'
        f'/feeds/announcements.atom{_clean(query)}"/>',
        f'<link rel="alternate" type="text/html" href="{_clean(base)}/"/>',
        *(_spell_entry(one, tag) for one in entries),
        "</feed>\n",
    ]
    return "\n".join(lines).encode()


def _spell_entry(one: FeedEntry, tag: str) -> str:
    marked = '<category term="withdrawn"/>' if one.withdrawn else ""
    return (
        "<entry>"
        + _element("id", f"{tag}announcement:{one.ref}")
        + _element("title", one.title)
        + _element("published", _spell_instant(one.published_at))
        + _element("updated", _spell_instant(one.updated_at))
        + f"<author>{_element('name', one.place)}</author>"
        + marked
        + f'<content type="text">{_clean(one.text)}</content>'
        + "</entry>"
    )


def _element(name: str, text: str) -> str:
    return f"<{name}>{_clean(text)}</{name}>"


def _clean(text: str) -> str:
    return escape(_FORBIDDEN.sub("", text))


def _spell_instant(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
