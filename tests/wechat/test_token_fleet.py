"""A fleet of real processes over one Redis: one request for a token, however many want it."""

from __future__ import annotations

import json
import multiprocessing
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest

from server.base.clock import SystemClock
from server.base.redis.client import create_client
from server.base.redis.embedded import EmbeddedServer
from server.base.redis.facilities import create_facilities
from server.wechat.tokens import PATH, TokenService
from server.wechat.transport import Patience, Transport
from tests.kit.effort import repeat_count
from tests.kit.wechat_side import an_app

PROCESSES, THREADS = repeat_count(8, 4), repeat_count(32, 12)
PATIENCE_SECONDS = 60.0


class Counting(BaseHTTPRequestHandler):
    """WeChat's token address: each answer is a new token, so that a second call would show."""

    asked: list[bool]

    def do_POST(self) -> None:
        wish = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.asked.append(bool(wish["force_refresh"]))
        # So that the others come while this one is under way.
        threading.Event().wait(0.2)
        token = {"access_token": f"token-{len(self.asked)}", "expires_in": 7200}
        body = json.dumps(token).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def counting() -> Iterator[tuple[str, list[bool]]]:
    handler = type("Counted", (Counting,), {"asked": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", handler.asked
    server.shutdown()
    server.server_close()


def one_process(var: str, base: str, together: Barrier, found: Queue[list[set[str]]]) -> None:
    """Ask with many threads at once, cold; then say that the token was refused."""
    clock = SystemClock()
    kit = create_facilities(
        create_client("embedded:", Path(var), clock, timeout_seconds=5.0), clock
    )
    transport = Transport(base, clock, patience=Patience(2.0, PATIENCE_SECONDS))
    tokens = TokenService(an_app(), transport, kit.shared, kit.lock, clock)
    rounds: list[set[str]] = []
    with ThreadPoolExecutor(THREADS) as threads:
        together.wait(PATIENCE_SECONDS)
        rounds.append(set(threads.map(lambda _: tokens.valid_token(), range(THREADS))))
        together.wait(PATIENCE_SECONDS)
        rounds.append(
            set(threads.map(lambda _: tokens.replace_refused("token-1"), range(THREADS * 4)))
        )
    found.put(rounds)


@pytest.mark.slow
def test_a_cold_fleet_asks_once_and_a_refused_token_is_renewed_once(
    tmp_path: Path, counting: tuple[str, list[bool]]
) -> None:
    base, asked = counting
    context = multiprocessing.get_context("spawn")
    together: Barrier = context.Barrier(PROCESSES)
    found: Queue[list[set[str]]] = context.Queue()
    with EmbeddedServer(tmp_path) as server:
        assert server is not None
        fleet = [
            context.Process(target=one_process, args=(str(tmp_path), base, together, found))
            for _ in range(PROCESSES)
        ]
        for process in fleet:
            process.start()
        rounds = [found.get(timeout=PATIENCE_SECONDS * 2) for _ in fleet]
        for process in fleet:
            process.join(PATIENCE_SECONDS)
    assert rounds == [[{"token-1"}, {"token-2"}]] * PROCESSES
    assert asked == [False, False], PATH
