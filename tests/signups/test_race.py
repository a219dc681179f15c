"""Sign-ups and withdrawals at the same time, on both databases, with controls without the lock."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from server.activities import seats as activity_seats
from server.activities.service import LockedSeats
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.signups import service, store
from server.signups.kinds import SEATED, SignUpState
from tests.kit.accounts import a_citizen
from tests.kit.activities import Lecture, a_lecture, live_signups, recount, stored_counts
from tests.kit.effort import repeat_count
from tests.kit.quiz import all_at_once

pytestmark = pytest.mark.race

PEOPLE, SEATS = repeat_count(500, 120), repeat_count(100, 24)
THREADS = 16


def in_threads(steps: Sequence[Callable[[], Any]]) -> list[Any]:
    """Run many steps in a few threads; return the results in their order."""
    with ThreadPoolExecutor(THREADS) as pool:
        return [done.result() for done in [pool.submit(step) for step in steps]]


def people_and_lecture(
    uow_factory: UnitOfWorkFactory, count: int, **columns: Any
) -> tuple[list[int], Lecture]:
    with uow_factory.begin() as uow:
        people = [a_citizen(uow).id for _ in range(count)]
        return people, a_lecture(uow, **columns)


def signing_up(
    uow_factory: UnitOfWorkFactory, citizen: int, lecture: Lecture, party: int = 1
) -> Callable[[], service.PlaceView]:
    def step() -> service.PlaceView:
        with uow_factory.begin() as uow:
            wish = service.Wish(party_size=party)
            return service.sign_up(uow, citizen, lecture.ref, wish)

    return step


def withdrawing(
    uow_factory: UnitOfWorkFactory, citizen: int, lecture: Lecture
) -> Callable[[], bool]:
    def step() -> bool:
        with uow_factory.begin() as uow:
            return service.withdraw(uow, citizen, lecture.ref)

    return step


def test_the_seats_are_taken_once_each_and_the_others_wait_in_one_line(
    uow_factory: UnitOfWorkFactory,
) -> None:
    people, lecture = people_and_lecture(uow_factory, PEOPLE, seats=SEATS)
    placed = in_threads([signing_up(uow_factory, one, lecture) for one in people])
    assert Counter(one.state for one in placed) == {
        SignUpState.CONFIRMED: SEATS,
        SignUpState.WAITLISTED: PEOPLE - SEATS,
    }
    positions = sorted(one.position for one in placed if one.position is not None)
    assert positions == list(range(1, PEOPLE - SEATS + 1))
    with uow_factory.begin(read_only=True) as uow:
        counted = recount(uow, lecture)
        assert stored_counts(uow, lecture) == counted
        assert counted.taken == SEATS


def lock_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Counters are read without a lock, as if nobody else were there."""
    first: dict[int, LockedSeats] = {}

    def read_once(uow: UnitOfWork, ids: Any) -> dict[int, LockedSeats]:
        found = {}
        for one in ids:
            if one not in first:
                first[one] = activity_seats.lock_seats(uow, [one])[one]
            kept = first[one]
            found[one] = LockedSeats(
                **{name: getattr(kept, name) for name in LockedSeats.__dataclass_fields__}
            )
        return found

    monkeypatch.setattr(service.activities, "lock_seats", read_once)


def test_without_the_lock_more_people_get_seats_than_there_are(
    uow_factory: UnitOfWorkFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    people, lecture = people_and_lecture(uow_factory, 20, seats=5)
    lock_nothing(monkeypatch)
    in_threads([signing_up(uow_factory, one, lecture) for one in people])
    with uow_factory.begin(read_only=True) as uow:
        seated = [row for row in live_signups(uow, lecture) if row.state in SEATED]
    assert len(seated) > 5


def test_parallel_sign_ups_of_one_person_are_one_place(uow_factory: UnitOfWorkFactory) -> None:
    (citizen,), lecture = people_and_lecture(uow_factory, 1, seats=5)
    placed = all_at_once([signing_up(uow_factory, citizen, lecture)] * 20)
    assert all(isinstance(one, service.PlaceView) for one in placed)
    assert sum(one.fresh for one in placed if isinstance(one, service.PlaceView)) == 1
    with uow_factory.begin(read_only=True) as uow:
        assert recount(uow, lecture).taken == 1


def test_each_withdrawal_promotes_the_next_in_line_and_nobody_else(
    uow_factory: UnitOfWorkFactory,
) -> None:
    people, lecture = people_and_lecture(uow_factory, 40, seats=20)
    for one in people:
        signing_up(uow_factory, one, lecture)()
    # Every withdrawal is sent three times.
    gone = people[:12]
    results = in_threads([withdrawing(uow_factory, one, lecture) for one in gone * 3])
    assert Counter(results) == {True: 12, False: 24}
    with uow_factory.begin(read_only=True) as uow:
        rows = live_signups(uow, lecture)
        assert stored_counts(uow, lecture) == recount(uow, lecture)
    seated = {row.citizen_id for row in rows if row.state is SignUpState.CONFIRMED}
    assert seated == set(people[12:32])


def test_a_person_who_waits_and_signs_up_elsewhere_at_that_moment_has_seats_in_one(
    uow_factory: UnitOfWorkFactory,
) -> None:
    for _ in range(repeat_count(40, 6)):
        (leaver, person), first = people_and_lecture(uow_factory, 2, seats=1)
        with uow_factory.begin() as uow:
            second = a_lecture(uow, seats=1, starts_in=timedelta(days=3, minutes=30))
        signing_up(uow_factory, leaver, first)()
        signing_up(uow_factory, person, first)()
        all_at_once(
            [
                withdrawing(uow_factory, leaver, first),
                signing_up(uow_factory, person, second),
            ]
        )
        with uow_factory.begin(read_only=True) as uow:
            seated = [
                row
                for lecture in (first, second)
                for row in live_signups(uow, lecture)
                if row.state in SEATED
            ]
        assert [row.citizen_id for row in seated] == [person]


def test_a_promotion_that_ignores_seats_elsewhere_puts_a_person_in_two_places(
    uow_factory: UnitOfWorkFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    (leaver, person), first = people_and_lecture(uow_factory, 2, seats=1)
    with uow_factory.begin() as uow:
        second = a_lecture(uow, seats=1, starts_in=timedelta(days=3, minutes=30))
    signing_up(uow_factory, leaver, first)()
    signing_up(uow_factory, person, first)()
    monkeypatch.setattr(store, "clashing_people", lambda *_: set())
    signing_up(uow_factory, person, second)()
    withdrawing(uow_factory, leaver, first)()
    with uow_factory.begin(read_only=True) as uow:
        for lecture in (first, second):
            rows = live_signups(uow, lecture)
            assert [row.state for row in rows if row.citizen_id == person] == [
                SignUpState.CONFIRMED
            ]
