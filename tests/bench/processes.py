"""The processes of a run: servers on one CPU, the load generator on another, and their CPU time."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path

import psutil

from tests.bench.client import Order, Outcome

ROOT = Path(__file__).resolve().parents[2]
THREADS = 8
CONFIG = ("-c", str(ROOT / "config" / "gunicorn.conf.py"))
_START_SECONDS = 60.0


class BenchFailed(Exception):
    """A run whose figures would mean nothing; the message says why."""


@dataclasses.dataclass(frozen=True)
class Places:
    """Which CPU serves and which one asks; None where the machine has one only."""

    server: set[int] | None
    client: set[int] | None

    @classmethod
    def here(cls) -> Places:
        """The first two CPUs that this process may use."""
        cpus = sorted(allowed())
        return cls({cpus[0]}, {cpus[1]}) if len(cpus) > 1 else cls(None, None)


def allowed() -> set[int]:
    """The CPUs that this process may use, where the system can tell."""
    return os.sched_getaffinity(0) if sys.platform == "linux" else set()


def pin(cpus: set[int] | None) -> None:
    """Keep this process, and what it starts from now on, on these CPUs."""
    if cpus:
        os.sched_setaffinity(0, cpus)


def free_port() -> int:
    """A port of the loopback that nobody has at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def production(app: str, port: int, *, workers: int | None = 1) -> list[str]:
    """gunicorn with the product's own settings and worker; None: as many processes as they say."""
    some = [] if workers is None else ["--workers", str(workers)]
    return [*_gunicorn(port), *CONFIG, *some, app]


def gthread(app: str, port: int, *, threads: int = THREADS) -> list[str]:
    """gunicorn as most Flask applications are run: one process, a few threads."""
    return [*_gunicorn(port), "--worker-class", "gthread", "--workers", "1",
            "--threads", str(threads), "--keep-alive", "5", app]  # fmt: skip


def uvicorn(app: str, port: int) -> list[str]:
    """uvicorn with its fast loop and parser; the application writes its own access line."""
    return [sys.executable, "-m", "uvicorn", "--factory", app, "--host", "127.0.0.1",
            "--port", str(port), "--loop", "uvloop", "--http", "httptools", "--no-access-log",
            "--log-level", "warning"]  # fmt: skip


def _gunicorn(port: int) -> list[str]:
    return [sys.executable, "-m", "gunicorn", "--chdir", str(ROOT), "--no-control-socket",
            "--bind", f"127.0.0.1:{port}"]  # fmt: skip


Command = Callable[[str, int], list[str]]


class Server:
    """One application under a server program, by default the product's own."""

    def __init__(
        self, app: str, folder: Path, cpus: set[int] | None, environment: Mapping[str, str],
        *, command: Command = production,
    ) -> None:  # fmt: skip
        self.port = free_port()
        self._log = folder / "console.log"
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("KEPU_", "PYTEST_"))}
        # Whatever a server leaves in the temporary folder goes with ours.
        fresh = {"KEPU_PORT": str(self.port), "TMPDIR": str(folder)}
        with self._log.open("wb") as console:
            self._process = psutil.Popen(
                command(app, self.port), cwd=ROOT, env={**kept, **fresh, **environment},
                stdout=console, stderr=console, preexec_fn=lambda: pin(cpus),
            )  # fmt: skip

    def await_answer(self, path: str) -> None:
        """Wait until it answers at all.

        Raises: BenchFailed.
        """
        given_up = time.monotonic() + _START_SECONDS
        while time.monotonic() < given_up and self._process.poll() is None:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5):
                    return
            except urllib.error.HTTPError as refusal:
                refusal.close()
                if refusal.code < 500:
                    return
            except OSError:
                # Not there yet; should it die meanwhile, that is known at once.
                with contextlib.suppress(psutil.TimeoutExpired):
                    self._process.wait(0.05)
        raise BenchFailed(f"a server did not start:\n{self._log.read_text('utf-8', 'replace')}")

    def processes(self) -> list[psutil.Process]:
        """The processes that answer."""
        return list(self._process.children(recursive=True))

    def cpu_seconds(self) -> float:
        """CPU time of the whole process tree so far."""
        tree = [self._process.pid, *(p.pid for p in self._process.children(recursive=True))]
        return sum(_cpu_seconds(pid) for pid in tree)

    def stop(self) -> None:
        """End it, and wait for its end."""
        if self._process.poll() is None:
            self._process.terminate()
        try:
            self._process.wait(20)
        except psutil.TimeoutExpired:
            for process in [*self._process.children(recursive=True), self._process]:
                process.kill()
            self._process.wait(5)


def _cpu_seconds(pid: int) -> float:
    # The kernel's clock of another process counts nanoseconds, /proc only hundredths of a second.
    if sys.platform == "linux":
        return time.clock_gettime((~pid << 3) | 2)
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


class Client:
    """The load generator's process."""

    def __init__(self, cpus: set[int] | None) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.client"],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            preexec_fn=lambda: pin(cpus),
        )  # fmt: skip

    def run(self, order: Order) -> Outcome:
        """Have an order carried out.

        Raises: BenchFailed when the server hung up, stalled, or answered anything else.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(dataclasses.asdict(order)) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        told = json.loads(line) if line else {"trouble": "the load generator died"}
        if "trouble" in told:
            raise BenchFailed(str(told["trouble"]))
        outcome = Outcome(**told)
        if outcome.wrong is not None:
            raise BenchFailed(f"an answer that does not count:\n{outcome.wrong}")
        return outcome

    def stop(self) -> None:
        """End it, and wait for its end."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.wait(30)
        if self._process.stdout is not None:
            self._process.stdout.close()
