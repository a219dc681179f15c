"""A program behind gunicorn that tells what has reached it, and workers that lack something."""

from __future__ import annotations

import hashlib
import re
import socket
from collections.abc import Callable, Iterable
from typing import Any

from server.base.web import threads

# Bytes of an answer that no socket holds.
LONG = 32 * 1024 * 1024


class HastyWorker(threads.PatientWorker):
    """The worker of the house, which waits a second only."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        threads.REQUEST_SECONDS = threads.HOUSE_SECONDS = 1.0


class SharingWorker(threads.PatientWorker):
    """The worker of the house without threads of their own for callbacks."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        threads.CALLBACK = re.compile(rb"(?!)")


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """What came, in words: method, path, length and digest of the body."""
    body = environ["wsgi.input"].read()
    words = (environ["REQUEST_METHOD"], environ["PATH_INFO"], str(len(body)), digest(body))
    said = " ".join(words).encode()
    if environ["PATH_INFO"] == "/held":
        _wait_for(int(environ["QUERY_STRING"]))
    if environ["PATH_INFO"] == "/long":
        said *= LONG // len(said)
    start_response("200 OK", [("Content-Length", str(len(said)))])
    return [b"" if environ["REQUEST_METHOD"] == "HEAD" else said]


def _wait_for(port: int) -> None:
    """Occupy this thread until whoever listens on the port hangs up."""
    with socket.create_connection(("127.0.0.1", port)) as waiting:
        waiting.recv(1)


def digest(body: bytes) -> str:
    """A short digest."""
    return hashlib.sha256(body).hexdigest()[:16]
