"""Posters of activities: converted outside of transactions, stored once per content.

Copies of an activity show the same poster, so it is kept while any activity refers to it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import select

from server.activities.models import Activity, ActivityPoster
from server.base import kept_pictures
from server.base.jobs import TaskContext
from server.base.kept_pictures import MadePicture, PictureShape
from server.base.pictures import make_small, wait_for_turn
from server.base.uow import UnitOfWork

# A phone enlarges a poster to the whole side on a tap; its small print must be legible then.
SHAPE = PictureShape(side=1440, least=200, ratio=4)
# The side of the square in lists, in pixels: three for each of the phone's 80 points.
SMALL_SIDE = 240


@dataclass(frozen=True, kw_only=True)
class MadePoster:
    """A converted poster that is not stored yet; `small` is the square JPEG of its middle."""

    picture: MadePicture
    small: bytes = field(repr=False)


def convert_poster(raw: bytes) -> MadePoster:
    """Check and convert an uploaded poster; takes seconds, so never inside a transaction.

    Raises: PictureRefused, PictureKindUnsupported, PictureTooLarge, PictureMisshapen (422).
    """
    picture = kept_pictures.convert_picture(raw, SHAPE)
    with wait_for_turn():
        small = make_small(picture.content, SMALL_SIDE)
    return MadePoster(picture=picture, small=small)


def keep_poster(uow: UnitOfWork, made: MadePoster) -> str:
    """Store a poster unless its content is stored already; return its name.

    Locks: the poster, so that it is not deleted as unused before the activity refers to it.
    """
    return kept_pictures.keep_picture(uow, ActivityPoster, "pst", made.picture, small=made.small)


def hold_poster(uow: UnitOfWork, name: str | None) -> str | None:
    """The name of the poster that a copy of an activity gets; None when it is gone.

    Locks: the poster, so that it is not deleted as unused before the copy refers to it.
    """
    held = name is not None and kept_pictures.hold_picture(uow, ActivityPoster, name)
    return name if held else None


def poster_path(name: str | None) -> str | None:
    """The address of a poster on this server; its name cannot be guessed."""
    return None if name is None else f"/pictures/activities/{name}.jpg"


def small_poster_path(name: str | None) -> str | None:
    """The address of the small square of a poster."""
    return None if name is None else f"/pictures/activities/small/{name}.jpg"


def poster_content(uow: UnitOfWork, name: str) -> bytes | None:
    """The poster with this name as a JPEG."""
    return kept_pictures.content_of(uow, ActivityPoster, name)


def small_poster_content(uow: UnitOfWork, name: str) -> bytes | None:
    """The small square of the poster with this name as a JPEG."""
    return uow.session.scalar(select(ActivityPoster.small).where(ActivityPoster.name == name))


def drop_unused_posters(context: TaskContext, *_ids: int) -> int:
    """Delete posters that no activity refers to; return how many."""
    referred = select(Activity.id).where(Activity.poster == ActivityPoster.name).exists()
    return kept_pictures.drop_unused(context, ActivityPoster, referred)
