"""A closed-loop load generator in a process of its own: keep-alive connections, bounded, loopback.

Reads one order a line (JSON) from stdin and answers each with one line; see `Order`.
"""

from __future__ import annotations

import dataclasses
import json
import re
import selectors
import socket
import struct
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)
_MOST_BYTES = 1 << 20
_STALLED_SECONDS = 30.0


@dataclass(frozen=True, kw_only=True)
class Order:
    """One run: what is sent to whom, and what every answer must be.

    Units: it ends at `count` answers or after `seconds`, whatever comes first; with `cycle` the
    file of requests begins anew at its end.
    """

    port: int
    file: str
    count: int
    seconds: float
    status: int
    holds: str
    cycle: bool = False
    connections: int = 16


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of an order.  Units: milliseconds; `wrong` shows the first answer that was."""

    done: int
    seconds: float
    p50_ms: float
    p99_ms: float
    wrong: str | None = None


class Answer:
    """Bytes of one answer while they come in."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._whole: int | None = None

    def take(self, piece: bytes) -> bool:
        """Whether it is complete with this piece."""
        self._bytes += piece
        if self._whole is None:
            head = self._bytes.find(b"\r\n\r\n")
            if head < 0:
                return False
            self._whole = head + 4 + self._length(head + 2)
        if len(self._bytes) > min(self._whole, _MOST_BYTES):
            raise OSError("more bytes than the answer announced")
        return len(self._bytes) == self._whole

    def _length(self, head: int) -> int:
        stated = _LENGTH.search(self._bytes, 0, head)
        if stated is None and self.status != 204:
            raise OSError("an answer without a length")
        return int(stated[1]) if stated else 0

    @property
    def status(self) -> int:
        return int(self._bytes[9:12])

    @property
    def body(self) -> bytes:
        return bytes(self._bytes).partition(b"\r\n\r\n")[2]

    def fits(self, status: int, holds: bytes) -> bool:
        return self.status == status and holds in self._bytes

    def __repr__(self) -> str:
        return self._bytes[:2000].decode("utf-8", "replace")


class Line:
    """One keep-alive connection with at most one request on the way."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=_STALLED_SECONDS)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.answer = Answer()
        self.sent_at = 0.0

    def ask(self, request: bytes) -> None:
        self.answer = Answer()
        self.sent_at = time.perf_counter()
        self.socket.sendall(request)

    def read(self) -> bool:
        piece = self.socket.recv(1 << 18)
        if not piece:
            raise OSError("the server hung up")
        return self.answer.take(piece)


def ask(port: int, request: bytes) -> Answer:
    """The answer to one request on a connection of its own."""
    line = Line(port)
    try:
        line.ask(request)
        while not line.read():
            continue
    finally:
        line.socket.close()
    return line.answer


def carry_out(order: Order) -> Outcome:
    """Send until the count or the time is reached; every request begun is waited for."""
    requests = read_requests(Path(order.file))
    count = order.count if order.cycle else min(order.count, len(requests))
    holds = order.holds.encode()
    times: list[float] = []
    wrong: str | None = None
    begun, sent = time.perf_counter(), 0
    with selectors.DefaultSelector() as waiting:
        for _ in range(min(order.connections, count)):
            line = Line(order.port)
            waiting.register(line.socket, selectors.EVENT_READ, line)
            line.ask(requests[sent % len(requests)])
            sent += 1
        while waiting.get_map():
            ready = waiting.select(_STALLED_SECONDS)
            if not ready:
                raise OSError("the server answers nothing")
            for key, _ in ready:
                line = key.data
                if not line.read():
                    continue
                now = time.perf_counter()
                times.append(now - line.sent_at)
                if wrong is None and not line.answer.fits(order.status, holds):
                    wrong = repr(line.answer)
                if sent < count and now - begun < order.seconds:
                    line.ask(requests[sent % len(requests)])
                    sent += 1
                else:
                    waiting.unregister(line.socket)
                    line.socket.close()
    seconds = time.perf_counter() - begun
    times.sort()
    return Outcome(
        done=len(times),
        seconds=seconds,
        p50_ms=_at(times, 0.50),
        p99_ms=_at(times, 0.99),
        wrong=wrong,
    )


def _at(times: list[float], share: float) -> float:
    return times[min(int(len(times) * share), len(times) - 1)] * 1000


def write_requests(path: Path, requests: Iterable[bytes]) -> None:
    """Requests as the generator reads them: each after its length."""
    with path.open("wb") as file:
        for request in requests:
            file.write(struct.pack(">I", len(request)) + request)


def read_requests(path: Path) -> list[bytes]:
    """What `write_requests` wrote."""
    raw, at = path.read_bytes(), 0
    found = []
    while at < len(raw):
        (length,) = struct.unpack_from(">I", raw, at)
        found.append(raw[at + 4 : at + 4 + length])
        at += 4 + length
    return found


def main() -> None:
    """Carry out orders until stdin ends."""
    for line in sys.stdin:
        try:
            told: dict[str, object] = dataclasses.asdict(carry_out(Order(**json.loads(line))))
        except OSError as trouble:
            told = {"trouble": str(trouble)}
        sys.stdout.write(json.dumps(told) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
