"""The publishing pack of an announcement or an activity, as an organizer sees it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from server.announcements.publishing.archive import PackedChannel, PackedParts
from server.announcements.publishing.links import link_of_code
from server.announcements.publishing.publication import (
    Publication,
    picture_of,
    read_publishable,
)
from server.announcements.publishing.reach import Reach, read_reach
from server.announcements.publishing.wording import (
    count_for_microblog,
    write_long,
    write_short,
)
from server.base.access import Organizer
from server.base.errors import NotFound
from server.base.ownership import serving_found_row
from server.base.uow import UnitOfWork
from server.channel import service as channel
from server.channel.service import ChannelCode, CodeTarget
from server.units import service as units


@dataclass(frozen=True, kw_only=True)
class PackTexts:
    """Both texts with one link. Units: `length` of the short one as microblogs count it."""

    short: str
    length: int
    long: str


@dataclass(frozen=True, kw_only=True)
class ChannelView:
    """One channel of a pack; `place` is the name of its place, unless that is the organizer's."""

    name: str
    code: str
    own: bool
    place: str
    stopped: bool
    link: str
    texts: PackTexts | None
    has_mini_code: bool


@dataclass(frozen=True, kw_only=True)
class PackView:
    """A pack: the channels of the organizer's own place, and the reach of those below too.

    Without a publication there are no channels, and `reason` says why. `plain` has the texts
    without a link.
    """

    target: CodeTarget
    ref: str
    title: str
    publication: Publication | None
    reason: str
    plain: PackTexts | None
    channels: Sequence[ChannelView]
    reach: Sequence[tuple[ChannelView, Reach]]


def show_pack(uow: UnitOfWork, organizer: Organizer, target: CodeTarget, ref: str) -> PackView:
    """Read the pack of an object that the organizer may read, with the codes of the place.

    Raises: NotFound (404).
    """
    found = read_publishable(uow, organizer, target, ref)
    rows = channel.list_channel_codes(uow, organizer, target, ref)
    with serving_found_row(uow.session):
        # Those of other places too: an act follows from the last code of any place.
        reach = read_reach(uow, target, ref, channel.codes_of_target(uow, target, ref))
        made = channel.pictures_of_codes(uow, [row.id for row in rows])
    shown = [_show_channel(uow, organizer, found.publication, row, row.id in made) for row in rows]
    texts = None if found.publication is None else _write_texts(uow, found.publication, "")
    return PackView(
        target=target,
        ref=ref,
        title=found.title,
        publication=found.publication,
        reason=found.reason,
        plain=texts,
        channels=[one for one in shown if found.publication and one.own and not one.stopped],
        reach=[(one, reach[one.code]) for one in shown],
    )


def collect_parts(
    uow: UnitOfWork, organizer: Organizer, target: CodeTarget, ref: str
) -> PackedParts:
    """All that goes into the ZIP of a pack, with the channels of the organizer's own place.

    Raises: NotFound (404), also for what is not published.
    """
    publication = read_publishable(uow, organizer, target, ref).publication
    rows = [
        row
        for row in channel.list_channel_codes(uow, organizer, target, ref)
        if row.stopped_at is None and row.owner == organizer.scope.spelled
    ]
    if publication is None:
        raise NotFound
    with serving_found_row(uow.session):
        picture = picture_of(uow, publication)
        codes = channel.pictures_of_codes(uow, [row.id for row in rows])
    return PackedParts(
        publication=publication,
        channels=[
            PackedChannel(
                name=row.name,
                link=link_of_code(uow.settings, row.code),
                mini_code=codes.get(row.id),
            )
            for row in rows
        ],
        picture=picture,
        made_at=uow.now,
    )


def add_channel(
    uow: UnitOfWork, organizer: Organizer, target: CodeTarget, ref: str, name: str
) -> None:
    """Make a code of the organizer's place for an object that is published.

    Raises: NotFound (404), ChannelNameTaken, TooManyChannels (409).
    """
    if read_publishable(uow, organizer, target, ref).publication is None:
        raise NotFound
    channel.make_channel_code(uow, organizer, target, ref, name)


def stop_channel(
    uow: UnitOfWork, organizer: Organizer, target: CodeTarget, ref: str, code: str
) -> None:
    """Leave a channel out of the pack; its code stays valid.

    Raises: NotFound (404).
    """
    read_publishable(uow, organizer, target, ref)
    channel.stop_channel_code(uow, organizer, target, ref, code)


def _show_channel(
    uow: UnitOfWork,
    organizer: Organizer,
    publication: Publication | None,
    row: ChannelCode,
    has_mini_code: bool,
) -> ChannelView:
    link = link_of_code(uow.settings, row.code)
    own = row.owner == organizer.scope.spelled
    return ChannelView(
        name=row.name,
        code=row.code,
        own=own,
        place="" if own else units.name_owner(uow, row.owner),
        stopped=row.stopped_at is not None,
        link=link,
        texts=None if publication is None else _write_texts(uow, publication, link),
        has_mini_code=has_mini_code,
    )


def _write_texts(uow: UnitOfWork, publication: Publication, link: str) -> PackTexts:
    short = write_short(publication, link)
    return PackTexts(
        short=short,
        length=count_for_microblog(short),
        long=write_long(publication, link, uow.texts.fill_text),
    )
