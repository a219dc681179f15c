"""`python -m tests.bench growth`: what grows with the number of players, and what must not.

For each size a database of its own with as many players as that, all with a paper of today. Board,
start and submission are measured in turns over the sizes, so that the machine's moods meet all of
them; one connection asks, so that nothing waits for another. The rest is measured once.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import psutil
import redis

from server import slices
from server.base.redis.address import read_address
from tests.bench.client import Order, write_requests
from tests.bench.growth_seed import bytes_of, seed_players
from tests.bench.letters import Account
from tests.bench.processes import BenchFailed, Client, Places, Server, allowed, pin
from tests.bench.report import commit, machine
from tests.bench.rows import DATABASES, ContestRows, Size
from tests.bench.run import postgres, temporary_folder
from tests.bench.stage import SeededContest, Stage, log_in

SIZES = (1_000, 100_000, 1_000_000)
JOBS = ("board", "start_keyed", "submit_keyed")
TITLES = {"board": "board read", "start_keyed": "start", "submit_keyed": "submission"}
# The p99 of the biggest over that of the smallest; what is linear may grow by so much more.
MOST, LINEAR = 1.3, 1.3
_CONNECTIONS = 1
_MB = 2**20


@dataclass(frozen=True, kw_only=True)
class Once:
    """What is measured once a size.  Units: seconds, MB (PSS of the server, memory of Redis)."""

    seeding: float
    bytes_per_paper: float
    start_up: float
    rebuild: float
    server_mb: float
    redis_mb: float
    sweeps: Mapping[str, float]


@dataclass
class Grown:
    """One size on one database; `figures` by job: CPU in us and times in ms, turn by turn."""

    players: int
    once: Once
    cpu_us: dict[str, list[float]] = field(default_factory=dict)
    p50_ms: dict[str, list[float]] = field(default_factory=dict)
    p99_ms: dict[str, list[float]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class _Ground:
    """A size that is ready to be asked."""

    grown: Grown
    stage: Stage
    contest: SeededContest
    rows: ContestRows
    server: Server


def measure_growth(
    databases: Sequence[str], sizes: Sequence[int], rounds: int, say: Callable[[str], None]
) -> dict[str, list[Grown]]:
    """Every size on every database.

    Raises: BenchFailed.
    """
    found = {}
    for database in databases:
        with contextlib.ExitStack() as closing:
            closing.callback(pin, allowed())
            folder = Path(closing.enter_context(temporary_folder()))
            growth = _Growth(database, folder, rounds, closing)
            grounds = []
            for players in sizes:
                say(f"{database}: {players} players")
                grounds.append(growth.ground(players))
            for part in range(rounds + 1):
                say(f"{database}: round {part} of {rounds}")
                for ground in grounds if part % 2 else reversed(grounds):
                    growth.turn(ground, part)
            found[database] = [ground.grown for ground in grounds]
    return found


class _Growth:
    """The stages, servers and load generator of one database."""

    def __init__(
        self, database: str, folder: Path, rounds: int, closing: contextlib.ExitStack
    ) -> None:
        self._database, self._folder, self._closing = database, folder, closing
        self._size = Size(rounds=rounds, seconds=3.0, letters=0, papers=120, warm=30, entries=0,
                          pictures=0)  # fmt: skip
        self._places = Places.here()
        self._client = Client(self._places.client)
        closing.callback(self._client.stop)

    def ground(self, players: int) -> _Ground:
        """A database with so many players, and the server in front of it."""
        folder = self._folder / str(players)
        folder.mkdir()
        lite = f"sqlite:///{folder / 'growth.sqlite3'}"
        url = lite if self._database == "sqlite" else postgres(self._closing, f"growth{players}")
        stage = Stage(folder / "house", url, Account.fresh())
        self._closing.callback(stage.close)
        contest = stage.contest("growth", 0)
        before, begun = bytes_of(stage), time.monotonic()
        some = seed_players(stage, contest, players)
        seeding = time.monotonic() - begun
        size = (bytes_of(stage) - before) / players
        with stage.application.uow_factory.begin() as uow:
            contest.watchers = log_in(uow, some)
        begun = time.monotonic()
        stage.rebuild_boards()
        rebuild = time.monotonic() - begun
        begun = time.monotonic()
        server = Server("wsgi:app", folder, self._places.server, stage.environment)
        self._closing.callback(server.stop)
        server.await_answer("/readyz")
        start_up = time.monotonic() - begun
        rows = ContestRows(stage, contest, self._size, JOBS)
        sweeps = sweep_times(stage)
        once = Once(seeding=seeding, bytes_per_paper=size, start_up=start_up, rebuild=rebuild,
                    server_mb=pss_of(server.processes()), redis_mb=redis_mb(stage),
                    sweeps=sweeps)  # fmt: skip
        return _Ground(grown=Grown(players, once), stage=stage, contest=contest, rows=rows,
                       server=server)  # fmt: skip

    def turn(self, ground: _Ground, part: int) -> None:
        """All jobs of one size in one round; round 0 is the warming up."""
        for row in ground.rows.rows("ours", "ours", self._database):
            deal = row.deal(part)
            file = self._folder / "requests"
            write_requests(file, deal.requests)
            before = ground.server.cpu_seconds()
            outcome = self._client.run(
                Order(port=ground.server.port, file=str(file), count=len(deal.requests),
                      seconds=self._size.seconds, status=deal.status, holds=deal.holds,
                      connections=_CONNECTIONS)
            )  # fmt: skip
            cpu = ground.server.cpu_seconds() - before
            deal.check(outcome.done)
            if part:
                grown = ground.grown
                grown.cpu_us.setdefault(row.job, []).append(cpu / outcome.done * 1e6)
                grown.p50_ms.setdefault(row.job, []).append(outcome.p50_ms)
                grown.p99_ms.setdefault(row.job, []).append(outcome.p99_ms)


def sweep_times(stage: Stage) -> dict[str, float]:
    """How long each sweep takes that finds nothing to do: the best of three.

    The first round does whatever is due, such as questions about names.
    """
    context, found = stage.application.task_context, {}
    for task in slices.TASKS:
        if task.every_seconds is None:
            continue
        took = []
        for _ in range(3):
            begun = time.perf_counter()
            task.step(context)
            took.append(time.perf_counter() - begun)
        found[task.name] = min(took)
    return found


def pss_of(processes: Sequence[psutil.Process]) -> float:
    """Memory of processes, shared pages counted by halves.  Units: MB."""
    return sum(process.memory_full_info().pss for process in processes) / _MB


def redis_mb(stage: Stage) -> float:
    """What Redis says that it holds.  Units: MB."""
    address = read_address(stage.folder)
    if address is None:
        raise BenchFailed("Redis has gone")
    with redis.Redis(unix_socket_path=address.socket) as client:
        return float(client.info("memory")["used_memory"]) / _MB


@dataclass(frozen=True, kw_only=True)
class Growth:
    """What one run found."""

    found: Mapping[str, Sequence[Grown]]
    measured: Mapping[str, str]

    def lines(self) -> list[str]:
        """The figures as Markdown, which reads as text too."""
        lines: list[str] = []
        for database, sizes in self.found.items():
            heads = [f"{grown.players:,}" for grown in sizes]
            lines += ["", f"### {DATABASES[database]}", "", self.measured[database], "",
                      f"| players | {' | '.join(heads)} | goal | |",
                      f"|---|{'---|' * len(heads)}---|---|"]  # fmt: skip
            lines += [*_request_lines(sizes), *_once_lines(sizes)]
        return lines

    def document(self) -> dict[str, Any]:
        """The figures as JSON."""
        return {
            database: {
                "measured": self.measured[database],
                "sizes": {
                    str(grown.players): {
                        "cpu_us": grown.cpu_us, "p50_ms": grown.p50_ms, "p99_ms": grown.p99_ms,
                        **vars(grown.once),
                    }
                    for grown in sizes
                },
            }
            for database, sizes in self.found.items()
        }  # fmt: skip

    def beside(self, document: Mapping[str, Any]) -> Growth:
        """These figures, and those of a stored document for a database not measured now."""
        found, measured = dict(self.found), dict(self.measured)
        for database, stored in document.items():
            if database not in found:
                measured[database] = stored["measured"]
                found[database] = [
                    _read_grown(int(players), one) for players, one in stored["sizes"].items()
                ]
        ordered = [name for name in DATABASES if name in found]
        return Growth(
            found={name: found[name] for name in ordered},
            measured={name: measured[name] for name in ordered},
        )


def describe_run(began: str) -> str:
    """Machine, commit and time of a measurement."""
    return f"{machine()}; commit {commit()}; {began}"


def _read_grown(players: int, stored: Mapping[str, Any]) -> Grown:
    turns = {name: stored[name] for name in ("cpu_us", "p50_ms", "p99_ms")}
    once = Once(**{name: value for name, value in stored.items() if name not in turns})
    return Grown(players, once, **turns)


def _request_lines(sizes: Sequence[Grown]) -> list[str]:
    lines = []
    for job in JOBS:
        for name, unit in (("p50_ms", "p50 ms"), ("p99_ms", "p99 ms"), ("cpu_us", "CPU us")):
            turns = [getattr(grown, name)[job] for grown in sizes]
            pairs = [last / first for first, last in zip(turns[0], turns[-1], strict=True)]
            cells = " | ".join(f"{median(turn):.1f}" for turn in turns)
            goal = f"at most {MOST} of the smallest" if name == "p99_ms" else ""
            verdict = f"{median(pairs):.2f}"
            if goal:
                verdict += ", met" if median(pairs) <= MOST else ", missed"
            lines.append(f"| {TITLES[job]}, {unit} | {cells} | {goal} | {verdict} |")
    return lines


def _once_lines(sizes: Sequence[Grown]) -> list[str]:
    lines = []
    wanted: list[tuple[str, Callable[[Once], float]]] = [
        ("rebuild-leaderboards, s", lambda once: once.rebuild),
        ("start-up to readiness, s", lambda once: once.start_up),
        ("server with one process, PSS MB", lambda once: once.server_mb),
        ("Redis, MB", lambda once: once.redis_mb),
        ("bytes in the database for a player with a paper", lambda once: once.bytes_per_paper),
        ("(seeding, s)", lambda once: once.seeding),
    ]
    for title, read in wanted:
        lines.append(_linear(title, sizes, [read(grown.once) for grown in sizes], "{:.1f}"))
    for name in sizes[0].once.sweeps:
        figures = [grown.once.sweeps[name] * 1000 for grown in sizes]
        lines.append(_linear(f"sweep {name}, ms", sizes, figures, "{:.2f}"))
    return lines


def _linear(title: str, sizes: Sequence[Grown], figures: Sequence[float], form: str) -> str:
    cells = " | ".join(form.format(figure) for figure in figures)
    if len(sizes) < 2:
        return f"| {title} | {cells} | linear | |"
    allowed_growth = sizes[-1].players / sizes[-2].players * LINEAR
    grew = figures[-1] / max(figures[-2], 1e-9)
    verdict = "met" if grew <= allowed_growth else "missed"
    return f"| {title} | {cells} | linear | x {grew:.1f} from the last but one, {verdict} |"
