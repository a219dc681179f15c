"""Seals, corrects and merges a large contest: `python -m tests.bench.final_bench [PLAYERS]`.

Prints how long each step takes, on SQLite in a temporary folder; asserts nothing.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

from sqlalchemy import func, select, update

from server.base.jobs import TaskContext
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.quiz.attempts import unit_moves
from server.quiz.models import (
    Attempt,
    Contest,
    Entry,
    Question,
    RescoredPaper,
    SealedPart,
)
from server.quiz.review import voiding
from server.quiz.sealing import letters, stepping
from server.quiz.sealing import service as sealing
from server.quiz.sealing.verification import verify_versions
from tests.bench.growth_seed import seed_players
from tests.bench.stage import Account, Stage
from tests.kit.boards import a_unit
from tests.kit.console import PEOPLE
from tests.kit.jobs import run_jobs
from tests.kit.sealing import OTHER

PLAYERS = 100_000
EDITOR, APPROVER = PEOPLE["editor-region"], PEOPLE["approver-region"]


def main(players: int) -> None:
    with tempfile.TemporaryDirectory(prefix="kepu-final-") as folder:
        url = f"sqlite:///{Path(folder) / 'bench.sqlite3'}"
        with closing(Stage(Path(folder) / "house", url, Account.fresh())) as stage:
            contest = stage.contest("final", 0)
            with _timed(f"{players} players seeded"):
                seed_players(stage, contest, players)
            _measure_steps(stage.application.uow_factory, contest.view.id, players)


def _measure_steps(uow_factory: UnitOfWorkFactory, contest_id: int, players: int) -> None:
    with uow_factory.begin() as uow:
        ref = uow.session.get_one(Contest, contest_id).ref
        question = _first_question(uow, contest_id)
    _end_contest(uow_factory, contest_id)
    with _timed("sealed"):
        version = _seal_in_steps(uow_factory, ref)
    with uow_factory.begin(read_only=True) as uow:
        size = uow.session.scalar(select(func.sum(func.length(SealedPart.content))))
        _print_line(f"  file {(size or 0) / 2**20:.1f} MiB in {_count(uow, SealedPart)} parts")
    with _timed("verified"), uow_factory.begin(read_only=True) as uow:
        assert verify_versions(uow, contest_id) is None
    with uow_factory.begin() as uow:
        sealing.publish_version(uow, OTHER, ref, version)
    with _timed("a question voided and every paper rescored"):
        with uow_factory.begin() as uow:
            (void,) = voiding.propose_void(
                uow, EDITOR, uow.session.get_one(Question, question), [ref], None, "有误"
            )
            void_ref = void.ref
        with uow_factory.begin() as uow:
            voiding.approve_void(uow, APPROVER, void_ref, "属实")
        run_jobs(uow_factory)
    with uow_factory.begin(read_only=True) as uow:
        _print_line(f"  rescored papers {_count(uow, RescoredPaper)}")
    with _timed("everybody with a rank told"):
        count = _tell(uow_factory)
    _print_line(f"  messages {count}")
    _merge_units(uow_factory, contest_id, players // 10)
    _print_line(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


def _seal_in_steps(uow_factory: UnitOfWorkFactory, ref: str) -> str:
    """Seal as the job does; print the longest step, for which another writer may have to wait."""
    with uow_factory.begin() as uow:
        begun = sealing.begin_sealing(uow, APPROVER, ref, "结束", accept_open=True)
        version_id, version = begun.id, begun.ref
    ends = [time.monotonic()]
    stepping.finish_version(
        uow_factory, version_id, lambda _done, _total: ends.append(time.monotonic())
    )
    ends.append(time.monotonic())
    longest = max(after - before for before, after in pairwise(ends))
    _print_line(f"  longest of {len(ends) - 1} steps: {longest:.1f} s")
    return version


def _first_question(uow: UnitOfWork, contest_id: int) -> int:
    """A question of the first paper; about a fifth of all papers have it."""
    paper = uow.session.scalars(
        select(Attempt.paper).where(Attempt.contest_id == contest_id).limit(1)
    ).one()
    return int(paper[0]["q"])


def _end_contest(uow_factory: UnitOfWorkFactory, contest_id: int) -> None:
    with uow_factory.begin() as uow:
        over = update(Contest).where(Contest.id == contest_id)
        uow.session.execute(over.values(closes_at=uow.now - timedelta(hours=1)))


def _tell(uow_factory: UnitOfWorkFactory) -> int:
    return letters.send_rank_letters(TaskContext(uow_factory=uow_factory, gateway=None))


def _merge_units(uow_factory: UnitOfWorkFactory, contest_id: int, members: int) -> None:
    """Put some entries into a unit, and move them to another one, as a merge of units does."""
    with uow_factory.begin() as uow:
        old, new = a_unit(uow).id, a_unit(uow).id
        some = select(Entry.id).where(Entry.contest_id == contest_id).limit(members)
        uow.session.execute(update(Entry).where(Entry.id.in_(some)).values(unit_id=old))
    with _timed(f"a unit with {members} entries merged"):
        moved = 1
        while moved:
            with uow_factory.begin() as uow:
                moved = unit_moves.move_entries(uow, old, new)


def _count(uow: UnitOfWork, model: type[RescoredPaper] | type[SealedPart]) -> int:
    return uow.session.scalar(select(func.count()).select_from(model)) or 0


@contextmanager
def _timed(what: str) -> Iterator[None]:
    begun = time.perf_counter()
    yield
    _print_line(f"{what}: {time.perf_counter() - begun:.1f} s")


def _print_line(words: str) -> None:
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else PLAYERS)
