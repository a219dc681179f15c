"""What a server has to get right before it is timed: ours and every peer alike."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tests.bench.client import Answer, ask
from tests.bench.processes import BenchFailed
from tests.bench.rows import ContestRows, key_for
from tests.bench.stage import Paper, Person, SeededContest, Stage

_SPREAD = 20


def prove_places(
    port: int, rows: ContestRows, people: list[Person], places: Mapping[int, int]
) -> None:
    """Everybody asked stands where an independent sort puts him, and sees a whole page.

    Raises: BenchFailed.
    """
    for person in people:
        told = json.loads(ask(port, rows.look(person)).body)
        me, items = told["me"], told["items"]
        _same(me["rank"], places[person.id], "a place on the board")
        _same(len(items), min(100, told["total"]), "lines of a board")
        _same([line["rank"] for line in items], list(range(1, len(items) + 1)), "ranks")
        own = next(line for line in me["around"] if line["me"])
        _same(own["rank"], me["rank"], "a line of one's own")


def prove_writes(port: int, stage: Stage, contest: SeededContest, rows: ContestRows) -> None:
    """Start, answers and submission do what they say, once under one key, and only for their owner.

    Raises: BenchFailed.
    """
    # Of so many every city gets some, so that the first has a city to be ranked in.
    person = stage.newcomers(_SPREAD)[0]
    paper = stage.papers(contest, _SPREAD)[0]
    _prove_start(port, stage, contest, rows, person)
    _prove_answers(port, stage, rows, paper)
    _prove_submission(port, stage, contest, rows, paper)


def _prove_start(
    port: int, stage: Stage, contest: SeededContest, rows: ContestRows, person: Person
) -> None:
    before, key = stage.begun(contest), key_for("start_keyed")
    first = ask(port, rows.begin(person, key))
    _same(first.status, 201, "a start")
    _same_answer(first, ask(port, rows.begin(person, key)))
    again = ask(port, rows.begin(person))
    _same(again.status, 200, "a start with an open paper")
    told = json.loads(first.body)
    _same(json.loads(again.body)["id"], told["id"], "the paper that is open")
    _same(stage.begun(contest) - before, 1, "papers begun")
    kinds = [question["kind"] for question in told["questions"]]
    wanted = {"single": 6, "judge": 2, "multiple": 2}
    _same({kind: kinds.count(kind) for kind in wanted}, wanted, "kinds of questions")
    _same(len({question["id"] for question in told["questions"]}), 10, "different questions")


def _prove_answers(port: int, stage: Stage, rows: ContestRows, paper: Paper) -> None:
    some = dict(list(paper.answers.items())[:3])
    key = key_for("save_keyed")
    first = ask(port, rows.put(paper, some, key))
    _same(first.status, 204, "answers")
    _same_answer(first, ask(port, rows.put(paper, some, key)))
    _same(set(stage.kept([paper.ref])[paper.ref]), set(some), "answers kept")
    _same(ask(port, rows.put(paper, paper.answers, key)).status, 409, "a key used for another")
    stranger = Paper(ref="att_nobody", token=paper.token, answers=some, score=0)
    _same(ask(port, rows.put(stranger, some)).status, 404, "somebody else's paper")
    _same(ask(port, rows.put(paper, {"no such question": ["A"]})).status, 422, "no question")
    nobody = Paper(ref=paper.ref, token="nobody", answers=some, score=0)
    _same(ask(port, rows.put(nobody, some)).status, 401, "a token that nobody has")


def _prove_submission(
    port: int, stage: Stage, contest: SeededContest, rows: ContestRows, paper: Paper
) -> None:
    before, key = stage.handed_in(contest), key_for("submit_keyed")
    first = ask(port, rows.hand_in(paper, key))
    _same(first.status, 200, "a submission")
    _same_answer(first, ask(port, rows.hand_in(paper, key)))
    told = json.loads(first.body)
    again = json.loads(ask(port, rows.hand_in(paper)).body)
    _same({**again, "closed_at": ""}, {**told, "closed_at": ""}, "a result told again")
    now = stage.handed_in(contest)
    _same((now[0] - before[0], now[1] - before[1]), (1, paper.score), "papers and points")
    _same(told["score"], paper.score, "a score")
    right = [one["chosen"] == one["correct"] for one in told["review"]]
    _same(right.count(True) * 10, paper.score, "a review")
    _same(stage.standings_of(paper.ref), [paper.score] * 3, "three standings")
    _same(stage.took_part(paper.ref), 1, "a row of participation")
    _same(told["ranks"]["region"], stage.ranks_by_sort(contest)[stage.owner_of(paper.ref)],
          "a rank")  # fmt: skip
    _same(told["ranks"]["city"], stage.city_rank_by_sort(paper.ref), "a rank in the city")
    _same(ask(port, rows.put(paper, paper.answers)).status, 409, "answers to a closed paper")


def _same_answer(first: Answer, repeat: Answer) -> None:
    _same((repeat.status, repeat.body), (first.status, first.body), "an answer under its key")


def _same(found: Any, wanted: Any, what: str) -> None:
    if found != wanted:
        raise BenchFailed(f"{what}: {found!r} instead of {wanted!r}")
