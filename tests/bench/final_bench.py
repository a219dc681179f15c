"""`python -m tests.bench final`: a large contest is sealed, published, corrected and told about.

Every transaction that writes is timed, because on SQLite it keeps all other writers waiting.
"""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import func, select, update

from server.base.jobs import TaskContext
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.quiz.attempts import unit_moves
from server.quiz.models import Attempt, Contest, Entry, Question, RescoredPaper
from server.quiz.review import voiding
from server.quiz.sealing import letters, stepping
from server.quiz.sealing import service as sealing
from server.quiz.sealing.verification import verify_versions
from tests.bench.growth_seed import seed_players
from tests.bench.letters import Account
from tests.bench.report import commit, machine
from tests.bench.rows import DATABASES
from tests.bench.run import postgres, temporary_folder
from tests.bench.stage import Stage
from tests.kit.boards import a_unit
from tests.kit.console import PEOPLE
from tests.kit.jobs import run_jobs
from tests.kit.sealing import OTHER

PLAYERS = 100_000
EDITOR, APPROVER = PEOPLE["editor-region"], PEOPLE["approver-region"]


class TimedFactory(UnitOfWorkFactory):
    """Notes how long each of its transactions that write was open, its wait not included."""

    def __init__(self, other: UnitOfWorkFactory) -> None:
        super().__init__(other.engine, other.dependencies)
        self.held: list[float] = []

    @contextlib.contextmanager
    def begin(self, *given: Any, read_only: bool = False, **named: Any) -> Iterator[UnitOfWork]:
        """As in the product."""
        begun = time.perf_counter()
        with super().begin(*given, read_only=read_only, **named) as uow:
            begun = time.perf_counter()
            if not read_only:
                uow.after_commit_calls.insert(
                    0, lambda: self.held.append(time.perf_counter() - begun)
                )
            yield uow


@dataclass(kw_only=True)
class Step:
    """One step.  Units: seconds in all, and of its longest transaction that writes."""

    name: str
    seconds: float = 0.0
    longest: float = 0.0
    transactions: int = 0


@dataclass
class _Run:
    factory: TimedFactory
    say: Callable[[str], None]
    steps: list[Step] = field(default_factory=list)

    @contextlib.contextmanager
    def time_step(self, name: str) -> Iterator[None]:
        self.say(name)
        self.factory.held.clear()
        begun = time.perf_counter()
        yield
        held = self.factory.held
        self.steps.append(
            Step(name=name, seconds=time.perf_counter() - begun, longest=max(held, default=0.0),
                 transactions=len(held))
        )  # fmt: skip


def measure_final(
    databases: Sequence[str], players: int, say: Callable[[str], None]
) -> dict[str, list[Step]]:
    """Every step on each database."""
    found = {}
    for database in databases:
        with contextlib.ExitStack() as closing:
            folder = Path(closing.enter_context(temporary_folder()))
            lite = f"sqlite:///{folder / 'final.sqlite3'}"
            url = lite if database == "sqlite" else postgres(closing, "final")
            stage = Stage(folder / "house", url, Account.fresh())
            closing.callback(stage.close)
            contest = stage.contest("final", 0)
            say(f"{database}: {players} players")
            seed_players(stage, contest, players)
            run = _Run(TimedFactory(stage.application.uow_factory), say)
            _measure_steps(run, contest.view.id, players)
            found[database] = run.steps
    return found


def _measure_steps(run: _Run, contest_id: int, players: int) -> None:
    factory = run.factory
    with factory.begin() as uow:
        ref = uow.session.get_one(Contest, contest_id).ref
        question = _first_question(uow, contest_id)
        over = update(Contest).where(Contest.id == contest_id)
        uow.session.execute(over.values(closes_at=uow.now - timedelta(hours=1)))
    with run.time_step("sealed"):
        version = _seal_in_steps(factory, ref)
    with run.time_step("verified"), factory.begin(read_only=True) as uow:
        assert verify_versions(uow, contest_id) is None
    with factory.begin() as uow:
        sealing.publish_version(uow, OTHER, ref, version)
    with run.time_step("everybody with a rank told"):
        told = letters.send_rank_letters(TaskContext(uow_factory=factory, gateway=None))
    with run.time_step("a question voided, its papers rescored, changed ranks told"):
        _void_question(factory, question, ref)
    with factory.begin(read_only=True) as uow:
        rescored = uow.session.scalar(select(func.count()).select_from(RescoredPaper)) or 0
    run.say(f"{told} messages, {rescored} papers rescored")
    run.steps[-1].name += f" ({rescored:,} papers)"
    members = players // 10
    old, new = _fill_unit(factory, contest_id, members)
    with run.time_step(f"a unit with {members:,} entries merged"):
        moved = 1
        while moved:
            with factory.begin() as uow:
                moved = unit_moves.move_entries(uow, old, new)


def _seal_in_steps(factory: UnitOfWorkFactory, ref: str) -> str:
    with factory.begin() as uow:
        begun = sealing.begin_sealing(uow, APPROVER, ref, "结束", accept_open=True)
        version_id, version = begun.id, begun.ref
    assert stepping.finish_version(factory, version_id, lambda _done, _total: None)
    return version


def _void_question(factory: UnitOfWorkFactory, question: int, ref: str) -> None:
    with factory.begin() as uow:
        row = uow.session.get_one(Question, question)
        (void,) = voiding.propose_void(uow, EDITOR, row, [ref], None, "有误")
        void_ref = void.ref
    with factory.begin() as uow:
        voiding.approve_void(uow, APPROVER, void_ref, "属实")
    run_jobs(factory)


def _first_question(uow: UnitOfWork, contest_id: int) -> int:
    """A question of the first paper; about a fifth of all papers have it."""
    paper = uow.session.scalars(
        select(Attempt.paper).where(Attempt.contest_id == contest_id).limit(1)
    ).one()
    return int(paper[0]["q"])


def _fill_unit(factory: UnitOfWorkFactory, contest_id: int, members: int) -> tuple[int, int]:
    """Put some entries into a unit that is merged into another one."""
    with factory.begin() as uow:
        old, new = a_unit(uow).id, a_unit(uow).id
        some = select(Entry.id).where(Entry.contest_id == contest_id).limit(members)
        uow.session.execute(update(Entry).where(Entry.id.in_(some)).values(unit_id=old))
    return old, new


@dataclass(frozen=True, kw_only=True)
class FinalRanks:
    """What one run found."""

    found: Mapping[str, Sequence[Step]]
    players: int
    began: str

    def lines(self) -> list[str]:
        """The figures as Markdown, which reads as text too."""
        lines = [f"{self.players:,} players; {machine()}; commit {commit()}; {self.began}"]
        for database, steps in self.found.items():
            lines += [
                "", f"### {DATABASES[database]}, final ranks", "",
                "| step | s | transactions | longest s |", "|---|---|---|---|",
            ]  # fmt: skip
            lines += [
                f"| {one.name} | {one.seconds:.1f} | {one.transactions} | {one.longest:.2f} |"
                for one in steps
            ]
        return lines

    def document(self) -> dict[str, Any]:
        """The figures as JSON."""
        return {name: [vars(step) for step in steps] for name, steps in self.found.items()}


if __name__ == "__main__":
    many = int(sys.argv[1]) if len(sys.argv) > 1 else PLAYERS
    told = FinalRanks(found=measure_final(tuple(DATABASES), many, print), players=many, began="")
    sys.stdout.write("\n".join([*told.lines(), ""]))
