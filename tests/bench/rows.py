"""What is measured: for each row its server, the requests of a round, and the proof of its answers.

Every answer's status and words are looked at by the load generator; what must have come of them is
counted here before and after, outside of the measured time.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import TypeVar

from tests.bench.letters import http_request
from tests.bench.processes import BenchFailed
from tests.bench.stage import Paper, Person, Stage

Item = TypeVar("Item")
Check = Callable[[int], None]
API = "/api/v1"
ENDLESS = 1_000_000


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


FULL = Size(rounds=5, seconds=1.0, letters=8000, papers=300, warm=48, entries=10_000, pictures=48)
QUICK = Size(rounds=2, seconds=0.2, letters=1500, papers=40, warm=16, entries=1000, pictures=16)


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

    Units: `does` goes on after `a request, which`.
    """

    key: str
    title: str
    server: str
    deal: Callable[[int], Deal]
    floor: str = "facts"
    goal: float | None = None
    goal_name: str = ""
    does: str = ""


class Shares:
    """Things that are used once, dealt out by rounds: fewer for the warming up, three to count."""

    def __init__(self, size: Size) -> None:
        self._size = size
        self.all = size.warm + size.rounds * size.papers + COUNTED

    def of(self, things: Sequence[Item], part: int) -> Sequence[Item]:
        """The share of a round."""
        if part == 0:
            return things[: self._size.warm]
        begin = self._size.warm + (part - 1) * self._size.papers
        return things[begin : begin + self._size.papers]


COUNTED = 40


def floor_rows(letters: Callable[[int], Sequence[bytes]]) -> list[Row]:
    """The floors and the peer."""

    def greeting(_part: int) -> Deal:
        return Deal(requests=[http_request("GET", "/")], holds="Hello", cycle=True)

    def small(_part: int) -> Deal:
        return Deal(requests=[http_request("GET", "/")], holds='"rank":12', cycle=True)

    def told(part: int) -> Deal:
        return Deal(requests=letters(part), holds="</Encrypt>")

    return [
        Row(key="hello", title="bare Flask hello", server="hello", deal=greeting),
        Row(key="facts", title="Flask dict as JSON", server="facts", deal=small),
        Row(key="echo", title="wechatpy + Flask echo, safe mode, no de-dup", server="echo",
            deal=told),
    ]  # fmt: skip


def callback_row(stage: Stage, letters: Callable[[int], Sequence[bytes]]) -> Row:
    """Our callback with de-dup and a keyword."""

    def deal(part: int) -> Deal:
        before = stage.remembered()

        def check(done: int) -> None:
            # Each message is known again by itself and by its signature.
            fresh = (stage.remembered() - before) / 2
            if fresh != done:
                raise BenchFailed(f"{done} messages left {fresh} new keys: some were repeats")

        return Deal(requests=letters(part), holds="</Encrypt>", check=check)

    return Row(
        key="callback", title="safe callback, de-dup, keyword", server="sqlite", deal=deal,
        floor="hello", goal=0.70, goal_name="S1",
        does="checks three signatures, opens and seals AES, reads two XML documents, remembers the"
             " message and its signature in one trip to Redis, and counts for all processes",
    )  # fmt: skip


class ContestRows:
    """The contest's rows on one database."""

    def __init__(self, stage: Stage, size: Size, name: str, database: str) -> None:
        self._stage = stage
        self._shares = Shares(size)
        self._name, self._database = name, database
        self._starters = stage.newcomers(self._shares.all)
        self._papers = stage.papers(self._shares.all)
        # Kept answers may be kept again, so these papers serve every round.
        self._drafts = stage.papers(size.papers)
        self._draft_no = count(1)

    def rows(self, goal: float) -> list[Row]:
        """Board first: its expected places are those before anybody hands in."""
        name, where = self._name, self._database
        return [
            Row(key=f"board_{name}", title=f"leaderboard: top 100, my rank ({where})", server=name,
                deal=self.board, goal=0.78 if name == "sqlite" else None, goal_name="S6",
                does="checks its caller, asks Redis for the board and the database for the names"
                     " behind its lines"),
            Row(key=f"start_{name}", title=f"start of a paper ({where})", server=name,
                deal=self.start),
            Row(key=f"save_{name}", title=f"PUT 10 answers ({where})", server=name,
                deal=self.save),
            Row(key=f"submit_{name}", title=f"submission, 10 questions ({where})", server=name,
                deal=self.submit, goal=goal, goal_name="S5",
                does="does more than the one insert that the goal was set for: it checks its"
                     " caller, locks, marks and closes the paper, renews three standings, finds"
                     " two ranks and tells the review"),
        ]  # fmt: skip

    def board(self, _part: int) -> Deal:
        """The page of 100 lines for citizens who are on it."""
        requests = [self.look(person) for person in self._stage.watchers]
        return Deal(requests=requests, holds='"around":[{', cycle=True)

    def look(self, person: Person) -> bytes:
        """One look at the board."""
        target = f"{API}/contests/{self._stage.contest.ref}/leaderboard?limit=100"
        return http_request("GET", target, token=person.token)

    def start(self, part: int) -> Deal:
        """A first paper for citizens who have none."""
        return self._counted_start(self._shares.of(self._starters, part))

    def _counted_start(self, people: Sequence[Person]) -> Deal:
        before = self._stage.begun()

        def check(done: int) -> None:
            if self._stage.begun() - before != done:
                raise BenchFailed("a start that began no paper")

        requests = [self._begin(person) for person in people]
        return Deal(requests=requests, status=201, holds='"questions":[{', check=check)

    def _begin(self, person: Person) -> bytes:
        target = f"{API}/contests/{self._stage.contest.ref}/attempts"
        return http_request("POST", target, b"{}", token=person.token)

    def save(self, _part: int) -> Deal:
        """Ten answers that differ from those that are kept, so that each call writes."""
        turn = next(self._draft_no)
        wanted = [_turned(paper, turn) for paper in self._drafts]
        refs = [paper.ref for paper in self._drafts]
        before = self._stage.kept(refs)

        def check(done: int) -> None:
            now = self._stage.kept(refs[:done])
            if any(now[ref] == before[ref] for ref in now):
                raise BenchFailed("answers that were not kept")

        requests = [
            self._put(paper, answers)
            for paper, answers in zip(self._drafts, wanted, strict=True)
        ]  # fmt: skip
        return Deal(requests=requests, status=204, check=check)

    def _put(self, paper: Paper, answers: dict[str, list[str]]) -> bytes:
        body = json.dumps({"answers": answers}).encode()
        return http_request(
            "PUT", f"{API}/attempts/{paper.ref}/answers", body, token=paper.token
        )  # fmt: skip

    def submit(self, part: int) -> Deal:
        """Ten answers, the closed paper, its score, its standings, its ranks, its review."""
        papers = self._shares.of(self._papers, part)
        before = self._stage.handed_in()

        def check(done: int) -> None:
            now = self._stage.handed_in()
            points = sum(paper.score for paper in papers[:done])
            if (now[0] - before[0], now[1] - before[1]) != (done, points):
                raise BenchFailed("papers that were not counted, or counted wrongly")

        requests = [self._hand_in(paper) for paper in papers]
        return Deal(requests=requests, holds='"ranks":{"region":', check=check)

    def _hand_in(self, paper: Paper) -> bytes:
        body = json.dumps({"answers": paper.answers}).encode()
        target = f"{API}/attempts/{paper.ref}/submission"
        return http_request("POST", target, body, token=paper.token)

    def to_count(self) -> dict[str, list[bytes]]:
        """For each row a few requests of its own, for counting what one of them costs."""
        starters, papers = self._starters[-COUNTED:], self._papers[-COUNTED:]
        drafts, turn = self._drafts[:COUNTED], next(self._draft_no)
        return {
            f"board_{self._name}": [self.look(who) for who in self._stage.watchers[:COUNTED]],
            f"start_{self._name}": [self._begin(who) for who in starters],
            f"save_{self._name}": [self._put(paper, _turned(paper, turn)) for paper in drafts],
            f"submit_{self._name}": [self._hand_in(paper) for paper in papers],
        }


def _turned(paper: Paper, turn: int) -> dict[str, list[str]]:
    """The paper's answers with the first three varied by the turn: the same in no two of eight.

    A turn that its time has cut leaves papers as an earlier one had them.
    """
    answers = dict(paper.answers)
    for bit, ref in enumerate(list(answers)[:3]):
        answers[ref] = ["B"] if turn >> bit & 1 else ["A"]
    return answers
