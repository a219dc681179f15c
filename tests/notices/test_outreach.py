"""The limit on unasked messages, over all senders: one a day and three in seven days."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from server.accounts import identities, privacy
from server.accounts import service as accounts
from server.base.clock import beijing_day
from server.base.jobs import TaskContext
from server.base.uow import UnitOfWorkFactory
from server.notices import service, tasks
from server.notices.models import Outreach
from tests.kit.accounts import Person, a_citizen
from tests.kit.clock import FakeClock
from tests.kit.gateway import RecordingGateway
from tests.kit.quiz import all_at_once

DAY = 24 * 3600
# Ten in the morning in Beijing.
MORNING = datetime(2026, 5, 1, 2, tzinfo=UTC)


@pytest.fixture
def people(uow_factory: UnitOfWorkFactory, clock: FakeClock) -> list[Person]:
    clock.set(MORNING)
    with uow_factory.begin() as uow:
        return [a_citizen(uow) for _ in range(3)]


def reserve(
    uow_factory: UnitOfWorkFactory, key: str, people: list[Person], day: int = 1, week: int = 3
) -> list[bool]:
    with uow_factory.begin() as uow:
        ids = [one.id for one in people]
        accounts.lock_citizens(uow, ids)
        reserved = service.reserve_outreach(uow, key, ids, day, week)
    assert reserved <= set(ids)
    return [one.id in reserved for one in people]


def release(uow_factory: UnitOfWorkFactory, key: str, people: list[Person]) -> None:
    with uow_factory.begin() as uow:
        service.release_outreach(uow, key, [one.id for one in people])


def test_a_city_and_the_region_on_one_day_share_the_one_place(
    uow_factory: UnitOfWorkFactory, people: list[Person], clock: FakeClock
) -> None:
    first, second, _ = people
    assert reserve(uow_factory, "city", [first, second]) == [True, True]
    assert reserve(uow_factory, "region", people) == [False, False, True]
    clock.advance(14 * 3600)  # midnight in Beijing
    assert reserve(uow_factory, "another", people) == [True, True, True]


def test_a_repeat_reserves_nothing_more_and_answers_the_same(
    uow_factory: UnitOfWorkFactory, people: list[Person]
) -> None:
    for _ in range(3):
        assert reserve(uow_factory, "city", people) == [True, True, True]
    with uow_factory.begin(read_only=True) as uow:
        assert uow.session.scalar(select(func.count()).select_from(Outreach)) == 3


def test_three_in_any_seven_days_are_enough(
    uow_factory: UnitOfWorkFactory, people: list[Person], clock: FakeClock
) -> None:
    given = []
    for day in range(10):
        given += reserve(uow_factory, f"day {day}", people[:1])
        clock.advance(DAY)
    assert given == [True, True, True, *[False] * 4, True, True, True]


def test_a_place_that_is_released_is_free_for_the_next(
    uow_factory: UnitOfWorkFactory, people: list[Person]
) -> None:
    reserve(uow_factory, "city", people)
    release(uow_factory, "city", people[:1])
    assert reserve(uow_factory, "region", people) == [True, False, False]


@pytest.mark.parametrize(("day", "week"), [(0, 3), (1, 0), (0, 0)])
def test_a_limit_of_none_lets_nothing_through(
    uow_factory: UnitOfWorkFactory, people: list[Person], day: int, week: int
) -> None:
    assert reserve(uow_factory, "city", people, day, week) == [False, False, False]


def test_a_higher_limit_is_obeyed(uow_factory: UnitOfWorkFactory, people: list[Person]) -> None:
    given = [reserve(uow_factory, str(n), people[:1], day=2, week=9)[0] for n in range(3)]
    assert given == [True, True, False]


def test_the_forecast_counts_the_same_people_as_the_reservation(
    uow_factory: UnitOfWorkFactory, people: list[Person], clock: FakeClock
) -> None:
    first, second, _ = people
    for day in range(3):
        reserve(uow_factory, f"day {day}", [second])
        clock.advance(DAY)
    reserve(uow_factory, "today", [first])
    with uow_factory.begin(read_only=True) as uow:
        today = beijing_day(uow.now)
        capped = set(uow.session.scalars(service.capped_ids(today, 1, 3)))
        counts = {
            row.citizen_id: (row.today, row.week)
            for row in uow.session.execute(service.outreach_counts_select(today))
        }
    assert capped == {first.id, second.id}
    assert counts == {first.id: (1, 1), second.id: (0, 3)}
    assert reserve(uow_factory, "next", people) == [False, False, True]


def two_announcements(
    uow_factory: UnitOfWorkFactory, person: Person, *, guarded: bool
) -> list[set[int]]:
    """Two announcements reserve one person's place at the same moment; the answers."""
    reserved: list[set[int]] = []
    meeting = threading.Barrier(2)

    def announce(key: str) -> None:
        with uow_factory.begin() as uow:
            if guarded:
                accounts.lock_citizens(uow, [person.id])
            got = service.reserve_outreach(uow, key, [person.id], 1, 3)
            if not guarded:
                meeting.wait(timeout=30)
        reserved.append(got)

    all_at_once([lambda: announce("city"), lambda: announce("region")])
    return reserved


@pytest.mark.race
def test_two_announcements_at_the_same_moment_share_the_one_place(
    uow_factory: UnitOfWorkFactory, people: list[Person]
) -> None:
    reserved = two_announcements(uow_factory, people[0], guarded=True)
    assert sorted(map(len, reserved)) == [0, 1]


@pytest.mark.race
def test_the_race_is_seen_when_the_citizen_is_not_locked(
    uow_factory: UnitOfWorkFactory, people: list[Person], database_kind: str
) -> None:
    if database_kind == "sqlite":
        pytest.skip("SQLite has one writer, with or without the lock")
    reserved = two_announcements(uow_factory, people[0], guarded=False)
    assert sorted(map(len, reserved)) == [1, 1]


def test_an_erasure_leaves_nothing_and_a_merge_counts_both(
    uow_factory: UnitOfWorkFactory, people: list[Person]
) -> None:
    first, second, third = people
    reserve(uow_factory, "city", [second, third])
    with uow_factory.begin() as uow:
        identities.merge_citizens(uow, first.id, second.id)
        privacy.erase_citizen(uow, third.id)
        assert list(uow.session.scalars(select(Outreach.citizen_id))) == [first.id]
    assert reserve(uow_factory, "region", [first]) == [False]


def test_what_is_no_longer_counted_is_deleted(
    uow_factory: UnitOfWorkFactory,
    people: list[Person],
    clock: FakeClock,
    gateway: RecordingGateway,
) -> None:
    reserve(uow_factory, "city", people)
    context = TaskContext(uow_factory=uow_factory, gateway=gateway)
    for later, gone in ((timedelta(days=29), 0), (timedelta(days=2), 3)):
        clock.advance(later.total_seconds())
        assert tasks.delete_overdue(context) == gone
