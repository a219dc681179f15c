"""`python -m tests.bench`: sets the stage, measures all rows in turns, reports.

Exit status: 0 when everything was measured, met or missed; 1 when figures would mean nothing.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from sqlalchemy import create_engine, make_url, text

from server.base.settings import ROOT
from tests.bench import memory, phone, report
from tests.bench.client import Order, ask, write_requests
from tests.bench.counting import counted
from tests.bench.letters import Account, Letters
from tests.bench.processes import BenchFailed, Client, Places, Server, allowed, pin
from tests.bench.report import Figure, Measured, Report
from tests.bench.rows import (
    COUNTED,
    ENDLESS,
    FULL,
    QUICK,
    ContestRows,
    Row,
    Size,
    callback_row,
    floor_rows,
)
from tests.bench.stage import Stage
from tests.kit.databases import new_postgres

WORD = "帮助"
_REPLIES = ROOT / "server" / "channel" / "data" / "replies.json"


class Bench:
    """Servers, stages and the load generator of one run."""

    def __init__(self, size: Size, folder: Path, closing: contextlib.ExitStack) -> None:
        self._size, self._folder, self._closing = size, folder, closing
        # The database server is nobody's neighbour on purpose: it may use every CPU.
        postgres = _postgres(closing)
        places = Places.here()
        pin(places.client)
        account = Account.fresh()
        self.letters = Letters(account, WORD)
        self.stages = {
            "sqlite": self._stage("sqlite", f"sqlite:///{folder / 'bench.sqlite3'}", account),
            "postgresql": self._stage("postgresql", postgres, account),
        }
        known = {
            "BENCH_TOKEN": account.token,
            "BENCH_AES_KEY": account.aes_key,
            "BENCH_APPID": account.appid,
        }
        self.servers = {
            name: self._server(f"tests.bench.floors:{name}()", name, places.server, known)
            for name in ("hello", "facts", "echo")
        }
        for name, stage in self.stages.items():
            self.servers[name] = self._server("wsgi:app", name, places.server, stage.environment)
        self.client = Client(places.client)
        closing.callback(self.client.stop)

    def _stage(self, name: str, url: str, account: Account) -> Stage:
        stage = Stage(self._folder / name, url, account)
        self._closing.callback(stage.close)
        stage.fill_board(self._size.entries)
        return stage

    def _server(self, app: str, name: str, cpus: set[int] | None, known: dict[str, str]) -> Server:
        folder = self._folder / f"server-{name}"
        folder.mkdir()
        server = Server(app, folder, cpus, known, ours=app == "wsgi:app")
        self._closing.callback(server.stop)
        return server

    def rows(self) -> tuple[list[Row], list[ContestRows]]:
        """All rows in the order of the table, and those that belong to a contest."""
        size = self._size

        @cache
        def letters(part: int) -> Sequence[bytes]:
            return list(self.letters.write(size.letters if part else size.warm))

        lite = ContestRows(self.stages["sqlite"], size, "sqlite", "SQLite")
        post = ContestRows(self.stages["postgresql"], size, "postgresql", "PostgreSQL")
        rows = [
            *floor_rows(letters),
            callback_row(self.stages["sqlite"], letters),
            *lite.rows(goal=0.55),
            *post.rows(goal=0.40),
        ]
        return rows, [lite, post]

    def prove(self) -> None:
        """Nothing is timed before it is known to be right.

        Raises: BenchFailed.
        """
        for server in self.servers.values():
            server.await_answer("/")
        replies = json.loads(_REPLIES.read_text(encoding="utf-8"))["keywords"]
        # What follows is a link into the mini-program, which the reply writes as WeChat wants it.
        help_text = next(rule["text"] for rule in replies if WORD in rule["words"]).partition("[")[
            0
        ]
        for name, words in (("echo", WORD), ("sqlite", help_text)):
            port = self.servers[name].port
            (letter,) = self.letters.write(1)
            said = self.letters.said(ask(port, letter).body)
            if not said.startswith(words):
                raise BenchFailed(f"{name} says {said!r}")
            if (status := ask(port, self.letters.forged()).status) != 403:
                raise BenchFailed(f"{name} answers a forged message with {status}")

    def prove_boards(self, contests: Sequence[ContestRows]) -> None:
        """Everybody asked stands where an independent sort puts him.

        Raises: BenchFailed.
        """
        for (name, stage), rows in zip(self.stages.items(), contests, strict=True):
            for person in stage.watchers[::10]:
                told = json.loads(ask(self.servers[name].port, rows.look(person)).body)
                place = stage.places[person.id]
                if (told["me"]["rank"], len(told["items"])) != (place, 100):
                    raise BenchFailed(f"{name}: place {told['me']['rank']} instead of {place}")

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
        outcome = self.client.run(order)
        cpu = server.cpu_seconds() - before
        deal.check(outcome.done)
        return Figure(
            cpu_us=cpu / outcome.done * 1e6,
            per_second=outcome.done / outcome.seconds,
            p50_ms=outcome.p50_ms,
            p99_ms=outcome.p99_ms,
            done=outcome.done,
        )


def _postgres(closing: contextlib.ExitStack) -> str:
    url = new_postgres("bench")
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


def measure(size: Size, say: Callable[[str], None]) -> Report:
    """Everything, from the empty folder to the report.

    Raises: BenchFailed.
    """
    began, load = datetime.now(UTC), os.getloadavg()[0]
    with contextlib.ExitStack() as closing:
        closing.callback(pin, allowed())
        folder = Path(closing.enter_context(_folder()))
        # Before anything else runs, and before this process keeps to one CPU.
        say("the phone")
        waits = phone.measure(size.rounds, folder)
        say("strangers' pictures")
        taken = memory.measure(folder, size.pictures)
        taken.check()
        say("setting the stage")
        bench = Bench(size, folder, closing)
        rows, contests = bench.rows()
        bench.prove()
        bench.prove_boards(contests)
        for row in rows:
            bench.turn(row, 0)
        measured = {row.key: Measured(row) for row in rows}
        for part in range(1, size.rounds + 1):
            say(f"round {part} of {size.rounds}")
            for row in rows if part % 2 else reversed(rows):
                measured[row.key].figures.append(bench.turn(row, part))
        for stage, contest in zip(bench.stages.values(), contests, strict=True):
            asked = contest.to_count()
            if stage is bench.stages["sqlite"]:
                asked["callback"] = list(bench.letters.write(COUNTED))
            for key, took in counted(stage, asked).items():
                measured[key].counted = took
    return Report(
        rows=measured, size=size, commit=report.commit(), machine=report.machine(),
        began=began.isoformat(timespec="minutes"), load=(load, os.getloadavg()[0]), waits=waits,
        memory=taken,
    )  # fmt: skip


@contextlib.contextmanager
def _folder() -> Iterator[str]:
    made = tempfile.mkdtemp(prefix="kepu-bench-")
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


def write(found: Report, *, docs: Path | None) -> Path:
    """`bench.json` in $KEPU_VAR, and on request the two files of the documentation."""
    var = Path(os.environ.get("KEPU_VAR", "var"))
    var.mkdir(parents=True, exist_ok=True)
    body = json.dumps(found.document(), ensure_ascii=False, indent=1) + "\n"
    (var / "bench.json").write_text(body, encoding="utf-8")
    if docs is not None:
        (docs / "performance.json").write_text(body, encoding="utf-8")
        (docs / "performance.md").write_text(report.page(found), encoding="utf-8")
    return var / "bench.json"


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a run of seconds; its figures shake")
    parser.add_argument("--write-docs", action="store_true", help="write docs/performance.*")
    asked = parser.parse_args()
    begun = time.monotonic()

    def say(words: str) -> None:
        sys.stderr.write(f"{time.monotonic() - begun:6.1f} s  {words}\n")

    try:
        found = measure(QUICK if asked.quick else FULL, say)
    except BenchFailed as reason:
        sys.stderr.write(f"no figures: {reason}\n")
        return 1
    written = write(found, docs=ROOT / "docs" if asked.write_docs else None)
    sys.stdout.write(f"{found.table()}\n\nwritten to {written}\n")
    say("done")
    return 0


if __name__ == "__main__":
    sys.exit(main())
