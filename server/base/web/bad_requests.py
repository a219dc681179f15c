"""Responses to unparsable HTTP requests: problem+json like every other error, a page to browsers.

gunicorn itself would respond with an HTML page that repeats the request, and log it; its headers
may contain a token and its path a signature.
"""

from __future__ import annotations

import logging
from html import escape
from http import HTTPStatus
from pathlib import Path

from gunicorn.http.errors import NoMoreData, ParseException  # type: ignore[import-untyped]

from server.base import ids
from server.base.errors import (
    AppError,
    BodyTooLarge,
    Malformed,
    TooManyRequests,
    Unavailable,
    is_storage_full,
)
from server.base.problem import MEDIA, problem_body, retry_headers
from server.base.texts import load_texts
from server.base.web.uploads import UPLOAD_LIMIT_BYTES

_log = logging.getLogger(__name__)
_MIB = 2**20
_texts = load_texts([Path(__file__).parents[1]])


def build_refusal(trouble: BaseException, as_page: bool = False) -> bytes:
    """Build a complete HTTP response; the log has the kind of the error, never its message.

    `as_page`: the client is a browser, which gets an HTML page instead of JSON.
    400 for unparsable requests, 413 for too long ones, 503 when a disk is full, else 500.
    """
    rid = ids.new_ref("req")
    refused = _refusal_for(trouble)
    if refused.status < HTTPStatus.INTERNAL_SERVER_ERROR:
        told = {"code": refused.code, "outcome": type(trouble).__name__, "rid": rid}
        _log.warning("request refused before parsing", extra=told)
    else:
        _log.error("request failed outside the application", exc_info=trouble, extra={"rid": rid})
    return _encode_answer(refused, rid, as_page=as_page)


def too_many_connections() -> bytes:
    """A complete HTTP response for an address with too many connections."""
    return _encode_answer(TooManyRequests(), ids.new_ref("req"))


def _refusal_for(trouble: BaseException) -> AppError:
    if isinstance(trouble, AppError):
        return trouble
    if isinstance(trouble, ParseException | NoMoreData):
        return Malformed()
    if is_storage_full(trouble):
        return Unavailable()
    return AppError()


def _encode_answer(refused: AppError, rid: str, *, as_page: bool = False) -> bytes:
    status = HTTPStatus(refused.status)
    media, body = refusal_content(refused, rid, as_page=as_page)
    head = (
        f"HTTP/1.1 {status.value} {status.phrase}",
        "Connection: close",
        f"Content-Type: {media}",
        f"Content-Length: {len(body)}",
        "Content-Security-Policy: default-src 'none'",
        "X-Content-Type-Options: nosniff",
        *(f"{name}: {value}" for name, value in retry_headers(refused)),
        f"X-Request-Id: {rid}",
        "\r\n",
    )
    return "\r\n".join(head).encode() + body


def refusal_content(refused: AppError, rid: str, *, as_page: bool) -> tuple[str, bytes]:
    """The media type and the body of a refusal: problem+json, or a page to a browser."""
    if as_page:
        return "text/html; charset=utf-8", _write_page(refused, rid)
    return MEDIA, problem_body(refused, _texts.error_text(refused.code), rid)


def _write_page(refused: AppError, rid: str) -> bytes:
    """Write a page without scripts and styles: templates and assets belong to the console."""
    say = _texts.fill_text
    sentence = _texts.error_text(refused.code)
    if isinstance(refused, BodyTooLarge):
        sentence = say("base.refused_page.file_large", most=UPLOAD_LIMIT_BYTES // _MIB)
    lines = [
        '<!doctype html><html lang="zh-CN"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{escape(say('base.refused_page.title'))}</title></head><body><main>",
        f"<h1>{escape(say('base.refused_page.title'))}</h1>",
        f"<p>{escape(sentence)}</p>",
        f"<p>{escape(say('base.refused_page.back'))}</p>",
        f"<p><small>{escape(say('base.refused_page.number', number=rid))}</small></p>",
        "</main></body></html>",
    ]
    return "\n".join(lines).encode()
