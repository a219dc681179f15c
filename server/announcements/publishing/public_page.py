"""The web page of a channel's code, for people outside of WeChat; it needs no log-in, no script."""

from __future__ import annotations

import logging
from html import escape

from flask import Blueprint, Response, request

from server.announcements.publishing.publication import Publication, find_publication
from server.base.errors import NotFound, Unavailable
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.channel import service as channel

_log = logging.getLogger(__name__)
_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; frame-ancestors 'none'; "
    "base-uri 'none'; form-action 'none'"
)
_PAGE = """<!doctype html><html lang="zh-CN"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex"><title>{title}</title>
<link rel="icon" href="data:,"><link rel="stylesheet" href="/p.css">
</head><body><main><p class="place">{place}</p><h1>{title}</h1>{body}</main></body></html>
"""
_STYLE = """:root { font: 18px/1.7 system-ui, sans-serif; color: #1c2620; background: #eef2ef; }
body { margin: 0; }
main { max-width: 680px; margin: 0 auto; padding: 20px 16px 48px; }
h1 { margin: 4px 0 16px; font-size: 26px; overflow-wrap: anywhere; }
.place { margin: 0; color: #44514a; }
.notice { padding: 12px 16px; border-left: 8px solid #b3261e; border-radius: 12px;
  background: #fff; }
.text { white-space: pre-line; overflow-wrap: anywhere; }
dl, .open { padding: 4px 16px; border-radius: 12px; background: #fff; }
dt { padding-top: 12px; color: #44514a; }
dd { margin: 0; padding-bottom: 12px; overflow-wrap: anywhere; }
img { max-width: 100%; height: auto; border-radius: 12px; }
.open { padding: 16px; text-align: center; }
.open img { width: 220px; height: 220px; }
"""


def public_pages(uow_factory: UnitOfWorkFactory) -> Blueprint:
    """GET /p/{code}, the page of an announcement or activity, and its style."""
    pages = Blueprint("publications", __name__)

    @pages.get("/p/<code>")
    def show_publication(code: str) -> Response:
        with uow_factory.begin(read_only=True) as uow:
            # PostgreSQL refuses NUL in a text.
            row = None if "\0" in code else channel.find_channel_code(uow, code)
            if row is None:
                return _reply_missing(uow)
            code_id = row.id
            try:
                publication = find_publication(uow, row.target, row.target_ref)
            except NotFound:
                return _reply_missing(uow)
            has_mini = code_id in channel.pictures_of_codes(uow, [code_id])
            reply = _reply_page(uow, publication, code if has_mini else None)
        if request.method == "GET":
            _count_opening(uow_factory, code_id)
        return reply

    @pages.get("/p.css")
    def serve_style() -> Response:
        return Response(_STYLE, content_type="text/css; charset=utf-8")

    return pages


def _count_opening(uow_factory: UnitOfWorkFactory, code_id: int) -> None:
    """Count an opening in a transaction of its own: the page is shown also when that fails."""
    try:
        with uow_factory.begin() as uow:
            channel.count_code_opening(uow, code_id)
    except Unavailable as trouble:
        _log.warning("opening not counted", extra={"code": trouble.code})


def _reply_page(uow: UnitOfWork, shown: Publication, code: str | None) -> Response:
    say = uow.texts.fill_text
    parts = []
    if shown.notice:
        parts.append(f'<p class="notice" role="status">{escape(shown.notice)}</p>')
    if shown.facts:
        facts = (f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in shown.facts)
        parts.append(f"<dl>{''.join(facts)}</dl>")
    if shown.body:
        parts.append(f'<p class="text">{escape(shown.body)}</p>')
    if shown.picture_path is not None:
        parts.append(f'<p><img src="{escape(shown.picture_path)}" alt=""></p>')
    how = say(f"announcements.public.open_{'here' if code else 'search'}")
    picture = ""
    if code is not None:
        alt = escape(say("announcements.public.code_alt"))
        picture = f'<img src="/api/v1/codes/{escape(code)}/mini.jpg" alt="{alt}">'
    parts.append(f'<div class="open">{picture}<p>{escape(how)}</p></div>')
    page = _PAGE.format(title=escape(shown.title), place=escape(shown.place), body="".join(parts))
    return _finish_reply(Response(page, content_type="text/html; charset=utf-8"))


def _reply_missing(uow: UnitOfWork) -> Response:
    say = uow.texts.fill_text
    page = _PAGE.format(
        title=escape(say("announcements.public.missing")),
        place="",
        body=f"<p>{escape(say('announcements.public.missing_about'))}</p>",
    )
    return _finish_reply(Response(page, 404, content_type="text/html; charset=utf-8"))


def _finish_reply(reply: Response) -> Response:
    reply.headers["Content-Security-Policy"] = _POLICY
    # Each opening is counted, so that no cache may answer.
    reply.headers["Cache-Control"] = "no-store"
    reply.headers["X-Content-Type-Options"] = "nosniff"
    return reply
