"""The answer to what is no HTTP request: problem+json like every other refusal.

gunicorn itself would answer with a page of HTML that repeats what was sent, and write it into the
log; a head may hold a token and an address a signature.
"""

from __future__ import annotations

import logging
from http import HTTPStatus
from pathlib import Path
from typing import Any

import msgspec
from gunicorn.http.errors import NoMoreData, ParseException  # type: ignore[import-untyped]

from server.base import ids
from server.base.errors import (
    AppError,
    Malformed,
    TooManyRequests,
    Unavailable,
    is_storage_full,
)
from server.base.texts import load_texts

_log = logging.getLogger(__name__)
_texts = load_texts([Path(__file__).parents[1]])


def refusal(trouble: BaseException) -> bytes:
    """A whole HTTP answer; the log tells the kind of the trouble and never its words.

    400 to what nobody can read, 413 to what is too long, 503 when a disk is full, else 500.
    """
    rid = ids.new_ref("req")
    refused = _refused(trouble)
    if refused.status < HTTPStatus.INTERNAL_SERVER_ERROR:
        told = {"code": refused.code, "outcome": type(trouble).__name__, "rid": rid}
        _log.warning("a request is refused unread", extra=told)
    else:
        _log.error("a request ended outside of the house", exc_info=trouble, extra={"rid": rid})
    return _answer(refused, rid)


def too_many_connections() -> bytes:
    """A whole HTTP answer to an address that has more connections than anybody needs."""
    return _answer(TooManyRequests(), ids.new_ref("req"))


def _refused(trouble: BaseException) -> AppError:
    if isinstance(trouble, AppError):
        return trouble
    if isinstance(trouble, ParseException | NoMoreData):
        return Malformed()
    if is_storage_full(trouble):
        return Unavailable()
    return AppError()


def _answer(refused: AppError, rid: str) -> bytes:
    status = HTTPStatus(refused.status)
    told: dict[str, Any] = {
        "type": f"urn:kepu:problem:{refused.code}",
        "title": status.phrase,
        "status": status.value,
        "detail": _texts.error(refused.code),
        "code": refused.code,
        "request_id": rid,
    }
    body = msgspec.json.encode(told)
    later = refused if isinstance(refused, TooManyRequests | Unavailable) else None
    head = (
        f"HTTP/1.1 {status.value} {status.phrase}",
        "Connection: close",
        "Content-Type: application/problem+json",
        f"Content-Length: {len(body)}",
        "X-Content-Type-Options: nosniff",
        *([f"Retry-After: {later.retry_after_seconds}"] if later else []),
        f"X-Request-Id: {rid}",
        "\r\n",
    )
    return "\r\n".join(head).encode() + body
