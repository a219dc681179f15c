"""Uploaded picture files, stored until a worker has made a small picture of each.

The row is the job, and the queue is bounded. Files are decoded in the background, one at a time, so
the request of an upload takes no longer than its transfer.

Lock order: the citizen first, then the row, as for the pictures themselves.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal

from sqlalchemy import delete, func, select

from server.accounts import avatars, privacy
from server.accounts.errors import PicturesWaiting
from server.accounts.models import Citizen, PictureUpload
from server.base.jobs import TaskContext
from server.base.outbox_rows import (
    Claim,
    Done,
    GiveUp,
    Lost,
    OutboxState,
    Outcome,
    Queue,
)
from server.base.pictures import PictureRefused, make_small
from server.base.uow import UnitOfWork

TASK = "accounts.make_pictures_small"
# With files of at most 5 MiB this limits the space in the database.
MOST_WAITING = 100
# Longer than a child process may run; after that the claiming worker is dead.
TAKEN_FOR = timedelta(seconds=60)
MOST_TRIES = 3
# Decoding takes seconds on a busy machine, and would delay the other sweeps of this thread.
DECODED_IN_A_RUN = 2
_UNREADABLE = "unreadable"
_WAITING = (OutboxState.QUEUED, OutboxState.CLAIMED)
_UNREADABLE_TOLD_FOR = timedelta(days=7)
_RETRY_AFTER_SECONDS = 30


@dataclass(frozen=True, kw_only=True)
class UploadedFile:
    """A file that a worker has claimed."""

    content: bytes = field(repr=False)


def receive_file(uow: UnitOfWork, citizen_id: int, content: bytes) -> None:
    """Store a checked file; earlier files and pictures that are not public are deleted.

    Raises: PicturesWaiting (503).
    Locks: the citizen.
    """
    privacy.lock_citizen(uow, citizen_id)
    avatars.drop_unshown(uow, citizen_id)
    uow.session.execute(delete(PictureUpload).where(PictureUpload.citizen_id == citizen_id))
    waiting = select(func.count()).where(PictureUpload.outbox_state.in_(_WAITING))
    if (uow.session.scalar(waiting) or 0) >= MOST_WAITING:
        raise PicturesWaiting(retry_after_seconds=_RETRY_AFTER_SECONDS)
    upload = PictureUpload(citizen_id=citizen_id, content=content, given_at=uow.now)
    upload.enqueue_again(uow.now)
    uow.session.add(upload)
    uow.enqueue_after_commit(TASK)


def _lock_owner(uow: UnitOfWork, claim: Claim, _outcome: Outcome | None) -> bool:
    owner = select(PictureUpload.citizen_id).where(PictureUpload.id == claim.row_id)
    citizen_id = uow.session.scalar(owner)
    uow.session.execute(select(Citizen.id).where(Citizen.id == citizen_id).with_for_update())
    # It may have moved to another citizen meanwhile; then the claim expires and is repeated.
    return citizen_id is not None and uow.session.scalar(owner) == citizen_id


def _prepare_file(_uow: UnitOfWork, row: PictureUpload) -> UploadedFile | Outcome:
    return UploadedFile(content=row.content) if row.content else GiveUp(reason=_UNREADABLE)


def _decode_file(_context: TaskContext, upload: UploadedFile) -> Outcome:
    try:
        return Done(result=make_small(upload.content, avatars.SIDE))
    except PictureRefused:
        return GiveUp(reason=_UNREADABLE)


def _settle_file(uow: UnitOfWork, row: PictureUpload, outcome: Outcome) -> None:
    match outcome:
        case Done():
            citizen_id = row.citizen_id
            uow.session.delete(row)
            avatars.keep_picture(uow, citizen_id, outcome.result)
        case GiveUp():
            row.content = None


# A file is given up after several workers died while decoding it.
QUEUE = Queue(
    name="picture_files",
    task=TASK,
    table=PictureUpload,
    lock_first=_lock_owner,
    prepare=_prepare_file,
    send=_decode_file,
    settle=_settle_file,
    lost=Lost.QUEUED,
    lease=TAKEN_FOR,
    batch=DECODED_IN_A_RUN,
    most_tries=MOST_TRIES,
)


def drop_old(uow: UnitOfWork) -> int:
    """Delete week-old markers of unreadable files; return how many."""
    old = (
        select(PictureUpload.id)
        .where(
            PictureUpload.outbox_state == OutboxState.GIVEN_UP,
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
        select(PictureUpload.outbox_state).where(PictureUpload.citizen_id == citizen_id)
    ).one_or_none()
    if row is None:
        return None
    return "unreadable" if row.outbox_state is OutboxState.GIVEN_UP else "waiting"


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
