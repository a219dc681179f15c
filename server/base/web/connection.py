"""One client's connection: what is received, what is still to be sent, and until when."""

from __future__ import annotations

import socket
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from typing import Any

from server.base.web.receiver import Receiver

_RECEIVE_BYTES = 64 * 1024


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """How long and how much a client may take; none of it holds a thread.

    Units: seconds and bytes; `per_address` is connections of one address to one process, None for
    any number.
    """

    # Nothing is heard for so long, or the head is not whole by then.
    request_seconds: float = 10.0
    # A body may take as much longer as it takes at this pace, and an answer likewise.
    body_bytes_per_second: int = 32 * 1024
    answer_seconds: float = 30.0
    answer_bytes_per_second: int = 4 * 1024
    # What still comes after the last answer is read and thrown away: closing at once would make
    # the kernel reset the connection, and the client would lose the answer.
    linger_seconds: float = 10.0
    linger_bytes: int = 64 * 1024 * 1024
    per_address: int | None = 1024
    # How long connections are accepted after SIGTERM; a proxy must notice /readyz by then.
    drain_seconds: float = 0.0


class State(Enum):
    """Where a connection is; it goes round from RECEIVING to SENDING and ends with LINGERING."""

    RECEIVING = 1
    ANSWERING = 2
    SENDING = 3
    LINGERING = 4
    CLOSED = 5


class Connection:
    """A client, used by the loop; while ANSWERING the thread of the house alone may send."""

    def __init__(self, sock: socket.socket, peer: Any, server: Any, cfg: Any) -> None:
        sock.setblocking(False)
        self.sock = sock
        self.peer = peer
        self.server = server
        self.receiver = Receiver(cfg, peer)
        self.state = State.RECEIVING
        self.watched = 0
        self.unsent = memoryview(b"")
        # Whether another request may follow the answer that is being sent.
        self.keep = True
        self.heard_at = 0.0
        self.until = 0.0
        self.lingered_bytes = 0

    def receive(self) -> bytes | None:
        """What is there; empty when the client has closed, None when nothing is there.

        Raises: OSError when the connection is broken.
        """
        try:
            return self.sock.recv(_RECEIVE_BYTES)
        except (BlockingIOError, InterruptedError):
            return None

    def send(self) -> bool:
        """Send what the socket takes without waiting; whether all is sent.

        Raises: OSError when the connection is broken.
        """
        while self.unsent:
            try:
                sent = self.sock.send(self.unsent)
            except (BlockingIOError, InterruptedError):
                return False
            self.unsent = self.unsent[sent:]
        return True

    def end_sending(self) -> None:
        """Tell the client that no more follows; what it still sends can be read."""
        with suppress(OSError):
            self.sock.shutdown(socket.SHUT_WR)

    def is_late(self, now: float, bounds: Bounds) -> bool:
        """Whether the client has used up its time."""
        if self.state is State.ANSWERING:
            return False
        silent = self.state is State.RECEIVING and self.receiver.begun
        return now > self.until or (silent and now - self.heard_at > bounds.request_seconds)

    def close(self) -> None:
        """Let go of the socket and of what was received."""
        self.state = State.CLOSED
        self.unsent = memoryview(b"")
        self.receiver.drop()
        self.sock.close()


class Outbox:
    """Stands for a socket where gunicorn writes an answer; nothing is sent before it is whole."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def sendall(self, data: bytes) -> None:
        """Keep a part of the answer."""
        self._parts.append(data)

    def content(self) -> memoryview:
        """All parts."""
        return memoryview(b"".join(self._parts))
