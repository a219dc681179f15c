"""Pictures of citizens and of questions.

Public ones have a random name. A citizen's own picture has a signed address until it is checked.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flask import Blueprint, Response, request

from server.base.errors import NotFound
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.base.web.endpoint import Picture, picture_response

_KEEP_SECONDS = 300
# The content of a question's picture never changes under its name.
_KEEP_QUESTION_SECONDS = 24 * 3600


@dataclass(frozen=True, kw_only=True)
class Finders:
    """Functions that find a picture.

    `public` and `question` get the name; `private` gets viewer, name, instant and signature of the
    address.
    """

    public: Callable[[UnitOfWork, str], bytes | None]
    private: Callable[[UnitOfWork, str, str, str, str], bytes | None]
    question: Callable[[UnitOfWork, str], bytes | None]


def picture_pages(uow_factory: UnitOfWorkFactory, finders: Finders) -> Blueprint:
    """The routes of pictures; missing or expired ones are 404."""
    pages = Blueprint("pictures", __name__)

    def answer_picture(
        find: Callable[[UnitOfWork], bytes | None], keep_seconds: int, *, shared: bool = False
    ) -> Response:
        if "\0" in request.path:
            raise NotFound
        with uow_factory.begin(read_only=True) as uow:
            content = find(uow)
        if content is None:
            raise NotFound
        found = Picture(content=content, keep_seconds=keep_seconds, shared=shared)
        return picture_response(found, "image/jpeg")

    @pages.get("/pictures/<name>.jpg")
    def show_picture(name: str) -> Response:
        return answer_picture(lambda uow: finders.public(uow, name), _KEEP_SECONDS)

    @pages.get("/pictures/questions/<name>.jpg")
    def show_question_picture(name: str) -> Response:
        return answer_picture(
            lambda uow: finders.question(uow, name), _KEEP_QUESTION_SECONDS, shared=True
        )

    @pages.get("/pictures/<viewer>/<name>/<until>/<signature>.jpg")
    def show_privately(viewer: str, name: str, until: str, signature: str) -> Response:
        return answer_picture(lambda uow: finders.private(uow, viewer, name, until, signature), 0)

    return pages
