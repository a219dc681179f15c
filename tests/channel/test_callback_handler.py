"""Each message's effects once: one after the other, at the same moment, and after a failure."""

from __future__ import annotations

import threading

import pytest

from server.base.clock import SystemClock
from server.base.errors import Unavailable
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.channel import late_replies, models, processed_messages
from server.channel.callback_handler import CallbackHandler, Events, mini_program_handler
from server.wechat.callback.inbound import Envelope, Message
from server.wechat.callback.replies import Reply
from tests.kit.channel import NotToday, a_handler, a_message, an_event, at_once, rows, said

TWINS = 8


def leaves_a_trace(uow: UnitOfWork, message: Message) -> Reply:
    """An effect that can be counted: nothing but the door keeps it from happening again."""
    late_replies.queue_reply(uow, uow.new_ref("trace"), message.openid, "trace")
    return Reply.of_text(f"trace {uow.new_ref('r')}")


@pytest.mark.race
def test_twins_do_it_once_and_all_get_the_first_reply(uow_factory: UnitOfWorkFactory) -> None:
    def today(uow: UnitOfWork, _citizen_id: int | None) -> str:
        late_replies.queue_reply(uow, uow.new_ref("trace"), "o-somebody", "trace")
        return uow.new_ref("reply")

    handler = a_handler(uow_factory, answers={"quiz.today": today})
    for message in (a_message(content="答题"), an_event("scan", "contest")):
        before = len(rows(uow_factory, models.LateReply))
        replies = at_once([lambda m=message: said(handler, m)] * TWINS)  # type: ignore[misc]
        assert len(set(replies)) == 1
        assert len(rows(uow_factory, models.LateReply)) == before + 1


class Unguarded:
    """The naive way: look whether the message is known, and if not, do it and note it."""

    def __init__(self, uow_factory: UnitOfWorkFactory, meeting: threading.Barrier) -> None:
        self._uow_factory = uow_factory
        self._meeting = meeting

    def effects(self, message: Message) -> Reply:
        with self._uow_factory.begin(read_only=True) as uow:
            known = uow.session.get(models.SeenMessage, message.key)
        self._meeting.wait()
        if known is not None:
            return Reply.from_bytes(known.reply.encode())
        with self._uow_factory.begin() as uow:
            reply = leaves_a_trace(uow, message)
            if processed_messages.claim_message(uow, message.key) is None:
                processed_messages.store_reply(uow, message.key, reply, None)
            return reply


@pytest.mark.race
def test_without_the_row_first_the_same_twins_do_it_more_than_once(
    uow_factory: UnitOfWorkFactory,
) -> None:
    naive = Unguarded(uow_factory, threading.Barrier(TWINS))
    message = an_event("something")
    replies = at_once([lambda: naive.effects(message)] * TWINS)
    assert len({reply.text for reply in replies}) == TWINS
    assert len(rows(uow_factory, models.LateReply)) == TWINS


def test_a_slice_does_something_with_an_event_once_and_in_silence(
    uow_factory: UnitOfWorkFactory,
) -> None:
    for handler in (
        a_handler(uow_factory, handlers=[("Something", leaves_a_trace)]),
        mini_program_handler(
            uow_factory,
            an_envelope(uow_factory),
            Events(handlers=[("Something", leaves_a_trace)]),
        ),
    ):
        message = an_event("something", created_at=len(rows(uow_factory, models.SeenMessage)))
        before = len(rows(uow_factory, models.LateReply))
        assert handler.reply_without_effects(message) is None
        assert [handler.apply_effects(message).says_something for _ in range(3)] == [False] * 3
        assert len(rows(uow_factory, models.LateReply)) == before + 1


def an_envelope(uow_factory: UnitOfWorkFactory) -> Envelope:
    return Envelope(
        "mini_program", uow_factory.dependencies.settings.wechat.mini_program, SystemClock()
    )


def test_the_mini_program_has_no_conversation(uow_factory: UnitOfWorkFactory) -> None:
    handler = mini_program_handler(uow_factory, an_envelope(uow_factory))
    for message in (a_message(content="答题"), a_message("image"), an_event("subscribe")):
        reply = handler.reply_without_effects(message)
        assert reply is not None
        assert not reply.says_something


def test_two_slices_cannot_take_one_event(uow_factory: UnitOfWorkFactory) -> None:
    with pytest.raises(ValueError, match="subscribe"):
        a_handler(uow_factory, handlers=[("subscribe", leaves_a_trace)])


def test_a_report_of_wechat_that_is_refused_is_done_with_and_undone(
    uow_factory: UnitOfWorkFactory,
) -> None:
    def refuses(uow: UnitOfWork, message: Message) -> Reply:
        leaves_a_trace(uow, message)
        raise NotToday

    handler = a_handler(uow_factory, handlers=[("something", refuses)])
    assert handler.apply_effects(an_event("something")) == Reply()
    assert rows(uow_factory, models.LateReply) == []
    assert len(rows(uow_factory, models.SeenMessage)) == 1


def test_what_failed_is_not_remembered_and_the_repeat_does_it(
    uow_factory: UnitOfWorkFactory,
) -> None:
    troubles: list[BaseException] = [RuntimeError("a mistake"), Unavailable()]

    def fails_twice(uow: UnitOfWork, message: Message) -> Reply | None:
        leaves_a_trace(uow, message)
        if troubles:
            raise troubles.pop()
        return None

    handler = a_handler(uow_factory, handlers=[("something", fails_twice)])
    message = an_event("something")
    with pytest.raises(Unavailable):
        handler.apply_effects(message)
    with pytest.raises(RuntimeError):
        handler.apply_effects(message)
    assert rows(uow_factory, models.SeenMessage) == []
    assert handler.apply_effects(message) == Reply()
    assert len(rows(uow_factory, models.LateReply)) == 1


def test_who_only_asks_is_told_that_the_house_is_busy(uow_factory: UnitOfWorkFactory) -> None:
    def away(_work: UnitOfWork, _citizen_id: int | None) -> str:
        raise Unavailable

    handler = a_handler(uow_factory, answers={"quiz.today": away})
    assert said(handler, a_message(content="答题")) == "服务正忙，请稍后再试。"
    assert said(handler, an_event("click", "QUIZ_TODAY")) == "服务正忙，请稍后再试。"
    assert rows(uow_factory, models.SeenMessage) == []
    with pytest.raises(Unavailable):
        said(handler, an_event("subscribe", "qrscene_contest"))
    assert rows(uow_factory, models.Follower) == []


def test_a_door_is_what_the_webhook_wants(uow_factory: UnitOfWorkFactory) -> None:
    handler: CallbackHandler = a_handler(uow_factory)
    assert handler.envelope.window_seconds == 600
