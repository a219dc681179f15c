"""Serves the compiled mini-program and its request forwarder.

Both have one origin, so that the product's server needs no CORS for them.
"""

from __future__ import annotations

import json
from pathlib import Path

from flask import Blueprint, Response, abort, request, send_from_directory

from . import groups, phone_net
from .world import World

# The frame needs eval and inline styles: templates compile to functions, scripts set styles.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self' blob:; "
    "media-src 'self' data: blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
NOT_BUILT = "<!doctype html><meta charset=utf-8><title>小程序</title><p>小程序还没有编译。"


def build_routes(world: World) -> Blueprint:
    """Create the routes of bundle and forwarder for one world."""
    blueprint = Blueprint("phone_app", __name__, url_prefix="/phone")
    folder = world.settings.bundle

    @blueprint.get("/app/")
    def serve_program() -> Response:
        if folder is None or not (folder / "index.html").is_file():
            return Response(NOT_BUILT, status=503, content_type="text/html; charset=utf-8")
        return _serve_file(folder, "index.html")

    @blueprint.get("/app/account.js")
    def serve_account() -> Response:
        facts = json.dumps({"appId": world.mini.appid})
        return _kept_safe(Response(f"window.__account = {facts};\n", mimetype="text/javascript"))

    @blueprint.get("/app/<path:name>")
    def serve_part(name: str) -> Response:
        if folder is None:
            abort(404)
        return _serve_file(folder, name)

    @blueprint.get("/group")
    def answer_group() -> dict[str, str]:
        return {"name": groups.name_of(world, request.args.get("opengid", ""))}

    @blueprint.route("/net/<host>", defaults={"path": ""}, methods=phone_net.METHODS)
    @blueprint.route("/net/<host>/", defaults={"path": ""}, methods=phone_net.METHODS)
    @blueprint.route("/net/<host>/<path:path>", methods=phone_net.METHODS)
    def forward_request(host: str, path: str) -> Response:
        return phone_net.forward_request(world, host, path)

    return blueprint


def _serve_file(folder: Path, name: str) -> Response:
    return _kept_safe(send_from_directory(folder.resolve(), name, conditional=True))


def _kept_safe(answer: Response) -> Response:
    answer.headers["Content-Security-Policy"] = POLICY
    answer.headers["Cache-Control"] = "no-cache"
    answer.headers["X-Content-Type-Options"] = "nosniff"
    return answer
