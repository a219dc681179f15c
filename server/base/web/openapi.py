"""The OpenAPI 3.1 document, generated from the declared routes, and an offline viewer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cache, lru_cache
from http import HTTPStatus
from pathlib import Path
from typing import Any

import msgspec
from flask import Blueprint, Response, send_from_directory

from server.base import errors
from server.base.database_away import DatabaseAway
from server.base.errors import AppError
from server.base.problem import MEDIA
from server.base.web.auth import ConsentRequired, Who
from server.base.web.endpoint import DEVICE_ID, Api, Route
from server.base.web.idempotency import IdempotencyInFlight, IdempotencyKeyReused
from server.base.web.plain_paths import plain_paths
from server.base.web.schema import ErrorEntry

_REF = "#/components/schemas/{name}"
_PAGE = """<!doctype html><html lang="zh-CN"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>八桂科普 · 接口</title>
<link rel="icon" href="data:,"><link rel="stylesheet" href="/docs/files/swagger-ui.css">
</head><body><div id="ui"></div>
<script src="/docs/files/swagger-ui-bundle.js"></script><script src="/docs/start.js"></script>
</body></html>"""
_START = "SwaggerUIBundle({url: '/openapi.json', dom_id: '#ui', validatorUrl: null});\n"
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'"
)
_ONE_FILE = {
    "type": "object",
    "minProperties": 1,
    "maxProperties": 1,
    "additionalProperties": {"type": "string", "contentMediaType": "image/*"},
}
_ALWAYS: tuple[type[AppError], ...] = (
    AppError,
    DatabaseAway,
    errors.MethodNotAllowed,
    errors.TooManyRequests,
    errors.Malformed,
)


def build_document(
    apis: Sequence[Api], *, title: str, version: str, introduction: str = ""
) -> dict[str, Any]:
    """Build the document of these endpoints, with every status, field and error code."""
    paths, components = _describe_apis(tuple(apis))
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": version, "description": introduction},
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"citizen": {"type": "http", "scheme": "bearer"}},
        },
    }


@lru_cache(maxsize=32)
def _describe_apis(apis: tuple[Api, ...]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The paths and schemas of these endpoints; cached, because building them takes about 30 ms."""
    routes = [route for api in apis for route in api.routes]
    shapes = [shape for route in routes for shape in (route.body, route.out) if shape is not None]
    _, components = msgspec.json.schema_components([*shapes, ErrorEntry], ref_template=_REF)
    components["Problem"] = _problem_schema()
    paths: dict[str, Any] = {}
    for route in routes:
        path = "/api/v1" + route.path.replace("<", "{").replace(">", "}")
        paths.setdefault(path, {})[route.method.lower()] = _describe_operation(route)
    paths |= plain_paths(_describe_refusal)
    return paths, components


def docs_pages(describe: Callable[[], dict[str, Any]]) -> Blueprint:
    """/openapi.json and /docs. `describe` builds the document at the first request."""
    pages = Blueprint("docs", __name__)
    encoded = cache(lambda: msgspec.json.encode(describe()))
    files = Path(__file__).parent / "static" / "swagger-ui"

    @pages.get("/openapi.json")
    def serve_document() -> Response:
        return Response(encoded(), content_type="application/json")

    @pages.get("/docs")
    def show_docs() -> Response:
        answer = Response(_PAGE, content_type="text/html; charset=utf-8")
        answer.headers["Content-Security-Policy"] = _POLICY
        return answer

    @pages.get("/docs/start.js")
    def serve_start_script() -> Response:
        return Response(_START, content_type="text/javascript")

    @pages.get("/docs/files/<path:name>")
    def serve_file(name: str) -> Response:
        return send_from_directory(files, name)

    return pages


def refusals_of(route: Route) -> dict[int, set[str]]:
    """Every error code of a route, by status."""
    found: dict[int, set[str]] = {}
    for kind in (*_ALWAYS, *route.errors, *_implied_errors(route)):
        found.setdefault(kind.status, set()).add(kind.code)
    return found


def _implied_errors(route: Route) -> Iterable[type[AppError]]:
    if route.who is not Who.ANYONE:
        yield errors.NotAuthenticated
    if route.places:
        yield errors.NotFound
    if route.consent:
        yield ConsentRequired
    if route.query is not None:
        yield errors.Invalid
    if route.method != "GET":
        yield from (errors.BodyTooLarge, errors.Invalid)
        if route.body is not None or route.upload:
            yield errors.UnsupportedMedia
        if route.who is not Who.ANYONE:
            yield from (IdempotencyKeyReused, IdempotencyInFlight)


def _describe_operation(route: Route) -> dict[str, Any]:
    made: dict[str, Any] = {
        "operationId": route.name,
        "tags": [route.tag],
        "summary": (route.view.__doc__ or "").strip().split("\n")[0],
        "responses": _describe_answers(route),
        "parameters": [*_path_parameters(route), *_query_parameters(route)],
    }
    if route.body is not None:
        made["requestBody"] = {"content": {"application/json": {"schema": _schema_ref(route.body)}}}
    if route.upload:
        made["requestBody"] = {"content": {"multipart/form-data": {"schema": _ONE_FILE}}}
    if route.who is not Who.ANYONE:
        made["security"] = [{"citizen": []}] + ([{}] if route.who is Who.MAYBE_CITIZEN else [])
        if route.method != "GET":
            made["parameters"].append(
                {
                    "name": "Idempotency-Key",
                    "in": "header",
                    "required": False,
                    "schema": {"type": "string", "minLength": 1, "maxLength": 64},
                }
            )
    if route.device:
        made["parameters"].append(
            {
                "name": "X-Device-Id",
                "in": "header",
                "required": False,
                "description": "A random id that the mini-program keeps; stored as a keyed hash.",
                "schema": {"type": "string", "pattern": DEVICE_ID.pattern},
            }
        )
    return made


def _describe_answers(route: Route) -> dict[str, Any]:
    answers: dict[str, Any] = {}
    for status in route.status:
        answers[str(status)] = {"description": HTTPStatus(status).phrase}
        if route.out is not None and status != HTTPStatus.NO_CONTENT:
            answers[str(status)]["content"] = {
                "application/json": {"schema": _schema_ref(route.out)}
            }
        if route.media is not None:
            answers[str(status)]["content"] = {route.media: {}}
    for status, codes in sorted(refusals_of(route).items()):
        answers[str(status)] = {
            "description": ", ".join(sorted(codes)),
            "content": {MEDIA: {"schema": _describe_refusal(codes)}},
        }
    return answers


def _path_parameters(route: Route) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in route.places
    ]


def _query_parameters(route: Route) -> list[dict[str, Any]]:
    if route.query is None:
        return []
    (_, components) = msgspec.json.schema_components([route.query], ref_template=_REF)
    shape = components[route.query.__name__]
    needed = shape.get("required", [])
    return [
        {"name": name, "in": "query", "required": name in needed, "schema": schema}
        for name, schema in shape["properties"].items()
    ]


def _schema_ref(shape: Any) -> dict[str, Any]:
    (schema,), _ = msgspec.json.schema_components([shape], ref_template=_REF)
    return schema


def _describe_refusal(codes: set[str]) -> dict[str, Any]:
    return {
        "allOf": [
            {"$ref": _REF.format(name="Problem")},
            {"properties": {"code": {"enum": sorted(codes)}}},
        ]
    }


def _problem_schema() -> dict[str, Any]:
    text = {"type": "string"}
    return {
        "type": "object",
        "required": ["type", "title", "status", "detail", "code", "request_id"],
        "properties": {
            "type": text,
            "title": text,
            "status": {"type": "integer"},
            "detail": text,
            "code": text,
            "request_id": text,
            "errors": {"type": "array", "items": {"$ref": _REF.format(name="ErrorEntry")}},
        },
        "description": "RFC 9457; a refusal may add facts of its own as further members.",
    }
