"""An open-loop load generator in a process of its own: requests at fixed rates, some beside others.

Reads one `StormOrder` as JSON from stdin and answers with one line of JSON. A request has its own
moment; its time counts from that moment, also when all connections were busy then, so that a slow
server is not asked less.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import uvloop

from tests.bench.client import read_requests

_PATIENCE_SECONDS = 60.0
_LENGTH = b"content-length:"


@dataclass(frozen=True, kw_only=True)
class Stream:
    """Requests at a fixed rate.  Units: `rate` a second; after `count` of them it ends.

    The file of requests begins anew at its end; every answer must have `status` and hold `holds`.
    """

    file: str
    rate: float
    count: int
    connections: int
    status: int
    holds: str = ""


@dataclass(frozen=True, kw_only=True)
class StormOrder:
    """The streams that run at the same time, by their names."""

    port: int
    streams: Mapping[str, Stream]


@dataclass(frozen=True, kw_only=True)
class Flow:
    """What came of a stream.  Units: milliseconds, seconds; `wrong` is the first wrong answer."""

    done: int
    seconds: float
    p50_ms: float
    p99_ms: float
    most_ms: float
    wrong: str = ""

    @property
    def rate(self) -> float:
        """Answers in a second."""
        return self.done / self.seconds


class _Running:
    """A stream while it runs."""

    def __init__(self, port: int, stream: Stream) -> None:
        self._port, self._stream = port, stream
        self._requests = read_requests(Path(stream.file))
        self._next = 0
        self._holds = stream.holds.encode()
        self._times: list[float] = []
        self._wrong = ""

    async def run(self) -> Flow:
        """Send everything; each connection takes the next request when it is free."""
        begun = time.perf_counter()
        lines = (self._keep_sending(begun) for _ in range(self._stream.connections))
        await asyncio.gather(*lines)
        seconds = time.perf_counter() - begun
        times = sorted(self._times)
        return Flow(
            done=len(times),
            seconds=seconds,
            p50_ms=_at(times, 0.50),
            p99_ms=_at(times, 0.99),
            most_ms=_at(times, 1.0),
            wrong=self._wrong,
        )

    async def _keep_sending(self, begun: float) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        try:
            while self._next < self._stream.count:
                number, self._next = self._next, self._next + 1
                due = begun + number / self._stream.rate
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
                writer.write(self._requests[number % len(self._requests)])
                answer = await asyncio.wait_for(_read_answer(reader), _PATIENCE_SECONDS)
                self._times.append((time.perf_counter() - due) * 1000)
                right = int(answer[9:12]) == self._stream.status and self._holds in answer
                if not right and not self._wrong:
                    self._wrong = answer[:2000].decode("utf-8", "replace")
        finally:
            writer.close()


async def _read_answer(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    lower = head.lower()
    at = lower.find(_LENGTH)
    if at < 0:
        return head
    length = int(lower[at + len(_LENGTH) :].partition(b"\r\n")[0])
    return head + await reader.readexactly(length)


def _at(times: Sequence[float], share: float) -> float:
    return times[min(int(len(times) * share), len(times) - 1)] if times else 0.0


async def carry_out(order: StormOrder) -> dict[str, Flow]:
    """Run all streams at once."""
    running = {name: _Running(order.port, one) for name, one in order.streams.items()}
    flows = await asyncio.gather(*(one.run() for one in running.values()))
    return dict(zip(running, flows, strict=True))


def read_order(document: Mapping[str, Any]) -> StormOrder:
    """An order from its JSON."""
    streams = {name: Stream(**one) for name, one in document["streams"].items()}
    return StormOrder(port=document["port"], streams=streams)


def main() -> None:
    """Carry out the order of stdin."""
    order = read_order(json.loads(sys.stdin.read()))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        found = runner.run(carry_out(order))
    sys.stdout.write(json.dumps({name: asdict(one) for name, one in found.items()}) + "\n")


if __name__ == "__main__":
    main()
