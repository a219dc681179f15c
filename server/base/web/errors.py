"""Every error as problem+json (RFC 9457) with a stable code; an unexpected one is a plain 500.

No response contains a stack trace, SQL or a secret.
"""

from __future__ import annotations

import logging
from http import HTTPStatus

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException
from werkzeug.exceptions import MethodNotAllowed as WrongMethod

from server.base import errors
from server.base.errors import AppError
from server.base.log import request_id
from server.base.problem import MEDIA, problem_body, retry_headers
from server.base.texts import TextMissing, Texts
from server.base.web.reply import HttpReply, flask_response

_log = logging.getLogger(__name__)

_BY_STATUS: dict[int, type[AppError]] = {
    400: errors.Malformed,
    404: errors.NotFound,
    405: errors.MethodNotAllowed,
    411: errors.LengthRequired,
    413: errors.BodyTooLarge,
    415: errors.UnsupportedMedia,
}


def install_error_handlers(app: Flask, texts: Texts) -> None:
    """Install the error handlers of this app."""

    def answer_error(trouble: Exception) -> Response:
        # The rule, not the path: some paths contain secrets.
        rule = request.url_rule.rule if request.url_rule else "unknown"
        return flask_response(error_reply(trouble, texts, rule))

    app.register_error_handler(Exception, answer_error)


def error_reply(trouble: Exception, texts: Texts, rule: str) -> HttpReply:
    """The response for any exception; an unexpected one is logged under its rule."""
    if isinstance(trouble, AppError):
        return problem_reply(trouble, texts)
    if isinstance(trouble, HTTPException):
        known = _BY_STATUS.get(trouble.code or 500)
        if known is not None:
            answer = problem_reply(known(), texts)
            if isinstance(trouble, WrongMethod):
                allowed = ("Allow", ", ".join(sorted(trouble.valid_methods or ())))
                answer = answer._replace(headers=(*answer.headers, allowed))
            return answer
        if trouble.code is not None and trouble.code < 500:
            return problem_reply(errors.Malformed(), texts)
    _log.error("unhandled error", exc_info=trouble, extra={"path": rule})
    return problem_reply(AppError(), texts)


def problem_reply(trouble: AppError, texts: Texts) -> HttpReply:
    """The response for an error."""
    headers = [("Content-Type", MEDIA), *retry_headers(trouble)]
    if trouble.status == HTTPStatus.UNAUTHORIZED:
        headers.append(("WWW-Authenticate", "Bearer"))
    body = problem_body(trouble, _error_sentence(trouble, texts), request_id.get())
    return HttpReply(trouble.status, body, tuple(headers))


def _error_sentence(trouble: AppError, texts: Texts) -> str:
    try:
        return texts.error_text(trouble.code, trouble.facts)
    except TextMissing:
        _log.error("error code has no text", extra={"code": trouble.code})
        return texts.error_text("internal")
