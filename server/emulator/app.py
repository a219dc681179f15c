"""The emulator as one Flask application; the first path segment selects the emulated host."""

from __future__ import annotations

import json
from typing import Any

from flask import Flask, Response, request

from . import control, phone_app, phone_page
from .dispatch import Result, dispatch_call
from .faults import bare_path
from .http_server import cut_connection
from .wechat_api import user as api_user
from .wechat_api.common import Call, Picture, Upload
from .world import World

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
PLAYED = ("/api/", "/mpweb/", "/open/")
GATEWAY_PAGE = b"<html><head><title>error</title></head><body>nginx</body></html>"


def create_app(world: World) -> Flask:
    """Create the application for one world."""
    app = Flask(__name__, static_folder=None)
    # `/phone/net/…` forwards an address unchanged. Redirects are written by hand below because the
    # framework builds its own from the Host header.
    app.url_map.merge_slashes = False
    app.url_map.redirect_defaults = False
    app.json.ensure_ascii = False  # type: ignore[attr-defined]

    @app.route("/api/<path:path>", methods=METHODS)
    def answer_api(path: str) -> Response:
        return _build_response(dispatch_call(world, _read_call(f"/{path}")))

    @app.get("/mpweb/cgi-bin/showqrcode")
    def show_qrcode() -> Response:
        picture = api_user.qrcode_picture(world, request.args.get("ticket", ""))
        if picture is None:
            return Response(b"", status=404)
        return Response(picture.content, content_type=picture.mime)

    @app.get("/")
    def show_front() -> Response:
        return phone_page.show_front(world)

    @app.get("/phone")
    @app.get("/phone/app")
    def redirect_to_folder() -> Response:
        return Response(status=308, headers={"Location": f"{request.path}/"})

    @app.errorhandler(404)
    def answer_unknown(_error: Exception) -> tuple[dict[str, Any], int]:
        if request.path.startswith(PLAYED):
            control.note_unknown(world, request.method, bare_path(request.path))
        return {"error": f"nothing is emulated at {request.path}"}, 404

    app.register_blueprint(control.build_routes(world))
    app.register_blueprint(phone_page.build_routes(world))
    app.register_blueprint(phone_app.build_routes(world))
    return app


def _read_call(path: str) -> Call:
    raw = request.get_data()
    file = request.files.get("media")
    return Call(
        path=path,
        method=request.method,
        query=request.args.to_dict(),
        raw="" if file is not None else raw.decode(errors="replace"),
        ip=request.remote_addr or "",
        chunked="chunked" in request.headers.get("Transfer-Encoding", "").lower(),
        form={} if file is None else request.form.to_dict(),
        upload=None if file is None else Upload(file.filename or "", file.read()),
    )


def _build_response(result: Result) -> Response:
    if result.broken == "reset":
        cut_connection(request.environ)
        return Response(b"")
    if result.broken == "html":
        return Response(GATEWAY_PAGE, status=result.status, mimetype="text/html")
    if isinstance(result.answer, Picture):
        content, mime = result.answer.content, result.answer.mime
    else:
        content = json.dumps(result.answer, ensure_ascii=False).encode()
        mime = result.mime
    if result.broken == "truncate":
        half = content[: len(content) // 2]
        head = f"HTTP/1.1 200 OK\r\nContent-Type: {mime}\r\nContent-Length: {len(content)}\r\n\r\n"
        cut_connection(request.environ, head.encode() + half)
        return Response(b"")
    return Response(content, status=result.status, content_type=mime)
