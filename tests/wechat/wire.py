"""WeChat's API on a loopback port: it answers what a test says, and breaks connections."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any
from urllib.parse import parse_qsl, urlsplit

PATIENCE = 60
TLS_HELLO = b"\x16"


class After(Enum):
    """What becomes of a connection after its bytes are written."""

    KEEP = auto()
    CLOSE = auto()
    RESET = auto()
    HANG = auto()


@dataclass(frozen=True)
class Raw:
    """Bytes instead of a right answer."""

    written: bytes = b""
    after: After = After.CLOSE


HANG = Raw(after=After.HANG)


@dataclass(frozen=True)
class Arrived:
    path: str
    query: dict[str, str]
    head: bytes
    raw: bytes

    @property
    def body(self) -> Any:
        return json.loads(self.raw)


class Wire:
    """`answers` by path: an object, an errcode, bytes, (status, body), Raw, or a function of it.

    With `held`, requests wait for `release`. `remember` keeps every request in `arrived`.
    """

    def __init__(self, answers: dict[str, Any] | None = None) -> None:
        self.answers: dict[str, Any] = answers or {}
        self.arrived: list[Arrived] = []
        self.counts: Counter[str] = Counter()
        self.remember = True
        self.connections = 0
        self.most_at_once = 0
        self._held: list[Callable[[], None]] | None = None
        self._changed = threading.Condition()
        self._waiting = 0
        self._ready = threading.Event()
        self.open: set[Any] = set()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)
        self._thread.start()
        assert self._ready.wait(PATIENCE)

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def hold(self) -> None:
        """Leave requests unanswered from now on."""
        self._held = []

    def release(self) -> None:
        """Answer what is held, and everything after it."""
        self._loop.call_soon_threadsafe(self._release)

    def await_held(self, number: int) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: self._waiting >= number, PATIENCE)

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(PATIENCE)

    async def _serve(self) -> None:
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        server = await self._loop.create_server(
            lambda: _Connection(self), "127.0.0.1", 0, backlog=1024
        )
        self.port = int(server.sockets[0].getsockname()[1])
        self._ready.set()
        await self._over.wait()
        server.close()
        for transport in list(self.open):
            transport.abort()
        while self.open:
            await asyncio.sleep(0)

    def _release(self) -> None:
        held, self._held = self._held or [], None
        with self._changed:
            self._waiting = 0
        for answer in held:
            answer()

    def take(self, arrived: Arrived, connection: _Connection) -> None:
        self.counts[arrived.path] += 1
        if self.remember:
            self.arrived.append(arrived)
        if self._held is None:
            connection.write(self._reply_to(arrived))
            return
        self._held.append(lambda: connection.write(self._reply_to(arrived)))
        with self._changed:
            self._waiting += 1
            self.most_at_once = max(self.most_at_once, self._waiting)
            self._changed.notify_all()

    def _reply_to(self, arrived: Arrived) -> Raw:
        said = self.answers.get(arrived.path, (404, b""))
        if callable(said):
            said = said(arrived)
        if isinstance(said, Raw):
            return said
        status, said = said if isinstance(said, tuple) else (200, said)
        if isinstance(said, int):
            said = {"errcode": said, "errmsg": "secret words rid: 1-2-3"}
        body = said if isinstance(said, bytes) else json.dumps(said).encode()
        head = f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        return Raw(head + body, After.KEEP)


class _Connection(asyncio.Protocol):
    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._wire.connections += 1
        self._transport: Any = transport
        self._wire.open.add(transport)

    def connection_lost(self, error: Exception | None) -> None:
        self._wire.open.discard(self._transport)

    def data_received(self, data: bytes) -> None:
        if data[:1] == TLS_HELLO and not self._rest:
            self._transport.close()
            return
        self._rest += data
        head, found, rest = self._rest.partition(b"\r\n\r\n")
        if not found:
            return
        (length,) = (
            int(line.split(b":")[1])
            for line in head.split(b"\r\n")
            if line.lower().startswith(b"content-length:")
        )
        if len(rest) < length:
            return
        self._rest = rest[length:]
        address = urlsplit(head.split(b" ", 2)[1].decode())
        query = dict(parse_qsl(address.query))
        self._wire.take(Arrived(address.path, query, head, rest[:length]), self)

    def write(self, reply: Raw) -> None:
        if self._transport.is_closing():
            return
        self._transport.write(reply.written)
        if reply.after is After.CLOSE:
            self._transport.close()
        if reply.after is After.RESET:
            sock = self._transport.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._transport.abort()
