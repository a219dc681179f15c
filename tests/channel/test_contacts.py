"""Followers from before our time: their words and taps have WeChat asked who they are."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy.exc import SQLAlchemyError

from server.base.errors import AppError
from server.base.jobs import TaskContext
from server.base.outbox_rows import OutboxState
from server.base.uow import UnitOfWorkFactory
from server.channel import contacts, models, service, tasks
from server.channel.callback_handler import CallbackHandler
from server.channel.contacts import Contacts
from server.channel.models import UnionidLookup
from server.wechat.callback.inbound import Message
from server.wechat.gateway import FollowerDetails
from tests.channel.test_rule_stats import table_away
from tests.kit.accounts import a_citizen
from tests.kit.channel import (
    NOON,
    OPENID,
    a_handler,
    a_message,
    a_player,
    an_event,
    at_once,
    rows,
    said,
)
from tests.kit.clock import FakeClock
from tests.kit.gateway import RecordingGateway


@pytest.fixture
def noted(uow_factory: UnitOfWorkFactory) -> Contacts:
    return Contacts(uow_factory, flush_seconds=None)


@pytest.fixture
def handler(uow_factory: UnitOfWorkFactory, noted: Contacts) -> CallbackHandler:
    return a_handler(uow_factory, contacts=noted)


@pytest.fixture
def context(uow_factory: UnitOfWorkFactory, gateway: RecordingGateway) -> TaskContext:
    gateway.answers["fetch_follower"] = told("union-1")
    return TaskContext(uow_factory=uow_factory, gateway=gateway)


def told(unionid: str | None) -> Any:
    return lambda openid: FollowerDetails(openid=openid, subscribed=True, unionid=unionid)


def follower(uow_factory: UnitOfWorkFactory) -> models.Follower:
    (row,) = rows(uow_factory, models.Follower)
    return row  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    "message",
    [
        a_message(content="帮助"),
        a_message(content="没有这个词"),
        a_message(content="我的成绩"),
        a_message("image"),
        an_event("click", "CONTACT"),
        an_event("click", "MY_RESULT"),
        an_event("view", "https://example.org"),
        an_event("view_miniprogram", "pages/home/index"),
        an_event("scancode_waitmsg", "k"),
    ],
    ids=lambda message: f"{message.kind}-{message.event}-{message.content}{message.event_key[:5]}",
)
def test_words_and_taps_have_wechat_asked_and_the_player_is_found(
    context: TaskContext,
    handler: CallbackHandler,
    noted: Contacts,
    message: Message,
    rung: list[Any],
) -> None:
    with context.uow_factory.begin() as uow:
        player = a_citizen(uow, openid="o-mini", unionid="union-1")
    before = said(handler, a_message(content="我的成绩", msg_id="first"))
    assert before == "quiz.my_result for somebody"
    said(handler, message)
    assert noted.flush_contacts() == 1
    assert follower(context.uow_factory).asking is UnionidLookup.WANTED
    assert [task for task, _ in rung] == [service.LEARN_UNIONID]
    tasks.learn_unionids(context)
    assert follower(context.uow_factory).citizen_id == player.id
    after = said(handler, a_message(content="我的成绩", msg_id="second"))
    assert after == "quiz.my_result for a citizen"


@pytest.mark.parametrize("event", ["templatesendjobfinish", "unsubscribe", "location", "unknown"])
def test_what_the_platform_tells_is_no_sign_of_life(
    context: TaskContext, handler: CallbackHandler, noted: Contacts, event: str
) -> None:
    said(handler, an_event(event))
    assert noted.flush_contacts() == 0


def test_a_conversation_is_noted_once_and_never_asks_twice(
    context: TaskContext,
    handler: CallbackHandler,
    noted: Contacts,
    gateway: RecordingGateway,
    clock: FakeClock,
) -> None:
    for _ in range(5):
        said(handler, a_message(content="帮助"))
    assert (noted.flush_contacts(), noted.flush_contacts()) == (1, 0)
    tasks.learn_unionids(context)
    for _ in range(3):
        clock.advance(contacts.NOTED_FOR_SECONDS)
        said(handler, a_message(content="帮助"))
        assert noted.flush_contacts() == 0
        tasks.learn_unionids(context)
    assert gateway.called("fetch_follower") == [(OPENID,)]


def test_after_an_empty_answer_wechat_is_asked_again_an_hour_later(
    context: TaskContext,
    handler: CallbackHandler,
    noted: Contacts,
    gateway: RecordingGateway,
    clock: FakeClock,
) -> None:
    gateway.answers["fetch_follower"] = told(None)
    said(handler, an_event("subscribe"))
    tasks.learn_unionids(context)
    gateway.answers["fetch_follower"] = told("union-1")
    clock.advance(3599)
    said(handler, a_message(content="帮助"))
    assert (noted.flush_contacts(), tasks.learn_unionids(context)) == (0, 0)
    assert follower(context.uow_factory).asking is UnionidLookup.NONE
    clock.advance(contacts.NOTED_FOR_SECONDS)
    said(handler, a_message(content="帮助"))
    assert (noted.flush_contacts(), tasks.learn_unionids(context)) == (1, 1)
    assert follower(context.uow_factory).asking is UnionidLookup.KNOWN


def test_a_note_does_not_turn_a_later_leaving(
    uow_factory: UnitOfWorkFactory, handler: CallbackHandler, noted: Contacts
) -> None:
    said(handler, an_event("unsubscribe", created_at=NOON + 60))
    said(handler, a_message(content="帮助"))
    noted.flush_contacts()
    assert not follower(uow_factory).subscribed


def test_known_people_cost_no_write(
    uow_factory: UnitOfWorkFactory, handler: CallbackHandler, noted: Contacts
) -> None:
    a_player(uow_factory)
    said(handler, a_message(content="帮助"))
    assert noted.flush_contacts() == 1
    with uow_factory.begin() as uow:
        for row in uow.session.query(models.Follower):
            row.leave_outbox(OutboxState.DONE)
    again = Contacts(uow_factory, flush_seconds=None)
    said(a_handler(uow_factory, contacts=again), a_message(content="帮助"))
    assert again.flush_contacts() == 0


def test_notes_survive_a_write_that_fails(
    uow_factory: UnitOfWorkFactory, handler: CallbackHandler, noted: Contacts
) -> None:
    said(handler, a_message(content="帮助"))
    with table_away(uow_factory, "follower"), pytest.raises((AppError, SQLAlchemyError)):
        noted.flush_contacts()
    assert noted.flush_contacts() == 1


def test_memory_is_bounded_and_who_found_no_room_comes_the_next_time(
    uow_factory: UnitOfWorkFactory,
    noted: Contacts,
    clock: FakeClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(contacts, "WAITING_IN_MEMORY", 2)
    for openid in ("o-1", "o-2", "o-3"):
        noted.note_contact(openid, clock.now(), wrote=True)
    assert noted.flush_contacts() == 2
    noted.note_contact("o-3", clock.now(), wrote=True)
    assert noted.flush_contacts() == 1
    assert len(rows(uow_factory, models.Follower)) == 3


def test_a_thread_of_its_own_writes_and_the_end_writes_the_rest(
    uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    quick = Contacts(uow_factory, flush_seconds=3600)
    quick.note_contact("o-1", clock.now(), wrote=True)
    quick.flush_and_stop()
    assert len(rows(uow_factory, models.Follower)) == 1


@pytest.mark.race
def test_many_processes_that_note_one_person_make_one_follower(
    uow_factory: UnitOfWorkFactory,
) -> None:
    processes = [Contacts(uow_factory, flush_seconds=None) for _ in range(4)]
    for one in processes:
        for number in range(3):
            one.note_contact(f"o-{number}", uow_factory.dependencies.clock.now(), wrote=True)
    try:
        at_once([one.flush_contacts for one in processes])
    except AppError as refusal:
        raise AssertionError(f"a flush was refused: {refusal}") from refusal
    assert len(rows(uow_factory, models.Follower)) == 3
