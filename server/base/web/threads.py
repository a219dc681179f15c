"""How gunicorn's threads read: a client that stalls costs a thread that waits, never the house.

Many threads may wait for their clients, a few of them at a time run the house with a whole request,
and whoever has not sent one in time is hung up on.
"""

from __future__ import annotations

import io
import socket
import threading
from contextlib import suppress
from typing import Any

from gunicorn.workers.gthread import ThreadWorker  # type: ignore[import-untyped]

from server.base.clock import SystemClock

# Threads of one process that run the house, and those that may wait for a client.
RUNNING, READING = 32, 640
# A request has to be whole by then; an upload may take longer.
REQUEST_SECONDS, UPLOAD_SECONDS = 10.0, 30.0
# Bodies up to here are read before it is their turn: the limit of JSON and of callbacks.
_READ_BEFORE = 64 * 1024


class PatientWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn is untyped
    """gunicorn's threaded worker with deadlines for reading."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._clock = SystemClock()
        self._turns = threading.BoundedSemaphore(RUNNING)
        self._lock = threading.Lock()
        self._until: dict[Any, float] = {}

    def handle(self, conn: Any) -> Any:
        """One request of a connection, from its first byte on."""
        self._allow(conn, REQUEST_SECONDS)
        try:
            return super().handle(conn)
        finally:
            self._forget(conn)

    def handle_request(self, req: Any, conn: Any) -> Any:
        """A request whose head is there: fetch its body, then wait for a turn."""
        if _fetched(req):
            self._forget(conn)
        else:
            self._allow(conn, UPLOAD_SECONDS)
        with self._turns:
            return super().handle_request(req, conn)

    def notify(self) -> None:
        """gunicorn's own sign of life, about once a second; hangs up on who is late."""
        super().notify()
        now = self._clock.monotonic()
        with self._lock:
            for conn in [conn for conn, until in self._until.items() if until < now]:
                del self._until[conn]
                # The thread that reads it is told that there is no more.
                with suppress(OSError):
                    conn.sock.shutdown(socket.SHUT_RDWR)

    def _allow(self, conn: Any, seconds: float) -> None:
        until = self._clock.monotonic() + seconds
        with self._lock:
            self._until[conn] = until

    def _forget(self, conn: Any) -> None:
        with self._lock:
            self._until.pop(conn, None)


def _fetched(req: Any) -> bool:
    """Read a body of usual size into the request's own buffer; False when it is left to the house.

    A client that waits for "100 Continue" is told so by gunicorn, later.
    """
    stated = [value for name, value in req.headers if name == "CONTENT-LENGTH"]
    if req._expected_100_continue or any(int(value) > _READ_BEFORE for value in stated):
        return False
    data = req.body.read(_READ_BEFORE + 1)
    rest = req.body.buf.getvalue()
    req.body.buf = io.BytesIO()
    req.body.buf.write(data + rest)
    return len(data) <= _READ_BEFORE
