"""The HTTP client for callbacks: one request, with one deadline for the whole response.

Follows no redirect, uses no proxy and keeps no connection, like WeChat's own pushes.
"""

from __future__ import annotations

import contextlib
import http.client
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Outcome:
    """The response; without a status, `trouble` is `timeout` or `no-connection`."""

    status: int | None
    body: bytes
    ms: int
    trouble: str | None = None


# (method, url, body, content type, deadline in seconds) -> outcome
Sender: TypeAlias = Callable[[str, str, bytes, str, float], Outcome]


def send_request(
    method: str, url: str, body: bytes, content_type: str, deadline_s: float
) -> Outcome:
    """Send one request and read its whole response, or stop at the deadline."""
    begun = time.monotonic()
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(
        parts.hostname or "", parts.port or 80, timeout=deadline_s
    )
    late = threading.Event()
    watch = threading.Timer(deadline_s, _cut_connection, (connection, late))
    watch.daemon = True
    try:
        watch.start()
        headers = {"Content-Type": content_type, "User-Agent": "Mozilla/4.0", "Accept": "*/*"}
        path = f"{parts.path}?{parts.query}" if parts.query else parts.path
        connection.request(method, path, body or None, headers)
        answer = connection.getresponse()
        content = answer.read()
        status: int | None = None if late.is_set() else answer.status
        trouble = "timeout" if late.is_set() else None
    except (OSError, http.client.HTTPException) as error:
        timed_out = late.is_set() or isinstance(error, TimeoutError)
        status, content, trouble = None, b"", "timeout" if timed_out else "no-connection"
    finally:
        watch.cancel()
        connection.close()
    return Outcome(status, content, round((time.monotonic() - begun) * 1000), trouble)


def _cut_connection(connection: http.client.HTTPConnection, late: threading.Event) -> None:
    late.set()
    if connection.sock is not None:
        # The peer may have closed the socket in the same moment.
        with contextlib.suppress(OSError):
            connection.sock.shutdown(socket.SHUT_RDWR)
