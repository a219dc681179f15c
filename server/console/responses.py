"""Responses of the console: HTML, redirects below its own prefix, and the check of form tokens."""

from __future__ import annotations

import json
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from flask import Response, flash, get_flashed_messages, request, send_file
from flask_wtf.csrf import validate_csrf
from wtforms.validators import ValidationError

from server.base.errors import AppError
from server.base.web.page import Download, Redirect
from server.console.form_session import PREFIX


class FormExpired(AppError):
    """A form without a valid CSRF token of this browser."""

    code = "form_expired"
    status = 400


def check_token() -> None:
    """Check the CSRF token of the posted form.

    Raises: FormExpired (400).
    """
    try:
        validate_csrf(request.form.get("csrf_token"))
    except ValidationError:
        raise FormExpired from None


def see_other(answer: Redirect) -> Response:
    """The redirect after a change, always below our own prefix and never to another host."""
    if answer.said is not None:
        flash(json.dumps([answer.said, dict(answer.facts)]))
    made = Response(status=HTTPStatus.SEE_OTHER)
    made.headers["Location"] = f"{PREFIX}/{answer.path.lstrip('/')}"
    return made


def flashed_messages() -> list[tuple[str, dict[str, Any]]]:
    """Text key and facts of the messages that `see_other` left for this page."""
    return [json.loads(str(message)) for message in get_flashed_messages()]


def send_to_login(login: str) -> Response:
    """The redirect to the login page, with the way back: this page, after a POST its GET."""
    back = quote(_address_shown(), safe="/")
    answer = Response(status=HTTPStatus.SEE_OTHER)
    answer.headers["Location"] = f"{login}?next={back}"
    if "HX-Request" in request.headers:
        # htmx would put the login page into the middle of this page.
        answer.status_code = HTTPStatus.NO_CONTENT
        answer.headers["HX-Redirect"] = answer.headers.pop("Location")
    return answer


def _address_shown() -> str:
    """The path and query of the page that the browser shows."""
    shown = urlsplit(request.headers.get("HX-Current-URL", ""))
    if shown.path.startswith(PREFIX):
        # The request loads a part of that page, which would be no page by itself.
        return f"{shown.path}?{shown.query}" if shown.query else shown.path
    query = request.query_string.decode("ascii", "replace") if request.method == "GET" else ""
    return f"{request.path}?{query}" if query else request.path


def file_response(answer: Download) -> Response:
    """A file that browsers save and never show."""
    if isinstance(answer.content, Path):
        made = send_file(answer.content, mimetype=answer.media, etag=False)
    else:
        made = Response(answer.content, content_type=answer.media)
    named = quote(answer.file_name, safe="")
    made.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{named}"
    return made


def html_response(html: str, status: int) -> Response:
    """An HTML page."""
    return Response(html, status=status, content_type="text/html; charset=utf-8")
