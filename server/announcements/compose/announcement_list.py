"""The list of announcements in the console, for its page and its exports."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, or_

from server.announcements.compose.drafts import select_announcements
from server.announcements.enums import AnnouncementState, Channel
from server.announcements.models import Announcement
from server.base.access import Organizer
from server.base.clock import BEIJING
from server.base.topics import find_topic
from server.base.uow import UnitOfWork
from server.console.tables import Column, ColumnKind, Filter, FilterKind, ListQuery, Table
from server.units import service as units


class ListedAnnouncementState(StrEnum):
    """The state of an announcement in the list; a returned draft has one of its own."""

    DRAFT = "draft"
    RETURNED = "returned"
    REVIEW = "review"
    FREEZING = "freezing"
    SCHEDULED = "scheduled"
    SENDING = "sending"
    PAUSED = "paused"
    DONE = "done"
    CANCELLED = "cancelled"
    WITHDRAWN = "withdrawn"


_L = ListedAnnouncementState
_BADGES = {
    _L.RETURNED: "bad", _L.REVIEW: "mind", _L.FREEZING: "mind", _L.SCHEDULED: "mind",
    _L.SENDING: "good", _L.PAUSED: "bad", _L.DONE: "good", _L.CANCELLED: "plain",
    _L.WITHDRAWN: "bad",
}  # fmt: skip


class AnnouncementQuery(ListQuery, frozen=True, kw_only=True):
    """Filters of the list of announcements."""

    words: str | None = None
    state: ListedAnnouncementState | None = None
    city: str | None = None


@dataclass(frozen=True, kw_only=True)
class AnnouncementLine:
    """A row of the list; `channels` are text keys."""

    row: Announcement
    state: ListedAnnouncementState
    channels: str
    place: str
    topic: str


def listed_state(row: Announcement) -> ListedAnnouncementState:
    """The state of an announcement as pages show it."""
    if row.withdrawn_at is not None:
        return _L.WITHDRAWN
    if row.state is AnnouncementState.DRAFT and row.remark is not None:
        return _L.RETURNED
    return _L(row.state.value)


def badge_of(state: ListedAnnouncementState) -> str:
    """The kind of badge of a state."""
    return _BADGES.get(state, "plain")


def is_returned() -> ColumnElement[bool]:
    """Drafts that an approver returned with a remark."""
    return and_(Announcement.state == AnnouncementState.DRAFT, Announcement.remark.is_not(None))


def say_moment(at: datetime) -> str:
    """An instant in Beijing time."""
    return f"{at.astimezone(BEIJING):%Y-%m-%d %H:%M}"


def say_channels(uow: UnitOfWork, row: Announcement) -> str:
    """The names of the channels of an announcement, in their order."""
    names = row.ladder or [Channel.INBOX.value]
    say = uow.texts.fill_text
    return say("announcements.then").join(say(f"announcements.channel.{one}") for one in names)


def _find_rows(_uow: UnitOfWork, organizer: Organizer, query: AnnouncementQuery) -> Select[Any]:
    rows = select_announcements(organizer)
    if query.words is not None:
        columns = (Announcement.title, Announcement.body)
        rows = rows.where(or_(*(one.contains(query.words, autoescape=True) for one in columns)))
    if query.city is not None:
        rows = rows.where(Announcement.owner_city == query.city)
    return rows if query.state is None else rows.where(_in_state(query.state))


def _in_state(state: ListedAnnouncementState) -> ColumnElement[bool]:
    match state:
        case _L.RETURNED:
            return is_returned()
        case _L.DRAFT:
            return and_(
                Announcement.state == AnnouncementState.DRAFT, Announcement.remark.is_(None)
            )
        case _L.WITHDRAWN:
            return Announcement.withdrawn_at.is_not(None)
        case _:
            stored = Announcement.state == AnnouncementState(state.value)
            return and_(stored, Announcement.withdrawn_at.is_(None))


def _prepare(uow: UnitOfWork, rows: Sequence[Announcement]) -> Sequence[AnnouncementLine]:
    places = {owner: units.name_owner(uow, owner) for owner in {row.owner for row in rows}}
    return [
        AnnouncementLine(
            row=row,
            state=listed_state(row),
            channels=say_channels(uow, row),
            place=places[row.owner],
            topic=_name_topic(row.topic),
        )
        for row in rows
    ]


def _name_topic(slug: str | None) -> str:
    found = None if slug is None else find_topic(slug)
    return slug or "" if found is None else found.name


def _offer_cities(uow: UnitOfWork, _organizer: Organizer) -> list[tuple[str, str]]:
    return [(city.code, city.name) for city, _ in units.cities_today(uow)]


ANNOUNCEMENTS = Table(
    name="announcements",
    path="/announcements",
    title="announcements.menu",
    empty="announcements.none",
    query=AnnouncementQuery,
    select=_find_rows,
    prepare=_prepare,
    key=Announcement.id,
    sort="-changed_at",
    columns=(
        Column(
            name="title", title="announcements.form.title", value=lambda line: line.row.title,
            sort=Announcement.title, address=lambda line: f"/console/announcements/{line.row.ref}",
        ),
        Column(
            name="state", title="announcements.state_title",
            value=lambda line: line.state.value, words="announcements.state",
            badge=lambda line: badge_of(line.state),
        ),
        Column(
            name="channels", title="announcements.form.channels",
            value=lambda line: line.channels,
        ),
        Column(
            name="people", title="announcements.people", kind=ColumnKind.NUMBER,
            value=lambda line: line.row.audience_size or line.row.counted,
        ),
        Column(
            name="starts_at", title="announcements.starts_at", kind=ColumnKind.DATE,
            value=lambda line: line.row.starts_at or line.row.send_at, sort=Announcement.starts_at,
        ),
        Column(
            name="changed_at", title="announcements.changed_at", kind=ColumnKind.DATE,
            value=lambda line: line.row.changed_at, sort=Announcement.changed_at,
        ),
        Column(
            name="place", title="announcements.place", shown=False,
            value=lambda line: line.place,
        ),
        Column(
            name="topic", title="announcements.form.topic", shown=False,
            value=lambda line: line.topic,
        ),
    ),
    filters=(
        Filter(
            name="words", title="announcements.words", kind=FilterKind.SEARCH,
            hint="announcements.words_hint",
        ),
        Filter(
            name="state", title="announcements.state_title",
            choices=[(one.value, f"announcements.state.{one.value}") for one in _L],
        ),
        Filter(name="city", title="announcements.city", options=_offer_cities),
    ),
)  # fmt: skip
