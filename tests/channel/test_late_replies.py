"""Replies that missed their five seconds: said at most once, whatever happens on the way."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import delete

from server.accounts.models import Identity
from server.base.jobs import TaskContext
from server.base.outbox import begin_calls, end_overdue, lease_due
from server.base.uow import UnitOfWorkFactory
from server.channel import late_replies, models, tasks
from server.channel.models import LateState
from server.wechat.callback.replies import Article, Reply
from server.wechat.errors import CallInDoubt, NotSent, WeChatError, error_of
from tests.kit.channel import OPENID, a_handler, a_message, at_once, rows
from tests.kit.clock import FakeClock
from tests.kit.gateway import RecordingGateway
from tests.kit.outbox import without_jitter

HOUR = 3600


@pytest.fixture
def context(uow_factory: UnitOfWorkFactory, gateway: RecordingGateway) -> TaskContext:
    gateway.answers["send_text"] = None
    return TaskContext(uow_factory=without_jitter(uow_factory), gateway=gateway)


def queued(uow_factory: UnitOfWorkFactory, text: str = "迟到的回答", msg_id: str = "1") -> None:
    a_handler(uow_factory).deliver_late(
        a_message(content="答题", msg_id=msg_id), Reply.of_text(text)
    )


def states(uow_factory: UnitOfWorkFactory) -> list[str]:
    return [row.state.value for row in rows(uow_factory, models.LateReply)]


def test_a_late_reply_is_a_row_and_a_bell_and_is_said_once(
    context: TaskContext, gateway: RecordingGateway, rung: list[Any]
) -> None:
    for _ in range(3):
        queued(context.uow_factory)
    (row,) = rows(context.uow_factory, models.LateReply)
    assert rung == [("channel.say_late", (row.id,))]
    assert [tasks.say_late(context, row.id) for _ in range(3)] == [1, 0, 0]
    assert gateway.called("send_text") == [(OPENID, "迟到的回答")]
    (row,) = rows(context.uow_factory, models.LateReply)
    assert (row.state, row.text) == (LateState.SAID, "")


def test_one_id_of_two_senders_is_two_late_replies(
    context: TaskContext, gateway: RecordingGateway
) -> None:
    handler = a_handler(context.uow_factory)
    for openid in ("o-one", "o-two"):
        for _ in range(2):
            message = a_message(content="答题", openid=openid, msg_id="7")
            handler.deliver_late(message, Reply.of_text(f"result of {openid}"))
    tasks.say_late(context)
    assert gateway.called("send_text") == [
        ("o-one", "result of o-one"),
        ("o-two", "result of o-two"),
    ]


def test_the_longest_waiting_is_said_first(
    context: TaskContext, gateway: RecordingGateway, clock: FakeClock
) -> None:
    for number in range(3):
        queued(context.uow_factory, f"answer {number}", str(number))
        clock.advance(1)
    tasks.say_late(context)
    assert [text for _, text in gateway.called("send_text")] == ["answer 0", "answer 1", "answer 2"]


def test_what_is_no_text_and_what_is_not_for_the_account_is_not_queued(
    context: TaskContext,
) -> None:
    handler = a_handler(context.uow_factory)
    handler.deliver_late(a_message(content="答题"), Reply.of_article(Article(title="t")))
    handler.deliver_late(a_message(content="答题", app="mini_program"), Reply.of_text("text"))
    assert rows(context.uow_factory, models.LateReply) == []


@pytest.mark.parametrize(
    ("errcode", "reason"),
    [
        (45015, "gone:45015"),
        (45047, "gone:45047"),
        (43004, "gone:43004"),
        (70000, "gone:70000"),
        (45002, "content:45002"),
        (12345, "unknown:12345"),
    ],
)
def test_what_wechat_refuses_is_never_tried_again(
    context: TaskContext, gateway: RecordingGateway, clock: FakeClock, errcode: int, reason: str
) -> None:
    gateway.answers["send_text"] = error_of(errcode)
    queued(context.uow_factory)
    for _ in range(3):
        tasks.say_late(context)
        clock.advance(HOUR)
    (row,) = rows(context.uow_factory, models.LateReply)
    assert (row.state, row.reason, row.text) == (LateState.REFUSED, reason, "")
    assert len(gateway.called("send_text")) == 1


@pytest.mark.parametrize("trouble", [CallInDoubt(), error_of(-1)], ids=["no answer", "busy"])
def test_what_may_have_been_said_is_unknown_and_never_said_again(
    context: TaskContext, gateway: RecordingGateway, clock: FakeClock, trouble: WeChatError
) -> None:
    gateway.answers["send_text"] = trouble
    queued(context.uow_factory)
    tasks.say_late(context)
    gateway.answers["send_text"] = None
    for _ in range(50):
        clock.advance(HOUR)
        tasks.say_late(context)
    assert states(context.uow_factory) == ["unknown"]
    assert len(gateway.called("send_text")) == 1


@pytest.mark.parametrize(
    ("trouble", "seconds"),
    [
        (NotSent(), 2),
        (error_of(45011), 60),
        (error_of(40001), 2),
        (error_of(48001), 2),
        (error_of(45009), 12 * HOUR),
    ],
    ids=["unreachable", "too fast", "token", "account", "quota until midnight"],
)
def test_what_surely_was_not_said_is_tried_again_later(
    context: TaskContext,
    gateway: RecordingGateway,
    clock: FakeClock,
    trouble: WeChatError,
    seconds: int,
) -> None:
    gateway.answers["send_text"] = trouble
    queued(context.uow_factory, msg_id="1")
    queued(context.uow_factory, msg_id="2")
    tasks.say_late(context)
    # Nobody else fares better at this moment, so the second is not even tried.
    assert len(gateway.called("send_text")) == 1
    assert states(context.uow_factory) == ["queued", "queued"]
    gateway.answers["send_text"] = None
    tasks.say_late(context)
    assert states(context.uow_factory) == ["queued", "said"]
    clock.advance(seconds - 1)
    tasks.say_late(context)
    assert states(context.uow_factory) == ["queued", "said"]
    clock.advance(1)
    tasks.say_late(context)
    assert states(context.uow_factory) == ["said", "said"]


def test_a_reply_older_than_the_window_is_dropped(
    context: TaskContext, gateway: RecordingGateway, clock: FakeClock
) -> None:
    queued(context.uow_factory)
    clock.advance(47 * HOUR)
    assert tasks.say_late(context) == 1
    (row,) = rows(context.uow_factory, models.LateReply)
    assert (row.state, row.reason, row.text) == (LateState.REFUSED, "too_old", "")
    assert gateway.called("send_text") == []


class Killed(BaseException):
    """The worker's process ends here."""


@pytest.mark.parametrize("arrived", [True, False])
def test_a_worker_killed_between_claim_and_record_leaves_an_unknown(
    context: TaskContext, gateway: RecordingGateway, clock: FakeClock, arrived: bool
) -> None:
    heard: list[str] = []

    def die(_openid: str, text: str) -> None:
        if arrived:
            heard.append(text)
        raise Killed

    gateway.answers["send_text"] = die
    queued(context.uow_factory)
    with pytest.raises(Killed):
        tasks.say_late(context)
    assert states(context.uow_factory) == ["claimed"]
    gateway.answers["send_text"] = lambda _openid, text: heard.append(text)
    clock.advance(59)
    tasks.say_late(context)
    assert states(context.uow_factory) == ["claimed"]
    clock.advance(1)
    tasks.say_late(context)
    assert states(context.uow_factory) == ["unknown"]
    assert len(heard) == int(arrived)


def test_an_answer_after_our_patience_still_settles_an_unknown(
    context: TaskContext, gateway: RecordingGateway, clock: FakeClock
) -> None:
    def slow(_openid: str, _text: str) -> None:
        clock.advance(61)
        assert end_overdue(context.uow_factory, late_replies.QUEUE) == 1

    gateway.answers["send_text"] = slow
    queued(context.uow_factory)
    tasks.say_late(context)
    assert states(context.uow_factory) == ["said"]


def test_the_end_of_an_erased_reply_is_not_that_of_the_next_one(
    context: TaskContext, gateway: RecordingGateway
) -> None:
    """SQLite gives the number of a deleted row to the next one."""

    def erased_meanwhile(_openid: str, _text: str) -> None:
        with context.uow_factory.begin() as uow:
            uow.session.execute(delete(models.LateReply))
        queued(context.uow_factory, "the next", "2")
        with context.uow_factory.begin() as uow:
            leased = lease_due(uow, late_replies.QUEUE, 1)
            assert len(begin_calls(uow, late_replies.QUEUE, leased).calls) == 1

    gateway.answers["send_text"] = erased_meanwhile
    queued(context.uow_factory)
    tasks.say_late(context)
    (row,) = rows(context.uow_factory, models.LateReply)
    assert (row.state, row.text) == (LateState.CLAIMED, "the next")


def test_nobody_is_called_without_an_openid(
    context: TaskContext, gateway: RecordingGateway
) -> None:
    queued(context.uow_factory)
    with context.uow_factory.begin() as uow:
        uow.session.execute(delete(Identity))
    tasks.say_late(context)
    assert states(context.uow_factory) == ["refused"]
    assert gateway.called("send_text") == []


def test_no_call_is_made_inside_a_transaction(
    context: TaskContext, gateway: RecordingGateway
) -> None:
    depths: list[int] = []
    gateway.answers["send_text"] = lambda _openid, _text: depths.append(context.uow_factory.depth)
    queued(context.uow_factory)
    tasks.say_late(context)
    assert depths == [0]


@pytest.mark.race
def test_workers_at_the_same_moment_say_each_reply_once(
    context: TaskContext, gateway: RecordingGateway
) -> None:
    for number in range(10):
        queued(context.uow_factory, f"answer {number}", str(number))
    at_once([lambda: tasks.say_late(context)] * 4)
    heard = sorted(text for _, text in gateway.called("send_text"))
    assert heard == [f"answer {number}" for number in range(10)]
    assert set(states(context.uow_factory)) == {"said"}
