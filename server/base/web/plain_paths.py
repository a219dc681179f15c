"""The paths outside /api/v1 in the document: operation, pictures and WeChat's callbacks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from server.base import errors
from server.base.database_away import DatabaseAway
from server.base.errors import AppError
from server.base.problem import MEDIA

Refusal = Callable[[set[str]], dict[str, Any]]

_HEALTH = {
    "type": "object",
    "required": ["status"],
    "properties": {"status": {"const": "ok"}},
    "additionalProperties": False,
}
_READINESS = {
    "type": "object",
    "required": ["status", "checks"],
    "properties": {
        "status": {"enum": ["ready", "not_ready"]},
        "checks": {
            "type": "object",
            "required": ["database", "disk", "draining"],
            "additionalProperties": {
                "enum": ["ok", "degraded", "away", "behind", "full", "draining"]
            },
        },
    },
    "additionalProperties": False,
}
# Error codes of the callbacks, including that of a wrong signature, which a higher layer defines.
_DOOR = (
    errors.Malformed,
    errors.MethodNotAllowed,
    errors.LengthRequired,
    errors.BodyTooLarge,
    errors.Unavailable,
    DatabaseAway,
)
_SIGNATURE = {"signature_refused", "stale_timestamp"}


def plain_paths(refusal: Refusal) -> dict[str, Any]:
    """The paths; `refusal` returns the schema of an error with one of these codes."""

    def get_page(
        summary: str, media: str, schema: object = None, *more: type[AppError]
    ) -> dict[str, Any]:
        refusals = _describe_refusals(refusal, AppError, errors.MethodNotAllowed, *more)
        return _describe_get(summary, {"200": _describe_answer(summary, media, schema), **refusals})

    ready = get_page("The server can answer", "application/json", _READINESS)
    ready["get"]["responses"]["503"] = _describe_answer("not ready", "application/json", _READINESS)
    callback = _describe_callback(refusal)
    return {
        "/pictures/{name}.jpg": {
            **get_page("A citizen's picture", "image/jpeg", None, errors.NotFound, DatabaseAway),
            "parameters": _describe_places("name"),
        },
        "/pictures/{viewer}/{name}/{until}/{signature}.jpg": {
            **get_page(
                "A citizen's picture before its check is over, by a signed address that ends",
                "image/jpeg",
                None,
                errors.NotFound,
                DatabaseAway,
            ),
            "parameters": _describe_places("viewer", "name", "until", "signature"),
        },
        **_describe_named(get_page),
        **_describe_verification(get_page),
        **_describe_publications(get_page),
        "/": get_page("A page that links the phone, the documents and the health", "text/html"),
        "/front.css": get_page("The style of that page", "text/css"),
        "/healthz": get_page("The process lives", "application/json", _HEALTH),
        "/readyz": ready,
        "/metrics": get_page("Figures in Prometheus's text format", "text/plain"),
        "/openapi.json": get_page("This document", "application/json", {"type": "object"}),
        "/docs": get_page("A page that shows this document", "text/html"),
        "/wechat/official/callback": callback,
        "/wechat/miniprogram/callback": callback,
    }


def _describe_named(get_page: Callable[..., dict[str, Any]]) -> dict[str, Any]:
    """Pictures with a random name, whose content never changes."""
    summaries = {
        "/pictures/questions/{name}.jpg": "A picture of a question",
        "/pictures/activities/{name}.jpg": "The poster of an activity",
        "/pictures/activities/small/{name}.jpg": "The small square of a poster, for lists",
        "/pictures/announcements/{name}.jpg": "The picture of an announcement",
    }
    return {
        path: {
            **get_page(summary, "image/jpeg", None, errors.NotFound, DatabaseAway),
            "parameters": _describe_places("name"),
        }
        for path, summary in summaries.items()
    }


def _describe_feed(get_page: Callable[..., dict[str, Any]]) -> dict[str, Any]:
    """The public announcements for readers of feeds."""
    media = "application/atom+xml"
    feed = get_page("The announcements that are for everybody, in Atom", media, None, DatabaseAway)
    feed["get"]["responses"]["304"] = {"description": "not changed"}
    feed["get"]["responses"]["404"] = _describe_answer("no such city", "text/plain")
    city = {"name": "city", "in": "query", "required": False, "schema": {"type": "string"}}
    return {**feed, "parameters": [city]}


def _describe_publications(get_page: Callable[..., dict[str, Any]]) -> dict[str, Any]:
    """The public feed, and the web pages of channels' codes."""
    media = "text/html"
    shown = get_page("The announcement or activity of a channel's code", media, None, DatabaseAway)
    shown["get"]["responses"]["404"] = _describe_answer("no such code, or not public", media)
    return {
        "/feeds/announcements.atom": _describe_feed(get_page),
        "/p/{code}": {**shown, "parameters": _describe_places("code")},
        "/p.css": get_page("The style of these pages", "text/css"),
    }


def _describe_verification(get_page: Callable[..., dict[str, Any]]) -> dict[str, Any]:
    """The pages on which anybody verifies a certificate."""
    media = "text/html"
    asking = get_page("A page that asks for a certificate's number", media, None, DatabaseAway)
    asking["get"]["responses"]["303"] = _describe_answer("to the page of that number", media)
    verifying = get_page("A page that verifies a certificate", media, None, DatabaseAway)
    verifying["get"]["responses"] |= {
        "404": _describe_answer("no certificate has this number", media),
        "429": _describe_answer("too many wrong numbers", media),
    }
    return {
        "/verify": asking,
        "/verify/{serial}": {**verifying, "parameters": _describe_places("serial")},
        "/verify.css": get_page("The style of these pages", "text/css"),
    }


def _describe_places(*names: str) -> list[dict[str, Any]]:
    text = {"type": "string"}
    return [{"name": name, "in": "path", "required": True, "schema": text} for name in names]


def _describe_callback(refusal: Refusal) -> dict[str, Any]:
    refused = _describe_refusals(refusal, *_DOOR)
    refused["403"] = _describe_problem(refusal, _SIGNATURE)
    echo = _describe_answer("the echo", "text/plain", {"type": "string"})
    reply = {
        "description": "`success`, or a reply to the person",
        "content": {"text/plain": {}, "application/xml": {}, "application/json": {}},
    }
    checked = {status: refused[status] for status in ("400", "403", "405", "503")}
    return {
        **_describe_get("WeChat's check of the address", {"200": echo, **checked}),
        "post": {
            "summary": "A message or an event pushed by WeChat",
            "tags": ["operation"],
            "responses": {"200": reply, **refused},
        },
    }


def _describe_refusals(refusal: Refusal, *kinds: type[AppError]) -> dict[str, Any]:
    codes: dict[str, set[str]] = {}
    for kind in kinds:
        codes.setdefault(str(kind.status), set()).add(kind.code)
    return {status: _describe_problem(refusal, named) for status, named in sorted(codes.items())}


def _describe_problem(refusal: Refusal, codes: set[str]) -> dict[str, Any]:
    return _describe_answer(", ".join(sorted(codes)), MEDIA, refusal(codes))


def _describe_get(summary: str, answers: dict[str, Any]) -> dict[str, Any]:
    return {"get": {"summary": summary, "tags": ["operation"], "responses": answers}}


def _describe_answer(words: str, media: str, schema: object = None) -> dict[str, Any]:
    return {"description": words, "content": {media: {} if schema is None else {"schema": schema}}}
