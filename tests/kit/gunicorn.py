"""gunicorn with one of our workers, and clients that send requests without a pause."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from http.client import HTTPConnection
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# Application threads of one process.
FEW = 2
PATIENCE = 60


class Group:
    """One gunicorn on its own port; the socket listens before gunicorn has started."""

    def __init__(
        self, worker: str, app: str = "tests.kit.echo:app", *, port: int = 0, workers: int = 1,
        environment: dict[str, str] | None = None,
    ) -> None:  # fmt: skip
        with socket.create_server(("127.0.0.1", port), backlog=64) as handler:
            command = [
                sys.executable, "-m", "gunicorn", "-k", worker, "--threads", str(FEW),
                "--workers", str(workers), "--no-control-socket",
                # On a busy machine gunicorn must not kill a worker that waits for its clients.
                "--graceful-timeout", str(2 * PATIENCE), "--timeout", str(2 * PATIENCE),
                "-b", f"fd://{handler.fileno()}", app,
            ]  # fmt: skip
            self.process = subprocess.Popen(
                command, cwd=ROOT, pass_fds=[handler.fileno()],
                env={**os.environ, **(environment or {})},
            )  # fmt: skip
            self.port = int(handler.getsockname()[1])

    def stop(self) -> None:
        """Stop it, and check its exit status."""
        if self.process.poll() is None:
            self.process.terminate()
        assert self.process.wait(PATIENCE) == 0

    def ask(self, path: str) -> tuple[int, str]:
        """Status and text of a response on a new connection."""
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)) as preflight:
            preflight.request("GET", path)
            answer = preflight.getresponse()
            return answer.status, answer.read().decode()


@contextmanager
def serving(worker: str) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """gunicorn with this worker, and its port."""
    group = Group(worker)
    try:
        yield group.process, group.port
    finally:
        group.stop()


class Crowd:
    """Clients with one keep-alive connection each, which send the next request at once.

    `choose` says which port a new connection goes to, None when there is none; the client ends.
    """

    def __init__(self, many: int, choose: Callable[[], int | None]) -> None:
        self._choose = choose
        self._ends = threading.Event()
        self._lock = threading.Lock()
        self.answers: list[tuple[int, str]] = []
        self.lost: list[str] = []
        self.closed_politely = 0
        self._clients = [threading.Thread(target=self._ask_on) for _ in range(many)]
        for client in self._clients:
            client.start()

    def wait_for(self, true: Callable[[], bool]) -> None:
        """Wait until a condition about the responses is true."""
        pause = threading.Event()
        for _ in range(PATIENCE * 20):
            if true():
                return
            pause.wait(0.05)
        raise AssertionError(f"not reached after {len(self.answers)} answers, lost {self.lost}")

    def goes_on(self) -> None:
        """Wait until many more requests have been answered."""
        before = len(self.answers)
        self.wait_for(lambda: len(self.answers) >= before + 200)

    def end(self) -> None:
        """Stop all clients after their last response."""
        self._ends.set()
        self.join()

    def join(self) -> None:
        """Wait until every client has found no server any more."""
        for client in self._clients:
            client.join(PATIENCE)
            assert not client.is_alive()

    def _ask_on(self) -> None:
        while not self._ends.is_set():
            port = self._choose()
            if port is None:
                return
            with closing(HTTPConnection("127.0.0.1", port, timeout=PATIENCE)) as connection:
                try:
                    connection.connect()
                except ConnectionRefusedError:
                    return
                with suppress(ConnectionError):
                    self._use(connection)
                    continue
                with self._lock:
                    self.lost.append(f"a request to {port}")

    def _use(self, connection: HTTPConnection) -> None:
        while not self._ends.is_set():
            connection.request("GET", "/asked", headers={"Connection": "keep-alive"})
            answer = connection.getresponse()
            words = answer.read().decode()
            with self._lock:
                self.answers.append((answer.status, words))
            if answer.getheader("Connection") == "close":
                with self._lock:
                    self.closed_politely += 1
                return
