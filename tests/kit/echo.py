"""A WSGI application that describes each request it gets, and workers with smaller limits."""

from __future__ import annotations

import hashlib
import os
import socket
from collections.abc import Callable, Iterable
from typing import Any

from server.base.web.connection import Bounds
from server.base.web.gunicorn_worker import BufferedWorker
from server.base.web.service_state import LEAVING

# A response of this many bytes does not fit into a socket's buffer.
LONG = 16 * 1024 * 1024
FEW_CONNECTIONS = 5


class HastyWorker(BufferedWorker):
    """The product's worker with a timeout of one second."""

    bounds = Bounds(
        request_seconds=1.0,
        body_bytes_per_second=1024 * 1024 * 1024,
        answer_seconds=1.0,
        answer_bytes_per_second=1024 * 1024 * 1024,
        linger_seconds=1.0,
    )


class NarrowWorker(BufferedWorker):
    """The product's worker with few connections per address."""

    bounds = Bounds(per_address=FEW_CONNECTIONS)


class SharingWorker(BufferedWorker):
    """The product's worker without separate threads for special paths."""

    lanes = ()


class DrainingWorker(BufferedWorker):
    """The product's worker, which still accepts connections for a while after SIGTERM."""

    bounds = Bounds(drain_seconds=3.0)


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Describe the request: method, path, length and digest of the body."""
    body = environ["wsgi.input"].read()
    words = (environ["REQUEST_METHOD"], environ["PATH_INFO"], str(len(body)), digest(body))
    said = " ".join(words).encode()
    if environ["PATH_INFO"] == "/held":
        _wait_for(int(environ["QUERY_STRING"]))
    if environ["PATH_INFO"] == "/long":
        said *= LONG // len(said)
    if environ["PATH_INFO"] == "/pid":
        said = str(os.getpid()).encode()
    leaving = environ["PATH_INFO"] == "/readyz" and LEAVING.is_set()
    status = "503 Service Unavailable" if leaving else "200 OK"
    start_response(status, [("Content-Length", str(len(said)))])
    return [b"" if environ["REQUEST_METHOD"] == "HEAD" else said]


def _wait_for(port: int) -> None:
    """Occupy this thread until the listener on the port closes the connection."""
    with socket.create_connection(("127.0.0.1", port)) as waiting:
        waiting.recv(1)


def digest(body: bytes) -> str:
    """A short digest."""
    return hashlib.sha256(body).hexdigest()[:16]
