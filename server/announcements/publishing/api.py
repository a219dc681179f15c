"""Codes of channels for the mini-program and for browsers: the publication, and the pictures."""

from __future__ import annotations

from datetime import datetime

from server.announcements.publishing.links import draw_link, link_of_code
from server.announcements.publishing.publication import find_publication
from server.base.errors import NotFound
from server.base.uow import UnitOfWork
from server.base.web.auth import Who
from server.base.web.drawings import Drawing, PictureBusy
from server.base.web.endpoint import Api, Picture, endpoint
from server.base.web.schema import Out
from server.channel import service as channel
from server.channel.service import ChannelCode, CodeTarget

API = Api("codes")
_KEEP_SECONDS = 24 * 3600


class FactOut(Out, frozen=True, kw_only=True):
    """A fact with its name, such as the time of an activity."""

    name: str
    value: str


class PublicationOut(Out, frozen=True, kw_only=True):
    """The announcement or activity of a code.

    `page` is the page of the mini-program about it, without a leading slash, `publisher` the place
    that published it. `notice` tells that it was withdrawn, cancelled or postponed, else empty.
    """

    target: CodeTarget
    id: str
    title: str
    text: str
    facts: list[FactOut]
    notice: str
    publisher: str
    published_at: datetime
    picture_url: str | None
    page: str | None


@endpoint(API, "GET", "/codes/<code>", who=Who.ANYONE, out=PublicationOut, errors=(NotFound,))
def show_publication(uow: UnitOfWork, code: str) -> PublicationOut:
    """Show the announcement or activity that a channel's code leads to."""
    row = _read_code(uow, code)
    found = find_publication(uow, row.target, row.target_ref)
    return PublicationOut(
        target=found.target,
        id=found.ref,
        title=found.title,
        text=found.body,
        facts=[FactOut(name=name, value=value) for name, value in found.facts],
        notice=found.notice,
        publisher=found.place,
        published_at=found.published_at,
        picture_url=found.picture_path,
        page=found.page,
    )


@endpoint(
    API,
    "GET",
    "/codes/<code>/link.png",
    who=Who.ANYONE,
    errors=(NotFound, PictureBusy),
    media="image/png",
)
def show_link(uow: UnitOfWork, code: str) -> Drawing:
    """Show the link of a channel as a QR code."""
    link = link_of_code(uow.settings, _read_code(uow, code).code)
    return Drawing(
        content_name=f"channel link {link}",
        draw=lambda: draw_link(link),
        keep_seconds=_KEEP_SECONDS,
    )


@endpoint(
    API,
    "GET",
    "/codes/<code>/mini.jpg",
    who=Who.ANYONE,
    errors=(NotFound,),
    media="image/jpeg",
)
def show_mini_code(uow: UnitOfWork, code: str) -> Picture:
    """Show the mini-program code of a channel; not found while WeChat has not made it."""
    row = _read_code(uow, code)
    content = channel.pictures_of_codes(uow, [row.id]).get(row.id)
    if content is None:
        raise NotFound
    return Picture(content=content, keep_seconds=_KEEP_SECONDS, shared=True)


def _read_code(uow: UnitOfWork, code: str) -> ChannelCode:
    row = channel.find_channel_code(uow, code)
    if row is None:
        raise NotFound
    return row
