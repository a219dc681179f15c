"""The address of the public feed; readers and websites ask for it without a log-in."""

from __future__ import annotations

import hashlib

from flask import Blueprint, Response, request

from server.announcements.publishing.feed import list_public, write_atom
from server.base.uow import UnitOfWorkFactory
from server.units import service as units

_MEDIA = "application/atom+xml; charset=utf-8"
_MAX_AGE = 300


def feed_pages(uow_factory: UnitOfWorkFactory) -> Blueprint:
    """GET /feeds/announcements.atom, for the region or one city."""
    pages = Blueprint("feeds", __name__)

    @pages.get("/feeds/announcements.atom")
    def show_announcements() -> Response:
        city = request.args.get("city") or None
        if city is not None and units.load_regions().find_city(city) is None:
            return Response("no such city\n", 404, content_type="text/plain; charset=utf-8")
        with uow_factory.begin(read_only=True) as uow:
            entries = list_public(uow, city)
            document = write_atom(uow, entries, city, uow.settings)
        reply = Response(document, content_type=_MEDIA)
        reply.set_etag(hashlib.sha256(document).hexdigest()[:32])
        reply.last_modified = max((one.updated_at for one in entries), default=None)
        reply.cache_control.public = True
        reply.cache_control.max_age = _MAX_AGE
        reply.headers["X-Content-Type-Options"] = "nosniff"
        reply.make_conditional(request)
        return reply

    return pages
