"""A WeChat that answers every call at once: the least that a send can wait for."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import uvloop


def _response(body: bytes) -> bytes:
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
    return head.encode() + b"\r\n\r\n" + body


_SENT = _response(b'{"errcode":0,"errmsg":"ok","msgid":200228332}')
_TOKEN = _response(b'{"access_token":"' + b"t" * 136 + b'","expires_in":7200}')
_LENGTH = b"content-length:"


class _Connection(asyncio.Protocol):
    def __init__(self) -> None:
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport

    def data_received(self, data: bytes) -> None:
        self._rest += data
        while (end := self._rest.find(b"\r\n\r\n")) >= 0:
            head = self._rest[:end].lower()
            _, found, after = head.partition(_LENGTH)
            whole = end + 4 + (int(after.split(b"\r\n", 1)[0]) if found else 0)
            if len(self._rest) < whole:
                return
            self._rest = self._rest[whole:]
            self._transport.write(_TOKEN if b"stable_token" in head else _SENT)


async def _serve(port: int) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(_Connection, "127.0.0.1", port, backlog=2048)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_serve(int(sys.argv[1])))
