"""A program behind gunicorn that tells what has reached it, and workers that lack something."""

from __future__ import annotations

import hashlib
import os
import socket
from collections.abc import Callable, Iterable
from typing import Any

from server.base.web.connection import Bounds
from server.base.web.gunicorn_worker import BufferedWorker
from server.base.web.service_state import LEAVING

# Bytes of an answer that no socket holds.
LONG = 16 * 1024 * 1024
FEW_CONNECTIONS = 5


class HastyWorker(BufferedWorker):
    """The worker of the house, which waits a second only."""

    bounds = Bounds(
        request_seconds=1.0,
        body_bytes_per_second=1024 * 1024 * 1024,
        answer_seconds=1.0,
        answer_bytes_per_second=1024 * 1024 * 1024,
        linger_seconds=1.0,
    )


class NarrowWorker(BufferedWorker):
    """The worker of the house, which lets an address have few connections."""

    bounds = Bounds(per_address=FEW_CONNECTIONS)


class SharingWorker(BufferedWorker):
    """The worker of the house without threads of their own for anybody."""

    lanes = ()


class DrainingWorker(BufferedWorker):
    """The worker of the house, which still serves for a while when it is told to stop."""

    bounds = Bounds(drain_seconds=3.0)


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """What came, in words: method, path, length and digest of the body."""
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
    """Occupy this thread until whoever listens on the port hangs up."""
    with socket.create_connection(("127.0.0.1", port)) as waiting:
        waiting.recv(1)


def digest(body: bytes) -> str:
    """A short digest."""
    return hashlib.sha256(body).hexdigest()[:16]
