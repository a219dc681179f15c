"""Closing a listening socket without resetting a client's connection."""

from __future__ import annotations

import ctypes
import socket
import struct
from contextlib import suppress
from typing import Any

# Linux: /usr/include/asm-generic/socket.h; Python's socket module does not name it.
_SO_ATTACH_FILTER = 26
# Classic BPF over the TCP header: (code, jump if true, jump if false, operand).
# Load the byte with the flags; drop the segment if SYN is set, keep it otherwise.
_DROP_SYN = (
    (0x30, 0, 0, 13),
    (0x45, 0, 1, 0x02),
    (0x06, 0, 0, 0),
    (0x06, 0, 0, 0xFFFFFFFF),
)


def refuse_new_connections(listener: Any) -> None:
    """Drop further connection attempts to this socket, in all processes that share it.

    Connections established between the last `accept` and `close` would be reset, although their
    clients may have sent a request. After this call none can be established; the client repeats
    its attempt after a second, and is then refused or served by another process. Without effect on
    Unix sockets and on systems other than Linux.
    """
    if listener.family not in (socket.AF_INET, socket.AF_INET6):
        return
    code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *step) for step in _DROP_SYN))
    program = struct.pack("@HP", len(_DROP_SYN), ctypes.addressof(code))
    with suppress(OSError):
        listener.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, program)
