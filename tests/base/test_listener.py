"""A listening socket that is about to be closed."""

from __future__ import annotations

import socket
import sys
from contextlib import closing

import pytest

from server.base.web.listener import refuse_new_connections

ESTABLISHED, SYN_SENT = 1, 2


def state_of(client: socket.socket) -> int:
    return client.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]


def begin_connection(listener: socket.socket) -> socket.socket:
    """A client whose handshake the loopback device has finished, or never will."""
    client = socket.socket(listener.family)
    client.setblocking(False)
    client.connect_ex(listener.getsockname())
    return client


@pytest.mark.skipif(sys.platform != "linux", reason="socket filters are Linux's")
@pytest.mark.parametrize(
    ("family", "address"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")]
)
def test_no_connection_is_established_that_nobody_would_accept(
    family: socket.AddressFamily, address: str
) -> None:
    with socket.create_server((address, 0), family=family) as listener:
        with closing(begin_connection(listener)) as early:
            assert state_of(early) == ESTABLISHED
            refuse_new_connections(listener)
            with closing(begin_connection(listener)) as late:
                assert state_of(late) == SYN_SENT
            served, _ = listener.accept()
            listener.setblocking(False)
            with pytest.raises(BlockingIOError):
                listener.accept()
        with closing(served):
            # The established connection is not affected by the filter.
            assert served.recv(1) == b""


def test_a_unix_socket_is_left_alone(tmp_path: object) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"{tmp_path}/kepu.sock")
        listener.listen()
        refuse_new_connections(listener)
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(listener.getsockname())
