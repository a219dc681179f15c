"""Unasked pushes keep to the limit over all senders; those of one's own sign-ups know none."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update

from server.accounts.models import Citizen
from server.base.jobs import TaskContext
from server.base.uow import UnitOfWorkFactory
from server.notices import service, tasks
from server.notices.models import InboxMessage, MessageGrant, Outreach, Push
from server.wechat.errors import CallInDoubt, NotSent, error_of
from tests.kit.accounts import Person, a_citizen
from tests.kit.clock import FakeClock
from tests.kit.gateway import RecordingGateway
from tests.kit.notices import FIRST
from tests.kit.outbox import without_jitter
from tests.kit.quiz import all_at_once

# Seven in the evening in Beijing.
EVENING = datetime(2026, 5, 1, 11, tzinfo=UTC)


@pytest.fixture
def context(
    uow_factory: UnitOfWorkFactory, gateway: RecordingGateway, clock: FakeClock
) -> TaskContext:
    clock.set(EVENING)
    gateway.answers["send_subscription"] = "msg-1"
    return TaskContext(uow_factory=without_jitter(uow_factory), gateway=gateway)


@pytest.fixture
def person(uow_factory: UnitOfWorkFactory) -> Person:
    with uow_factory.begin() as uow:
        person = a_citizen(uow)
        for _ in range(9):
            uow.session.add(
                MessageGrant(
                    citizen_id=person.id, template_id=FIRST, made_at=uow.now, client_at=uow.now
                )
            )
        return person


def plan(uow_factory: UnitOfWorkFactory, person: Person, key: str, *, counted: bool = True) -> None:
    with uow_factory.begin() as uow:
        planned = service.PlannedPush(
            letter=service.Letter(key=key, title="题", body="答"),
            template_id=FIRST,
            page="pages/home/index",
            fields={},
            expires_at=uow.now + timedelta(hours=2),
            counted=counted,
        )
        assert service.plan_push(uow, person.id, planned)


def states(uow_factory: UnitOfWorkFactory) -> list[tuple[str, str | None]]:
    with uow_factory.begin(read_only=True) as uow:
        rows = uow.session.scalars(select(Push).order_by(Push.id))
        return [(row.state.value, row.reason) for row in rows]


def counted(uow_factory: UnitOfWorkFactory) -> int:
    with uow_factory.begin(read_only=True) as uow:
        return uow.session.scalar(select(func.count()).select_from(Outreach)) or 0


def left(uow_factory: UnitOfWorkFactory, person: Person) -> int:
    with uow_factory.begin(read_only=True) as uow:
        return service.remaining_grants(uow, person.id)[FIRST]


def said(uow_factory: UnitOfWorkFactory) -> list[str | None]:
    with uow_factory.begin(read_only=True) as uow:
        asked = select(InboxMessage.not_pushed_reason).order_by(InboxMessage.id)
        return list(uow.session.scalars(asked))


def test_the_second_of_a_day_is_only_in_the_inbox_and_costs_no_grant(
    context: TaskContext, person: Person, gateway: RecordingGateway
) -> None:
    plan(context.uow_factory, person, "first")
    plan(context.uow_factory, person, "second")
    tasks.send_pushes(context)
    assert states(context.uow_factory) == [("sent", None), ("refused", "capped")]
    assert said(context.uow_factory) == [None, "为了少打扰你，这几天的提醒已经够多了"]
    assert (counted(context.uow_factory), left(context.uow_factory, person)) == (1, 8)
    assert len(gateway.called("send_subscription")) == 1


def test_an_announcement_of_the_same_day_has_used_up_the_place(
    context: TaskContext, person: Person
) -> None:
    with context.uow_factory.begin() as uow:
        assert service.reserve_outreach(uow, "announcement", [person.id], 1, 3) == {person.id}
    plan(context.uow_factory, person, "reminder")
    tasks.send_pushes(context)
    assert states(context.uow_factory) == [("refused", "capped")]


def test_messages_about_ones_own_sign_up_are_neither_counted_nor_held_back(
    context: TaskContext, person: Person
) -> None:
    for number in range(3):
        plan(context.uow_factory, person, f"own {number}", counted=False)
    plan(context.uow_factory, person, "unasked")
    plan(context.uow_factory, person, "own after it", counted=False)
    tasks.send_pushes(context)
    assert states(context.uow_factory) == [("sent", None)] * 5
    assert counted(context.uow_factory) == 1


def test_whoever_turned_announcements_off_is_reminded_of_own_sign_ups_alone(
    context: TaskContext, person: Person
) -> None:
    with context.uow_factory.begin() as uow:
        uow.session.execute(update(Citizen).values(announcements_off=True))
    plan(context.uow_factory, person, "unasked")
    plan(context.uow_factory, person, "own", counted=False)
    tasks.send_pushes(context)
    assert states(context.uow_factory) == [("refused", "opted_out"), ("sent", None)]
    assert said(context.uow_factory)[0] == "你选择了不收这类通知"
    assert counted(context.uow_factory) == 0


@pytest.mark.parametrize(
    ("trouble", "state", "places"),
    [
        (NotSent(), "queued", 0),
        (error_of(43101), "refused", 0),
        (error_of(40003), "refused", 0),
        (CallInDoubt(), "unknown", 1),
    ],
)
def test_what_was_certainly_not_delivered_leaves_the_place_free(
    context: TaskContext,
    person: Person,
    gateway: RecordingGateway,
    trouble: Exception,
    state: str,
    places: int,
) -> None:
    def refuse(*_given: Any) -> str:
        raise trouble

    gateway.answers["send_subscription"] = refuse
    plan(context.uow_factory, person, "first")
    tasks.send_pushes(context)
    assert [one for one, _ in states(context.uow_factory)] == [state]
    assert counted(context.uow_factory) == places


@pytest.mark.race
def test_many_workers_push_one_of_many_unasked_messages(
    context: TaskContext, person: Person, gateway: RecordingGateway
) -> None:
    for number in range(6):
        plan(context.uow_factory, person, f"unasked {number}")
    all_at_once([lambda: tasks.send_pushes(context)] * 4)
    tasks.send_pushes(context)
    assert sorted(states(context.uow_factory), key=str) == [
        *[("refused", "capped")] * 5,
        ("sent", None),
    ]
    assert len(gateway.called("send_subscription")) == 1
