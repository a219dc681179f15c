"""The fault matrix of sends: each answer of WeChat, and what it means for people and announcement.

Source: reliability, fault matrix, column "push".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from server.accounts.models import Citizen
from server.announcements.enums import AnnouncementState, Channel, TryState
from server.announcements.ledger import claiming, collecting, control
from server.announcements.ledger.pace import SendRate
from server.announcements.ledger.queue import pick_batch, put_back
from server.announcements.ledger.quotas import paused_channels
from server.announcements.ledger.sending import pace_of
from server.announcements.ledger.tries import Tries, new_client_id
from server.announcements.models import Announcement, SendTry
from server.base.clock import BEIJING
from server.base.jobs import TaskContext
from server.base.settings import Sending
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.channel.models import Follower
from server.notices.models import InboxMessage, MessageGrant, Outreach
from server.wechat.errors import BadContent, CallInDoubt, NotSent, Unclassified
from tests.kit.clock import FakeClock
from tests.kit.sends import (
    DROPPED,
    HeardWeChat,
    a_send,
    recipients_of,
    send_once,
    set_connections,
    some_followers,
    states_of,
    work_until_idle,
)

TEMPLATE, MINI, OFFICIAL, CUSTOMER = (
    Channel.TEMPLATE,
    Channel.MINI_SUBSCRIPTION,
    Channel.OFFICIAL_SUBSCRIPTION,
    Channel.CUSTOMER_MESSAGE,
)
FULL_RATE, CONNECTIONS = Sending().most_per_second, 64
PUSHED = (TEMPLATE, MINI, OFFICIAL, CUSTOMER)
WITHOUT_ID = (MINI, OFFICIAL, CUSTOMER)


@dataclass
class Faulty:
    """One recipient, an answer for the first calls, and a worker."""

    context: TaskContext
    wechat: HeardWeChat
    clock: FakeClock
    announcement_id: int = 0
    person: int = 0
    told: list[Any] = field(default_factory=list)

    def begin(self, channel: Channel, *told: Any, people: int = 1, ladder: Any = ()) -> None:
        """The first calls are answered as told, later ones are accepted."""
        self.told = list(told)
        self.wechat.answer = lambda _letter: self.told.pop(0) if self.told else None
        with self.context.uow_factory.begin() as uow:
            ids = some_followers(uow, people, grants=(MINI, OFFICIAL))
            uow.session.execute(update(Citizen).values(topics=["lectures"]))
            heard_at = uow.now - timedelta(minutes=5)
            uow.session.execute(update(Follower).values(heard_at=heard_at))
            row = a_send(uow, ids, *(ladder or (channel,)), topic="lectures")
            self.announcement_id, self.person = row.id, ids[0]

    def work(self, *later: float) -> None:
        """Work now, and again after each of these numbers of seconds."""
        work_until_idle(self.context)
        for seconds in later:
            self.clock.advance(seconds)
            work_until_idle(self.context)

    @property
    def states(self) -> Counter[str]:
        return states_of(self.context.uow_factory, self.announcement_id)

    @property
    def row(self) -> Announcement:
        with self.context.uow_factory.begin(read_only=True) as uow:
            return uow.session.get_one(Announcement, self.announcement_id)

    @property
    def reason(self) -> str | None:
        return recipients_of(self.context.uow_factory, self.announcement_id)[0].reason

    def rows_of(self, table: Any) -> list[Any]:
        with self.context.uow_factory.begin(read_only=True) as uow:
            return list(uow.session.scalars(select(table)))


@pytest.fixture
def faulty(
    uow_factory: UnitOfWorkFactory,
    clock: FakeClock,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Faulty:
    set_connections(monkeypatch, uow_factory, CONNECTIONS)
    wechat = HeardWeChat(tmp_path / "heard")
    context = TaskContext(uow_factory=uow_factory, gateway=wechat)
    return Faulty(context=context, wechat=wechat, clock=clock)


# --- the call certainly had no effect: the recipient waits --------------------------------------


@pytest.mark.parametrize("channel", PUSHED)
@pytest.mark.parametrize(
    ("told", "seconds"),
    [(-1, 4), (NotSent(), 4), (45011, 80), (43108, 4), (43117, 4), (44990, 80)],
)
def test_what_certainly_had_no_effect_is_called_again_later(
    faulty: Faulty, channel: Channel, told: Any, seconds: float
) -> None:
    faulty.begin(channel, told)
    faulty.work()
    assert faulty.states == {"queued": 1}
    assert len(faulty.wechat.calls) == 1
    faulty.work(seconds)
    assert (faulty.states, len(faulty.wechat.calls)) == ({"sent": 1}, 2)
    assert list(faulty.wechat.inbox().values()) == [1]
    (attempt,) = faulty.rows_of(SendTry)
    assert attempt.state is TryState.ACCEPTED


def test_a_busy_answer_is_repeated_with_the_same_id(faulty: Faulty) -> None:
    faulty.begin(TEMPLATE, -1, -1)
    faulty.work(4, 8)
    assert len({letter.client_msg_id for letter in faulty.wechat.calls}) == 1  # type: ignore[union-attr]
    assert (len(faulty.wechat.calls), faulty.states) == (3, {"sent": 1})


def test_a_grant_is_free_again_while_its_message_waits(faulty: Faulty) -> None:
    faulty.begin(MINI, NotSent())
    faulty.work()
    assert [one.used_at for one in faulty.rows_of(MessageGrant)] == [None, None]
    faulty.work(4)
    assert sum(one.used_at is not None for one in faulty.rows_of(MessageGrant)) == 1


def test_with_wechat_down_for_ten_minutes_the_queue_drains_later_and_nobody_hears_twice(
    faulty: Faulty,
) -> None:
    faulty.begin(TEMPLATE, people=30)
    faulty.wechat.answer = lambda _letter: NotSent()
    faulty.work(*[20.0] * 30)
    assert faulty.states == {"queued": 30}
    faulty.wechat.answer = lambda _letter: None
    faulty.work(*[100.0] * 5)
    assert faulty.states == {"sent": 30}
    assert sorted(faulty.wechat.inbox().values()) == [1] * 30


# --- refused: the next channel, or the end --------------------------------------------------------


@pytest.mark.parametrize(
    ("channel", "errcode"),
    [
        *((channel, errcode) for channel in PUSHED for errcode in (40003, 43004)),
        *((channel, 43101) for channel in (MINI, OFFICIAL)),
        *((CUSTOMER, errcode) for errcode in (45015, 45047, 48002)),
        (TEMPLATE, 70000),
        (TEMPLATE, 99999),
    ],
)
def test_a_refusal_is_final_and_never_called_again(
    faulty: Faulty, channel: Channel, errcode: int
) -> None:
    faulty.begin(channel, errcode)
    faulty.work(60, 3600)
    assert (faulty.states, len(faulty.wechat.calls)) == ({"refused": 1}, 1)
    assert (faulty.reason or "").endswith(str(errcode))
    (copy,) = faulty.rows_of(InboxMessage)
    assert copy.not_pushed_reason
    assert faulty.rows_of(Outreach) == []
    assert faulty.row.state is AnnouncementState.DONE


@pytest.mark.parametrize("errcode", [43101, 43004, 40003])
def test_after_a_refusal_the_ladder_goes_on(faulty: Faulty, errcode: int) -> None:
    faulty.begin(MINI, errcode, ladder=(MINI, OFFICIAL))
    faulty.work()
    assert (faulty.states, len(faulty.wechat.calls)) == ({"sent": 1}, 2)


def test_who_does_not_follow_is_noted_and_excluded_next_time(faulty: Faulty) -> None:
    faulty.begin(TEMPLATE, 43004)
    faulty.work()
    assert [one.subscribed for one in faulty.rows_of(Follower)] == [False]
    with faulty.context.uow_factory.begin() as uow:
        again = a_send(uow, [faulty.person], TEMPLATE, topic="lectures").id
    faulty.work()
    (row,) = recipients_of(faulty.context.uow_factory, again)
    assert (row.reason, len(faulty.wechat.calls)) == ("not_following", 1)


def test_a_used_up_permission_ends_all_grants_of_its_template(faulty: Faulty) -> None:
    faulty.begin(MINI, 43101)
    faulty.work()
    used = [one for one in faulty.rows_of(MessageGrant) if one.used_at or one.revoked_at]
    assert len(used) == 1


# --- in doubt: the request may have left us ----------------------------------------------------


@pytest.mark.parametrize("channel", WITHOUT_ID)
@pytest.mark.parametrize("told", [DROPPED, CallInDoubt()])
@pytest.mark.parametrize("ladder_goes_on", [False, True])
def test_without_an_id_a_call_in_doubt_is_unknown_and_never_repeated(
    faulty: Faulty, channel: Channel, told: Any, ladder_goes_on: bool
) -> None:
    """Row D14, also with a further channel."""
    faulty.begin(channel, told, ladder=(channel, TEMPLATE) if ladder_goes_on else ())
    faulty.work(15, 60, 3600, 86_400)
    assert (faulty.states, len(faulty.wechat.calls)) == ({"unknown": 1}, 1)
    assert sum(faulty.wechat.inbox().values()) == (told is DROPPED)
    (attempt,) = faulty.rows_of(SendTry)
    assert (attempt.state, faulty.row.state) == (TryState.UNKNOWN, AnnouncementState.DONE)


@pytest.mark.parametrize("lost", [1, 2, 5])
def test_a_template_message_in_doubt_is_repeated_with_the_same_id_and_arrives_once(
    faulty: Faulty, lost: int
) -> None:
    faulty.begin(TEMPLATE, *[DROPPED] * lost)
    faulty.work()
    assert faulty.states == {"in_doubt": 1}
    faulty.work(*[15.0] * lost)
    assert (faulty.states, len(faulty.wechat.calls)) == ({"sent": 1}, lost + 1)
    assert list(faulty.wechat.inbox().values()) == [1]


def test_with_a_fresh_id_the_repeat_would_arrive_twice(
    faulty: Faulty, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Negative control of the test above."""
    load = claiming.load_tries

    def load_with_fresh_ids(uow: UnitOfWork, row_ids: Collection[int]) -> dict[int, Tries]:
        found = load(uow, row_ids)
        for one in found.values():
            if one.current is not None:
                one.current.client_msg_id = new_client_id(uow)
        return found

    monkeypatch.setattr(claiming, "load_tries", load_with_fresh_ids)
    faulty.begin(TEMPLATE, DROPPED)
    faulty.work(15)
    assert list(faulty.wechat.inbox().values()) == [2]


def test_a_template_message_is_repeated_for_less_than_nine_minutes_of_its_first_call(
    faulty: Faulty,
) -> None:
    faulty.begin(TEMPLATE, *[DROPPED] * 100)
    faulty.work(*[60.0] * 8)
    assert faulty.states == {"in_doubt": 1}
    calls = len(faulty.wechat.calls)
    faulty.work(60.0, 60.0, 3600.0)
    assert (faulty.states, len(faulty.wechat.calls)) == ({"unknown": 1}, calls)
    assert list(faulty.wechat.inbox().values()) == [1]


@pytest.mark.parametrize("seconds", [-86_400 * 30, -3600, -1, 86_400 * 30])
def test_after_a_clock_jump_a_call_in_doubt_is_repeated_only_when_that_is_safe(
    faulty: Faulty, seconds: float
) -> None:
    faulty.begin(TEMPLATE, DROPPED)
    faulty.work()
    faulty.clock.at += timedelta(seconds=seconds)
    for _ in range(40):
        faulty.clock.at += timedelta(days=1)
        work_until_idle(faulty.context)
    assert (faulty.states, len(faulty.wechat.calls)) == ({"unknown": 1}, 1)


@pytest.mark.parametrize("then", [43004, 40003, 45009, 99999])
def test_a_refused_repeat_does_not_let_the_ladder_go_on(faulty: Faulty, then: int) -> None:
    faulty.begin(TEMPLATE, DROPPED, then, then, then, ladder=(TEMPLATE, CUSTOMER))
    faulty.work(15, 600, 86_400, 86_400)
    assert faulty.states == {"unknown": 1}
    assert list(faulty.wechat.inbox().values()) == [1]
    assert {one.channel for one in faulty.rows_of(SendTry)} == {TEMPLATE}


@pytest.mark.parametrize("told", [-1, NotSent(), 45011])
def test_a_busy_repeat_stays_in_doubt_and_is_repeated_with_the_same_id(
    faulty: Faulty, told: Any
) -> None:
    faulty.begin(TEMPLATE, DROPPED, told)
    faulty.work(15)
    assert faulty.states == {"in_doubt": 1}
    faulty.work(80)
    assert faulty.states == {"sent": 1}
    assert list(faulty.wechat.inbox().values()) == [1]


def test_an_http_refusal_without_an_errcode_is_a_refusal(faulty: Faulty) -> None:
    faulty.begin(TEMPLATE, Unclassified())
    faulty.work()
    assert faulty.states == {"refused": 1}


# --- quotas and rates --------------------------------------------------------------------------


@pytest.mark.parametrize("channel", PUSHED)
def test_a_spent_daily_quota_pauses_its_channel_until_midnight_in_beijing(
    faulty: Faulty, channel: Channel
) -> None:
    faulty.begin(channel, *[45009] * 20, people=20)
    faulty.work()
    assert faulty.row.state is AnnouncementState.SENDING
    assert (faulty.states, len(faulty.wechat.calls)) == ({"queued": 20}, len(faulty.wechat.calls))
    called = len(faulty.wechat.calls)
    faulty.told.clear()
    with faulty.context.uow_factory.begin(read_only=True) as uow:
        assert paused_channels(uow) == {channel: datetime(2026, 5, 2, tzinfo=BEIJING)}
    faulty.work(60, 3600)
    assert len(faulty.wechat.calls) == called
    faulty.clock.set(datetime(2026, 5, 2, 8, 0, tzinfo=BEIJING))
    faulty.work()
    expected = {"sent": 20} if channel is not CUSTOMER else faulty.states
    assert faulty.states == expected
    assert all(count == 1 for count in faulty.wechat.inbox().values())


def test_a_paused_channel_leaves_the_others_alone(faulty: Faulty) -> None:
    faulty.begin(TEMPLATE, 45009)
    faulty.work()
    with faulty.context.uow_factory.begin() as uow:
        people = some_followers(uow, 2, grants=(MINI,))
        other = a_send(uow, people, MINI).id
    faulty.work()
    assert states_of(faulty.context.uow_factory, other) == {"sent": 2}


def test_the_rate_is_halved_once_for_a_burst_and_recovers_slowly(clock: FakeClock) -> None:
    pace = SendRate(clock, FULL_RATE)
    for _ in range(50):
        pace.slow_down()
    assert pace.rate == FULL_RATE / 2
    clock.advance(5)
    pace.slow_down()
    assert FULL_RATE / 4 < pace.rate < FULL_RATE / 3.9
    clock.advance(60)
    assert FULL_RATE / 4 < pace.rate < FULL_RATE / 2
    clock.advance(600)
    assert pace.rate == FULL_RATE
    clock.advance(-600)  # the rate does not depend on a clock that goes back
    assert pace.rate == FULL_RATE


def test_no_more_calls_are_made_than_the_rate_allows(clock: FakeClock) -> None:
    pace = SendRate(clock, FULL_RATE)
    assert pace.take_calls(10_000) == FULL_RATE
    assert pace.take_calls(1) == 0
    clock.advance(0.5)
    assert pace.take_calls(10_000) == FULL_RATE / 2
    pace.give_back(10)
    assert pace.take_calls(100) == 10


def test_a_minute_quota_slows_the_sender_down(faulty: Faulty) -> None:
    faulty.begin(TEMPLATE, 45011, people=5)
    faulty.work()
    assert pace_of(faulty.context.uow_factory).rate == FULL_RATE / 2
    faulty.work(80, 80)
    assert faulty.states == {"sent": 5}


# --- faults that stop the whole announcement ----------------------------------------------------


@pytest.mark.parametrize("channel", PUSHED)
@pytest.mark.parametrize(
    ("told", "reason", "detail"),
    [
        (BadContent(field="thing2", errcode=47003), "content_refused", "thing2"),
        (47003, "content_refused", "47003"),
        (40037, "template_refused", "40037"),
        (43116, "template_refused", "43116"),
        (40001, "token_refused", "40001"),
        (42001, "token_refused", "42001"),
        (40014, "token_refused", "40014"),
        (48001, "wechat_config", "48001"),
        (48004, "wechat_config", "48004"),
        (50002, "wechat_config", "50002"),
        (40164, "wechat_config", "40164"),
        (40013, "wechat_config", "40013"),
    ],
)
def test_a_fault_of_content_or_account_stops_the_announcement_at_the_first_answer(
    faulty: Faulty, channel: Channel, told: Any, reason: str, detail: str
) -> None:
    faulty.begin(channel, *[told] * CONNECTIONS, people=70)
    faulty.work(60, 3600)
    row = faulty.row
    assert (row.state, row.pause_reason, row.pause_detail) == (
        AnnouncementState.PAUSED, reason, detail
    )  # fmt: skip
    assert faulty.states == {"queued": 70}
    assert len(faulty.wechat.calls) <= CONNECTIONS
    assert all(one.used_at is None for one in faulty.rows_of(MessageGrant))
    faulty.told.clear()
    with faulty.context.uow_factory.begin() as uow:
        control.resume_sending(uow, faulty.announcement_id)
    faulty.work(3600)
    assert faulty.states == {"sent": 70}
    assert sorted(faulty.wechat.inbox().values()) == [1] * 70


@pytest.mark.parametrize(("strangers", "stopped"), [(10, False), (11, True)])
def test_many_strangers_among_the_first_two_hundred_stop_the_announcement(
    faulty: Faulty, strangers: int, stopped: bool
) -> None:
    faulty.begin(TEMPLATE, *[40003] * strangers, people=300)
    with faulty.context.uow_factory.begin() as uow:
        control.start_due(uow)
    send_once(faulty.context)
    row = faulty.row
    assert (row.state is AnnouncementState.PAUSED) is stopped
    assert row.pause_reason == ("wrong_audience" if stopped else None)


def test_strangers_after_the_first_results_stop_nothing(faulty: Faulty) -> None:
    faulty.begin(TEMPLATE, *[None] * 450, *[40003] * 30, people=500)
    faulty.work()
    assert faulty.states == {"sent": 470, "refused": 30}


def test_a_run_waits_for_its_rate_and_ends_when_the_rate_stands_still(
    faulty: Faulty, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []

    def pass_time(_collector: object, seconds: float) -> None:
        waits.append(seconds)
        if len(waits) <= 3:
            faulty.clock.advance(seconds)

    monkeypatch.setattr(collecting.Collector, "wait_seconds", pass_time)
    pace = pace_of(faulty.context.uow_factory)
    pace.take_calls(int(FULL_RATE))
    faulty.begin(TEMPLATE, people=400)
    with faulty.context.uow_factory.begin() as uow:
        control.start_due(uow)
    # Each wait is for the calls of a twentieth of a second; the fourth brings none.
    assert send_once(faulty.context, connections=200) == 300
    assert waits == pytest.approx([0.05] * 4, abs=0.001)
    assert faulty.states == {"sent": 300, "queued": 100}


def test_a_run_at_a_rate_of_nearly_nothing_ends_without_waiting(
    faulty: Faulty, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collecting.Collector, "wait_seconds", lambda *_: pytest.fail("waited"))
    pace = pace_of(faulty.context.uow_factory)
    monkeypatch.setattr(type(pace), "rate", 1.0)
    monkeypatch.setattr(pace, "take_calls", lambda _wanted: 0)
    monkeypatch.setattr(pace, "seconds_for", lambda _calls: 1.5)
    faulty.begin(TEMPLATE, people=3)
    with faulty.context.uow_factory.begin() as uow:
        control.start_due(uow)
    assert send_once(faulty.context) == 0
    assert faulty.states == {"queued": 3}


def test_recipients_that_were_picked_and_not_claimed_are_the_next_ones(faulty: Faulty) -> None:
    faulty.begin(TEMPLATE, people=30)
    with faulty.context.uow_factory.begin() as uow:
        control.start_due(uow)
        first = pick_batch(uow, faulty.announcement_id, 10)
        put_back(uow, faulty.announcement_id, first[4:])
    with faulty.context.uow_factory.begin() as uow:
        second = pick_batch(uow, faulty.announcement_id, 10)
        third = pick_batch(uow, faulty.announcement_id, 10)
        # The range reaches the end; what others have left before it comes last.
        rest = pick_batch(uow, faulty.announcement_id, 10)
        again = pick_batch(uow, faulty.announcement_id, 10)
    assert second == [*first[4:], *range(first[-1] + 1, first[-1] + 5)]
    assert len(third) == 10
    assert rest == list(range(third[-1] + 1, first[0] + 30))
    assert again == first
