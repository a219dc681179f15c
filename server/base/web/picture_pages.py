"""Citizens' pictures under names that nobody can guess, for phones and for WeChat's check."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, Response

from server.base.errors import NotFound
from server.base.web.endpoint import Picture, picture_response
from server.base.work import Desk, Work

_KEEP_SECONDS = 300


def picture_pages(desk: Desk, find: Callable[[Work, str], bytes | None]) -> Blueprint:
    """The route of pictures; `find` knows them by name."""
    pages = Blueprint("pictures", __name__)

    @pages.get("/pictures/<name>.jpg")
    def show(name: str) -> Response:
        if "\0" in name:
            raise NotFound
        with desk.work(read_only=True) as work:
            content = find(work, name)
        if content is None:
            raise NotFound
        return picture_response(Picture(content=content, keep_seconds=_KEEP_SECONDS), "image/jpeg")

    return pages
