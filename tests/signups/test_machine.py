"""Sign-ups against an oracle: random histories of three lectures, two of them at the same time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from server.base.errors import AppError
from server.base.jobs import TaskContext
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.signups import capacity, service, store, tasks, waitlist
from server.signups.kinds import SEATED, SignUpState
from server.signups.models import SignUp
from server.signups.rules import MOST_PASSED
from tests.kit.accounts import a_citizen
from tests.kit.activities import Counted, a_lecture, read_counts
from tests.kit.effort import repeat_count

PEOPLE = 7
HISTORIES, STEPS = repeat_count(50, 5), repeat_count(2000, 200)


@dataclass(frozen=True)
class Seen:
    """One lecture after a step: its live sign-ups, the waitlist in its order, and its counters."""

    rows: list[SignUp]
    counted: Counted
    stored: Counted
    ends_promotions: datetime
    beside: int | None

    @property
    def seated(self) -> set[int | None]:
        return {row.citizen_id for row in self.rows if row.state in SEATED}

    @property
    def waiting(self) -> list[SignUp]:
        return [row for row in self.rows if row.state is SignUpState.WAITLISTED]

    @property
    def states(self) -> dict[int, SignUpState]:
        return {row.id: row.state for row in self.rows}


class Hall(RuleBasedStateMachine):
    """Random histories of seven citizens; after each step every promise is checked."""

    def __init__(self, uow_factory: UnitOfWorkFactory) -> None:
        super().__init__()
        self.woken: set[str] = set()
        noting = replace(uow_factory.dependencies, enqueue=lambda task, *_: self.woken.add(task))
        self.uow_factory = UnitOfWorkFactory(uow_factory.engine, noting)
        self.clock: Any = uow_factory.dependencies.clock
        with uow_factory.begin() as uow:
            self.people = [a_citizen(uow).id for _ in range(PEOPLE)]
            start = uow.now + timedelta(hours=8)
            self.starts = [start, start + timedelta(hours=1), start + timedelta(hours=9)]
            self.lectures = [
                a_lecture(uow, seats=3, starts_at=start, party_max=3, offer_minutes=30),
                a_lecture(uow, seats=2, starts_at=self.starts[1], party_max=2),
                a_lecture(uow, seats=2, starts_at=self.starts[2], waitlist_most=2),
            ]
        self.seen = self.look()

    def look(self) -> list[Seen]:
        with self.uow_factory.begin(read_only=True) as uow:
            found = read_counts(uow, self.lectures)
        return [
            Seen(one.rows, one.counted, one.stored, start, near)
            for one, start, near in zip(found, self.starts, (1, 0, None), strict=True)
        ]

    def act(self, call: Callable[[UnitOfWork], object]) -> None:
        """Do one step; a refusal changes nothing."""
        refusal = None
        try:
            with self.uow_factory.begin() as uow:
                call(uow)
        except AppError as trouble:
            refusal = trouble
        if store.FILL_TASK in self.woken:
            # Somebody lost a seat, and may wait for another activity at the same time.
            tasks.fill_idle_seats(TaskContext(uow_factory=self.uow_factory, gateway=None))
        self.woken.clear()
        before, self.seen = self.seen, self.look()
        if refusal is not None:
            assert refusal.status in (404, 409, 422)
            assert [one.states for one in self.seen] == [one.states for one in before]
        self.check(before)

    @rule(who=st.integers(0, PEOPLE - 1), what=st.integers(0, 2), party=st.integers(1, 3))
    def sign_up(self, who: int, what: int, party: int) -> None:
        wish = service.Wish(party_size=1 if what == 2 else party)
        self.act(lambda uow: service.sign_up(uow, self.people[who], self.lectures[what].ref, wish))

    @rule(who=st.integers(0, PEOPLE - 1), left=st.integers(0, 2), wanted=st.integers(0, 2))
    def move(self, who: int, left: int, wanted: int) -> None:
        wish = service.Wish(instead_of=self.lectures[left].ref)
        self.act(
            lambda uow: service.sign_up(uow, self.people[who], self.lectures[wanted].ref, wish)
        )

    @rule(who=st.integers(0, PEOPLE - 1), what=st.integers(0, 2))
    def withdraw(self, who: int, what: int) -> None:
        self.act(lambda uow: service.withdraw(uow, self.people[who], self.lectures[what].ref))

    @rule(who=st.integers(0, PEOPLE - 1), accept=st.booleans())
    def answer(self, who: int, accept: bool) -> None:
        lecture = self.lectures[0]
        self.act(
            lambda uow: service.answer_offer(uow, self.people[who], lecture.ref, accept=accept)
        )

    @rule(what=st.integers(0, 2), seats=st.integers(1, 6), back=st.integers(0, 2))
    def change_seats(self, what: int, seats: int, back: int) -> None:
        chosen = [row.ref for row in self.seen[what].rows if row.state in SEATED][:back]
        self.act(lambda uow: capacity.change_seats(uow, self.lectures[what].id, seats, chosen))

    @rule(minutes=st.sampled_from([1, 5, 31]))
    def wait(self, minutes: int) -> None:
        self.clock.advance(minutes * 60)

    @rule()
    def sweep(self) -> None:
        context = TaskContext(uow_factory=self.uow_factory, gateway=None)
        tasks.expire_offers(context)
        tasks.fill_idle_seats(context)
        before, self.seen = self.seen, self.look()
        self.check(before)
        now = self.clock.now()
        for lecture in self.seen:
            ends = [row.offer_expires_at for row in lecture.rows if row.offer_expires_at]
            assert all(end > now for end in ends)

    def check(self, before: list[Seen]) -> None:
        assert not self.seen[0].seated & self.seen[1].seated
        for at, lecture in enumerate(self.seen):
            people = [row.citizen_id for row in lecture.rows]
            assert len(people) == len(set(people))
            assert lecture.stored == lecture.counted
            assert 0 <= lecture.counted.taken <= lecture.counted.seats
            assert all(row.passed <= MOST_PASSED for row in lecture.rows)
            self.check_no_seat_is_idle(lecture)
            self.check_order(before[at], lecture)

    def check_no_seat_is_idle(self, lecture: Seen) -> None:
        """Whoever is first of those that can be served has no room, or seats gather for him."""
        if self.clock.now() >= lecture.ends_promotions:
            return
        free = lecture.counted.seats - lecture.counted.taken
        for row in lecture.waiting:
            if row.party_size > lecture.counted.seats or self.is_busy(row, lecture):
                continue
            assert row.party_size > free
            if row.passed == MOST_PASSED:
                return

    def check_order(self, before: Seen, after: Seen) -> None:
        """Nobody got seats before a party ahead of at most that size that could be served."""
        for at, served in enumerate(before.waiting):
            if after.states.get(served.id) not in SEATED:
                continue
            assert self.clock.now() < after.ends_promotions
            for ahead in before.waiting[:at]:
                if after.states.get(ahead.id) is SignUpState.WAITLISTED:
                    largest = min(served.party_size, after.counted.seats)
                    assert ahead.party_size > largest or self.is_busy(ahead, after)

    def is_busy(self, row: SignUp, lecture: Seen) -> bool:
        """Whether a person has seats in the other lecture of the same time."""
        return lecture.beside is not None and row.citizen_id in self.seen[lecture.beside].seated


def run_histories(
    uow_factory: UnitOfWorkFactory, histories: int, steps: int, *, fixed: bool = False
) -> None:
    run_state_machine_as_test(
        lambda: Hall(uow_factory),
        settings=settings(
            max_examples=histories,
            stateful_step_count=steps,
            deadline=None,
            database=None,
            derandomize=fixed,
            report_multiple_bugs=False,
            # A history of hundreds of steps takes many minutes to shrink.
            phases=(Phase.generate,),
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_random_histories_keep_every_promise_about_seats(uow_factory: UnitOfWorkFactory) -> None:
    run_histories(uow_factory, HISTORIES, STEPS)


def _serve_nobody(*_args: Any, **_options: Any) -> bool:
    return False


def _serve_the_last_first(free: int, queue: Any) -> Any:
    turned = [replace(one, passed=0) for one in reversed(list(queue))]
    return PLAN(free, turned)


PLAN = waitlist.plan_promotions


@pytest.mark.parametrize(
    ("name", "broken"),
    [("serve_waitlist", _serve_nobody), ("plan_promotions", _serve_the_last_first)],
)
def test_the_oracle_sees_a_waitlist_that_is_not_served_in_its_order(
    uow_factory: UnitOfWorkFactory, monkeypatch: pytest.MonkeyPatch, name: str, broken: Any
) -> None:
    monkeypatch.setattr(waitlist, name, broken)
    with pytest.raises(AssertionError):
        run_histories(uow_factory, 400, 100, fixed=True)
