"""Uploaded picture files, stored until a worker has made a small picture of each.

The row is the job, and the queue is bounded. Files are decoded in the background, one at a time, so
an upload costs its request only the transfer.

Lock order: the citizen first, then the row, as for the pictures themselves.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal

from sqlalchemy import delete, func, select, update

from server.accounts import avatars, privacy
from server.accounts.errors import PicturesWaiting
from server.accounts.models import Citizen, PictureUpload
from server.base.uow import UnitOfWork

TASK = "accounts.make_pictures_small"
# With files of at most 5 MiB this limits the space in the database.
MOST_WAITING = 100
# Longer than a child process may run; after that the claiming worker is dead.
TAKEN_FOR = timedelta(seconds=60)
MOST_TRIES = 3
_UNREADABLE_TOLD_FOR = timedelta(days=7)
_RETRY_AFTER_SECONDS = 30


@dataclass(frozen=True, kw_only=True)
class Upload:
    """A file claimed by a worker."""

    ref: str
    content: bytes = field(repr=False)


def receive(uow: UnitOfWork, citizen_id: int, content: bytes) -> None:
    """Store a checked file; earlier files and pictures that are not public are deleted.

    Raises: PicturesWaiting (503).
    Locks: the citizen.
    """
    privacy.hold(uow, citizen_id)
    avatars.drop_unshown(uow, citizen_id)
    uow.session.execute(delete(PictureUpload).where(PictureUpload.citizen_id == citizen_id))
    waiting = select(func.count()).where(PictureUpload.take_after.is_not(None))
    if (uow.session.scalar(waiting) or 0) >= MOST_WAITING:
        raise PicturesWaiting(retry_after_seconds=_RETRY_AFTER_SECONDS)
    uow.session.add(
        PictureUpload(
            ref=uow.new_ref("upl"),
            citizen_id=citizen_id,
            content=content,
            take_after=uow.now,
            given_at=uow.now,
        )
    )
    uow.enqueue_after_commit(TASK)


def take(uow: UnitOfWork) -> Upload | None:
    """Claim the oldest file for a minute.

    Locks: the row, skipping those locked by others.
    """
    row = uow.session.scalar(
        select(PictureUpload)
        .where(PictureUpload.take_after <= uow.now)
        .order_by(PictureUpload.take_after, PictureUpload.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    if row is None:
        return None
    row.tries, row.take_after = row.tries + 1, uow.now + TAKEN_FOR
    # The worker of the last attempt probably died while decoding it, so it is not decoded again.
    content = row.content if row.tries <= MOST_TRIES and row.content else b""
    return Upload(ref=row.ref, content=content)


def finish(uow: UnitOfWork, ref: str, picture: bytes | None) -> bool:
    """Replace the file by the small picture; without a picture, mark it unreadable.

    False when the file was replaced, withdrawn or moved to another citizen meanwhile.
    Locks: the citizen, then the row.
    """
    citizen_id = _owner(uow, ref)
    uow.session.execute(select(Citizen.id).where(Citizen.id == citizen_id).with_for_update())
    if citizen_id is None or _owner(uow, ref) != citizen_id:
        return False
    if picture is None:
        uow.session.execute(
            update(PictureUpload)
            .where(PictureUpload.ref == ref)
            .values(content=None, take_after=None)
        )
        return True
    uow.session.execute(delete(PictureUpload).where(PictureUpload.ref == ref))
    avatars.keep(uow, citizen_id, picture)
    return True


def _owner(uow: UnitOfWork, ref: str) -> int | None:
    return uow.session.scalar(select(PictureUpload.citizen_id).where(PictureUpload.ref == ref))


def drop_old(uow: UnitOfWork) -> int:
    """Delete week-old markers of unreadable files; return how many."""
    old = (
        select(PictureUpload.id)
        .where(
            PictureUpload.take_after.is_(None),
            PictureUpload.given_at <= uow.now - _UNREADABLE_TOLD_FOR,
        )
        .with_for_update(skip_locked=True)
    )
    gone = uow.session.execute(
        delete(PictureUpload)
        .where(PictureUpload.id.in_(old))
        .execution_options(synchronize_session=False)
    )
    return int(getattr(gone, "rowcount", 0))


def state_of(uow: UnitOfWork, citizen_id: int) -> Literal["waiting", "unreadable"] | None:
    """State of the file that a citizen uploaded last; None when there is none."""
    row = uow.session.execute(
        select(PictureUpload.take_after).where(PictureUpload.citizen_id == citizen_id)
    ).one_or_none()
    if row is None:
        return None
    return "unreadable" if row.take_after is None else "waiting"


def take_back(uow: UnitOfWork, citizen_id: int) -> None:
    """Delete every picture and file of a citizen."""
    uow.session.execute(delete(PictureUpload).where(PictureUpload.citizen_id == citizen_id))
    avatars.take_back(uow, citizen_id)


def tell_upload(uow: UnitOfWork, citizen_id: int) -> list[dict[str, object]]:
    """Whether a file of a citizen is stored, and since when."""
    rows = uow.session.execute(
        select(PictureUpload.given_at).where(PictureUpload.citizen_id == citizen_id)
    )
    state = state_of(uow, citizen_id)
    return [{"state": state, "given_at": row.given_at} for row in rows]
