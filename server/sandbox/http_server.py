"""The emulator's HTTP server: a thread for each connection, connections kept alive.

The application always reads the whole body, so that a kept connection starts clean.
"""

from __future__ import annotations

import contextlib
import io
import socket
import struct
from typing import Any

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server
from werkzeug.wsgi import get_input_stream

IDLE_SECONDS = 75


class QuietHandler(WSGIRequestHandler):
    """Keeps the connection, and leaves the access log to the call log."""

    timeout = IDLE_SECONDS
    disable_nagle_algorithm = True

    def send_header(self, keyword: str, value: str) -> None:
        """Everything but the `Connection: close` that the base class always adds."""
        if keyword == "Connection" and not self.close_connection:
            return
        super().send_header(keyword, value)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Said in the call log already."""

    def log(self, type: str, message: str, *args: Any) -> None:
        """A peer that went away is nobody's news."""


def listen(app: Any, port: int) -> BaseWSGIServer:
    """A server on the loopback address; port 0 takes a free one."""
    return make_server("127.0.0.1", port, app, threaded=True, request_handler=QuietHandler)


def drained(app: Any) -> Any:
    """The same application over a body that has been read whole."""

    def whole(environ: dict[str, Any], start_response: Any) -> Any:
        environ["wsgi.input"] = io.BytesIO(get_input_stream(environ).read())
        return app(environ, start_response)

    return whole


def cut(environ: dict[str, Any], first: bytes = b"") -> None:
    """End the connection in the middle of an answer, after `first`; the peer sees a reset."""
    connection: socket.socket = environ["werkzeug.socket"]
    # The peer may be gone already: then there is nothing to cut.
    with contextlib.suppress(OSError):
        if first:
            connection.sendall(first)
        else:
            linger = struct.pack("ii", 1, 0)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        connection.shutdown(socket.SHUT_RDWR)
