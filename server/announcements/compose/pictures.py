"""Pictures of announcements: converted outside of transactions, stored once per content."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import delete, select

from server.announcements.models import Announcement, AnnouncementPicture
from server.base.jobs import TaskContext
from server.base.pictures import check_picture, make_whole, wait_for_turn
from server.base.sql.tables import insert_for
from server.base.uow import UnitOfWork

# The longer side in pixels. WeChat takes at most 1 MB in an article; this is below 400 KB.
SIDE = 1080
# Longer than it takes from storing a picture to storing its announcement.
KEPT_UNUSED = timedelta(days=7)


@dataclass(frozen=True, kw_only=True)
class ConvertedPicture:
    """A converted picture that is not stored yet: a JPEG without metadata."""

    digest: str
    content: bytes = field(repr=False)


def convert_announcement_picture(raw: bytes) -> ConvertedPicture:
    """Check and convert an uploaded picture; takes seconds, so never inside a transaction.

    Raises: PictureRefused, PictureKindUnsupported, PictureTooLarge (422).
    """
    check_picture(raw)
    with wait_for_turn():
        content = make_whole(raw, SIDE)
    return ConvertedPicture(digest=hashlib.sha256(content).hexdigest(), content=content)


def keep_announcement_picture(uow: UnitOfWork, made: ConvertedPicture) -> str:
    """Store a picture unless its content is stored already; return its name."""
    fresh = insert_for(uow.session, AnnouncementPicture).values(
        name=uow.new_ref("apc"), digest=made.digest, content=made.content, used_at=uow.now
    )
    kept = fresh.on_conflict_do_update(index_elements=["digest"], set_={"used_at": uow.now})
    return str(uow.session.execute(kept.returning(AnnouncementPicture.name)).scalar_one())


def announcement_picture_of(uow: UnitOfWork, name: str) -> bytes | None:
    """The picture with this name as a JPEG."""
    asked = select(AnnouncementPicture.content).where(AnnouncementPicture.name == name)
    return uow.session.scalar(asked)


def picture_address(name: str) -> str:
    """The address of a picture on this server; its name cannot be guessed."""
    return f"/pictures/announcements/{name}.jpg"


def drop_unused_announcement_pictures(context: TaskContext, *_ids: int) -> int:
    """Delete pictures that no announcement refers to; return how many."""
    with context.uow_factory.begin() as uow:
        referred = select(Announcement.id).where(Announcement.picture == AnnouncementPicture.name)
        gone = uow.session.execute(
            delete(AnnouncementPicture)
            .where(AnnouncementPicture.used_at <= uow.now - KEPT_UNUSED, ~referred.exists())
            .returning(AnnouncementPicture.name)
            .execution_options(synchronize_session=False)
        )
        return len(gone.all())
