"""Responses of the console: HTML, redirects below its own prefix, and the check of form tokens."""

from __future__ import annotations

from http import HTTPStatus

from flask import Response, flash, request
from flask_wtf.csrf import validate_csrf
from wtforms.validators import ValidationError

from server.base.errors import AppError
from server.base.web.page import Redirect
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
        flash(answer.said)
    made = Response(status=HTTPStatus.SEE_OTHER)
    made.headers["Location"] = f"{PREFIX}/{answer.path.lstrip('/')}"
    return made


def html_response(html: str, status: int) -> Response:
    """An HTML page."""
    return Response(html, status=status, content_type="text/html; charset=utf-8")
