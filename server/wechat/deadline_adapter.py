"""Connections with a deadline for the complete response headers.

A socket timeout restarts with every byte, so a server that sends headers byte by byte could block a
caller for ever. The reader of the body sets its own limit.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.response import HTTPResponse


class _Watched(HTTPConnection):
    def getresponse(self) -> HTTPResponse:  # type: ignore[override]  # as urllib3 declares it
        watch = threading.Timer(float(self.timeout or 0), _cut_connection, (self.sock,))
        watch.daemon = True
        watch.start()
        try:
            return super().getresponse()
        finally:
            watch.cancel()


class _WatchedSecure(_Watched, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Watched


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _WatchedSecure


class WatchedAdapter(HTTPAdapter):
    """An adapter of the library `requests` whose connections have a deadline."""

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        """Create the connection pools."""
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}


def _cut_connection(sock: socket.socket | None) -> None:
    if sock is not None:
        # The plain socket's method is called for TLS too, so that the reader sees an end of stream
        # and not an exception of a broken object.
        with contextlib.suppress(OSError):
            socket.socket.shutdown(sock, socket.SHUT_RDWR)
