"""Grants of many people at once: each is used once, the oldest first, and none that is planned."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.notices import service
from server.notices.models import MessageGrant
from tests.kit.accounts import Person, a_citizen
from tests.kit.notices import FIRST, SECOND
from tests.kit.quiz import all_at_once


@pytest.fixture
def people(uow_factory: UnitOfWorkFactory) -> list[Person]:
    with uow_factory.begin() as uow:
        return [a_citizen(uow) for _ in range(3)]


def granted(uow: UnitOfWork, person: Person, count: int = 1, template: str = FIRST) -> list[int]:
    made = [
        MessageGrant(
            citizen_id=person.id,
            template_id=template,
            # The later ones are older.
            made_at=uow.now - timedelta(minutes=number),
            client_at=uow.now,
        )
        for number in range(count)
    ]
    uow.session.add_all(made)
    uow.session.flush()
    return [one.id for one in made]


def plan(uow: UnitOfWork, person: Person) -> None:
    planned = service.PlannedPush(
        letter=service.Letter(key="a:1", title="题", body="答"),
        template_id=FIRST,
        page="pages/home/index",
        fields={},
        expires_at=uow.now + timedelta(hours=3),
    )
    service.plan_push(uow, person.id, planned)


def take(uow_factory: UnitOfWorkFactory, people: list[Person]) -> dict[int, int]:
    with uow_factory.begin() as uow:
        return service.take_grants(uow, FIRST, [one.id for one in people])


def spare(uow_factory: UnitOfWorkFactory) -> set[int]:
    with uow_factory.begin(read_only=True) as uow:
        return set(uow.session.scalars(service.open_grants_select(FIRST)))


def test_each_gets_the_oldest_and_who_has_none_is_missing(
    uow_factory: UnitOfWorkFactory, people: list[Person]
) -> None:
    first, second, third = people
    with uow_factory.begin() as uow:
        (*_, oldest) = granted(uow, first, 3)
        (only,) = granted(uow, second)
        granted(uow, third, template=SECOND)
    assert spare(uow_factory) == {first.id, second.id}
    assert take(uow_factory, people) == {first.id: oldest, second.id: only}
    assert spare(uow_factory) == {first.id}
    assert take(uow_factory, people).keys() == {first.id}
    assert take(uow_factory, people).keys() == {first.id}
    assert (take(uow_factory, people), spare(uow_factory)) == ({}, set())


def test_a_grant_that_a_queued_push_is_planned_for_is_not_taken(
    uow_factory: UnitOfWorkFactory, people: list[Person]
) -> None:
    first, second, _ = people
    with uow_factory.begin() as uow:
        granted(uow, first)
        granted(uow, second, 2)
        plan(uow, first)
        plan(uow, second)
    assert spare(uow_factory) == {second.id}
    assert take(uow_factory, people).keys() == {second.id}
    assert take(uow_factory, people) == {}


def test_given_back_it_is_open_again_and_ended_it_is_gone(
    uow_factory: UnitOfWorkFactory, people: list[Person]
) -> None:
    first, second, _ = people
    with uow_factory.begin() as uow:
        for person in people:
            granted(uow, person)
    taken = take(uow_factory, people)
    with uow_factory.begin() as uow:
        service.give_back_grants(uow, [taken[first.id], taken[second.id]])
        service.end_grants(uow, FIRST, [second.id])
    assert spare(uow_factory) == {first.id}
    assert take(uow_factory, people) == {first.id: taken[first.id]}


def take_by_looking(
    uow_factory: UnitOfWorkFactory, person: Person, looked: threading.Barrier
) -> int:
    with uow_factory.begin(read_only=True) as uow:
        found = uow.session.scalars(
            select(MessageGrant.id).where(
                MessageGrant.citizen_id == person.id, MessageGrant.used_at.is_(None)
            )
        ).one()
    looked.wait(timeout=30)
    with uow_factory.begin() as uow:
        used = update(MessageGrant).where(MessageGrant.id == found).values(used_at=uow.now)
        uow.session.execute(used)
    return found


@pytest.mark.race
def test_many_who_take_at_once_get_each_grant_once(
    uow_factory: UnitOfWorkFactory, people: list[Person]
) -> None:
    with uow_factory.begin() as uow:
        ids = granted(uow, people[0], 5)
    got: list[int] = []

    def step() -> None:
        # Without the citizen's lock, so that the update alone decides.
        got.extend(take(uow_factory, people).values())

    all_at_once([step] * 8)
    assert sorted(got) == sorted(ids)
    with uow_factory.begin(read_only=True) as uow:
        used = select(func.count()).where(MessageGrant.used_at.is_not(None))
        assert uow.session.scalar(used) == 5


@pytest.mark.race
def test_the_race_is_seen_where_a_grant_is_looked_up_instead_of_taken(
    uow_factory: UnitOfWorkFactory, people: list[Person]
) -> None:
    with uow_factory.begin() as uow:
        (only,) = granted(uow, people[0])
    looked, got = threading.Barrier(2), list[int]()
    all_at_once([lambda: got.append(take_by_looking(uow_factory, people[0], looked))] * 2)
    assert got == [only, only]
