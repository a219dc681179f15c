"""Uploaded pictures that pages show: converted outside of transactions, stored once per content.

A table of them has the columns of `KeptPicture`; rows of other tables refer to a picture by its
random name, which is also its address. A task deletes pictures to which no row refers.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Integer, LargeBinary, String, delete, select, update
from sqlalchemy.orm import Mapped, mapped_column

from server.base.errors import AppError
from server.base.jobs import TaskContext
from server.base.pictures import check_picture, make_whole, measure_jpeg, wait_for_turn
from server.base.sql.tables import UtcDateTime, insert_for
from server.base.uow import UnitOfWork

# Longer than an upload or an import takes from storing a picture to storing what refers to it.
KEPT_UNUSED = timedelta(days=7)


class PictureMisshapen(AppError):
    """A picture that is too small or too narrow to recognise anything on a phone."""

    code = "picture_misshapen"
    status = 422


class KeptPicture:
    """Columns of a stored picture, converted and without metadata.

    It has no owner: rows of several places may show it. `name` is random and a part of its address;
    `digest` is the SHA-256 of `content`, which is a JPEG. `used_at` is when a row last got it.
    """

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    digest: Mapped[str] = mapped_column(String(64))
    content: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    width: Mapped[int] = mapped_column(Integer)
    height: Mapped[int] = mapped_column(Integer)
    used_at: Mapped[datetime] = mapped_column(UtcDateTime)


@dataclass(frozen=True, kw_only=True)
class PictureShape:
    """The size to which a picture is converted, and the shapes that are refused.

    Units: pixels; `side` is the longer side at most, `least` the shorter one at least, and the
    longer side is at most `ratio` times the shorter.
    """

    side: int
    least: int
    ratio: int


@dataclass(frozen=True, kw_only=True)
class MadePicture:
    """A converted picture that is not stored yet."""

    digest: str
    content: bytes = field(repr=False)
    width: int
    height: int


def digest_of(content: bytes) -> str:
    """The key of a content."""
    return hashlib.sha256(content).hexdigest()


def convert_picture(raw: bytes, shape: PictureShape) -> MadePicture:
    """Check and convert an uploaded picture; takes seconds, so never inside a transaction.

    Raises: PictureRefused, PictureKindUnsupported, PictureTooLarge, PictureMisshapen (422).
    """
    check_picture(raw)
    with wait_for_turn():
        content = make_whole(raw, shape.side)
    made = measured_picture(content)
    shorter, longer = sorted((made.width, made.height))
    if shorter < shape.least or longer > shorter * shape.ratio:
        raise PictureMisshapen
    return made


def measured_picture(content: bytes) -> MadePicture:
    """A JPEG of the product's own making with its key and its size."""
    width, height = measure_jpeg(content)
    return MadePicture(digest=digest_of(content), content=content, width=width, height=height)


def keep_picture(
    uow: UnitOfWork, table: type[KeptPicture], prefix: str, made: MadePicture, **columns: object
) -> str:
    """Store a picture unless its content is stored already; return its name.

    `prefix` begins the name, `columns` are further columns of the table.
    Locks: the picture, so that it is not deleted as unused before a row refers to it.
    """
    fresh = insert_for(uow.session, table).values(  # type: ignore[arg-type]  # the mixin of a model
        name=uow.new_ref(prefix), digest=made.digest, content=made.content,
        width=made.width, height=made.height, used_at=uow.now, **columns,
    )  # fmt: skip
    kept = fresh.on_conflict_do_update(index_elements=["digest"], set_={"used_at": uow.now})
    return str(uow.session.execute(kept.returning(table.name)).scalar_one())


def hold_picture(uow: UnitOfWork, table: type[KeptPicture], name: str) -> bool:
    """Keep a stored picture from being deleted as unused; False when it is gone.

    Locks: the picture.
    """
    held = update(table).where(table.name == name).values(used_at=uow.now).returning(table.name)
    return uow.session.scalar(held) is not None


def drop_unused(
    context: TaskContext, table: type[KeptPicture], is_referred: ColumnElement[bool]
) -> int:
    """Delete the pictures to which no row refers since `KEPT_UNUSED`; return how many."""
    with context.uow_factory.begin() as uow:
        gone = uow.session.execute(
            delete(table)
            .where(table.used_at <= uow.now - KEPT_UNUSED, ~is_referred)
            .returning(table.name)
            .execution_options(synchronize_session=False)
        )
        return len(gone.all())


def content_of(uow: UnitOfWork, table: type[KeptPicture], name: str) -> bytes | None:
    """The picture with this name as a JPEG."""
    return uow.session.scalar(select(table.content).where(table.name == name))
