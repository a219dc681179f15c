"""How gunicorn's threads read: a client that stalls costs a waiting thread, never the house.

A request that is there already is served by one of the few threads that run the house. Any other
is read by one of many that may wait, and handed over when it is whole; who takes too long is hung
up on, also who does not take the answer.
"""

from __future__ import annotations

import io
import re
import selectors
import socket
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from gunicorn.http.errors import NoMoreData  # type: ignore[import-untyped]
from gunicorn.workers.gthread import _DEFER, ThreadWorker  # type: ignore[import-untyped]

from server.base.clock import SystemClock
from server.base.web import unread

# Threads of one process that run the house, each with a connection to Redis, and those that wait.
RUNNING, READING = 32, 640
# Threads for WeChat's callbacks alone: they answer in time also while all others are occupied.
CALLING_BACK = 16
CALLBACK_PATHS = "/wechat/"
# A request has to be whole by then, an upload excepted; and the house has to be rid of it by then,
# reading an upload and sending the answer included.
REQUEST_SECONDS, HOUSE_SECONDS = 10.0, 30.0
# How long and how far a thread of the house looks at what has come before it hands it on.
_GLANCE_SECONDS, _GLANCE_BYTES = 0.02, 16 * 1024
# Bodies up to here are read before the house is asked: the limit of JSON and of callbacks.
_READ_BEFORE = 64 * 1024
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]{1,18})[ \t]*(?:\r\n|\Z)")
CALLBACK = re.compile(rb"[A-Z]{1,7} " + re.escape(CALLBACK_PATHS.encode()))
_CALLBACK_BYTES = 8 + len(CALLBACK_PATHS)
_HANDED_ON = object()


class PatientWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn is untyped
    """gunicorn's threaded worker with deadlines for reading."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._clock = SystemClock()
        self._readers = ThreadPoolExecutor(max_workers=READING, thread_name_prefix="reader")
        self._callbacks = ThreadPoolExecutor(CALLING_BACK, thread_name_prefix="callback")
        self._lock = threading.Lock()
        self._until: dict[Any, float] = {}

    def run(self) -> None:
        """Serve until told to stop; nobody who stalls then holds the process up."""
        try:
            super().run()
        finally:
            self._hang_up(late_at=float("inf"))

    def enqueue_req(self, conn: Any) -> None:
        """Give a connection to the threads that serve its request; on the thread that accepts."""
        begun = _beginning(conn)
        if begun is None and not conn.initialized:
            # Which threads it needs is known once it speaks; until then it costs none.
            self._wait_in_poller(conn)
            return
        if begun and len(begun) < _CALLBACK_BYTES:
            served = self._readers.submit(self._read_slowly, conn)
        else:
            pool = self._callbacks if CALLBACK.match(begun or b"") else self.tpool
            served = pool.submit(self.handle, conn)
        served.add_done_callback(
            lambda done: self.method_queue.defer(self.finish_request, conn, done)
        )

    def handle(self, conn: Any) -> Any:
        """A request of a connection, on a thread of the house, if it is there as a whole."""
        return super().handle(conn) if _is_whole(conn) else _HANDED_ON

    def finish_request(self, conn: Any, fs: Future[Any]) -> None:
        """What becomes of a connection afterwards; on the thread that accepts."""
        if fs.cancelled() or fs.exception() is not None or fs.result() is not _HANDED_ON:
            super().finish_request(conn, fs)
            return
        waiting = self._readers.submit(self._read_slowly, conn)
        waiting.add_done_callback(
            lambda done: self.method_queue.defer(self.finish_request, conn, done)
        )

    def handle_request(self, req: Any, conn: Any) -> Any:
        """Have the house answer; a request that came slowly is fetched whole before."""
        if not getattr(conn, "slow", False):
            return self._answered(req, conn)
        _fetch(req, conn)
        self._forget(conn)
        pool = self._callbacks if req.path.startswith(CALLBACK_PATHS) else self.tpool
        return pool.submit(self._answered, req, conn).result()

    def handle_error(self, _req: Any, client: socket.socket, _addr: Any, exc: Any) -> None:
        """Refuse what cannot be read; gunicorn hangs up afterwards."""
        # Who has gone away already need not be told.
        with suppress(OSError):
            client.sendall(unread.refusal(exc))

    def notify(self) -> None:
        """gunicorn's own sign of life, about once a second."""
        super().notify()
        self._hang_up(late_at=self._clock.monotonic())

    def _wait_in_poller(self, conn: Any) -> None:
        deferred: Future[Any] = Future()
        deferred.set_result(_DEFER)
        super().finish_request(conn, deferred)

    def _answered(self, req: Any, conn: Any) -> Any:
        self._allow(conn, HOUSE_SECONDS)
        try:
            return super().handle_request(req, conn)
        finally:
            self._forget(conn)

    def _read_slowly(self, conn: Any) -> Any:
        conn.slow = True
        self._allow(conn, REQUEST_SECONDS)
        try:
            return super().handle(conn)
        finally:
            self._forget(conn)
            conn.slow = False

    def _hang_up(self, late_at: float) -> None:
        with self._lock:
            for conn in [conn for conn, until in self._until.items() if until < late_at]:
                del self._until[conn]
                # The thread that reads or writes is told that there is nobody any more.
                with suppress(OSError):
                    conn.sock.shutdown(socket.SHUT_RDWR)

    def _allow(self, conn: Any, seconds: float) -> None:
        until = self._clock.monotonic() + seconds
        with self._lock:
            self._until[conn] = until

    def _forget(self, conn: Any) -> None:
        with self._lock:
            self._until.pop(conn, None)


def _beginning(conn: Any) -> bytes | None:
    """The first bytes of a request that has come; None when nothing has, empty after a hang-up."""
    read = bytes(conn.parser.unreader.buf.getvalue()) if conn.initialized else b""
    if read:
        return read
    try:
        return bytes(conn.sock.recv(_CALLBACK_BYTES, socket.MSG_PEEK | socket.MSG_DONTWAIT))
    except BlockingIOError:
        return None
    except OSError:
        return b""


def _is_whole(conn: Any) -> bool:
    """Whether reading the request will not wait; also true of a client that has hung up."""
    if not conn.initialized and not conn.wait_for_data(_GLANCE_SECONDS):
        return False
    if conn.initialized and conn.parser.unreader.buf.getvalue():
        # Its beginning was read together with the request before: the socket tells the rest only.
        return False
    try:
        missing, seen = _missing(conn.sock)
        # Head and body often come one right after the other.
        return missing == 0 or (0 < missing < _GLANCE_BYTES and _comes(conn.sock, seen + missing))
    except OSError:
        return False


def _missing(sock: socket.socket) -> tuple[int, int]:
    """How much of the request has still to come, -1 when nobody knows; and how much is there."""
    data = sock.recv(_GLANCE_BYTES, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    head, end, body = data.partition(b"\r\n\r\n")
    if not end:
        return (-1 if data else 0), len(data)
    head = head.lower()
    if b"\r\ntransfer-encoding:" in head or b"\r\nexpect:" in head:
        return -1, len(data)
    stated = _LENGTH.search(head)
    if stated is None:
        # Written in a way of its own, it is for gunicorn to read.
        return (-1 if b"\r\ncontent-length:" in head else 0), len(data)
    return max(0, int(stated[1]) - len(body)), len(data)


def _comes(sock: socket.socket, size: int) -> bool:
    """Whether that much is there within a glance."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, size)
    try:
        with selectors.DefaultSelector() as waiting:
            waiting.register(sock, selectors.EVENT_READ)
            waiting.select(_GLANCE_SECONDS)
        # A client that has hung up half-way is readable, too.
        return len(sock.recv(size, socket.MSG_PEEK | socket.MSG_DONTWAIT)) == size
    finally:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 1)


def _fetch(req: Any, conn: Any) -> None:
    """Read a body of usual size into the request's own buffer; a longer one is left to the house.

    A client that waits for "100 Continue" is told so.
    Raises: NoMoreData when the client is gone before its end; half a body is nobody's answer.
    """
    stated = next((int(value) for name, value in req.headers if name == "CONTENT-LENGTH"), 0)
    if stated > _READ_BEFORE:
        return
    if req._expected_100_continue:
        conn.sock.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        req._expected_100_continue = False
    data = req.body.read(_READ_BEFORE + 1)
    if len(data) < stated:
        raise NoMoreData(data)
    rest = req.body.buf.getvalue()
    req.body.buf = io.BytesIO()
    req.body.buf.write(data + rest)
