"""One client connection: received bytes, pending output, and its deadline."""

from __future__ import annotations

import socket
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from ipaddress import IPv6Address
from typing import Any

from server.base.web.receiver import Receiver

_RECEIVE_BYTES = 64 * 1024


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """Limits on a client's time and size; a slow client never occupies a thread.

    Units: seconds and bytes; `per_address` is connections of one address to one process, None for
    no limit.
    """

    # Maximum silence, and maximum time until the headers are complete.
    request_seconds: float = 10.0
    # A body, or a response, gets additional time at this rate.
    body_bytes_per_second: int = 32 * 1024
    answer_seconds: float = 30.0
    answer_bytes_per_second: int = 4 * 1024
    # Data that arrives after the last response is read and discarded: closing at once would make
    # the kernel reset the connection, and the client would lose the response.
    linger_seconds: float = 10.0
    linger_bytes: int = 64 * 1024 * 1024
    per_address: int | None = 1024
    # The time for which connections are accepted after SIGTERM; a proxy must notice /readyz within
    # this time.
    drain_seconds: float = 0.0


class ConnectionState(Enum):
    """State of a connection; cycles from RECEIVING to SENDING and ends with LINGERING."""

    RECEIVING = 1
    ANSWERING = 2
    SENDING = 3
    LINGERING = 4
    CLOSED = 5


class Connection:
    """A client, used by the event loop; while ANSWERING only the worker thread may send."""

    def __init__(self, sock: socket.socket, peer: Any, server: Any, settings: Any) -> None:
        sock.setblocking(False)
        self.sock = sock
        self.peer = peer
        self.server = server
        self.receiver = Receiver(settings, peer)
        self.state = ConnectionState.RECEIVING
        self.watched = 0
        self.unsent = memoryview(b"")
        # Whether another request may follow the response being sent.
        self.keep = True
        self.heard_at = 0.0
        self.until = 0.0
        self.lingered_bytes = 0

    def receive_bytes(self) -> bytes | None:
        """The available bytes; empty when the client has closed, None when there are none.

        Raises: OSError when the connection is broken.
        """
        try:
            return self.sock.recv(_RECEIVE_BYTES)
        except (BlockingIOError, InterruptedError):
            return None

    def send_bytes(self) -> bool:
        """Send what the socket accepts without blocking; return whether all was sent.

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
        """Shut down sending; bytes that the client still sends can be read."""
        with suppress(OSError):
            self.sock.shutdown(socket.SHUT_WR)

    def is_late(self, now: float, bounds: Bounds) -> bool:
        """Whether the client has exceeded its time limit."""
        if self.state is ConnectionState.ANSWERING:
            return False
        silent = self.state is ConnectionState.RECEIVING and self.receiver.begun
        return now > self.until or (silent and now - self.heard_at > bounds.request_seconds)

    def close_socket(self) -> None:
        """Close the socket and drop what was received."""
        self.state = ConnectionState.CLOSED
        self.unsent = memoryview(b"")
        self.receiver.drop_received()
        self.sock.close()


def address_of(peer: Any) -> str:
    """The key under which connections are counted: an IPv4 address, or an IPv6 customer's network.

    Empty for a Unix socket, which only a local proxy uses.
    """
    if not isinstance(peer, tuple):
        return ""
    host = str(peer[0])
    if ":" not in host:
        return host
    address = IPv6Address(host.partition("%")[0])
    return str(address.ipv4_mapped or address.exploded[:19])
