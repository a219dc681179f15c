"""Random histories of a sending: faults, pauses, cancellations, clocks; every promise after each.

Nobody gets a message twice, the states of the recipients sum up to the frozen audience, and nothing
is called while the announcement is paused or cancelled.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test
from sqlalchemy import update

from server.accounts.models import Citizen
from server.announcements.enums import FINAL, AnnouncementState, Channel
from server.announcements.errors import WrongAnnouncementState
from server.announcements.ledger import claiming, control
from server.announcements.ledger.outcomes import Stop
from server.announcements.ledger.tries import Tries, new_client_id
from server.announcements.models import Announcement
from server.announcements.tasks import send_announcements
from server.base.jobs import TaskContext
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.channel.models import Follower
from server.wechat.errors import CallInDoubt, NotSent
from tests.kit.clock import FakeClock
from tests.kit.effort import repeat_count
from tests.kit.sends import (
    DROPPED,
    HeardWeChat,
    a_send,
    some_followers,
    states_of,
    work_until_idle,
)

HISTORIES, STEPS, PEOPLE = repeat_count(100, 8), repeat_count(60, 30), 12
ANSWERS = (
    *[None] * 3, DROPPED, DROPPED, CallInDoubt(), NotSent(), -1, 45009, 45011, 43101, 43004, 40003,
    45015, 43108, 99999, 47003, 40001,
)  # fmt: skip
LADDER = (Channel.TEMPLATE, Channel.MINI_SUBSCRIPTION, Channel.CUSTOMER_MESSAGE)


class Sends(RuleBasedStateMachine):
    """One announcement; messages to one person in both apps are counted together."""

    def __init__(
        self, uow_factory: UnitOfWorkFactory, wechat: HeardWeChat, clock: FakeClock
    ) -> None:
        super().__init__()
        self.uow_factory, self.wechat, self.clock = uow_factory, wechat, clock
        self.context = TaskContext(uow_factory=uow_factory, gateway=wechat)
        wechat.heard.write_text("")
        wechat.calls.clear()
        clock.at += timedelta(days=8) - timedelta(
            hours=clock.at.hour - 2, minutes=clock.at.minute, seconds=clock.at.second
        )
        with uow_factory.begin() as uow:
            people = some_followers(uow, PEOPLE, grants=[Channel.MINI_SUBSCRIPTION])
            uow.session.execute(update(Citizen).values(topics=["lectures"]))
            uow.session.execute(update(Follower).values(heard_at=uow.now, window_used=0))
            self.id = a_send(uow, people, *LADDER, topic="lectures").id

    @property
    def state(self) -> AnnouncementState:
        with self.uow_factory.begin(read_only=True) as uow:
            return uow.session.get_one(Announcement, self.id).state

    @rule(told=st.lists(st.sampled_from(ANSWERS), max_size=20))
    def work(self, told: list[object]) -> None:
        left = list(told)
        self.wechat.answer = lambda _letter: left.pop(0) if left else None
        before, calls = self.state, len(self.wechat.calls)
        send_announcements(self.context)
        stopped = (AnnouncementState.PAUSED, AnnouncementState.CANCELLED, AnnouncementState.DONE)
        assert before not in stopped or len(self.wechat.calls) == calls
        self.check()

    @rule(seconds=st.sampled_from((1, 15, 16, 61, 61, 600, 7200, 86_400, -30)))
    def pass_time(self, seconds: int) -> None:
        self.clock.at += timedelta(seconds=seconds)
        self.clock.steady += max(0, seconds)

    @rule(act=st.sampled_from(("pause", "resume", "resume", "resume")))
    def control_sending(self, act: str) -> None:
        try:
            with self.uow_factory.begin() as uow:
                if act == "pause":
                    control.pause_sending(uow, self.id, Stop(reason="organizer", detail=""))
                else:
                    control.resume_sending(uow, self.id)
        except WrongAnnouncementState:
            return
        self.check()

    @rule(surely=st.integers(0, 9))
    def cancel(self, surely: int) -> None:
        if surely or self.state is AnnouncementState.SCHEDULED:
            return
        try:
            with self.uow_factory.begin() as uow:
                control.cancel_sending(uow, self.id, None)
        except WrongAnnouncementState:
            return
        assert set(states_of(self.uow_factory, self.id)) <= set(FINAL)
        self.check()

    def check(self) -> None:
        persons = [openid.split("-", 1)[1] for openid in self.wechat.inbox().elements()]
        assert len(persons) == len(set(persons)), "somebody got it twice"
        counts = states_of(self.uow_factory, self.id)
        assert counts.total() == PEOPLE
        assert (
            counts["sent"]
            <= len(persons)
            <= counts["sent"] + (counts["unknown"] + counts["in_doubt"])
        )

    def teardown(self) -> None:
        self.wechat.answer = lambda _letter: None
        for _ in range(4):
            if self.state is AnnouncementState.PAUSED:
                with self.uow_factory.begin() as uow:
                    control.resume_sending(uow, self.id)
            work_until_idle(self.context)
            self.clock.advance(86_400)
        self.check()
        assert set(states_of(self.uow_factory, self.id)) <= set(FINAL)
        assert self.state in (AnnouncementState.DONE, AnnouncementState.CANCELLED)


@pytest.fixture
def wechat(tmp_path: Path) -> HeardWeChat:
    return HeardWeChat(tmp_path / "heard")


def run_histories(
    uow_factory: UnitOfWorkFactory, wechat: HeardWeChat, clock: FakeClock, histories: int
) -> None:
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        lambda: Sends(uow_factory, wechat, clock),
        settings=settings(
            max_examples=histories,
            stateful_step_count=STEPS,
            deadline=None,
            database=None,
            derandomize=True,
            report_multiple_bugs=False,
            phases=(Phase.generate,),
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_random_histories_reach_nobody_twice_and_forget_nobody(
    uow_factory: UnitOfWorkFactory, wechat: HeardWeChat, clock: FakeClock
) -> None:
    run_histories(uow_factory, wechat, clock, HISTORIES)


def test_the_oracle_sees_repeats_with_a_fresh_id(
    uow_factory: UnitOfWorkFactory,
    wechat: HeardWeChat,
    clock: FakeClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    load = claiming.load_tries

    def load_with_fresh_ids(uow: UnitOfWork, row_ids: Collection[int]) -> dict[int, Tries]:
        found = load(uow, row_ids)
        for one in found.values():
            if one.current is not None:
                one.current.client_msg_id = new_client_id(uow)
        return found

    monkeypatch.setattr(claiming, "load_tries", load_with_fresh_ids)
    with pytest.raises(AssertionError, match="twice"):
        run_histories(uow_factory, wechat, clock, 100)
