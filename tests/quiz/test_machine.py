"""Papers against a small model: time passes, two devices, double submissions, the sweep."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy import select

from server.base.jobs import TaskContext
from server.base.uow import UnitOfWorkFactory
from server.quiz import tasks
from server.quiz.attempts import closing
from server.quiz.attempts import service as attempts
from server.quiz.errors import AttemptClosed, NoAttemptsLeft
from server.quiz.models import Attempt, Entry, Standing
from tests.kit.quiz import Shown, citizens, open_contest, shown

LIMIT = 2
STEPS = [0, 1, 30, 299, 300, 301, 302, 303, 3600, 86_400]


@dataclass
class Model:
    """One paper as it must be."""

    ref: str
    citizen: int
    day: date
    ends: Any
    questions: list[Shown]
    right: dict[str, bool] = field(default_factory=dict)
    closed: bool = False
    result: closing.Result | None = None

    def over(self, now: Any) -> bool:
        return self.closed or now > self.ends + timedelta(seconds=2)

    @property
    def score(self) -> int:
        return 10 * sum(self.right.values())


class Papers(RuleBasedStateMachine):
    """Random histories of two citizens."""

    def __init__(self, uow_factory: UnitOfWorkFactory) -> None:
        super().__init__()
        self.uow_factory = uow_factory
        self.clock: Any = uow_factory.dependencies.clock
        self.contest = open_contest(uow_factory, slug="machine", papers_per_day=LIMIT)
        self.people = citizens(uow_factory, 2)
        self.papers: list[Model] = []

    @property
    def today(self) -> date:
        return (self.clock.now() + timedelta(hours=8)).date()

    def paper(self, at: int) -> Model | None:
        return self.papers[at % len(self.papers)] if self.papers else None

    @rule(who=st.integers(0, 1))
    def start(self, who: int) -> None:
        citizen, now = self.people[who], self.clock.now()
        own = [paper for paper in self.papers if paper.citizen == citizen]
        current = [paper for paper in own if not paper.over(now)]
        try:
            with self.uow_factory.begin() as uow:
                begun = attempts.start_paper(uow, self.contest.ref, citizen)
        except NoAttemptsLeft:
            assert not current
            assert sum(paper.day == self.today for paper in own) >= LIMIT
            return
        if current:
            assert (begun.fresh, begun.view.sheet.ref) == (False, current[0].ref)
            assert shown(begun.view) == current[0].questions
            return
        assert begun.fresh
        assert sum(paper.day == self.today for paper in own) < LIMIT
        ends = now + timedelta(seconds=300)
        questions = shown(begun.view)
        self.papers.append(Model(begun.view.sheet.ref, citizen, self.today, ends, questions))

    @rule(at=st.integers(0, 9), question=st.integers(0, 9), right=st.booleans())
    def save(self, at: int, question: int, right: bool) -> None:
        if (paper := self.paper(at)) is None:
            return
        asked = paper.questions[question]
        keys = asked.key if right else asked.wrong
        try:
            with self.uow_factory.begin() as uow:
                attempts.save_answers(uow, paper.ref, paper.citizen, {asked.id: keys})
        except AttemptClosed:
            assert paper.over(self.clock.now())
            return
        assert not paper.over(self.clock.now())
        paper.right[asked.id] = right

    @rule(at=st.integers(0, 9), question=st.integers(0, 9), right=st.booleans())
    def submit(self, at: int, question: int, right: bool) -> None:
        if (paper := self.paper(at)) is None:
            return
        asked = paper.questions[question]
        if not paper.over(self.clock.now()):
            paper.right[asked.id] = right
        keys = asked.key if right else asked.wrong
        with self.uow_factory.begin() as uow:
            view = attempts.submit_paper(uow, paper.ref, paper.citizen, {asked.id: keys})
        paper.closed = True
        self.compare(paper, view)

    @rule(seconds=st.sampled_from(STEPS))
    def wait(self, seconds: int) -> None:
        self.clock.advance(seconds)

    @rule()
    def sweep(self) -> None:
        tasks.close_expired(TaskContext(uow_factory=self.uow_factory, gateway=None))
        with self.uow_factory.begin(read_only=True) as uow:
            assert closing.overdue_ids(uow, 10) == []

    @rule(at=st.integers(0, 9))
    def read(self, at: int) -> None:
        if (paper := self.paper(at)) is None:
            return
        with self.uow_factory.begin(read_only=True) as uow:
            view = attempts.read_paper(uow, paper.ref, paper.citizen)
        assert shown(view) == paper.questions
        assert set(view.answers) == set(paper.right)
        if paper.over(self.clock.now()):
            self.compare(paper, view)
        else:
            assert view.result is None
            assert view.remaining_time == max(timedelta(0), paper.ends - self.clock.now())

    def compare(self, paper: Model, view: attempts.AttemptView) -> None:
        assert view.result is not None
        assert view.result.score == paper.score
        if not paper.closed:
            return  # foretold: its ranks may still move
        paper.result = paper.result or view.result
        assert view.result == paper.result

    @invariant()
    def rows_are_what_the_model_says(self) -> None:
        with self.uow_factory.begin(read_only=True) as uow:
            asked = select(Attempt).where(Attempt.citizen_id.in_(self.people))
            rows = list(uow.session.scalars(asked))
            totals = dict(
                uow.session.execute(
                    select(Entry.citizen_id, Standing.points)
                    .join(Entry, Entry.id == Standing.entry_id)
                    .where(Standing.period == "total", Entry.citizen_id.in_(self.people))
                ).all()
            )
        assert len(rows) == len(self.papers)
        per_day = Counter((row.citizen_id, row.on_day) for row in rows)
        assert max(per_day.values(), default=0) <= LIMIT
        still_open = Counter(row.citizen_id for row in rows if row.state == "open")
        assert max(still_open.values(), default=0) <= 1
        models = {paper.ref: paper for paper in self.papers}
        best: dict[tuple[int, date], int] = {}
        for row in rows:
            if row.state != "open":
                assert models[row.ref].over(self.clock.now())
                assert row.score == models[row.ref].score
                day = (row.citizen_id, row.on_day)
                best[day] = max(best.get(day, 0), row.score)
        for citizen in self.people:
            days = [points for (who, _), points in best.items() if who == citizen]
            assert totals.get(citizen) == (sum(days) if days else None)


@pytest.mark.race
def test_no_history_of_papers_leaves_the_model(uow_factory: UnitOfWorkFactory) -> None:
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        lambda: Papers(uow_factory),
        settings=settings(
            max_examples=25,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
