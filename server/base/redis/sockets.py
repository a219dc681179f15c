"""Operations of the client on the sockets of its connections."""

from __future__ import annotations

import select
import socket
import struct
from typing import Any


def watch_socket(connection: Any) -> select.poll | None:
    """A poll object for the connection's socket; None without one, as in tests."""
    held = getattr(connection, "_sock", None)
    # A poll would not report bytes that TLS has already read.
    if type(held) is not socket.socket:
        return None
    watch = select.poll()
    watch.register(held, select.POLLIN)
    return watch


def let_kernel_time_out(connection: Any) -> None:
    """Replace Python's timeout of a socket by the kernel's.

    Python waits in a system call of its own before each send and receive of a socket with a
    timeout, and hands the interpreter lock to another thread each time.
    """
    held, seconds = getattr(connection, "_sock", None), connection.socket_timeout
    if type(held) is not socket.socket or not seconds:
        return
    limit = struct.pack("@ll", int(seconds), int(seconds % 1 * 1_000_000))
    held.settimeout(None)
    for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
        held.setsockopt(socket.SOL_SOCKET, option, limit)
