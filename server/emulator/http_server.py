"""The emulator's HTTP server: one thread per connection, with keep-alive.

Werkzeug's own handler closes the connection after each response, after a wait. Clients reuse their
connections to the real platform, so this server keeps them open too.
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


class KeepingHandler(WSGIRequestHandler):
    """Request handler with keep-alive and without an access log."""

    protocol_version = "HTTP/1.1"
    timeout = IDLE_SECONDS
    disable_nagle_algorithm = True

    def run_wsgi(self) -> None:
        """Read one request completely and write its response in one piece."""
        environ = self.make_environ()
        environ["wsgi.input"] = io.BytesIO(get_input_stream(environ).read())
        started: list[Any] = []

        def start_response(
            status: str, headers: list[tuple[str, str]], _trouble: Any = None
        ) -> Any:
            started[:] = [status, headers]

        chunks = self.server.app(environ, start_response)
        try:
            content = b"".join(chunks)
        finally:
            if hasattr(chunks, "close"):
                chunks.close()
        self._write_response(started[0], started[1], content)

    def _write_response(self, status: str, headers: list[tuple[str, str]], content: bytes) -> None:
        code, _, words = status.partition(" ")
        self.send_response(int(code), words)
        for name, value in headers:
            self.send_header(name, value)
        if not any(name.lower() == "content-length" for name, _value in headers):
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Do nothing: the call log already has the request."""

    def log(self, type: str, message: str, *args: Any) -> None:
        """Do nothing: messages about disconnected clients are of no use."""


def create_server(app: Any, port: int) -> BaseWSGIServer:
    """Create a server on the loopback address; port 0 selects a free one."""
    return make_server("127.0.0.1", port, app, threaded=True, request_handler=KeepingHandler)


def cut_connection(environ: dict[str, Any], first: bytes = b"") -> None:
    """Reset the connection in the middle of a response, after sending `first`."""
    connection: socket.socket = environ["werkzeug.socket"]
    # The client may have disconnected already.
    with contextlib.suppress(OSError):
        if first:
            connection.sendall(first)
        else:
            linger = struct.pack("ii", 1, 0)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        connection.shutdown(socket.SHUT_RDWR)
