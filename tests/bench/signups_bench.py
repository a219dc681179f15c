"""`python -m tests.bench signups`: 2,000 people sign up for 300 seats, over HTTP.

Beside it the database's own rate for the same statements: those of one request that gets a seat and
of one that waits are recorded, and run for as many other people by the driver alone, on connections
of its own, with the same transactions.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import select

from server.signups.kinds import SignUpState
from server.signups.models import SignUp
from tests.bench.client import Order, Outcome, write_requests
from tests.bench.letters import Account, http_request
from tests.bench.processes import BenchFailed, Client, Server, production
from tests.bench.report import commit, machine
from tests.bench.rows import API, DATABASES
from tests.bench.run import postgres, temporary_folder
from tests.bench.signups_alone import (
    CONNECTIONS,
    Speed,
    open_lecture,
    record_models,
    run_alone,
)
from tests.bench.stage import Person, Stage
from tests.kit.activities import Lecture

PEOPLE, SEATS = 2_000, 300
# Phones at once.
AT_ONCE = 64
GOAL_SECONDS = 1.5
_RUNNING = 120.0
_WARMING = 200


@dataclass(frozen=True, kw_only=True)
class Found:
    """What one database gave.  Units: milliseconds, seconds."""

    people: int
    seats: int
    processes: int
    http_seconds: float
    http_p50_ms: float
    http_p99_ms: float
    statements: int
    alone: Speed

    @property
    def met(self) -> bool:
        """Whether the rush was over in time."""
        return self.http_seconds <= GOAL_SECONDS


def measure_signups(
    databases: Sequence[str], people: int, say: Callable[[str], None]
) -> dict[str, Found]:
    """The rush on each database, and the database alone.

    Raises: BenchFailed.
    """
    found = {}
    for database in databases:
        with contextlib.ExitStack() as closing:
            folder = Path(closing.enter_context(temporary_folder()))
            lite = f"sqlite:///{folder / 'signups.sqlite3'}"
            url = lite if database == "sqlite" else postgres(closing, "signups")
            stage = Stage(folder / "house", url, Account.fresh())
            closing.callback(stage.close)
            say(f"{database}: {people} people over HTTP")
            found[database] = _measure_one(stage, folder, people, say)
    return found


def _measure_one(stage: Stage, folder: Path, people: int, say: Callable[[str], None]) -> Found:
    seats = max(1, people * SEATS // PEOPLE)
    lecture, newcomers = open_lecture(stage, seats), stage.newcomers(people)
    with contextlib.ExitStack() as closing:
        (folder / "server").mkdir()
        server = Server("wsgi:app", folder / "server", None, stage.environment,
                        command=partial(production, workers=None))  # fmt: skip
        closing.callback(server.stop)
        server.await_answer("/readyz")
        client = Client(None)
        closing.callback(client.stop)
        # Processes that have just started open connections and compile statements.
        before = open_lecture(stage, _WARMING)
        _send_all(client, server, folder, before, stage.newcomers(_WARMING))
        outcome = _send_all(client, server, folder, lecture, newcomers)
        processes = len(server.processes())
    check_places(stage, lecture, seats, people)
    say("the same statements by the driver alone")
    seated, waiting = record_models(stage)
    return Found(
        people=people, seats=seats, processes=processes, http_seconds=outcome.seconds,
        http_p50_ms=outcome.p50_ms, http_p99_ms=outcome.p99_ms,
        statements=sum(len(one.statements) for one in waiting.transactions),
        alone=run_alone(stage, [seated] * seats + [waiting] * (people - seats)),
    )  # fmt: skip


def _send_all(
    client: Client, server: Server, folder: Path, lecture: Lecture, people: Sequence[Person]
) -> Outcome:
    file = folder / "requests"
    write_requests(file, [_request_of(one, lecture) for one in people])
    return client.run(
        Order(port=server.port, file=str(file), count=len(people), seconds=_RUNNING, status=201,
              holds='"status"', connections=AT_ONCE)
    )  # fmt: skip


def _request_of(person: Person, lecture: Lecture) -> bytes:
    path = f"{API}/activities/{lecture.ref}/signup"
    return http_request("POST", path, b"{}", token=person.token)


def check_places(stage: Stage, lecture: Lecture, seats: int, people: int) -> None:
    """All seats are taken, everybody else waits in one line.

    Raises: BenchFailed.
    """
    with stage.application.uow_factory.begin(read_only=True) as uow:
        rows = uow.session.execute(
            select(SignUp.state, SignUp.sequence).where(SignUp.activity_id == lecture.id)
        ).all()
    seated = sum(row.state is SignUpState.CONFIRMED for row in rows)
    line = sorted(row.sequence for row in rows if row.state is SignUpState.WAITLISTED)
    if seated != seats or line != list(range(1, people - seats + 1)):
        raise BenchFailed(f"{seated} have seats, {len(line)} wait, of {len(rows)}")


@dataclass(frozen=True, kw_only=True)
class SignUps:
    """What one run found."""

    found: Mapping[str, Found]
    began: str

    def lines(self) -> list[str]:
        """The figures as Markdown, which reads as text too."""
        lines = [f"{machine()}; commit {commit()}; {self.began}"]
        for database, one in self.found.items():
            verdict = "met" if one.met else "missed"
            alone = one.alone
            lines += [
                "", f"### {DATABASES[database]}, {one.people:,} people for {one.seats} seats", "",
                "| | sign-ups/s | s | p50 ms | p99 ms |", "|---|---|---|---|---|",
                f"| over HTTP, {one.processes} processes, {AT_ONCE} phones at once"
                f" | {one.people / one.http_seconds:,.0f} | {one.http_seconds:.2f}"
                f" | {one.http_p50_ms:.0f} | {one.http_p99_ms:.0f} |",
                f"| the same {one.statements} statements by the driver, {CONNECTIONS} connections"
                f" | {one.people / alone.seconds:,.0f} | {alone.seconds:.2f}"
                f" | {alone.at_share(0.5):.1f} | {alone.at_share(0.99):.1f} |", "",
                f"{one.seats} confirmed, {one.people - one.seats:,} on the waitlist in one line,"
                f" 0 errors; {one.http_seconds / alone.seconds:.1f} times the time of the database"
                f" alone; within {GOAL_SECONDS} s: {verdict}.",
            ]  # fmt: skip
        return lines

    def document(self) -> dict[str, Any]:
        """The figures as JSON."""
        return {
            name: {
                "people": one.people, "seats": one.seats, "processes": one.processes,
                "statements": one.statements, "met": one.met,
                "http": {"seconds": round(one.http_seconds, 2), "p50_ms": round(one.http_p50_ms, 1),
                         "p99_ms": round(one.http_p99_ms, 1)},
                "database": {"seconds": round(one.alone.seconds, 2),
                             "p50_ms": round(one.alone.at_share(0.5), 2),
                             "p99_ms": round(one.alone.at_share(0.99), 2)},
            }
            for name, one in self.found.items()
        }  # fmt: skip
