"""The mini-program in the phone: its compiled bundle, and the way its requests take to their hosts.

The mini-program asks `https://…` addresses as in production; the forwarder reaches the hosts
that the settings name, and no other, so that the server needs no CORS for it.
"""

from __future__ import annotations

import http.client
from pathlib import Path
from urllib.parse import quote, urlsplit

from flask import Blueprint, Response, abort, request, send_from_directory

from server.sandbox import groups
from server.sandbox.http_server import cut
from server.sandbox.world import World

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
# Templates are compiled to functions and styles are set by scripts, both inside this frame alone.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self' blob:; "
    "media-src 'self' data: blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
SENT_ON = ("Authorization", "Content-Type", "Idempotency-Key", "X-Request-Id", "Accept")
SENT_BACK = ("Content-Type", "Retry-After", "X-Request-Id", "Cache-Control")
# The runtime tells a refusal of the phone by this header from an answer of the host.
REFUSED = {"X-Phone-Refused": "1"}
LIMIT_BYTES = 6 * 1024 * 1024
PATIENCE_SECONDS = 30.0
NOT_BUILT = "<!doctype html><meta charset=utf-8><title>小程序</title><p>小程序还没有编译。"


def routes(world: World) -> Blueprint:
    """The bundle and the forwarder of one world."""
    blueprint = Blueprint("phone_app", __name__, url_prefix="/phone")
    folder = world.settings.bundle

    @blueprint.get("/app/")
    def program() -> Response:
        if folder is None or not (folder / "index.html").is_file():
            return Response(NOT_BUILT, status=503, content_type="text/html; charset=utf-8")
        return _part(folder, "index.html")

    @blueprint.get("/app/<path:name>")
    def part(name: str) -> Response:
        if folder is None:
            abort(404)
        return _part(folder, name)

    @blueprint.get("/group")
    def group() -> dict[str, str]:
        return {"name": groups.name_of(world, request.args.get("opengid", ""))}

    @blueprint.route("/net/<host>/", defaults={"path": ""}, methods=METHODS)
    @blueprint.route("/net/<host>/<path:path>", methods=METHODS)
    def onward(host: str, path: str) -> Response:
        base = world.settings.net.get(host)
        if base is None:
            return Response("", status=403, headers=REFUSED)
        return _forwarded(base, path)

    return blueprint


def _part(folder: Path, name: str) -> Response:
    answer = send_from_directory(folder.resolve(), name, conditional=True)
    answer.headers["Content-Security-Policy"] = POLICY
    answer.headers["Cache-Control"] = "no-cache"
    answer.headers["X-Content-Type-Options"] = "nosniff"
    return answer


def _forwarded(base: str, path: str) -> Response:
    if (request.content_length or 0) > LIMIT_BYTES:
        return Response("", status=413, headers=REFUSED)
    parts = urlsplit(base)
    target = f"{parts.path.rstrip('/')}/{quote(path)}"
    if request.query_string:
        target += f"?{request.query_string.decode('latin-1')}"
    headers = {name: request.headers[name] for name in SENT_ON if name in request.headers}
    connection = http.client.HTTPConnection(
        parts.hostname or "", parts.port or 80, timeout=PATIENCE_SECONDS
    )
    try:
        connection.request(request.method, target, request.get_data() or None, headers)
        answer = connection.getresponse()
        body = answer.read()
    except OSError:
        # To the mini-program an unreachable host is a broken line, not an answer.
        cut(request.environ)
        return Response(b"")
    finally:
        connection.close()
    kept = {name: value for name in SENT_BACK if (value := answer.getheader(name)) is not None}
    return Response(body, status=answer.status, headers=kept)
