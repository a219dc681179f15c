"""How much memory strangers' pictures take of the web server, run as in production, and the worker.

Pictures of one colour, of a few KB each and 36 MB when they are decoded, are sent at once.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import psutil
from sqlalchemy import func, select

from server.accounts.models import Avatar, PictureUpload
from server.base import picture_process
from tests.bench.letters import Account
from tests.bench.processes import ROOT, BenchFailed, Server, production
from tests.bench.stage import Stage
from tests.kit.pictures import a_picture, as_form

SIDE, SENDERS = 3464, 24
# Both web processes together may grow by so much; the worker may take so much beside one child.
MOST_WEB_MB, MOST_WORKER_MB = 80.0, 200.0
MOST_CHILD_MB = picture_process.MEMORY_BYTES / 2**20
_MB = 2**20
_LOOKS = 4000
_TRIES, _PAUSE_SECONDS = 30, 0.5


@dataclass(frozen=True, kw_only=True)
class Taken:
    """What the pictures took.  Units: MB; peaks of single processes, added up."""

    pictures: int
    web_before: float
    web_peak: float
    worker_peak: float
    child_peak: float

    @property
    def web_grown(self) -> float:
        return self.web_peak - self.web_before

    @property
    def figures(self) -> Sequence[tuple[str, float, float]]:
        """Title, figure and bound of each."""
        return (
            ("web server, grown by", self.web_grown, MOST_WEB_MB),
            ("worker, at most", self.worker_peak, MOST_WORKER_MB),
            ("one decoding child, at most", self.child_peak, MOST_CHILD_MB),
        )

    def check(self) -> None:
        """Hold the figures against their bounds.

        Raises: BenchFailed.
        """
        over = [
            f"{title} {mb:.0f} MB of {most:.0f}" for title, mb, most in self.figures if mb > most
        ]
        if over:
            raise BenchFailed(f"strangers' pictures take too much memory: {'; '.join(over)}")

    def document(self) -> dict[str, Any]:
        """The figures as JSON."""
        return {title: {"mb": round(mb, 1), "most_mb": most} for title, mb, most in self.figures}

    def page(self) -> list[str]:
        """The figures as a part of docs/performance.md."""
        return [
            "",
            "## Uploaded pictures",
            "",
            f"{self.pictures} pictures of one colour, {SIDE} by {SIDE}, are sent at once to two"
            " processes with a worker behind them. The run fails when a figure is over its bound.",
            "",
            "| | MB | bound |",
            "|---|---|---|",
            *(f"| {title} | {mb:.0f} | {most:.0f} |" for title, mb, most in self.figures),
        ]

    def lines(self) -> list[str]:
        """The figures as text."""
        told = f"{self.pictures} pictures of {SIDE} x {SIDE}, sent at once"
        return ["", told] + [
            f"  {title} {mb:.0f} MB, bound {most:.0f} MB" for title, mb, most in self.figures
        ]


def measure(folder: Path, pictures: int) -> Taken:
    """Send the pictures to a server of two processes with a worker behind it.

    Raises: BenchFailed when one is refused or not made small.
    """
    with contextlib.ExitStack() as closing:
        stage = Stage(folder / "house", f"sqlite:///{folder / 'pictures.sqlite3'}", Account.fresh())
        closing.callback(stage.close)
        people = stage.newcomers(pictures)
        (folder / "server").mkdir()
        server = Server(
            "wsgi:app", folder / "server", None, stage.environment,
            command=partial(production, workers=None),
        )  # fmt: skip
        closing.callback(server.stop)
        worker = start_worker(stage.environment)
        closing.callback(end_process, worker)
        server.await_answer("/readyz")
        # Both processes have answered an upload before they are weighed.
        for person in people[:4]:
            send(server.port, person.token, a_picture())
        before = added(server.processes(), "rss")
        raw = a_picture("PNG", size=(SIDE, SIDE))
        send_all(server.port, [person.token for person in people], raw)
        child = _until_made(stage, worker, pictures)
        return Taken(
            pictures=pictures,
            web_before=before,
            web_peak=added(server.processes(), "peak"),
            worker_peak=added([worker], "peak"),
            child_peak=child,
        )


def send_all(port: int, tokens: Sequence[str], raw: bytes) -> None:
    """One picture for each of them, many at a time.

    Raises: BenchFailed.
    """
    with ThreadPoolExecutor(SENDERS) as pool:
        for sent in [pool.submit(send, port, token, raw) for token in tokens]:
            sent.result()


def send(port: int, token: str, raw: bytes) -> None:
    """Send a picture; where the server is too busy for it now, again a moment later.

    Raises: BenchFailed when it is refused.
    """
    for _ in range(_TRIES):
        status, said = _sent(port, token, raw)
        if status == 202:
            return
        if status != 503:
            break
        time.sleep(_PAUSE_SECONDS)
    raise BenchFailed(f"a picture was refused: {status} {said!r}")


def _sent(port: int, token: str, raw: bytes) -> tuple[int, bytes]:
    form = as_form(raw)
    headers = {"Content-Type": form["content_type"], "Authorization": f"Bearer {token}"}
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("POST", "/api/v1/me/avatar", form["data"], headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def start_worker(environment: Mapping[str, str]) -> psutil.Popen:
    """The product's worker as a process."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("KEPU_", "PYTEST_"))}
    return psutil.Popen(
        [sys.executable, "-m", "server", "worker"],
        cwd=ROOT, env={**kept, **environment}, stdout=psutil.subprocess.DEVNULL,
        stderr=psutil.subprocess.DEVNULL,
    )  # fmt: skip


def end_process(process: psutil.Popen) -> None:
    """End a process, and wait for its end."""
    process.terminate()
    try:
        process.wait(20)
    except psutil.TimeoutExpired:
        process.kill()
        process.wait(5)


def _until_made(stage: Stage, worker: psutil.Popen, pictures: int) -> float:
    """Wait until every picture is small; the most that a child was seen to take, in MB."""
    most = 0.0
    for _ in range(_LOOKS):
        with stage.application.uow_factory.begin(read_only=True) as uow:
            waiting = uow.session.scalar(select(func.count()).select_from(PictureUpload))
            made = uow.session.scalar(select(func.count()).select_from(Avatar))
        if waiting == 0 and made == pictures:
            return most
        with contextlib.suppress(psutil.NoSuchProcess):
            most = max([most, *(_peak(child) for child in worker.children() if _decodes(child))])
        with contextlib.suppress(psutil.TimeoutExpired):
            worker.wait(0.02)
            raise BenchFailed("the worker ended")
    raise BenchFailed(f"{waiting} pictures were not made small")


def _decodes(child: psutil.Process) -> bool:
    """Whether a child runs its own program already; before, it has the memory of its parent."""
    return any(part == picture_process.__file__ for part in child.cmdline())


def added(processes: Sequence[psutil.Process], which: str) -> float:
    """What processes take together: `rss` now, or the `peak` of each.  Units: MB."""
    weigh: Callable[[psutil.Process], float] = _peak if which == "peak" else _now
    return sum(map(weigh, processes))


def _now(process: psutil.Process) -> float:
    return float(process.memory_info().rss) / _MB


def _peak(process: psutil.Process) -> float:
    """The most that a process has had; where the system does not tell, what it has now."""
    try:
        told = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return 0.0
    line = next((line for line in told.splitlines() if line.startswith("VmHWM:")), None)
    return float(line.split()[1]) / 1024 if line is not None else _now(process)
