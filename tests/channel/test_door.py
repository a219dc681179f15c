"""Each message's effects once: one after the other, at the same moment, and after a failure."""

from __future__ import annotations

import threading

import pytest

from server.base.clock import SystemClock
from server.base.errors import Unavailable
from server.base.work import Desk, Work
from server.channel import late, models, repeats
from server.channel.door import Door, mini_program_door
from server.wechat.inbound import Envelope, Message
from server.wechat.replies import Reply
from tests.kit.channel import NotToday, a_door, a_message, an_event, at_once, rows, said

TWINS = 8


def leaves_a_trace(work: Work, message: Message) -> Reply:
    """An effect that can be counted: nothing but the door keeps it from happening again."""
    late.queue(work, work.new_ref("trace"), message.openid, "trace")
    return Reply.of_text(f"trace {work.new_ref('r')}")


@pytest.mark.race
def test_twins_do_it_once_and_all_get_the_first_reply(desk: Desk) -> None:
    def today(work: Work, _citizen_id: int | None) -> str:
        late.queue(work, work.new_ref("trace"), "o-somebody", "trace")
        return work.new_ref("reply")

    door = a_door(desk, answers={"quiz.today": today})
    for message in (a_message(content="答题"), an_event("scan", "contest")):
        before = len(rows(desk, models.LateReply))
        replies = at_once([lambda m=message: said(door, m)] * TWINS)  # type: ignore[misc]
        assert len(set(replies)) == 1
        assert len(rows(desk, models.LateReply)) == before + 1


class Unguarded:
    """The naive way: look whether the message is known, and if not, do it and note it."""

    def __init__(self, desk: Desk, meeting: threading.Barrier) -> None:
        self._desk = desk
        self._meeting = meeting

    def effects(self, message: Message) -> Reply:
        with self._desk.work(read_only=True) as work:
            known = work.session.get(models.SeenMessage, message.key)
        self._meeting.wait()
        if known is not None:
            return Reply.from_bytes(known.reply.encode())
        with self._desk.work() as work:
            reply = leaves_a_trace(work, message)
            if repeats.enter(work, message.key) is None:
                repeats.leave(work, message.key, reply, None)
            return reply


@pytest.mark.race
def test_without_the_row_first_the_same_twins_do_it_more_than_once(desk: Desk) -> None:
    naive = Unguarded(desk, threading.Barrier(TWINS))
    message = an_event("something")
    replies = at_once([lambda: naive.effects(message)] * TWINS)
    assert len({reply.text for reply in replies}) == TWINS
    assert len(rows(desk, models.LateReply)) == TWINS


def test_a_slice_does_something_with_an_event_once_and_in_silence(desk: Desk) -> None:
    for door in (
        a_door(desk, handlers=[("Something", leaves_a_trace)]),
        mini_program_door(desk, an_envelope(desk), [("Something", leaves_a_trace)]),
    ):
        message = an_event("something", created_at=len(rows(desk, models.SeenMessage)))
        before = len(rows(desk, models.LateReply))
        assert door.pure(message) is None
        assert [door.effects(message).says_something for _ in range(3)] == [False] * 3
        assert len(rows(desk, models.LateReply)) == before + 1


def an_envelope(desk: Desk) -> Envelope:
    return Envelope("mini_program", desk.tools.settings.wechat.mini_program, SystemClock())


def test_the_mini_program_has_no_conversation(desk: Desk) -> None:
    door = mini_program_door(desk, an_envelope(desk))
    for message in (a_message(content="答题"), a_message("image"), an_event("subscribe")):
        reply = door.pure(message)
        assert reply is not None
        assert not reply.says_something


def test_two_slices_cannot_take_one_event(desk: Desk) -> None:
    with pytest.raises(ValueError, match="subscribe"):
        a_door(desk, handlers=[("subscribe", leaves_a_trace)])


def test_a_report_of_wechat_that_is_refused_is_done_with_and_undone(desk: Desk) -> None:
    def refuses(work: Work, message: Message) -> Reply:
        leaves_a_trace(work, message)
        raise NotToday

    door = a_door(desk, handlers=[("something", refuses)])
    assert door.effects(an_event("something")) == Reply()
    assert rows(desk, models.LateReply) == []
    assert len(rows(desk, models.SeenMessage)) == 1


def test_what_failed_is_not_remembered_and_the_repeat_does_it(desk: Desk) -> None:
    troubles: list[BaseException] = [RuntimeError("a mistake"), Unavailable()]

    def fails_twice(work: Work, message: Message) -> Reply | None:
        leaves_a_trace(work, message)
        if troubles:
            raise troubles.pop()
        return None

    door = a_door(desk, handlers=[("something", fails_twice)])
    message = an_event("something")
    with pytest.raises(Unavailable):
        door.effects(message)
    with pytest.raises(RuntimeError):
        door.effects(message)
    assert rows(desk, models.SeenMessage) == []
    assert door.effects(message) == Reply()
    assert len(rows(desk, models.LateReply)) == 1


def test_who_only_asks_is_told_that_the_house_is_busy(desk: Desk) -> None:
    def away(_work: Work, _citizen_id: int | None) -> str:
        raise Unavailable

    door = a_door(desk, answers={"quiz.today": away})
    assert said(door, a_message(content="答题")) == "服务正忙，请稍后再试。"
    assert said(door, an_event("click", "QUIZ_TODAY")) == "服务正忙，请稍后再试。"
    assert rows(desk, models.SeenMessage) == []
    with pytest.raises(Unavailable):
        said(door, an_event("subscribe", "qrscene_contest"))
    assert rows(desk, models.Follower) == []


def test_a_door_is_what_the_webhook_wants(desk: Desk) -> None:
    door: Door = a_door(desk)
    assert door.envelope.window_seconds == 600
