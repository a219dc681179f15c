"""The WSGI side of the worker: the environ of a request, and the response as bytes.

gunicorn's own functions do the same for a socket. They build everything again for each request,
which costs more CPU than most applications; here a response is complete before it is sent, and
what requests have in common is built once. The same checks apply to the application's headers.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, TypeAlias

from gunicorn import SERVER, util  # type: ignore[import-untyped]
from gunicorn.http import wsgi  # type: ignore[import-untyped]

from server.base.clock import SystemClock

Environ: TypeAlias = dict[str, Any]

_STATUS = re.compile(r"[0-9]{3}(?: [ \t\x21-\x7e\x80-\xff]*)?")
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUES = re.compile(r"[ \t\x21-\x7e\x80-\xff]*")
_BLANKS = " \t"
_LENGTH = "content-length"
_NAMES_KEPT = 256


class EnvironBuilder:
    """Builds environs; `settings` are gunicorn's."""

    def __init__(self, settings: Any) -> None:
        self._settings = settings
        self._base: Environ = {**wsgi.base_environ(settings), "wsgi.multithread": True}
        # Below a prefix gunicorn changes the path.
        self._has_prefix = bool(os.environ.get("SCRIPT_NAME"))  # noqa: TID251 - gunicorn's setting

    def build_environ(self, request: Any, peer: Any, server: Any) -> Environ:
        """Build the environ of a request, as gunicorn would."""
        over_tcp = isinstance(peer, tuple) and isinstance(server, tuple)
        if not over_tcp or self._has_prefix or request.proxy_protocol_info:
            return self._ask_gunicorn(request, peer, server)
        path: str = request.path
        major, minor = request.version
        environ: Environ = {
            **self._base,
            "wsgi.input": request.body,
            "wsgi.url_scheme": request.scheme,
            "REQUEST_METHOD": request.method,
            "QUERY_STRING": request.query,
            "RAW_URI": request.uri,
            "SERVER_PROTOCOL": f"HTTP/{major}.{minor}",
            "REMOTE_ADDR": peer[0],
            "REMOTE_PORT": str(peer[1]),
            "SERVER_NAME": server[0],
            "SERVER_PORT": str(server[1]),
            "PATH_INFO": util.unquote_to_wsgi_str(path) if "%" in path else path,
            "SCRIPT_NAME": "",
        }
        for name, value in request.headers:
            if "_" in name:
                # From a trusted proxy such a header may set the prefix.
                return self._ask_gunicorn(request, peer, server)
            key = _environ_key(name)
            environ[key] = f"{environ[key]},{value}" if key in environ else value
        return environ

    def _ask_gunicorn(self, request: Any, peer: Any, server: Any) -> Environ:
        _, environ = wsgi.create(request, None, peer, server, self._settings)
        environ["wsgi.multithread"] = True
        made: Environ = environ
        return made


class ResponseBuilder:
    """Collects the response of an application to one request."""

    def __init__(self, request: Any) -> None:
        self._request = request
        self._status = ""
        self._headers: list[tuple[str, str]] = []
        self._stated: int | None = None
        self._parts: list[bytes] = []

    def start_response(
        self, status: str, headers: Sequence[tuple[str, str]], exc_info: object = None
    ) -> Callable[[bytes], None]:
        """WSGI's function: status and headers; with `exc_info` they replace earlier ones.

        Raises: ValueError, TypeError for what must not be sent.
        """
        if self._status and not exc_info:
            raise AssertionError("the response has been started twice")
        if not _STATUS.fullmatch(status):
            raise ValueError("the application has returned an invalid status")
        kept = [header for header in headers if not _is_dropped(header[0])]
        if not _VALUES.fullmatch("".join([value for _, value in kept])):
            # The message does not contain the value, which may be personal.
            raise ValueError("a header of the application has an invalid character")
        self._status, self._headers, self._stated = status, kept, None
        for name, value in kept:
            if name.lower() == _LENGTH:
                self._stated = int(value)
        return self.add_part

    def add_part(self, data: bytes) -> None:
        """Add a part of the body."""
        self._parts.append(data)

    def build_response(self, close: bool) -> tuple[bytes, bool]:
        """Build the complete response; return it, and whether the connection can be kept."""
        if not self._status:
            raise AssertionError("the application has not started its response")
        code, body = int(self._status[:3]), b"".join(self._parts)
        headers = self._headers
        if self._request.method == "HEAD" or code in (204, 304) or code < 200:
            if code == 204 or code < 200:
                headers = [header for header in headers if header[0].lower() != _LENGTH]
            body = b""
        elif self._stated is None:
            headers = [*headers, ("Content-Length", str(len(body)))]
        else:
            # The client would wait for missing bytes, and read surplus bytes as the next response.
            close = close or len(body) < self._stated
            body = body[: self._stated]
        close = close or self._request.should_close()
        return self._encode_head(headers, close) + body, not close

    def _encode_head(self, headers: list[tuple[str, str]], close: bool) -> bytes:
        major, minor = self._request.version
        lines = [
            f"HTTP/{major}.{minor} {self._status}\r\nServer: {SERVER}\r\nDate: {_http_date()}\r\n"
            f"Connection: {'close' if close else 'keep-alive'}\r\n"
        ]
        lines += [f"{name}: {value.strip(_BLANKS)}\r\n" for name, value in headers]
        lines.append("\r\n")
        return "".join(lines).encode("latin-1")


@lru_cache(_NAMES_KEPT)
def _environ_key(name: str) -> str:
    if name in ("CONTENT-TYPE", "CONTENT-LENGTH"):
        return name.replace("-", "_")
    return f"HTTP_{name.replace('-', '_')}"


@lru_cache(_NAMES_KEPT)
def _is_dropped(name: str) -> bool:
    """Whether a header is the server's own.

    Raises: ValueError when it is no name of a header.
    """
    if not _NAME.fullmatch(name):
        raise ValueError("the application has returned an invalid name of a header")
    dropped: bool = util.is_hoppish(name)
    return dropped


class _Date:
    """The Date header's value, formatted at most once a second."""

    def __init__(self) -> None:
        self._kept = (-1, "")

    def say_date(self) -> str:
        second = int(SystemClock.monotonic())
        kept = self._kept
        if kept[0] != second:
            kept = self._kept = (second, util.http_date())
        return kept[1]


_http_date = _Date().say_date
