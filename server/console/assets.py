"""The console's own style sheet, served by the server itself."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from flask import Blueprint, Response

from server.console.form_session import PREFIX

FOLDER = Path(__file__).with_name("assets")
_TYPES = {".css": "text/css; charset=utf-8"}
_KEEP_SECONDS = 300


def asset_pages() -> Blueprint:
    """The routes of the files in `assets/`, read once."""
    pages = Blueprint("console_assets", __name__, url_prefix=f"{PREFIX}/assets")
    files = {
        path.name: (path.read_bytes(), _TYPES[path.suffix])
        for path in FOLDER.iterdir()
        if path.suffix in _TYPES
    }

    for name, (content, media) in files.items():
        pages.add_url_rule(f"/{name}", name.replace(".", "_"), partial(_show, content, media))
    return pages


def _show(content: bytes, media: str) -> Response:
    answer = Response(content, content_type=media)
    answer.headers["Cache-Control"] = f"public, max-age={_KEEP_SECONDS}"
    answer.headers["X-Content-Type-Options"] = "nosniff"
    return answer
