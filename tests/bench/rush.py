"""`python -m tests.bench rush`: 2,000 people log in, start and submit within a minute.

Against the production shape: gunicorn with its own settings, all of its processes, the worker,
PostgreSQL, Redis and the emulated WeChat, each in processes of their own on this machine. While it
runs the CPU of every process and the waits of the database are looked at, so that the first
bottleneck can be named.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import redis
from sqlalchemy import Engine, create_engine, make_url, text

from server.base.redis.address import read_address
from server.emulator.apps import FILE, MINI, OFFICIAL
from tests.bench.letters import Account
from tests.bench.memory import end_process, start_worker
from tests.bench.processes import ROOT, BenchFailed, Server, free_port, production
from tests.bench.report import commit, machine
from tests.bench.run import postgres, temporary_folder
from tests.bench.stage import SeededContest, Stage

PEOPLE, WITHIN_SECONDS = 2_000, 60.0
# The last phones that come need time for their paper, too.
_ARRIVE_SECONDS = 50.0
_LOOK_SECONDS = 0.5
_SHARES = {"p50": 0.5, "p99": 0.99, "most": 1.0}
_ASKING = 8


@dataclass
class Watched:
    """What was seen of the machine.  Units: seconds of CPU by process, shares of the looks."""

    seconds: float = 0.0
    cpus: int = 1
    cpu: dict[str, float] = field(default_factory=dict)
    machine_busy: float = 0.0
    waits: Counter[str] = field(default_factory=Counter)
    looks: int = 0
    most_in_use: int = 0
    pool: int = 0

    def busy(self, name: str) -> float:
        """The share of one CPU that a process had."""
        return self.cpu[name] / self.seconds if self.seconds else 0.0

    @property
    def own_busy(self) -> float:
        """How many CPUs all processes of the rush had together."""
        return sum(map(self.busy, self.cpu))

    @property
    def bottleneck(self) -> str:
        """What gave out first, or would give out next."""
        name = max(self.cpu, key=self.busy)
        most = f"{name} with {self.busy(name):.0%} of a CPU"
        if self.own_busy > 0.85 * self.cpus:
            return f"the {self.cpus} CPUs of the machine; most: {most}"
        if self.busy(name) > 0.80:
            return most
        if self.most_in_use >= self.pool:
            return f"the pools of the server: all {self.pool} connections were in use"
        locks = self.waits["Lock"] / max(1, self.looks)
        if locks > 1:
            return f"locks of the database: {locks:.1f} waited for one at any time"
        told = f"none was reached; next would be {most}"
        theirs = self.machine_busy - self.own_busy
        if self.machine_busy > 0.85 * self.cpus:
            told += f" (others on this machine had {theirs:.2f} of its {self.cpus} CPUs)"
        return told


@dataclass(frozen=True, kw_only=True)
class Rush:
    """What came of it.  Units: milliseconds by step."""

    people: int
    seconds: float
    times: Mapping[str, Sequence[float]]
    errors: Sequence[str]
    watched: Watched
    began: str

    @property
    def met(self) -> bool:
        """Nobody was refused, and the last one was done in time."""
        return not self.errors and self.seconds <= WITHIN_SECONDS

    def lines(self) -> list[str]:
        """The figures as Markdown, which reads as text too."""
        seen = self.watched
        lines = [
            f"{machine()}; commit {commit()}; {self.began}", "",
            f"{self.people:,} people in {self.seconds:.0f} s, {len(self.errors)} errors:"
            f" {'met' if self.met else 'missed'} (0 errors within {WITHIN_SECONDS:.0f} s).", "",
            "| call | answers | p50 ms | p99 ms | most ms |", "|---|---|---|---|---|",
        ]  # fmt: skip
        for step, times in self.times.items():
            lines.append(f"| {step} | {len(times)} | {_at(times, 0.5):.0f} | {_at(times, 0.99):.0f}"
                         f" | {_at(times, 1.0):.0f} |")  # fmt: skip
        lines += ["", f"First bottleneck: {seen.bottleneck}.", "",
                  "| process | of a CPU |", "|---|---|"]  # fmt: skip
        lines += [f"| {name} | {seen.busy(name):.0%} |"
                  for name in sorted(seen.cpu, key=seen.busy, reverse=True)]  # fmt: skip
        waits = ", ".join(f"{kind} {count / max(1, seen.looks):.2f}"
                          for kind, count in seen.waits.most_common())  # fmt: skip
        lines += ["", f"The machine: {seen.machine_busy:.2f} of {seen.cpus} CPUs. Connections of"
                  f" the server in use: at most {seen.most_in_use} of {seen.pool}. Waits of the"
                  f" database at any time: {waits or 'none'}."]  # fmt: skip
        lines += [f"- {error}" for error in list(self.errors)[:5]]
        return lines

    def document(self) -> dict[str, Any]:
        """The figures as JSON."""
        return {
            "people": self.people, "seconds": round(self.seconds, 1), "errors": list(self.errors),
            "times_ms": {
                step: {name: round(_at(times, share), 1) for name, share in _SHARES.items()}
                for step, times in self.times.items()
            },
            "bottleneck": self.watched.bottleneck,
            "cpu_seconds": {name: round(spent, 1) for name, spent in self.watched.cpu.items()},
        }  # fmt: skip


def measure_rush(people: int, began: str, say: Callable[[str], None]) -> Rush:
    """The whole rush.

    Raises: BenchFailed.
    """
    with contextlib.ExitStack() as closing:
        folder = Path(closing.enter_context(temporary_folder()))
        say("starting the emulated WeChat, PostgreSQL, Redis, server and worker")
        ground = _Ground(folder, closing)
        say(f"{people} people open WeChat")
        codes = ground.emulator.codes(people)
        say("the rush")
        told, watched = ground.rush(codes)
        rush = Rush(people=people, seconds=told["seconds"], times=told["times"],
                    errors=told["errors"], watched=watched, began=began)  # fmt: skip
        if not rush.errors:
            ground.check(people)
        return rush


def _addresses(port: int) -> dict[str, str]:
    """The settings by which the product reaches the emulated WeChat."""
    base = f"http://127.0.0.1:{port}"
    return {"KEPU_WECHAT__API_BASE": f"{base}/api", "KEPU_WECHAT__OPEN_BASE": f"{base}/open",
            "KEPU_WECHAT__MP_BASE": f"{base}/mpweb"}  # fmt: skip


class _Emulator:
    """The emulated WeChat as a process, with the two accounts that the product is set up for."""

    def __init__(self, folder: Path, port: int, product: Mapping[str, str], server: int) -> None:
        folder.mkdir()
        self.port = port
        accounts = {
            account: {
                name: product[f"KEPU_WECHAT__{account.upper()}__{name.upper()}"]
                for name in ("appid", "secret", "token", "aes_key", "original_id")
            }
            for account in (OFFICIAL, MINI)
        }
        (folder / FILE).write_text(json.dumps(accounts), encoding="utf-8")
        self.process = psutil.Popen(
            [sys.executable, "-m", "server.emulator", "--port", str(port), "--var", str(folder),
             "--server", f"http://127.0.0.1:{server}"],
            cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        if not self.process.stdout.readline():
            raise BenchFailed("the emulated WeChat did not start")

    def codes(self, many: int) -> list[str]:
        """A code of wx.login for each of so many new people."""
        with ThreadPoolExecutor(_ASKING) as pool:
            return list(pool.map(self._code, range(many)))

    def _code(self, number: int) -> str:
        person = self._ask("people", {"name": f"王{number}"})
        return str(self._ask("login_code", {"person": person["person"]})["code"])

    def _ask(self, address: str, body: Mapping[str, Any]) -> dict[str, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            headers = {"Content-Type": "application/json"}
            connection.request("POST", f"/_emu/{address}", json.dumps(body), headers)
            found: dict[str, Any] = json.loads(connection.getresponse().read())
            return found
        finally:
            connection.close()


class _Ground:
    """Everything that runs, and the contest."""

    def __init__(self, folder: Path, closing: contextlib.ExitStack) -> None:
        self._folder = folder
        url = postgres(closing, "rush")
        port = free_port()
        self.stage = Stage(folder / "house", url, Account.fresh(), _addresses(port))
        closing.callback(self.stage.close)
        self.contest: SeededContest = self.stage.contest("rush", 0)
        self.stage.rebuild_boards()
        (folder / "server").mkdir()
        self._server = Server("wsgi:app", folder / "server", None, self.stage.environment,
                              command=partial(production, workers=None))  # fmt: skip
        closing.callback(self._server.stop)
        known = self.stage.environment
        self.emulator = _Emulator(folder / "emulator", port, known, self._server.port)
        closing.callback(end_process, self.emulator.process)
        self._worker = start_worker(self.stage.environment)
        closing.callback(end_process, self._worker)
        self._server.await_answer("/readyz")
        self._database = str(make_url(url).database)
        self._watching = create_engine(url, isolation_level="AUTOCOMMIT")
        closing.callback(self._watching.dispose)

    def rush(self, codes: Sequence[str]) -> tuple[dict[str, Any], Watched]:
        """Let all phones loose, and look on."""
        order = {"port": self._server.port, "codes": codes, "seconds": _ARRIVE_SECONDS,
                 "contest": self.contest.view.ref, "consent_status": 201}  # fmt: skip
        phones = psutil.Popen(
            [sys.executable, "-m", "tests.bench.rush_client"], cwd=ROOT,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        watch = _Watch(self._processes(phones), self._watching)
        watch.watched.pool = (
            len(self._server.processes()) * self.stage.settings.database.pool_size
        )  # fmt: skip
        with watch:
            said, _ = phones.communicate(json.dumps(order) + "\n")
        if not said:
            raise BenchFailed("the phones died")
        return json.loads(said), watch.watched

    def _processes(self, phones: psutil.Popen) -> dict[str, Finder]:
        address = read_address(self.stage.folder)
        assert address is not None
        with redis.Redis(unix_socket_path=address.socket) as client:
            redis_pid = int(client.info("server")["process_id"])
        with self._watching.connect() as connection:
            backend = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
        postmaster = psutil.Process(backend).parent()
        assert postmaster is not None
        servers = self._server.processes()
        return {
            **{f"server process {at}": partial(_alone, one) for at, one in enumerate(servers, 1)},
            "worker": partial(_tree, self._worker),
            "Redis": partial(_alone, psutil.Process(redis_pid)),
            "PostgreSQL, connections": partial(_backends, postmaster, self._database),
            "emulated WeChat": partial(_alone, self.emulator.process),
            "the phones": partial(_alone, phones),
        }

    def check(self, people: int) -> None:
        """Everybody's paper is counted, and stands on the board of Redis.

        Raises: BenchFailed.
        """
        papers, _points = self.stage.handed_in(self.contest)
        places = self.stage.ranks_by_sort(self.contest)
        kv = self.stage.application.uow_factory.dependencies.kv
        size = kv.leaderboard.read_size(f"contest:{self.contest.view.id}", "total/region")
        if (papers, len(places), size) != (people, people, people):
            raise BenchFailed(f"{papers} papers, {len(places)} standings, {size} on the board")


Finder = Callable[[], list[psutil.Process]]


def _alone(process: psutil.Process) -> list[psutil.Process]:
    return [process]


def _tree(process: psutil.Process) -> list[psutil.Process]:
    return [process, *process.children(recursive=True)]


def _backends(postmaster: psutil.Process, database: str) -> list[psutil.Process]:
    """The processes of a PostgreSQL that serve one database; others may share the server."""
    found = []
    for child in postmaster.children():
        with contextlib.suppress(psutil.Error):
            if database in " ".join(child.cmdline()):
                found.append(child)
    return found


class _Watch:
    """Looks at processes and the database until the block ends."""

    def __init__(self, processes: Mapping[str, Finder], engine: Engine) -> None:
        self._processes, self._engine = processes, engine
        self.watched = Watched(cpus=psutil.cpu_count() or 1)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look_on)
        self._seen: dict[str, dict[int, float]] = {name: {} for name in processes}

    def __enter__(self) -> None:
        self._look()
        self._before = {name: sum(seen.values()) for name, seen in self._seen.items()}
        self._machine = psutil.cpu_times()
        self._thread.start()

    def __exit__(self, *_trouble: object) -> None:
        self._over.set()
        self._thread.join()
        now = psutil.cpu_times()
        idle = now.idle - self._machine.idle + getattr(now, "iowait", 0.0)
        idle -= getattr(self._machine, "iowait", 0.0)
        spent = sum(now[:8]) - sum(self._machine[:8])
        seen = self.watched
        seen.seconds = spent / seen.cpus
        seen.machine_busy = (spent - idle) / seen.seconds
        # What has ended meanwhile is taken as it was last seen.
        seen.cpu = {name: sum(self._seen[name].values()) - begun
                    for name, begun in self._before.items()}  # fmt: skip

    def _look(self) -> None:
        """Note the CPU of every process as it is now; what has ended keeps its last figure."""
        for name, find in self._processes.items():
            with contextlib.suppress(psutil.Error):
                for process in find():
                    with contextlib.suppress(psutil.Error):
                        self._seen[name][process.pid] = sum(process.cpu_times()[:2])

    def _look_on(self) -> None:
        asked = text(
            "SELECT state, wait_event_type FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid() AND state <> 'idle'"
        )
        with self._engine.connect() as connection:
            while not self._over.wait(_LOOK_SECONDS):
                self._look()
                rows = connection.execute(asked).all()
                self.watched.looks += 1
                self.watched.most_in_use = max(self.watched.most_in_use, len(rows))
                self.watched.waits.update(
                    kind for state, kind in rows if state == "active" and kind is not None
                )


def _at(times: Sequence[float], share: float) -> float:
    ordered = sorted(times)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)] if ordered else 0.0
