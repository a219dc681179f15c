"""Subscription messages on their way: each is sent at most once, whatever happens."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from server.accounts import identities, privacy
from server.accounts.models import Citizen
from server.base import outbox_rows
from server.base.clock import BEIJING
from server.base.jobs import TaskContext
from server.base.outbox import begin_calls, lease_due, settle_calls
from server.base.outbox_rows import Claim, Done, GiveUp, Retry
from server.base.uow import UnitOfWorkFactory
from server.notices import pushes, service, tasks
from server.notices.models import InboxMessage, MessageGrant, Push, PushState
from server.notices.rules import next_loud
from server.wechat.errors import CallInDoubt, NotSent, TryLater, WeChatError, error_of
from tests.kit.accounts import Person, a_citizen
from tests.kit.clock import FakeClock
from tests.kit.gateway import RecordingGateway
from tests.kit.notices import FIRST, SECOND
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
        return a_citizen(uow)


def granted(
    uow_factory: UnitOfWorkFactory, person: Person, count: int = 1, template: str = FIRST
) -> None:
    for _ in range(count):
        with uow_factory.begin() as uow:
            uow.session.add(
                MessageGrant(
                    citizen_id=person.id, template_id=template, made_at=uow.now, client_at=uow.now
                )
            )


def planned(
    uow_factory: UnitOfWorkFactory,
    person: Person,
    key: str = "a:1",
    hours: float = 3,
    *,
    urgent: bool = False,
) -> bool:
    with uow_factory.begin() as uow:
        letter = service.Letter(key=key, title="题", body="答", page="pages/home/index")
        push = service.PlannedPush(
            letter=letter,
            template_id=FIRST,
            page="pages/home/index",
            fields={"thing1": "八桂"},
            expires_at=uow.now + timedelta(hours=hours),
            urgent=urgent,
        )
        return service.plan_push(uow, person.id, push)


def rows(uow_factory: UnitOfWorkFactory) -> list[Push]:
    with uow_factory.begin(read_only=True) as uow:
        return list(uow.session.scalars(select(Push).order_by(Push.id)))


def claimed(context: TaskContext) -> Claim:
    with context.uow_factory.begin() as uow:
        (leased,) = lease_due(uow, pushes.QUEUE, 1)
        (call,) = begin_calls(uow, pushes.QUEUE, [leased]).calls
    return call.claim


def states(uow_factory: UnitOfWorkFactory) -> list[tuple[str, str | None]]:
    return [(row.state.value, row.reason) for row in rows(uow_factory)]


def reasons(uow_factory: UnitOfWorkFactory) -> list[str | None]:
    with uow_factory.begin(read_only=True) as uow:
        asked = select(InboxMessage.not_pushed_reason).order_by(InboxMessage.id)
        return list(uow.session.scalars(asked))


def left(uow_factory: UnitOfWorkFactory, person: Person) -> int:
    with uow_factory.begin(read_only=True) as uow:
        return service.remaining_grants(uow, person.id)[FIRST]


def test_a_push_is_sent_once_and_uses_up_one_permission(
    context: TaskContext, gateway: RecordingGateway, person: Person, rung: list[Any]
) -> None:
    granted(context.uow_factory, person, 2)
    assert [planned(context.uow_factory, person) for _ in range(3)] == [True, False, False]
    (row,) = rows(context.uow_factory)
    assert rung == [(pushes.TASK, (row.id,))]
    assert [tasks.send_pushes(context) for _ in range(3)] == [1, 0, 0]
    ((message,),) = gateway.called("send_subscription")
    assert (message.template_id, message.page) == (FIRST, "pages/home/index")
    assert message.fields == {"thing1": "八桂"}
    assert message.openid == person.openid
    assert states(context.uow_factory) == [("sent", None)]
    assert (left(context.uow_factory, person), reasons(context.uow_factory)) == (1, [None])


def test_without_a_permission_it_lies_in_the_inbox_and_says_why(
    context: TaskContext, gateway: RecordingGateway, person: Person
) -> None:
    granted(context.uow_factory, person, template=SECOND)
    planned(context.uow_factory, person)
    tasks.send_pushes(context)
    assert gateway.called("send_subscription") == []
    assert states(context.uow_factory) == [("refused", "no_grant")]
    assert reasons(context.uow_factory) == ["微信里的提醒次数用完了"]


@pytest.mark.parametrize(
    ("trouble", "state", "permissions"),
    [
        (error_of(43101), ("refused", "no_grant"), 0),
        (error_of(40003), ("refused", "gone:40003"), 2),
        (error_of(47003), ("refused", "content:47003"), 2),
        (error_of(43107), ("refused", "template:43107"), 2),
        (error_of(12345), ("refused", "unknown:12345"), 2),
        (CallInDoubt(), ("unknown", "in_doubt"), 1),
    ],
)
def test_what_wechat_refuses_or_leaves_open_is_never_sent_again(
    context: TaskContext,
    gateway: RecordingGateway,
    clock: FakeClock,
    person: Person,
    trouble: WeChatError,
    state: tuple[str, str],
    permissions: int,
) -> None:
    granted(context.uow_factory, person, 2)
    planned(context.uow_factory, person)
    gateway.answers["send_subscription"] = trouble
    for _ in range(3):
        tasks.send_pushes(context)
        clock.advance(900)
    assert len(gateway.called("send_subscription")) == 1
    assert states(context.uow_factory) == [state]
    assert left(context.uow_factory, person) == permissions


@pytest.mark.parametrize("trouble", [NotSent(), TryLater(), error_of(45011), error_of(43108)])
def test_what_was_surely_not_sent_goes_out_later_with_the_same_permission(
    context: TaskContext,
    gateway: RecordingGateway,
    clock: FakeClock,
    person: Person,
    trouble: WeChatError,
) -> None:
    granted(context.uow_factory, person)
    planned(context.uow_factory, person)
    gateway.answers["send_subscription"] = trouble
    tasks.send_pushes(context)
    assert (states(context.uow_factory), left(context.uow_factory, person)) == (
        [("queued", None)],
        1,
    )
    gateway.answers["send_subscription"] = "msg"
    clock.advance(120)
    tasks.send_pushes(context)
    assert (states(context.uow_factory), left(context.uow_factory, person)) == ([("sent", None)], 0)


def test_a_worker_that_was_killed_in_the_call_leaves_it_unknown_and_a_late_answer_wins(
    context: TaskContext, gateway: RecordingGateway, clock: FakeClock, person: Person
) -> None:
    granted(context.uow_factory, person)
    planned(context.uow_factory, person)
    claim = claimed(context)
    assert left(context.uow_factory, person) == 0
    clock.advance(pushes.CLAIM_LASTS.total_seconds() - 1)
    assert tasks.send_pushes(context) == 0
    clock.advance(1)
    assert tasks.send_pushes(context) == 1
    assert states(context.uow_factory) == [("unknown", "worker_lost")]
    assert gateway.called("send_subscription") == []
    with context.uow_factory.begin() as uow:
        settle_calls(uow, pushes.QUEUE, [(claim, Done(result="late"))])
    assert states(context.uow_factory) == [("sent", None)]


def test_a_claim_of_an_earlier_try_settles_nothing(
    context: TaskContext, clock: FakeClock, person: Person
) -> None:
    granted(context.uow_factory, person)
    planned(context.uow_factory, person)
    first = claimed(context)
    with context.uow_factory.begin() as uow:
        settle_calls(uow, pushes.QUEUE, [(first, Retry(reason="busy"))])
    clock.advance(2)
    claimed(context)
    for outcome in (outbox_rows.InDoubt(reason="in_doubt"), GiveUp(reason="no_grant")):
        with context.uow_factory.begin() as uow:
            settle_calls(uow, pushes.QUEUE, [(first, outcome)])
    assert states(context.uow_factory) == [("claimed", None)]


def test_an_urgent_one_is_pushed_in_quiet_hours(
    context: TaskContext, clock: FakeClock, person: Person
) -> None:
    clock.set(datetime(2026, 5, 1, 23, tzinfo=BEIJING))
    granted(context.uow_factory, person, 2)
    planned(context.uow_factory, person, "urgent", urgent=True)
    planned(context.uow_factory, person, "other", hours=12)
    tasks.send_pushes(context)
    assert states(context.uow_factory) == [("sent", None), ("queued", None)]


def test_quiet_hours_put_it_off_and_what_comes_too_late_is_not_pushed(
    context: TaskContext, gateway: RecordingGateway, clock: FakeClock, person: Person
) -> None:
    with context.uow_factory.begin() as uow:
        quiet = {"quiet_from": "18:00", "quiet_to": "20:00"}
        uow.session.execute(update(Citizen).where(Citizen.id == person.id).values(**quiet))
    granted(context.uow_factory, person, 2)
    planned(context.uow_factory, person, "early", hours=0.5)
    planned(context.uow_factory, person, "later", hours=3)
    tasks.send_pushes(context)
    assert states(context.uow_factory) == [("refused", "quiet_hours"), ("queued", None)]
    clock.advance(3600)
    tasks.send_pushes(context)
    assert states(context.uow_factory)[1] == ("sent", None)
    planned(context.uow_factory, person, "old", hours=1)
    clock.advance(2 * 3600 - 1)
    tasks.send_pushes(context)
    assert states(context.uow_factory)[2] == ("refused", "too_late")
    assert reasons(context.uow_factory) == ["当时是免打扰时间", None, "微信那边没有及时送出"]
    assert len(gateway.called("send_subscription")) == 1


@pytest.mark.parametrize(
    ("clock", "own", "loud"),
    [
        ("2026-05-01T19:00", None, "2026-05-01T19:00"),
        ("2026-05-01T22:00", None, "2026-05-02T08:00"),
        ("2026-05-01T00:30", None, "2026-05-01T08:00"),
        ("2026-05-01T08:00", None, "2026-05-01T08:00"),
        ("2026-05-01T21:00", ("20:00", "09:30"), "2026-05-02T09:30"),
        ("2026-05-01T07:00", ("08:00", "09:00"), "2026-05-01T09:00"),
        ("2026-05-01T12:00", ("12:00", "14:00"), "2026-05-01T14:00"),
        ("2026-05-01T12:00", ("12:00", "12:00"), "2026-05-01T12:00"),
    ],
)
def test_the_next_loud_moment_is_outside_both_quiet_hours(
    clock: str, own: tuple[str, str] | None, loud: str
) -> None:
    hours = None if own is None else (time.fromisoformat(own[0]), time.fromisoformat(own[1]))
    at = datetime.fromisoformat(f"{clock}+08:00")
    assert next_loud(at, hours) == datetime.fromisoformat(f"{loud}+08:00")


def test_an_erased_citizen_gets_nothing_and_leaves_nothing(
    context: TaskContext, gateway: RecordingGateway, person: Person
) -> None:
    granted(context.uow_factory, person)
    planned(context.uow_factory, person)
    with context.uow_factory.begin() as uow:
        privacy.erase_citizen(uow, person.id)
    assert tasks.send_pushes(context) == 0
    assert rows(context.uow_factory) == []
    assert not planned(context.uow_factory, person, "b")


def test_the_export_names_what_was_pushed(context: TaskContext, person: Person) -> None:
    granted(context.uow_factory, person)
    planned(context.uow_factory, person)
    tasks.send_pushes(context)
    with context.uow_factory.begin(read_only=True) as uow:
        (told,) = privacy.export_citizen(uow, person.id)["pushes"]  # type: ignore[misc]
    assert (told["state"], told["fields"]) == ("sent", {"thing1": "八桂"})


def test_of_two_with_one_key_the_survivors_stays(context: TaskContext, person: Person) -> None:
    with context.uow_factory.begin() as uow:
        other = a_citizen(uow)
    for who, key in ((person, "a"), (other, "a"), (other, "b")):
        planned(context.uow_factory, who, key)
    with context.uow_factory.begin() as uow:
        identities.merge_citizens(uow, person.id, other.id)
    assert [(row.citizen_id, row.key) for row in rows(context.uow_factory)] == [
        (person.id, "a"),
        (person.id, "b"),
    ]


@pytest.mark.race
def test_many_workers_send_each_message_once(
    context: TaskContext, gateway: RecordingGateway, person: Person
) -> None:
    granted(context.uow_factory, person, 12)
    for number in range(12):
        planned(context.uow_factory, person, f"a:{number}")
    all_at_once([lambda: tasks.send_pushes(context)] * 4)
    tasks.send_pushes(context)
    assert len(gateway.called("send_subscription")) == 12
    assert {row.state for row in rows(context.uow_factory)} == {PushState.SENT}
    assert left(context.uow_factory, person) == 0


@pytest.mark.race
def test_the_race_is_seen_where_a_message_is_looked_up_instead_of_claimed(
    context: TaskContext, gateway: RecordingGateway, person: Person
) -> None:
    granted(context.uow_factory, person)
    planned(context.uow_factory, person)
    looked = threading.Barrier(2)

    def look_then_send() -> None:
        with context.uow_factory.begin(read_only=True) as uow:
            due = uow.session.scalars(select(Push.id).where(Push.outbox_state == "queued")).all()
        looked.wait(timeout=30)
        for push_id in due:
            context.gateway.send_subscription(push_id)
            with context.uow_factory.begin() as uow:
                sent = update(Push).where(Push.id == push_id).values(outbox_state="done")
                uow.session.execute(sent)

    all_at_once([look_then_send] * 2)
    assert len(gateway.called("send_subscription")) == 2
