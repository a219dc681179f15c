"""Pictures of questions: converted outside of transactions, stored once per content.

A version of a question refers to its picture by name, so papers keep the picture they showed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlalchemy import func, select, update

from server.base import kept_pictures
from server.base.access import Organizer
from server.base.errors import AppError
from server.base.jobs import TaskContext
from server.base.kept_pictures import MadePicture, PictureShape
from server.base.ownership import visible_to
from server.base.uow import UnitOfWork
from server.quiz.models import Question, QuestionPicture

# A phone enlarges a picture to the whole side on a tap.
SHAPE = PictureShape(side=1080, least=40, ratio=8)
# The limit of all pictures in one export, in bytes.
MOST_EXPORTED = 20 * 2**20
_CHUNK = 500


class PicturesTooMany(AppError):
    """An export with more pictures than one file can hold."""

    code = "pictures_too_many"
    status = 422


def convert_picture(raw: bytes) -> MadePicture:
    """Check and convert an uploaded picture; takes seconds, so never inside a transaction.

    Raises: PictureRefused, PictureKindUnsupported, PictureTooLarge, PictureMisshapen (422).
    """
    return kept_pictures.convert_picture(raw, SHAPE)


def keep_picture(uow: UnitOfWork, made: MadePicture) -> str:
    """Store a picture unless its content is stored already; return its name.

    Locks: the picture, so that it is not deleted as unused before the question refers to it.
    """
    return kept_pictures.keep_picture(uow, QuestionPicture, "pic", made)


def keep_names(uow: UnitOfWork, names: Iterable[str]) -> None:
    """Keep stored pictures from being deleted before their questions are stored."""
    wanted = sorted(set(names))
    for start in range(0, len(wanted), _CHUNK):
        chunk = wanted[start : start + _CHUNK]
        used = update(QuestionPicture).where(QuestionPicture.name.in_(chunk))
        uow.session.execute(used.values(used_at=uow.now))


def names_by_digest(uow: UnitOfWork, digests: Iterable[str]) -> Mapping[str, str]:
    """The names of stored pictures with these contents."""
    return _find_names(uow, QuestionPicture.digest, digests)


def existing_names(uow: UnitOfWork, names: Iterable[str]) -> frozenset[str]:
    """Those of the names that are stored."""
    return frozenset(_find_names(uow, QuestionPicture.name, names))


def _find_names(uow: UnitOfWork, key: object, values: Iterable[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    wanted = sorted(set(values))
    for start in range(0, len(wanted), _CHUNK):
        asked = select(key, QuestionPicture.name)  # type: ignore[call-overload]  # a column
        asked = asked.where(key.in_(wanted[start : start + _CHUNK]))  # type: ignore[attr-defined]
        found |= {row[0]: row[1] for row in uow.session.execute(asked)}
    return found


def names_in_use(
    uow: UnitOfWork, organizer: Organizer | None, names: Iterable[str]
) -> frozenset[str]:
    """The names used in questions that the organizer may see; a command sees all questions."""
    found: set[str] = set()
    wanted = sorted(set(names))
    for start in range(0, len(wanted), _CHUNK):
        asked = select(Question.picture).where(Question.picture.in_(wanted[start : start + _CHUNK]))
        asked = asked if organizer is None else visible_to(asked, organizer, Question)
        found |= {name for name in uow.session.scalars(asked) if name is not None}
    return frozenset(found)


def read_contents(uow: UnitOfWork, names: Iterable[str]) -> Mapping[str, bytes]:
    """The contents of pictures by their names.

    Raises: PicturesTooMany (422).
    """
    found: dict[str, bytes] = {}
    wanted = sorted(set(names))
    sizes = func.sum(func.length(QuestionPicture.content))
    total = 0
    for start in range(0, len(wanted), _CHUNK):
        chunk = QuestionPicture.name.in_(wanted[start : start + _CHUNK])
        total += uow.session.scalar(select(sizes).where(chunk)) or 0
    if total > MOST_EXPORTED:
        raise PicturesTooMany(most=MOST_EXPORTED // 2**20)
    for start in range(0, len(wanted), _CHUNK):
        asked = select(QuestionPicture.name, QuestionPicture.content)
        asked = asked.where(QuestionPicture.name.in_(wanted[start : start + _CHUNK]))
        found |= {row[0]: row[1] for row in uow.session.execute(asked)}
    return found


def picture_content(uow: UnitOfWork, name: str) -> bytes | None:
    """The picture with this name as a JPEG."""
    return kept_pictures.content_of(uow, QuestionPicture, name)


def picture_path(name: str) -> str:
    """The address of a picture on this server; its name cannot be guessed."""
    return f"/pictures/questions/{name}.jpg"


def drop_unused_pictures(context: TaskContext, *_ids: int) -> int:
    """Delete pictures that no version of a question refers to; return how many."""
    referred = select(Question.id).where(Question.picture == QuestionPicture.name).exists()
    return kept_pictures.drop_unused(context, QuestionPicture, referred)
