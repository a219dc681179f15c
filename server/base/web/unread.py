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
from gunicorn.http.errors import ParseException  # type: ignore[import-untyped]

from server.base import ids
from server.base.errors import AppError, Malformed
from server.base.texts import load_texts

_log = logging.getLogger(__name__)
_texts = load_texts([Path(__file__).parents[1]])


def refusal(trouble: BaseException) -> bytes:
    """A whole HTTP answer: 400 to what nobody can read, else 500; the log tells the kind only."""
    rid = ids.new_ref("req")
    kind: type[AppError] = Malformed if isinstance(trouble, ParseException) else AppError
    if kind is Malformed:
        told = {"code": kind.code, "outcome": type(trouble).__name__, "rid": rid}
        _log.warning("what came is no request", extra=told)
    else:
        _log.error("a request ended outside of the house", exc_info=trouble, extra={"rid": rid})
    return _answer(kind(), rid)


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
    head = (
        f"HTTP/1.1 {status.value} {status.phrase}",
        "Connection: close",
        "Content-Type: application/problem+json",
        f"Content-Length: {len(body)}",
        "X-Content-Type-Options: nosniff",
        f"X-Request-Id: {rid}",
        "\r\n",
    )
    return "\r\n".join(head).encode() + body
