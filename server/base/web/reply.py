"""A response before it is sent by the API middleware or by Flask."""

from __future__ import annotations

from http import HTTPStatus
from typing import NamedTuple

from flask import Response

STATUS_LINES = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}


class HttpReply(NamedTuple):
    """Status, body and the headers specific to this response."""

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()


def json_reply(status: int, body: bytes) -> HttpReply:
    """A JSON response; without a body it has no content type."""
    return HttpReply(status, body, (("Content-Type", "application/json"),) if body else ())


def flask_response(reply: HttpReply) -> Response:
    """Convert to a Flask response."""
    made = Response(reply.body, status=reply.status)
    if not any(name == "Content-Type" for name, _ in reply.headers):
        return made
    for name, value in reply.headers:
        made.headers[name] = value
    return made
