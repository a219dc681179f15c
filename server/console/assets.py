"""Styles and scripts of the console, served by the server itself under names with a hash.

`assets/` holds the console's own files. `static/` holds the libraries, built by Node
(`server/console/build.mjs`) and not stored in the repository; without it pages are plain.
"""

from __future__ import annotations

import gzip
import hashlib
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

from flask import Blueprint, Response, request

from server.console.form_session import PREFIX

_log = logging.getLogger(__name__)
OWN = Path(__file__).with_name("assets")
BUILT = Path(__file__).with_name("static")
LIBRARIES = ("bootstrap.css", "htmx.js", "dates.css", "dates.js", "charts.js")
_TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8"}
_HASH_LENGTH = 12
# The address changes with the content, so a cached copy never has to be revalidated.
_CACHE_CONTROL = "public, max-age=31536000, immutable"


def missing_libraries(folder: Path = BUILT) -> list[str]:
    """Names of the libraries that were not built."""
    return [name for name in LIBRARIES if not (folder / name).is_file()]


@dataclass(frozen=True)
class _Asset:
    """One file: its content and type."""

    name: str
    content: bytes

    @cached_property
    def address(self) -> str:
        stem, _, ending = self.name.rpartition(".")
        digest = hashlib.sha256(self.content).hexdigest()[:_HASH_LENGTH]
        return f"{PREFIX}/assets/{stem}.{digest}.{ending}"

    @cached_property
    def packed(self) -> bytes:
        return gzip.compress(self.content, mtime=0)

    @property
    def media(self) -> str:
        return _TYPES[Path(self.name).suffix]


class Assets:
    """All files of both folders, read once."""

    def __init__(self, folders: Iterable[Path] = (OWN, BUILT)) -> None:
        files = [path for folder in folders if folder.is_dir() for path in sorted(folder.iterdir())]
        self._assets = {
            path.name: _Asset(path.name, path.read_bytes())
            for path in files
            if path.suffix in _TYPES
        }
        missing = [name for name in LIBRARIES if name not in self._assets]
        if missing:
            _log.warning(
                "the console's pages are plain: build server/console/static (docs/operations.md)",
                extra={"count": len(missing)},
            )

    def address_of(self, name: str) -> str:
        """The address of a file by its plain name; empty when it was not built."""
        asset = self._assets.get(name)
        return "" if asset is None else asset.address

    def build_blueprint(self) -> Blueprint:
        """Build the routes of all files."""
        pages = Blueprint("console_assets", __name__)
        for name, asset in self._assets.items():
            view = partial(_serve_asset, asset)
            pages.add_url_rule(asset.address, name.replace(".", "_"), view)
        return pages


def _serve_asset(asset: _Asset) -> Response:
    zipped = request.accept_encodings.quality("gzip") > 0
    answer = Response(asset.packed if zipped else asset.content, content_type=asset.media)
    if zipped:
        answer.headers["Content-Encoding"] = "gzip"
    answer.headers["Vary"] = "Accept-Encoding"
    answer.headers["Cache-Control"] = _CACHE_CONTROL
    answer.headers["X-Content-Type-Options"] = "nosniff"
    return answer
