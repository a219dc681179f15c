"""Client and event of the same taps at the same moment, on both databases."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select

from server.base.uow import UnitOfWorkFactory
from server.notices import service
from server.notices.models import MessageGrant
from server.notices.service import Choice
from tests.kit.accounts import Person, a_citizen
from tests.kit.notices import FIRST

TAPS = 20


@pytest.fixture
def person(uow_factory: UnitOfWorkFactory) -> Person:
    with uow_factory.begin() as uow:
        return a_citizen(uow)


def all_at_once(steps: list[Callable[[], None]]) -> None:
    begin = threading.Barrier(len(steps))

    def run(step: Callable[[], None]) -> None:
        begin.wait()
        step()

    with ThreadPoolExecutor(len(steps)) as pool:
        for done in [pool.submit(run, step) for step in steps]:
            done.result()


@pytest.mark.race
def test_every_tap_told_twice_at_once_counts_once(
    uow_factory: UnitOfWorkFactory, person: Person
) -> None:
    def client() -> None:
        with uow_factory.begin() as uow:
            service.record_client_results(uow, person.id, {FIRST: "accept"})

    def event() -> None:
        with uow_factory.begin() as uow:
            items = [Choice(template_id=FIRST, status="accept")]
            service.record_popups(uow, person.id, items, uow.now)

    all_at_once([client, event] * TAPS)
    with uow_factory.begin(read_only=True) as uow:
        assert service.remaining_grants(uow, person.id)[FIRST] == TAPS


@pytest.mark.race
def test_the_race_is_seen_when_the_lock_is_off(
    uow_factory: UnitOfWorkFactory, person: Person
) -> None:
    looked = threading.Barrier(2)

    def look_then_insert(side: str, other: str) -> Callable[[], None]:
        def step() -> None:
            with uow_factory.begin(read_only=True) as uow:
                twin = uow.session.scalar(
                    select(MessageGrant.id).where(getattr(MessageGrant, other).is_not(None))
                )
            looked.wait()
            assert twin is None
            with uow_factory.begin() as uow:
                grant = MessageGrant(citizen_id=person.id, template_id=FIRST, made_at=uow.now)
                setattr(grant, side, uow.now)
                uow.session.add(grant)

        return step

    all_at_once(
        [look_then_insert("client_at", "event_at"), look_then_insert("event_at", "client_at")]
    )
    with uow_factory.begin(read_only=True) as uow:
        assert service.remaining_grants(uow, person.id)[FIRST] == 2


@pytest.mark.race
def test_a_message_posted_by_many_shows_once(
    uow_factory: UnitOfWorkFactory, person: Person
) -> None:
    def post() -> None:
        with uow_factory.begin() as uow:
            service.post_message(
                uow, person.id, service.Letter(title="通知", body="一次", key="a:1")
            )

    all_at_once([post] * TAPS)
    with uow_factory.begin(read_only=True) as uow:
        rows, _ = service.list_messages(uow, person.id, limit=20, after=None)
    assert len(rows) == 1
