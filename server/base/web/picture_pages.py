"""Pictures of citizens, questions, activities and announcements.

Public ones have a random name. A citizen's own picture has a signed address until it is checked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from flask import Blueprint, Response, request

from server.base.errors import NotFound
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.base.web.endpoint import Picture, picture_response

_KEEP_SECONDS = 300
_KEEP_NAMED_SECONDS = 24 * 3600


@dataclass(frozen=True, kw_only=True)
class Finders:
    """Functions that find a picture.

    `public` gets the name; `private` gets viewer, name, instant and signature of the address.
    `named` are pictures whose content never changes under their random name, by the folder of
    their address.
    """

    public: Callable[[UnitOfWork, str], bytes | None]
    private: Callable[[UnitOfWork, str, str, str, str], bytes | None]
    named: Mapping[str, Callable[[UnitOfWork, str], bytes | None]]


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

    def show_named(name: str, folder: str) -> Response:
        find = finders.named[folder]
        return answer_picture(lambda uow: find(uow, name), _KEEP_NAMED_SECONDS, shared=True)

    for folder in finders.named:
        pages.add_url_rule(
            f"/pictures/{folder}/<name>.jpg", view_func=show_named, defaults={"folder": folder}
        )

    @pages.get("/pictures/<viewer>/<name>/<until>/<signature>.jpg")
    def show_privately(viewer: str, name: str, until: str, signature: str) -> Response:
        return answer_picture(lambda uow: finders.private(uow, viewer, name, until, signature), 0)

    return pages
