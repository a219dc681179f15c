"""Responses of the console: HTML, redirects below its own prefix, and the check of form tokens."""

from __future__ import annotations

import json
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from flask import Response, current_app, flash, get_flashed_messages, request, send_file
from flask_wtf.csrf import validate_csrf
from werkzeug.exceptions import HTTPException
from wtforms.validators import ValidationError

from server.base.errors import AppError
from server.base.web.page import Download, Redirect
from server.console.form_session import PREFIX

# Names of the routes that only refuse: an unknown path, a method that a path does not have.
UNKNOWN_PAGE, OTHER_METHOD = "unknown", "other_method"


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
    """Redirect to the login page; `next` is the page to return to, for a POST its GET."""
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
    named = "Referer" if request.method == "POST" else "HX-Current-URL"
    shown = urlsplit(request.headers.get(named, ""))
    if f"{shown.path}/".startswith(f"{PREFIX}/") and _opens_page(shown.path):
        # The request comes from that page: it sends its form, or loads a part of it.
        return f"{shown.path}?{shown.query}" if shown.query else shown.path
    if request.method == "GET":
        query = request.query_string.decode("ascii", "replace")
        return f"{request.path}?{query}" if query else request.path
    path = request.path
    while not _opens_page(path) and path != PREFIX:
        path = path.rpartition("/")[0]
    return path


def _opens_page(path: str) -> bool:
    """Whether a path can be opened, not only posted to."""
    try:
        endpoint, _ = current_app.url_map.bind("console").match(path, method="GET")
    except HTTPException:
        return False
    return not endpoint.endswith(UNKNOWN_PAGE) and OTHER_METHOD not in endpoint


def file_response(answer: Download) -> Response:
    """A file that browsers save and never show."""
    if isinstance(answer.content, Path):
        made = send_file(answer.content, mimetype=answer.media, etag=False)
    else:
        content = answer.content() if callable(answer.content) else answer.content
        made = Response(content, content_type=answer.media)
    named = quote(answer.file_name, safe="")
    made.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{named}"
    return made


def html_response(html: str, status: int) -> Response:
    """An HTML page."""
    return Response(html, status=status, content_type="text/html; charset=utf-8")
