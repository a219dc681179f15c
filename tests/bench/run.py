"""One run: sets the stage, proves the servers right, and measures all rows in turns."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from sqlalchemy import create_engine, make_url, text

from server.base.settings import ROOT
from tests.bench import memory, phone, report
from tests.bench.client import Order, ask, write_requests
from tests.bench.counting import counted
from tests.bench.letters import Account, Letters
from tests.bench.measured import Figure, Measured
from tests.bench.peers import PEERS
from tests.bench.processes import (
    BenchFailed,
    Client,
    Command,
    Places,
    Server,
    allowed,
    gthread,
    pin,
    production,
)
from tests.bench.proof import prove_places, prove_writes
from tests.bench.report import Report
from tests.bench.rows import (
    COUNTED,
    DATABASES,
    ENDLESS,
    JOBS,
    OURS,
    ContestRows,
    Row,
    Size,
    callback_row,
    floor_rows,
)
from tests.bench.stage import SeededContest, Stage
from tests.kit.databases import new_postgres

WORD = "帮助"
_REPLIES = ROOT / "server" / "channel" / "data" / "replies.json"
Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Which part of everything is measured; `extras` are the phone and strangers' pictures."""

    databases: Sequence[str] = tuple(DATABASES)
    jobs: Sequence[str] = tuple(JOBS)
    stacks: Sequence[str] = (OURS,)
    callback: bool = True
    extras: bool = True


@dataclass(frozen=True, kw_only=True)
class _Field:
    """One stack on one database: its server, its contest and its rows."""

    stage: Stage
    stack: str
    server: str
    contest: SeededContest
    rows: ContestRows


class Bench:
    """Servers, stages and the load generator of one run."""

    def __init__(
        self, size: Size, asked: Asked, folder: Path, closing: contextlib.ExitStack
    ) -> None:
        self._size, self._asked, self._folder, self._closing = size, asked, folder, closing
        # The database server is nobody's neighbour on purpose: it may use every CPU.
        addresses = self._addresses()
        self._places = Places.here()
        pin(self._places.client)
        self._account = Account.fresh()
        self.letters = Letters(self._account, WORD)
        self.stages = {name: self._stage(name, url) for name, url in addresses.items()}
        self.servers: dict[str, Server] = {}
        self.fields = [
            self._field(name, stage, stack)
            for name, stage in self.stages.items()
            for stack in asked.stacks
        ]
        if asked.callback:
            self._start_floors()
        for stage in self.stages.values():
            stage.rebuild_boards()
        self.client = Client(self._places.client)
        closing.callback(self.client.stop)

    def _addresses(self) -> dict[str, str]:
        made = {"sqlite": f"sqlite:///{self._folder / 'bench.sqlite3'}"}
        if "postgresql" in self._asked.databases:
            made["postgresql"] = postgres(self._closing)
        return {name: made[name] for name in self._asked.databases}

    def _stage(self, name: str, url: str) -> Stage:
        stage = Stage(self._folder / name, url, self._account)
        self._closing.callback(stage.close)
        return stage

    def _field(self, name: str, stage: Stage, stack: str) -> _Field:
        server = f"{name}_{stack}"
        contest = stage.contest(f"bench-{stack}", self._size.entries)
        rows = ContestRows(stage, contest, self._size, self._asked.jobs)
        if stack == OURS:
            self._start(server, "wsgi:app", stage.environment)
        else:
            peer, known = PEERS[stack], {**stage.environment, **stage.peers_environment}
            self._start(server, peer.app, known, peer.command)
        return _Field(stage=stage, stack=stack, server=server, contest=contest, rows=rows)

    def _start_floors(self) -> None:
        known = {
            "BENCH_TOKEN": self._account.token,
            "BENCH_AES_KEY": self._account.aes_key,
            "BENCH_APPID": self._account.appid,
        }
        for name in ("hello", "echo"):
            self._start(name, f"tests.bench.floors:{name}()", known, gthread)

    def _start(
        self, name: str, app: str, environment: Mapping[str, str], command: Command = production
    ) -> None:
        folder = self._server_folder(name)
        server = Server(app, folder, self._places.server, environment, command=command)
        self._closing.callback(server.stop)
        self.servers[name] = server

    def _server_folder(self, name: str) -> Path:
        folder = self._folder / f"server-{name}"
        folder.mkdir()
        return folder

    @property
    def callback_field(self) -> _Field:
        """Whose server is asked for the callback: the product on the first database."""
        return next(field for field in self.fields if field.stack == OURS)

    def rows(self) -> list[Row]:
        """All rows; those that are compared stand beside each other."""
        size = self._size

        @cache
        def letters(part: int) -> Sequence[bytes]:
            return list(self.letters.write(size.letters if part else size.warm))

        made: list[Row] = []
        if self._asked.callback:
            field = self.callback_field
            made += [*floor_rows(letters), callback_row(field.stage, field.server, letters)]
        beside: dict[tuple[str, str], list[Row]] = {}
        for field in self.fields:
            database = field.server.removesuffix(f"_{field.stack}")
            for row in field.rows.rows(field.server, field.stack, database):
                beside.setdefault((database, row.job), []).append(row)
        return made + [row for rows in beside.values() for row in rows]

    def prove(self) -> None:
        """Nothing is timed before it is known to be right.

        Raises: BenchFailed.
        """
        for server in self.servers.values():
            server.await_answer("/")
        if self._asked.callback:
            self._prove_callbacks()
        for field in self.fields:
            port, contest = self.servers[field.server].port, field.contest
            # Stores the mark from which the sweep after the rounds starts.
            field.stage.sweep_boards()
            with _named(field.server):
                prove_places(port, field.rows, contest.watchers[::10], contest.places)
                prove_writes(port, field.stage, contest, field.rows)

    def prove_boards(self, say: Say) -> None:
        """After all rounds everybody still stands where an independent sort puts him.

        On a busy machine a write to Redis may time out. It then waits for the worker's sweep, and
        no worker runs beside the bench.
        Raises: BenchFailed.
        """
        for field in self.fields:
            port, places = self.servers[field.server].port, field.stage.ranks_by_sort(field.contest)
            watchers = field.contest.watchers[::10]
            with _named(field.server):
                try:
                    prove_places(port, field.rows, watchers, places)
                except BenchFailed as behind:
                    say(f"{field.server}: {behind}; asked again after a sweep")
                    field.stage.sweep_boards()
                    prove_places(port, field.rows, watchers, places)

    def _prove_callbacks(self) -> None:
        replies = json.loads(_REPLIES.read_text(encoding="utf-8"))["keywords"]
        # What follows is a link into the mini-program, which the reply writes as WeChat wants it.
        help_text = next(rule["text"] for rule in replies if WORD in rule["words"]).partition("[")[
            0
        ]
        for name, words in (("echo", WORD), (self.callback_field.server, help_text)):
            port = self.servers[name].port
            (letter,) = self.letters.write(1)
            said = self.letters.said(ask(port, letter).body)
            if not said.startswith(words):
                raise BenchFailed(f"{name} says {said!r}")
            if (status := ask(port, self.letters.forged()).status) != 403:
                raise BenchFailed(f"{name} answers a forged message with {status}")

    def turn(self, row: Row, part: int) -> Figure:
        """One row in one round; round 0 is the warming up."""
        deal = row.deal(part)
        server, file = self.servers[row.server], self._folder / "requests"
        write_requests(file, deal.requests)
        limit = self._size.warm if part == 0 else ENDLESS
        order = Order(
            port=server.port, file=str(file), count=limit, seconds=self._size.seconds,
            status=deal.status, holds=deal.holds, cycle=deal.cycle,
        )  # fmt: skip
        before = server.cpu_seconds()
        with _named(row.key):
            outcome = self.client.run(order)
        cpu = server.cpu_seconds() - before
        with _named(row.key):
            deal.check(outcome.done)
        return Figure(
            cpu_us=cpu / outcome.done * 1e6,
            per_second=outcome.done / outcome.seconds,
            p50_ms=outcome.p50_ms,
            p99_ms=outcome.p99_ms,
            done=outcome.done,
        )

    def count(self, measured: Mapping[str, Measured]) -> None:
        """Add to our rows what one of their requests takes in this process."""
        for field in self.fields:
            if field.stack != OURS:
                continue
            database = field.server.removesuffix(f"_{OURS}")
            asked = {f"{job}_{database}_{OURS}": requests
                     for job, requests in field.rows.to_count().items()}  # fmt: skip
            if self._asked.callback and field is self.callback_field:
                asked["callback"] = list(self.letters.write(COUNTED))
            for key, took in counted(field.stage, asked).items():
                measured[key].counted = took


def postgres(closing: contextlib.ExitStack, label: str = "bench") -> str:
    """The address of a fresh PostgreSQL database that waits for the disk as a product's does."""
    url = new_postgres(label)
    name = make_url(url).database
    admin = create_engine(make_url(url).set(database="postgres"), isolation_level="AUTOCOMMIT")

    def run(statement: str) -> None:
        with admin.connect() as connection:
            connection.execute(text(statement))

    # Tests do not wait for the disk, a product does.
    run(f'ALTER DATABASE "{name}" RESET synchronous_commit')
    closing.callback(admin.dispose)
    closing.callback(run, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    return url


def measure(size: Size, asked: Asked, say: Say) -> Report:
    """Everything that is asked, from the empty folder to the report.

    Raises: BenchFailed.
    """
    began, load = datetime.now(UTC), os.getloadavg()[0]
    with contextlib.ExitStack() as closing:
        closing.callback(pin, allowed())
        folder = Path(closing.enter_context(temporary_folder()))
        waits: Sequence[phone.Wait] = ()
        taken = None
        if asked.extras:
            # Before anything else runs, and before this process keeps to one CPU.
            say("the phone")
            waits = phone.measure(size.rounds, folder)
            say("strangers' pictures")
            taken = memory.measure(folder, size.pictures)
            taken.check()
        say("setting the stage")
        bench = Bench(size, asked, folder, closing)
        measured = _rounds(bench, size, say)
        bench.count(measured)
    return Report(
        rows=measured, size=size, commit=report.commit(), machine=report.machine(),
        began=began.isoformat(timespec="minutes"), load=(load, os.getloadavg()[0]), waits=waits,
        memory=taken,
    )  # fmt: skip


def _rounds(bench: Bench, size: Size, say: Say) -> dict[str, Measured]:
    rows = bench.rows()
    bench.prove()
    say("warming up")
    for row in rows:
        bench.turn(row, 0)
    measured = {row.key: Measured(row) for row in rows}
    for part in range(1, size.rounds + 1):
        say(f"round {part} of {size.rounds}")
        for row in rows if part % 2 else reversed(rows):
            measured[row.key].figures.append(bench.turn(row, part))
    bench.prove_boards(say)
    return measured


@contextlib.contextmanager
def _named(what: str) -> Iterator[None]:
    """Say of whom a failure tells."""
    try:
        yield
    except BenchFailed as wrong:
        raise BenchFailed(f"{what}: {wrong}") from wrong


@contextlib.contextmanager
def temporary_folder() -> Iterator[str]:
    """A folder that is gone afterwards."""
    made = tempfile.mkdtemp(prefix="kepu-bench-")
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)
