"""Every peer does the same work as ours: held to the checks that come before each measurement."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.bench.letters import Account
from tests.bench.peers import PEERS
from tests.bench.processes import BenchFailed, Command, Server, production
from tests.bench.proof import prove_places, prove_writes
from tests.bench.rows import OURS, ContestRows, Size
from tests.bench.run import postgres
from tests.bench.stage import SeededContest, Stage

FEW = Size(rounds=1, seconds=0.1, letters=1, papers=1, warm=1, entries=120, pictures=1)
WATCHERS = 12


@pytest.fixture
def stage(tmp_path: Path, database_kind: str) -> Iterator[Stage]:
    with contextlib.ExitStack() as closing:
        url = f"sqlite:///{tmp_path / 'bench.sqlite3'}"
        made = Stage(
            tmp_path / "house",
            url if database_kind == "sqlite" else postgres(closing),
            Account.fresh(),
        )
        closing.callback(made.close)
        yield made


@contextlib.contextmanager
def serving(
    app: str, folder: Path, environment: Mapping[str, str], command: Command
) -> Iterator[int]:
    folder.mkdir()
    server = Server(app, folder, None, environment, command=command)
    try:
        server.await_answer("/")
        yield server.port
    finally:
        server.stop()


def proven(port: int, stage: Stage, contest: SeededContest) -> None:
    rows = ContestRows(stage, contest, FEW, [])
    people = contest.watchers[:WATCHERS]
    prove_places(port, rows, people, contest.places)
    prove_writes(port, stage, contest, rows)
    prove_places(port, rows, people, stage.ranks_by_sort(contest))


@pytest.mark.slow
def test_every_peer_answers_rightly_and_once_under_one_key(stage: Stage, tmp_path: Path) -> None:
    for name, peer in PEERS.items():
        contest = stage.contest(f"bench-{name}", FEW.entries)
        known = {**stage.environment, **stage.peers_environment}
        with serving(peer.app, tmp_path / name, known, peer.command) as port:
            proven(port, stage, contest)


@pytest.mark.slow
def test_ours_is_held_to_the_same_checks_and_a_wrong_place_is_seen(
    stage: Stage, tmp_path: Path
) -> None:
    contest = stage.contest(f"bench-{OURS}", FEW.entries)
    stage.rebuild_boards()
    with serving("wsgi:app", tmp_path / OURS, stage.environment, production) as port:
        proven(port, stage, contest)
        first, second = contest.watchers[:2]
        places = stage.ranks_by_sort(contest)
        swapped = {first.id: places[second.id], second.id: places[first.id]}
        with pytest.raises(BenchFailed, match="a place on the board"):
            prove_places(port, ContestRows(stage, contest, FEW, []), [first], swapped)
