"""Publications outside of WeChat: the facts of a public announcement or activity."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from server.activities import service as activities
from server.activities.service import ActivityState
from server.announcements.compose.content import write_body
from server.announcements.compose.drafts import read_announcement
from server.announcements.compose.pictures import announcement_picture_of, picture_address
from server.announcements.enums import AnnouncementState
from server.announcements.models import Announcement
from server.announcements.publishing.feed import is_public, was_sent
from server.base.access import Organizer
from server.base.clock import BEIJING, beijing_day
from server.base.errors import NotFound
from server.base.uow import UnitOfWork
from server.channel.service import CodeTarget
from server.units import service as units

_ENDED = (ActivityState.CANCELLED, ActivityState.POSTPONED)


@dataclass(frozen=True, kw_only=True)
class Publication:
    """A public announcement or activity.

    `facts` are names with values, such as time and venue, `place` the name of the owner's place.
    `picture` is the name of the stored picture, `page` the page of the mini-program, without a
    leading slash. `notice` tells that it was withdrawn, cancelled or postponed, and why.
    """

    target: CodeTarget
    ref: str
    title: str
    body: str
    place: str
    published_at: datetime
    facts: tuple[tuple[str, str], ...] = ()
    picture: str | None = None
    page: str | None = None
    notice: str = ""

    @property
    def picture_path(self) -> str | None:
        """The address of the picture on this server."""
        if self.picture is None:
            return None
        if self.target is CodeTarget.ACTIVITY:
            return activities.poster_path(self.picture)
        return picture_address(self.picture)


@dataclass(frozen=True, kw_only=True)
class Publishable:
    """An object that an organizer may read, with its publication, or why there is none.

    `reason` is the end of a text key: `draft`, `cancelled` or `not_public`.
    """

    title: str
    publication: Publication | None = None
    reason: str = ""


def read_publishable(
    uow: UnitOfWork, organizer: Organizer, target: CodeTarget, ref: str
) -> Publishable:
    """An announcement or activity that the organizer may read.

    Raises: NotFound (404).
    """
    if target is CodeTarget.ACTIVITY:
        shown = activities.show_activity(uow, organizer, ref)
        if shown.row.state not in activities.PUBLIC:
            return Publishable(title=shown.row.title, reason="draft")
        return Publishable(title=shown.row.title, publication=_of_activity(uow, shown.row))
    row = read_announcement(uow, organizer, ref)
    if was_sent(row) and is_public(uow, row):
        return Publishable(title=row.title, publication=_of_announcement(uow, row))
    return Publishable(title=row.title, reason=_reason_against(row))


def find_publication(uow: UnitOfWork, target: CodeTarget, ref: str) -> Publication:
    """A public announcement or activity.

    Raises: NotFound (404).
    """
    if target is CodeTarget.ACTIVITY:
        return _of_activity(uow, activities.find_activity(uow, ref).activity)
    row = uow.session.scalar(select(Announcement).where(Announcement.ref == ref))
    if row is None or not was_sent(row) or not is_public(uow, row):
        raise NotFound
    return _of_announcement(uow, row)


def picture_of(uow: UnitOfWork, publication: Publication) -> bytes | None:
    """The picture as a JPEG."""
    if publication.picture is None:
        return None
    if publication.target is CodeTarget.ACTIVITY:
        return activities.poster_content(uow, publication.picture)
    return announcement_picture_of(uow, publication.picture)


def _reason_against(row: Announcement) -> str:
    if row.state is AnnouncementState.CANCELLED:
        return "cancelled"
    return "draft" if not was_sent(row) else "not_public"


def _of_announcement(uow: UnitOfWork, row: Announcement) -> Publication:
    say = uow.texts.fill_text
    notice = ""
    if row.withdrawn_at is not None:
        reason = row.remark or say("announcements.feed.no_reason")
        notice = say("announcements.pack.withdrawn", reason=reason)
    assert row.began_at is not None  # noqa: S101 - it was sent
    return Publication(
        target=CodeTarget.ANNOUNCEMENT,
        ref=row.ref,
        title=row.title,
        body="" if notice else write_body(uow, row),
        place=_name_publisher(uow, row.owner),
        published_at=row.began_at,
        picture=None if notice else row.picture,
        page=None if notice else row.page,
        notice=notice,
    )


def _of_activity(uow: UnitOfWork, row: activities.Activity) -> Publication:
    say = uow.texts.fill_text
    notice = ""
    if row.state in _ENDED:
        notice = say(f"announcements.pack.{row.state.value}", reason=row.remark or "")
    return Publication(
        target=CodeTarget.ACTIVITY,
        ref=row.ref,
        title=row.title,
        body="\n".join(text for text in (row.abstract, row.notes) if text),
        place=_name_publisher(uow, row.owner),
        published_at=row.published_at or row.made_at,
        facts=tuple(_facts_of(uow, row)),
        picture=row.poster,
        page=f"packages/lectures/detail/index?id={row.ref}",
        notice=notice,
    )


def _name_publisher(uow: UnitOfWork, owner: str) -> str:
    return units.name_owner(uow, owner) or uow.texts.fill_text("announcements.feed.author")


def _facts_of(uow: UnitOfWork, row: activities.Activity) -> Iterator[tuple[str, str]]:
    say = uow.texts.fill_text
    if row.state is not ActivityState.POSTPONED:
        yield say("announcements.pack.time"), _say_span(uow, row.starts_at, row.ends_at)
    area = row.county or row.city
    where = "" if area is None else units.name_place(area)
    if where in row.address:
        where = ""
    address = " ".join(part for part in (where, row.address, row.venue) if part)
    yield say("announcements.pack.venue"), address
    speaker = " ".join(part for part in (row.speaker, row.speaker_post) if part)
    if speaker:
        yield say("announcements.pack.speaker"), speaker
    window = _say_span(uow, row.signup_opens_at, row.signup_closes_at)
    yield say("announcements.pack.signup"), window
    if row.office_phone:
        yield say("announcements.pack.phone"), row.office_phone


def _say_span(uow: UnitOfWork, start: datetime, end: datetime) -> str:
    """Two instants in Beijing time; the second one of the same day without its date."""
    until = activities.say_moment(end)
    if beijing_day(start) == beijing_day(end):
        until = f"{end.astimezone(BEIJING):%H:%M}"
    say = uow.texts.fill_text
    return say("announcements.pack.until", start=activities.say_moment(start), end=until)
