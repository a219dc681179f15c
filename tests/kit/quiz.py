"""A contest with the real questions, and citizens that answer by the key in the file."""

from __future__ import annotations

import csv
import random
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

from sqlalchemy import Engine

from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.quiz.attempts import service as attempts
from server.quiz.attempts.papers import KEYS
from server.quiz.attempts.service import AttemptView
from server.quiz.contests.service import ContestView
from server.quiz.models.attempts import POSTGRESQL_TRIGGER, SQLITE_TRIGGER
from tests.kit.accounts import a_citizen
from tests.kit.contests import QUESTIONS as QUESTIONS
from tests.kit.contests import open_contest as open_contest

Answers = dict[str, list[str]]
Result = TypeVar("Result")


@cache
def rows() -> dict[str, dict[str, str]]:
    """The rows of the file of questions, by id."""
    with QUESTIONS.open(encoding="utf-8", newline="") as file:
        return {row["id"]: row for row in csv.DictReader(file)}


def right_texts(ref: str) -> set[str]:
    """The texts of the right options."""
    row = rows()[ref]
    return {row[f"option_{letter.lower()}"] for letter in row["answer"]}


@dataclass(frozen=True)
class Shown:
    """A question as the phone gets it: id, kind, and options as (key, text)."""

    id: str
    kind: str
    options: list[tuple[str, str]]

    @property
    def key(self) -> list[str]:
        return sorted(key for key, text in self.options if text in right_texts(self.id))

    @property
    def wrong(self) -> list[str]:
        return next([key] for key, _ in self.options if [key] != self.key)


def shown(view: AttemptView) -> list[Shown]:
    """The visible questions of a paper that a service returned."""
    return [
        Shown(
            slot.item.ref,
            slot.item.kind.value,
            [(KEYS[at], slot.item.options[option]) for at, option in enumerate(slot.order)],
        )
        for slot in view.shown_slots
    ]


def seen(paper: Mapping[str, Any]) -> list[Shown]:
    """The questions of a paper from an HTTP response."""
    return [
        Shown(q["id"], q["kind"], [(o["key"], o["text"]) for o in q["options"]])
        for q in paper["questions"]
    ]


def all_right(questions: Sequence[Shown]) -> Answers:
    return {question.id: question.key for question in questions}


def some_right(questions: Sequence[Shown], count: int) -> Answers:
    """The first `count` answers right, the others wrong."""
    return {q.id: q.key if at < count else q.wrong for at, q in enumerate(questions)}


def guessed(questions: Sequence[Shown], chance: random.Random) -> Answers:
    """Answers of which about half are right and some are missing."""
    answers = {}
    for question in questions:
        luck = chance.random()
        if luck < 0.5:
            answers[question.id] = question.key
        elif luck < 0.9:
            most = len(question.options) if question.kind == "multiple" else 1
            keys = [key for key, _ in question.options]
            answers[question.id] = sorted(chance.sample(keys, chance.randint(1, most)))
    return answers


def citizens(uow_factory: UnitOfWorkFactory, count: int, **columns: Any) -> list[int]:
    with uow_factory.begin() as uow:
        return [a_citizen(uow, **columns).id for _ in range(count)]


def started(uow: UnitOfWork, contest: ContestView, citizen_id: int) -> AttemptView:
    return attempts.start_paper(uow, contest.ref, citizen_id).view


def take(
    uow_factory: UnitOfWorkFactory, contest: ContestView, citizen_id: int, right: int = 10
) -> AttemptView:
    """Start a paper and submit it at once, with this number of right answers."""
    with uow_factory.begin() as uow:
        view = started(uow, contest, citizen_id)
        answers = some_right(shown(view), right)
        return attempts.submit_paper(uow, view.sheet.ref, citizen_id, answers)


@contextmanager
def unguarded(engine: Engine) -> Iterator[None]:
    """Remove the guards of the database: the trigger, and the unique index of the open paper."""
    sqlite = engine.dialect.name == "sqlite"
    drop = "DROP TRIGGER attempt_closed_stays" + ("" if sqlite else " ON attempt")
    with engine.begin() as connection:
        connection.exec_driver_sql(drop)
        connection.exec_driver_sql("DROP INDEX uq_attempt_one_open")
    try:
        yield
    finally:
        made = SQLITE_TRIGGER if sqlite else POSTGRESQL_TRIGGER
        with engine.begin() as connection:
            connection.exec_driver_sql("UPDATE attempt SET state = 'expired', score = 0,"
                                       " correct_count = 0, duration_ms = 0, closed_at = started_at"
                                       " WHERE state = 'open'")  # fmt: skip
            connection.exec_driver_sql(
                "CREATE UNIQUE INDEX uq_attempt_one_open ON attempt (contest_id, citizen_id)"
                " WHERE state = 'open'"
            )
            connection.exec_driver_sql(made)


def all_at_once(steps: Sequence[Callable[[], Result]]) -> list[Result | Exception]:
    """Start all steps at the same time; return the result or exception of each."""
    begin = threading.Barrier(len(steps))

    def run(step: Callable[[], Result]) -> Result | Exception:
        begin.wait()
        try:
            return step()
        except Exception as trouble:
            return trouble

    with ThreadPoolExecutor(len(steps)) as pool:
        return [done.result() for done in [pool.submit(run, step) for step in steps]]
