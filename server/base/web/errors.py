"""Every error as problem+json (RFC 9457) with a stable code; an unexpected one is a plain 500.

No response contains a stack trace, SQL or a secret.
"""

from __future__ import annotations

import logging
from http import HTTPStatus

import msgspec
from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException
from werkzeug.exceptions import MethodNotAllowed as WrongMethod

from server.base import errors
from server.base.errors import AppError, Invalid, TooManyRequests, Unavailable
from server.base.log import request_id
from server.base.texts import TextMissing, Texts

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

    def app_error(trouble: AppError) -> Response:
        return problem(trouble, texts)

    def http_error(trouble: HTTPException) -> Response:
        known = _BY_STATUS.get(trouble.code or 500)
        if known is not None:
            answer = problem(known(), texts)
            if isinstance(trouble, WrongMethod):
                answer.headers["Allow"] = ", ".join(sorted(trouble.valid_methods or ()))
            return answer
        if trouble.code is not None and trouble.code < 500:
            return problem(errors.Malformed(), texts)
        return unknown(trouble)

    def unknown(trouble: Exception) -> Response:
        # The rule, not the path: some paths contain secrets.
        rule = request.url_rule.rule if request.url_rule else "unknown"
        _log.error("unhandled error", exc_info=trouble, extra={"path": rule})
        return problem(AppError(), texts)

    app.register_error_handler(AppError, app_error)
    app.register_error_handler(HTTPException, http_error)
    app.register_error_handler(Exception, unknown)


def problem(trouble: AppError, texts: Texts) -> Response:
    """The response for an error."""
    facts = {k: v for k, v in trouble.facts.items() if isinstance(v, str | int | float | bool)}
    body: dict[str, object] = {
        **facts,
        "type": f"urn:kepu:problem:{trouble.code}",
        "title": HTTPStatus(trouble.status).phrase,
        "status": trouble.status,
        "detail": _sentence(trouble, texts),
        "code": trouble.code,
        "request_id": request_id.get(),
    }
    if isinstance(trouble, Invalid):
        body["errors"] = [{"loc": list(loc), "msg": words} for loc, words in trouble.errors]
    answer = Response(
        msgspec.json.encode(body), status=trouble.status, content_type="application/problem+json"
    )
    if isinstance(trouble, TooManyRequests | Unavailable):
        answer.headers["Retry-After"] = str(trouble.retry_after_seconds)
    if trouble.status == HTTPStatus.UNAUTHORIZED:
        answer.headers["WWW-Authenticate"] = "Bearer"
    return answer


def _sentence(trouble: AppError, texts: Texts) -> str:
    try:
        return texts.error(trouble.code, trouble.facts)
    except TextMissing:
        _log.error("error code has no text", extra={"code": trouble.code})
        return texts.error("internal")
