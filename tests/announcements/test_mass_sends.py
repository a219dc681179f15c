"""Mass messages: batches of recipients, one call with one id each, and its outcome for all."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from server.announcements import tasks
from server.announcements.audience.choice import MASS_PER_MONTH
from server.announcements.compose.pictures import ConvertedPicture, keep_announcement_picture
from server.announcements.enums import AnnouncementState, Channel, RecipientState, TryState
from server.announcements.ledger import control, mass, mass_planning
from server.announcements.models import Announcement, MassBatch, Recipient, SendTry
from server.announcements.watching.progress import read_progress
from server.base.clock import BEIJING
from server.base.jobs import TaskContext
from server.base.restored_backup import drop_calls, hold_calls
from server.base.uow import UnitOfWorkFactory
from server.channel.models import Follower
from server.notices.models import InboxMessage
from server.wechat.errors import AlreadySent, CallInDoubt, NotSent, error_of
from server.wechat.letters import MassAccepted, MassSend, Material
from tests.kit.clock import FakeClock
from tests.kit.sends import a_send, some_followers, states_of

MASS = Channel.MASS


@dataclass
class MassWeChat:
    """WeChat's mass messages: one id is executed once."""

    told: list[Any] = field(default_factory=list)
    sent: dict[str, MassSend] = field(default_factory=dict)
    calls: list[MassSend] = field(default_factory=list)
    drafts: int = 0

    def upload_picture(self, _content: bytes, _name: str) -> Material:
        return Material("cover", "https://mmbiz.example/cover")

    def upload_article_picture(self, _content: bytes, _name: str) -> str:
        return "https://mmbiz.example/picture"

    def add_draft(self, _article: Any) -> str:
        self.drafts += 1
        return f"draft-{self.drafts}"

    def send_mass(self, message: MassSend) -> MassAccepted:
        self.calls.append(message)
        told = self.told.pop(0) if self.told else None
        if isinstance(told, int):
            raise error_of(told)
        if isinstance(told, Exception) and not isinstance(told, CallInDoubt):
            raise told
        if message.client_msg_id in self.sent:
            raise AlreadySent(message_id="77", errcode=45065)
        self.sent[message.client_msg_id] = message
        if told is not None:
            raise told
        return MassAccepted(msg_id=str(100 + len(self.sent)), msg_data_id="1")

    @property
    def reached(self) -> Counter[str]:
        return Counter(openid for message in self.sent.values() for openid in message.openids)


@pytest.fixture
def wechat() -> MassWeChat:
    return MassWeChat()


@pytest.fixture
def context(uow_factory: UnitOfWorkFactory, wechat: MassWeChat) -> TaskContext:
    return TaskContext(uow_factory=uow_factory, gateway=wechat)


def begin(context: TaskContext, people: int, **columns: Any) -> tuple[int, list[int]]:
    with context.uow_factory.begin() as uow:
        made = ConvertedPicture(digest="d" * 64, content=b"\xff\xd8\xff")
        picture = keep_announcement_picture(uow, made)
        ids = some_followers(uow, people)
        return a_send(uow, ids, MASS, **{"picture": picture, **columns}).id, ids


def work(context: TaskContext) -> None:
    while tasks.send_announcements(context) + tasks.send_mass_messages(context):
        continue


def rows_of(context: TaskContext, table: Any) -> list[Any]:
    with context.uow_factory.begin(read_only=True) as uow:
        return list(uow.session.scalars(select(table).order_by(table.id)))


def state_of(context: TaskContext, announcement_id: int) -> AnnouncementState:
    with context.uow_factory.begin(read_only=True) as uow:
        return uow.session.get_one(Announcement, announcement_id).state


@pytest.mark.parametrize(
    ("people", "sizes"),
    [(2, [2]), (10, [10]), (11, [9, 2]), (12, [10, 2]), (21, [10, 9, 2]), (30, [10, 10, 10])],
)
def test_batches_have_two_to_the_most_people_and_everybody_is_in_one(
    context: TaskContext,
    wechat: MassWeChat,
    monkeypatch: pytest.MonkeyPatch,
    people: int,
    sizes: list[int],
) -> None:
    monkeypatch.setattr(mass_planning, "MOST", 10)
    sent, _ = begin(context, people)
    work(context)
    assert [len(message.openids) for message in wechat.calls] == sizes
    assert sorted(wechat.reached.values()) == [1] * people
    assert states_of(context.uow_factory, sent) == {"sent": people}
    assert state_of(context, sent) is AnnouncementState.DONE
    batches = rows_of(context, MassBatch)
    assert [(one.size, bool(one.message_id)) for one in batches] == [(size, True) for size in sizes]
    tries = rows_of(context, SendTry)
    assert {(one.state, one.channel) for one in tries} == {(TryState.ACCEPTED, MASS)}
    assert len(rows_of(context, InboxMessage)) == people


def test_a_mass_message_that_is_given_up_after_a_restore_is_unknown(
    context: TaskContext, wechat: MassWeChat
) -> None:
    sent, _ = begin(context, 3)
    tasks.send_announcements(context)
    with context.uow_factory.begin() as uow:
        assert hold_calls(uow, mass.QUEUE) == 1
        assert read_progress(uow, sent).held == 3
        assert drop_calls(uow, mass.QUEUE) == 1
    work(context)
    assert wechat.calls == []
    assert states_of(context.uow_factory, sent) == {"unknown": 3}


def test_one_person_alone_gets_no_mass_message_but_the_copy(
    context: TaskContext, wechat: MassWeChat
) -> None:
    sent, _ = begin(context, 1)
    work(context)
    assert (states_of(context.uow_factory, sent), wechat.calls) == ({"refused": 1}, [])
    assert [one.reason for one in rows_of(context, Recipient)] == ["too_few"]
    assert [bool(one.not_pushed_reason) for one in rows_of(context, InboxMessage)] == [True]


def test_the_fifth_mass_message_of_a_month_is_refused_before_the_call(
    context: TaskContext, wechat: MassWeChat, clock: FakeClock
) -> None:
    _, people = begin(context, 3)
    work(context)
    for number in range(1, MASS_PER_MONTH + 1):
        with context.uow_factory.begin() as uow:
            picture = keep_announcement_picture(uow, ConvertedPicture(digest="e", content=b"\xff"))
            later = a_send(uow, people, MASS, picture=picture).id
        work(context)
        expected = {"sent": 3} if number < MASS_PER_MONTH else {"refused": 3}
        assert states_of(context.uow_factory, later) == expected
    assert len(wechat.calls) == MASS_PER_MONTH
    clock.set(datetime(2026, 6, 1, 9, 0, tzinfo=BEIJING))
    with context.uow_factory.begin() as uow:
        in_june = a_send(uow, people, MASS, picture=picture).id
    work(context)
    assert states_of(context.uow_factory, in_june) == {"sent": 3}


def test_people_who_left_or_opted_out_are_not_in_the_call(
    context: TaskContext, wechat: MassWeChat
) -> None:
    sent, people = begin(context, 5)
    with context.uow_factory.begin() as uow:
        uow.session.execute(
            update(Follower).where(Follower.citizen_id == people[0]).values(subscribed=False)
        )
    work(context)
    assert states_of(context.uow_factory, sent) == {"sent": 4, "refused": 1}
    assert len(wechat.calls[0].openids) == 4


@pytest.mark.parametrize(
    "told", [CallInDoubt(), -1, NotSent(), 45066, AlreadySent(message_id="5", errcode=45065)]
)
def test_a_call_without_an_answer_is_repeated_with_its_id_and_reaches_everybody_once(
    context: TaskContext, wechat: MassWeChat, clock: FakeClock, told: Any
) -> None:
    wechat.told = [told]
    sent, _ = begin(context, 4)
    work(context)
    clock.advance(59)
    early = len(wechat.calls)
    clock.advance(60)
    work(context)
    assert states_of(context.uow_factory, sent) == {"sent": 4}
    assert len({message.client_msg_id for message in wechat.calls}) == 1
    assert all(count == 1 for count in wechat.reached.values())
    assert (early, wechat.drafts) == (1, 1)
    (batch,) = rows_of(context, MassBatch)
    expected = {CallInDoubt: "77", AlreadySent: "5"}.get(type(told), "101")
    assert batch.message_id == expected


def test_a_call_without_any_answer_for_a_day_is_unknown(
    context: TaskContext, wechat: MassWeChat, clock: FakeClock
) -> None:
    wechat.told = [CallInDoubt(), *[NotSent()] * 1000]
    sent, _ = begin(context, 4)
    for _ in range(30):
        work(context)
        clock.advance(3600)
    assert states_of(context.uow_factory, sent) == {"unknown": 4}
    assert state_of(context, sent) is AnnouncementState.DONE


@pytest.mark.parametrize(
    ("told", "reason"),
    [(47003, "content_refused"), (48001, "wechat_config"), (40001, "token_refused")],
)
def test_a_fault_of_content_or_account_stops_the_announcement(
    context: TaskContext, wechat: MassWeChat, clock: FakeClock, told: int, reason: str
) -> None:
    wechat.told = [told]
    sent, _ = begin(context, 4)
    work(context)
    row = rows_of(context, Announcement)[0]
    assert (row.state, row.pause_reason) == (AnnouncementState.PAUSED, reason)
    clock.advance(600)
    work(context)
    assert len(wechat.calls) == 1
    with context.uow_factory.begin() as uow:
        control.resume_sending(uow, sent)
    clock.advance(600)
    work(context)
    assert states_of(context.uow_factory, sent) == {"sent": 4}


def test_without_a_cover_the_announcement_is_stopped(
    context: TaskContext, wechat: MassWeChat
) -> None:
    begin(context, 4, picture=None)
    work(context)
    row = rows_of(context, Announcement)[0]
    assert (row.pause_reason, row.pause_detail, wechat.calls) == (
        "content_refused", "no_cover", []
    )  # fmt: skip


def test_a_spent_quota_waits_for_midnight(
    context: TaskContext, wechat: MassWeChat, clock: FakeClock
) -> None:
    wechat.told = [45028]
    sent, _ = begin(context, 4)
    work(context)
    clock.advance(3600)
    work(context)
    assert len(wechat.calls) == 1
    clock.set(datetime(2026, 5, 2, 9, 0, tzinfo=BEIJING))
    work(context)
    assert states_of(context.uow_factory, sent) == {"sent": 4}


def test_a_cancelled_mass_message_that_was_never_called_reaches_nobody(
    context: TaskContext, wechat: MassWeChat
) -> None:
    sent, _ = begin(context, 4)
    while tasks.send_announcements(context):
        continue
    assert states_of(context.uow_factory, sent) == {"claimed": 4}
    with context.uow_factory.begin() as uow:
        control.cancel_sending(uow, sent, None)
    work(context)
    assert (states_of(context.uow_factory, sent), wechat.calls) == ({"cancelled": 4}, [])


def test_a_cancelled_mass_message_in_doubt_is_unknown(
    context: TaskContext, wechat: MassWeChat, clock: FakeClock
) -> None:
    wechat.told = [CallInDoubt()]
    sent, _ = begin(context, 4)
    work(context)
    with context.uow_factory.begin() as uow:
        control.cancel_sending(uow, sent, None)
    clock.advance(600)
    work(context)
    assert states_of(context.uow_factory, sent) == {"unknown": 4}
    assert len(wechat.calls) == 1


def test_a_worker_killed_in_the_call_leaves_a_batch_that_is_repeated_with_its_id(
    context: TaskContext, wechat: MassWeChat, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent, _ = begin(context, 4)
    while tasks.send_announcements(context):
        continue

    class Killed(BaseException):
        """Ends the run as a kill does: nothing after the call is executed."""

    def die_after_call(message: MassSend) -> None:
        MassWeChat.send_mass(wechat, message)
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(wechat, "send_mass", die_after_call)
        with pytest.raises(Killed):
            tasks.send_mass_messages(context)
    assert {row.state for row in rows_of(context, Recipient)} == {RecipientState.CLAIMED}
    clock.advance(mass.QUEUE.lease / timedelta(seconds=1))
    work(context)
    assert states_of(context.uow_factory, sent) == {"sent": 4}
    assert all(count == 1 for count in wechat.reached.values())
