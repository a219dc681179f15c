"""gunicorn's worker class: one event loop handles all clients, threads run the application.

A thread gets a request only when it is completely received, and leaves its response to the loop
when the socket blocks. So a slow client occupies a connection, but never a thread or its database
or Redis connection. Each connection has one running request at a time.
"""

from __future__ import annotations

import errno
import os
import selectors
import socket
from collections import Counter, deque
from contextlib import suppress
from functools import partial
from selectors import EVENT_READ, EVENT_WRITE
from typing import Any, ClassVar

from gunicorn.workers.base import Worker  # type: ignore[import-untyped]

from server.base.clock import SystemClock
from server.base.web import bad_requests
from server.base.web.connection import Bounds, Connection, ConnectionState, address_of
from server.base.web.figures import BOOK
from server.base.web.fleet import FLEET
from server.base.web.listener import refuse_new_connections
from server.base.web.receiver import KeptSettings, wants_page
from server.base.web.request_threads import RequestThreads
from server.base.web.service_state import LEAVING
from server.base.web.wsgi_call import EnvironBuilder, ResponseBuilder

# Application threads of one process, each with a connection to Redis.
RUNNING = 32
# Separate threads for paths that must not wait for others: load balancer checks, and WeChat's
# callbacks with their five-second limit. By path prefix.
LANES = (("/healthz", 1), ("/readyz", 2), ("/metrics", 1), ("/wechat/", 16))
_TURN_SECONDS = 0.5
# Connections accepted per iteration of the event loop, so that other processes get their share.
_ACCEPTED_AT_ONCE = 4
# The time for which idle connections stay open after SIGTERM: a request may be on its way.
_LAST_CALL_SECONDS = 2.0
_FULL = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)


class BufferedWorker(Worker):  # type: ignore[misc]  # gunicorn is untyped
    """A gunicorn worker process; `bounds` is set before gunicorn starts it."""

    bounds: ClassVar[Bounds] = Bounds()
    lanes: ClassVar[tuple[tuple[str, int], ...]] = LANES

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._clock = SystemClock().monotonic
        self._slot = FLEET.take_slot(self.age)
        self._connections: set[Connection] = set()
        self._of_address: Counter[str] = Counter()
        self._answered: deque[Connection] = deque()
        self._accepting = False
        self._may_accept_at = 0.0
        self._swept_at = 0.0
        self._leaving_since: float | None = None
        self._replaced = False
        self._door_closed_at: float | None = None

    def init_process(self) -> None:
        """Create what cannot be shared with the master, and serve until the end."""
        if self._slot is not None:
            FLEET.note_started(self._slot)
            BOOK.use_arena(self._slot)
        self._selector = selectors.DefaultSelector()
        self._wake_up, self._ear = socket.socketpair()
        for end in (self._wake_up, self._ear):
            end.setblocking(False)
        self._rung = False
        self._settings = KeptSettings(self.cfg)
        self._environs = EnvironBuilder(self._settings)
        self._house = RequestThreads(self.cfg.threads, "house")
        self._lanes = [
            (path, RequestThreads(threads, path.strip("/"))) for path, threads in self.lanes
        ]
        super().init_process()

    def run(self) -> None:
        """The event loop; after SIGTERM it ends when all responses are sent."""
        self._selector.register(self._ear, EVENT_READ, self._hear_wake_up)
        self._selector.register(self.PIPE[0], EVENT_READ, self._hear_signal)
        self._accept_more(True)
        if self._slot is not None:
            FLEET.note_serving(self._slot)
        try:
            self._serve_until_left()
        finally:
            for threads in (self._house, *(threads for _, threads in self._lanes)):
                threads.end_threads()

    def _serve_until_left(self) -> None:
        while not self._has_left():
            self._settle_answered()
            # A response that is added after this check wakes the loop if it must; see
            # `_answer_request`.
            events = self._selector.select(0 if self._answered else _TURN_SECONDS)
            # Settled before the events are handled, because one may be the next request of the same
            # client.
            self._settle_answered()
            for key, ready in events:
                key.data(ready)
            self._sweep_connections()
        for connection in list(self._connections):
            self._close_connection(connection)

    # Accepting

    def _accept_more(self, wanted: bool) -> None:
        if wanted == self._accepting:
            return
        self._accepting = wanted
        for door in self.sockets:
            if wanted:
                door.setblocking(False)
                self._selector.register(door, EVENT_READ, partial(self._accept_connections, door))
            else:
                self._selector.unregister(door)

    def _accept_connections(
        self, door: Any, _ready: int = 0, at_once: int = _ACCEPTED_AT_ONCE
    ) -> None:
        for _ in range(at_once):
            try:
                sock, peer = door.accept()
            except OSError as trouble:
                if trouble.errno in _FULL:
                    # Out of file handles; in a second some clients will have disconnected.
                    self._may_accept_at = self._clock() + 1.0
                    self._accept_more(False)
                return
            self._register_client(sock, peer, door.getsockname())

    def _register_client(self, sock: socket.socket, peer: Any, server: Any) -> None:
        address = address_of(peer)
        limit = self.bounds.per_address
        if address and limit is not None and self._of_address[address] >= limit:
            with suppress(OSError):
                sock.setblocking(False)
                sock.send(bad_requests.too_many_connections())
            sock.close()
            return
        connection = Connection(sock, peer, server, self._settings)
        self._connections.add(connection)
        self._of_address[address] += 1
        connection.until = self._clock() + self.bounds.request_seconds
        self._watch_connection(connection, EVENT_READ)

    # Receiving

    def _serve_connection(self, connection: Connection, ready: int) -> None:
        try:
            if connection.state is ConnectionState.CLOSED:
                # Closed by an earlier event of this iteration.
                return
            if ready & EVENT_WRITE:
                self._send_on(connection)
            elif connection.state is ConnectionState.RECEIVING:
                self._receive_bytes(connection)
            elif connection.state is ConnectionState.LINGERING:
                self._discard_connection(connection)
            else:
                # More arrived before the response was sent: it stays in the kernel's buffer
                # meanwhile.
                self._watch_connection(connection, connection.watched & ~EVENT_READ)
        except OSError:
            self._close_connection(connection)

    def _receive_bytes(self, connection: Connection) -> None:
        data = connection.receive_bytes()
        if data is None:
            return
        if not data:
            # An incomplete request is never run: an empty body would submit a paper without
            # answers.
            self._close_connection(connection)
            return
        now = self._clock()
        if not connection.receiver.begun:
            connection.until = now + self.bounds.request_seconds
        connection.heard_at = now
        self._advance_request(connection, data)

    def _advance_request(self, connection: Connection, data: bytes) -> None:
        receiver = connection.receiver
        before = receiver.expected_bytes
        try:
            request = receiver.add_bytes(data)
        except Exception as trouble:
            self._refuse_request(connection, trouble)
            return
        if request is not None:
            self._ask_house(connection, request)
            return
        if not before and receiver.expected_bytes:
            connection.until += receiver.expected_bytes / self.bounds.body_bytes_per_second
        if receiver.take_expectation():
            connection.unsent = memoryview(b"HTTP/1.1 100 Continue\r\n\r\n")
            if not connection.send_bytes():
                self._close_connection(connection)

    def _refuse_request(self, connection: Connection, trouble: Exception) -> None:
        receiver, connection.keep = connection.receiver, False
        connection.unsent = memoryview(bad_requests.build_refusal(trouble, receiver.wants_page))
        receiver.drop_received()
        self._send_on(connection)

    # Answering

    def _ask_house(self, connection: Connection, request: Any) -> None:
        connection.state = ConnectionState.ANSWERING
        lanes = (threads for path, threads in self._lanes if request.path.startswith(path))
        next(lanes, self._house).submit(self._answer_request, connection, request)

    def _answer_request(self, connection: Connection, request: Any) -> None:
        """Runs on an application thread."""
        try:
            content, connection.keep = self._run_app(request, connection)
        except Exception as trouble:
            content = bad_requests.build_refusal(trouble, wants_page(request))
            connection.keep = False
        with suppress(OSError):
            request.body.close()
        connection.unsent = memoryview(content)
        # Most responses fit into the socket buffer; the loop sends the rest of larger ones, and
        # detects disconnected clients.
        with suppress(OSError):
            connection.send_bytes()
        done = not connection.unsent and connection.keep and not connection.receiver.begun
        self._answered.append(connection)
        # The next request of the client wakes the loop by itself, unless the loop has stopped
        # watching. Read after the append, so that one of the two sees what the other has done.
        if not done or not connection.watched:
            self._wake_loop()

    def _run_app(self, request: Any, connection: Connection) -> tuple[bytes, bool]:
        """Run the app; return the response, and whether the connection is kept."""
        environ = self._environs.build_environ(request, connection.peer, connection.server)
        response = ResponseBuilder(request)
        parts = self.wsgi(environ, response.start_response)
        try:
            for part in parts:
                response.add_part(part)
        finally:
            if hasattr(parts, "close"):
                parts.close()
        # Checked after the response, because SIGTERM may have arrived meanwhile.
        return response.build_response(close=not (self.alive and self._settings.keepalive))

    def _wake_loop(self) -> None:
        if not self._rung:
            self._rung = True
            # A full pipe contains a wake-up already; a closed one has no reader.
            with suppress(OSError):
                self._wake_up.send(b"\0")

    def _hear_wake_up(self, _ready: int) -> None:
        with suppress(BlockingIOError):
            self._ear.recv(1024)
        # Reset before the loop settles; otherwise a wake-up between the two would be lost.
        self._rung = False

    def _settle_answered(self) -> None:
        while self._answered:
            connection = self._answered.popleft()
            try:
                self._send_on(connection)
            except OSError:
                self._close_connection(connection)

    def _hear_signal(self, _ready: int) -> None:
        with suppress(BlockingIOError):
            os.read(self.PIPE[0], 1024)

    # Sending

    def _send_on(self, connection: Connection) -> None:
        now = self._clock()
        if not connection.send_bytes():
            if connection.state is not ConnectionState.SENDING:
                seconds = len(connection.unsent) / self.bounds.answer_bytes_per_second
                connection.until = now + self.bounds.answer_seconds + seconds
                connection.state = ConnectionState.SENDING
            self._watch_connection(connection, EVENT_WRITE)
            return
        if connection.keep:
            connection.state = ConnectionState.RECEIVING
            connection.heard_at = now
            self._watch_connection(connection, EVENT_READ)
            waits = self.bounds.request_seconds if connection.receiver.begun else self._idle_seconds
            connection.until = now + waits
            if connection.receiver.begun:
                self._advance_request(connection, b"")
            return
        connection.end_sending()
        connection.state = ConnectionState.LINGERING
        connection.until = now + self.bounds.linger_seconds
        self._watch_connection(connection, EVENT_READ)

    @property
    def _idle_seconds(self) -> float:
        if self._door_closed_at is not None:
            return _LAST_CALL_SECONDS
        return float(self._settings.keepalive)

    def _discard_connection(self, connection: Connection) -> None:
        data = connection.receive_bytes()
        if data is None:
            return
        connection.lingered_bytes += len(data)
        if not data or connection.lingered_bytes > self.bounds.linger_bytes:
            self._close_connection(connection)

    # Ending

    def _watch_connection(self, connection: Connection, wanted: int) -> None:
        if wanted == connection.watched:
            return
        if not connection.watched:
            self._selector.register(
                connection.sock, wanted, partial(self._serve_connection, connection)
            )
        elif wanted:
            self._selector.modify(
                connection.sock, wanted, partial(self._serve_connection, connection)
            )
        else:
            self._selector.unregister(connection.sock)
        connection.watched = wanted

    def _close_connection(self, connection: Connection) -> None:
        if connection.state is ConnectionState.CLOSED:
            return
        self._watch_connection(connection, 0)
        connection.close_socket()
        self._connections.discard(connection)
        address = address_of(connection.peer)
        self._of_address[address] -= 1
        if not self._of_address[address]:
            del self._of_address[address]

    def _sweep_connections(self) -> None:
        now = self._clock()
        if now - self._swept_at < _TURN_SECONDS:
            return
        self._swept_at = now
        self.notify()
        for connection in [one for one in self._connections if one.is_late(now, self.bounds)]:
            self._close_connection(connection)
        if self._door_closed_at is None:
            there_is_room = len(self._connections) < self.cfg.worker_connections
            self._accept_more(there_is_room and now >= self._may_accept_at)
        if os.getppid() != self.ppid:
            # The master was killed, so nothing would restart this worker.
            self.alive = False

    def _has_left(self) -> bool:
        """Whether this process is done; after SIGTERM it stops in steps."""
        if self.alive:
            return False
        now = self._clock()
        if self._leaving_since is None:
            self._leaving_since = now
            self._replaced = FLEET.count_younger(self.age) >= self.cfg.workers
            if not self._replaced:
                LEAVING.set()
        if self._door_closed_at is None and self._may_close_door(now - self._leaving_since):
            self._close_door(now)
        if self._door_closed_at is None:
            return False
        patience = self.cfg.graceful_timeout - self.bounds.drain_seconds - 1
        return not self._connections or now - self._door_closed_at > patience

    def _may_close_door(self, seconds: float) -> bool:
        """Whether others can take over: younger workers, or a proxy that watches readiness."""
        if self._replaced and FLEET.count_younger(self.age):
            return not FLEET.younger_are_starting(self.age)
        return seconds >= self.bounds.drain_seconds

    def _close_door(self, now: float) -> None:
        self._door_closed_at = now
        self._accept_more(False)
        for door in self.sockets:
            if not self._replaced:
                refuse_new_connections(door)
            # Connections already in the backlog are accepted, because closing the socket would
            # reset them.
            self._accept_connections(door, at_once=self.cfg.backlog)
            door.close()
        for connection in self._connections:
            if connection.state is ConnectionState.RECEIVING and not connection.receiver.begun:
                connection.until = min(connection.until, now + _LAST_CALL_SECONDS)
