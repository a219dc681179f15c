"""What is measured: for each row its server, the requests of a round, and the proof of its answers.

Every answer's status and words are looked at by the load generator; what must have come of them is
counted here before and after, outside of the measured time.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import TypeVar

from tests.bench.letters import http_request
from tests.bench.processes import BenchFailed
from tests.bench.stage import Paper, Person, SeededContest, Stage

Item = TypeVar("Item")
Check = Callable[[int], None]
API = "/api/v1"
ENDLESS = 1_000_000
OURS = "ours"
DATABASES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
# What is asked of ours and of every peer, in the order in which it is measured.
JOBS: Mapping[str, str] = {
    "board": "leaderboard: top 100, my rank",
    "start": "start of a paper",
    "start_keyed": "start of a paper, keyed",
    "save": "PUT 10 answers",
    "save_keyed": "PUT 10 answers, keyed",
    "submit": "submission, 10 questions",
    "submit_keyed": "submission, 10 questions, keyed",
}
COUNTED = 40


@dataclass(frozen=True, kw_only=True)
class Size:
    """How much a run does.

    Units: `letters` and `papers` are the most that one round can use of each, `warm` goes before
    the first round, `seconds` end a row's turn in a round, `pictures` are sent at once.
    """

    rounds: int
    seconds: float
    letters: int
    papers: int
    warm: int
    entries: int
    pictures: int


FULL = Size(rounds=5, seconds=1.0, letters=8000, papers=400, warm=48, entries=10_000, pictures=48)
QUICK = Size(rounds=2, seconds=0.2, letters=1500, papers=40, warm=16, entries=500, pictures=4)


@dataclass(frozen=True, kw_only=True)
class Deal:
    """The requests of one turn, what their answers must hold, and what must have come of them."""

    requests: Sequence[bytes]
    status: int = 200
    holds: str = ""
    cycle: bool = False
    check: Check = field(default=lambda _done: None)


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of the table; `deal` is given the round, 0 is the warming up.

    `stack` is whose server answers: ours, a peer or a floor; rows of one `job` on one `database`
    do the same work.
    """

    key: str
    title: str
    server: str
    deal: Callable[[int], Deal]
    stack: str = "floor"
    job: str = ""
    database: str = ""


class Shares:
    """Things that are used once, dealt out by rounds: fewer for the warming up, some to count."""

    def __init__(self, size: Size) -> None:
        self._size = size
        self.all = size.warm + size.rounds * size.papers + COUNTED

    def of(self, things: Sequence[Item], part: int) -> Sequence[Item]:
        """The share of a round."""
        if part == 0:
            return things[: self._size.warm]
        begin = self._size.warm + (part - 1) * self._size.papers
        return things[begin : begin + self._size.papers]


def floor_rows(letters: Callable[[int], Sequence[bytes]]) -> list[Row]:
    """The floor of the callback, and its peer."""

    def greeting(_part: int) -> Deal:
        return Deal(requests=[http_request("GET", "/")], holds="Hello", cycle=True)

    def told(part: int) -> Deal:
        return Deal(requests=letters(part), holds="</Encrypt>")

    return [
        Row(key="hello", title="bare Flask hello", server="hello", deal=greeting),
        Row(key="echo", title="wechatpy + Flask echo, safe mode, no de-dup", server="echo",
            deal=told),
    ]  # fmt: skip


def callback_row(stage: Stage, server: str, letters: Callable[[int], Sequence[bytes]]) -> Row:
    """Our callback with de-dup and a keyword."""

    def deal(part: int) -> Deal:
        before = stage.remembered()

        def check(done: int) -> None:
            # Each message is known again by itself and by its signature.
            fresh = (stage.remembered() - before) / 2
            if fresh != done:
                raise BenchFailed(f"{done} messages left {fresh} new keys: some were repeats")

        return Deal(requests=letters(part), holds="</Encrypt>", check=check)

    return Row(key="callback", title="safe callback, de-dup, keyword", server=server, deal=deal,
               stack=OURS, job="callback")  # fmt: skip


class ContestRows:
    """The rows of one server in one database: ours or a peer, each in a contest of its own."""

    def __init__(self, stage: Stage, contest: SeededContest, size: Size, jobs: Sequence[str]):
        self._stage, self._contest, self._jobs = stage, contest, jobs
        self._shares = Shares(size)
        many = self._shares.all
        self._starters = {job: stage.newcomers(many) for job in jobs if job.startswith("start")}
        self._papers = {
            job: stage.papers(contest, many) for job in jobs if job.startswith("submit")
        }
        # Kept answers may be kept again, so these papers serve every round.
        saving = any(job.startswith("save") for job in jobs)
        self._drafts = stage.papers(contest, size.papers) if saving else []
        self._draft_no = count(1)

    def rows(self, server: str, stack: str, database: str) -> list[Row]:
        """Board first: its expected places are those before anybody hands in."""
        deals = {"board": self.board, "start": self.start, "save": self.save, "submit": self.submit}

        def deal_of(job: str) -> Callable[[int], Deal]:
            made = deals[job.partition("_")[0]]
            return lambda part: made(part, job)

        return [
            Row(key=f"{job}_{database}_{stack}", title=f"{JOBS[job]} ({DATABASES[database]})",
                server=server, deal=deal_of(job), stack=stack, job=job, database=database)
            for job in self._jobs
        ]  # fmt: skip

    def board(self, _part: int, _job: str) -> Deal:
        """The page of 100 lines for citizens who are on it."""
        requests = [self.look(person) for person in self._contest.watchers]
        return Deal(requests=requests, holds='"around":[{', cycle=True)

    def look(self, person: Person) -> bytes:
        """One look at the board."""
        target = f"{API}/contests/{self._contest.view.ref}/leaderboard?limit=100"
        return http_request("GET", target, token=person.token)

    def start(self, part: int, job: str) -> Deal:
        """A first paper for citizens who have none."""
        people = self._shares.of(self._starters[job], part)
        before, keys = self._stage.begun(self._contest), self._stage.answered_keys()

        def check(done: int) -> None:
            if self._stage.begun(self._contest) - before != done:
                raise BenchFailed("a start that began no paper")
            self._check_keys(keys, done, job)

        requests = [self.begin(person, key_for(job)) for person in people]
        return Deal(requests=requests, status=201, holds='"questions":[{', check=check)

    def begin(self, person: Person, key: str = "") -> bytes:
        """One start."""
        target = f"{API}/contests/{self._contest.view.ref}/attempts"
        return http_request("POST", target, b"{}", token=person.token, key=key)

    def save(self, _part: int, job: str) -> Deal:
        """Ten answers that differ from those that are kept, so that each call writes."""
        turn = next(self._draft_no)
        wanted = [turned(paper, turn) for paper in self._drafts]
        refs = [paper.ref for paper in self._drafts]
        before, keys = self._stage.kept(refs), self._stage.answered_keys()

        def check(done: int) -> None:
            now = self._stage.kept(refs[:done])
            if any(now[ref] == before[ref] for ref in now):
                raise BenchFailed("answers that were not kept")
            self._check_keys(keys, done, job)

        requests = [
            self.put(paper, answers, key_for(job))
            for paper, answers in zip(self._drafts, wanted, strict=True)
        ]  # fmt: skip
        return Deal(requests=requests, status=204, check=check)

    def put(self, paper: Paper, answers: dict[str, list[str]], key: str = "") -> bytes:
        """One call that keeps answers."""
        body = json.dumps({"answers": answers}).encode()
        target = f"{API}/attempts/{paper.ref}/answers"
        return http_request("PUT", target, body, token=paper.token, key=key)

    def submit(self, part: int, job: str) -> Deal:
        """Ten answers, the closed paper, its score, its standings, its ranks, its review."""
        papers = self._shares.of(self._papers[job], part)
        before, keys = self._stage.handed_in(self._contest), self._stage.answered_keys()

        def check(done: int) -> None:
            now = self._stage.handed_in(self._contest)
            points = sum(paper.score for paper in papers[:done])
            if (now[0] - before[0], now[1] - before[1]) != (done, points):
                raise BenchFailed("papers that were not counted, or counted wrongly")
            self._check_keys(keys, done, job)

        requests = [self.hand_in(paper, key_for(job)) for paper in papers]
        return Deal(requests=requests, holds='"ranks":{', check=check)

    def hand_in(self, paper: Paper, key: str = "") -> bytes:
        """One submission."""
        body = json.dumps({"answers": paper.answers}).encode()
        target = f"{API}/attempts/{paper.ref}/submission"
        return http_request("POST", target, body, token=paper.token, key=key)

    def _check_keys(self, before: int, done: int, job: str) -> None:
        expected = done if is_keyed(job) else 0
        if self._stage.answered_keys() - before != expected:
            raise BenchFailed(f"{done} requests, but not {expected} answers kept by their keys")

    def to_count(self) -> dict[str, list[bytes]]:
        """For each job a few requests of its own, for counting what one of them costs."""
        made: dict[str, list[bytes]] = {}
        for job in self._jobs:
            if job == "board":
                made[job] = [self.look(who) for who in self._contest.watchers[:COUNTED]]
            elif job in self._starters:
                made[job] = [
                    self.begin(one, key_for(job)) for one in self._starters[job][-COUNTED:]
                ]
            elif job in self._papers:
                papers = self._papers[job][-COUNTED:]
                made[job] = [self.hand_in(paper, key_for(job)) for paper in papers]
            else:
                turn = next(self._draft_no)
                made[job] = [self.put(paper, turned(paper, turn), key_for(job))
                             for paper in self._drafts[:COUNTED]]  # fmt: skip
        return made


def is_keyed(job: str) -> bool:
    """Whether the requests of a job carry an Idempotency-Key."""
    return job.endswith("_keyed")


def key_for(job: str) -> str:
    """A key that no request had before; empty for a job without keys."""
    return f"key-{secrets.token_hex(12)}" if is_keyed(job) else ""


def turned(paper: Paper, turn: int) -> dict[str, list[str]]:
    """The paper's answers with the first four varied by the turn: the same in no two of sixteen.

    A turn that its time has cut leaves papers as an earlier one had them.
    """
    answers = dict(paper.answers)
    for bit, ref in enumerate(list(answers)[:4]):
        answers[ref] = ["B"] if turn >> bit & 1 else ["A"]
    return answers
