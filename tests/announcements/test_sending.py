"""Announcements as the worker sends them: channels, the ladder, suppression, the limit."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from server.accounts import privacy
from server.accounts.models import Citizen
from server.announcements.enums import AnnouncementState, Channel, RecipientState, TryState
from server.announcements.ledger import collecting, control
from server.announcements.ledger.queue import QUEUE
from server.announcements.ledger.quotas import calls_today
from server.announcements.models import Announcement, SendTry
from server.base.clock import BEIJING
from server.base.jobs import TaskContext
from server.base.outbox_control import pause_queue, resume_queue
from server.base.uow import UnitOfWorkFactory
from server.channel.models import Follower
from server.notices.models import InboxMessage, MessageGrant
from tests.kit.clock import FakeClock
from tests.kit.sends import (
    HeardWeChat,
    a_send,
    recipients_of,
    send_once,
    some_followers,
    states_of,
    work_until_idle,
)

TEMPLATE, MINI, OFFICIAL = (
    Channel.TEMPLATE,
    Channel.MINI_SUBSCRIPTION,
    Channel.OFFICIAL_SUBSCRIPTION,
)
CUSTOMER, INBOX = Channel.CUSTOMER_MESSAGE, Channel.INBOX
TOPIC = "lectures"


@pytest.fixture
def wechat(tmp_path: Path) -> HeardWeChat:
    return HeardWeChat(tmp_path / "heard")


@pytest.fixture
def context(uow_factory: UnitOfWorkFactory, wechat: HeardWeChat) -> TaskContext:
    return TaskContext(uow_factory=uow_factory, gateway=wechat)


def begin(context: TaskContext, people: list[int], *ladder: Channel, **columns: object) -> int:
    with context.uow_factory.begin() as uow:
        uow.session.execute(update(Citizen).where(Citizen.id.in_(people)).values(topics=[TOPIC]))
        return a_send(uow, people, *ladder, **{"topic": TOPIC, **columns}).id


def people_of(context: TaskContext, count: int, *grants: Channel) -> list[int]:
    with context.uow_factory.begin() as uow:
        return some_followers(uow, count, grants=grants)


def announcement(context: TaskContext, announcement_id: int) -> Announcement:
    with context.uow_factory.begin(read_only=True) as uow:
        return uow.session.get_one(Announcement, announcement_id)


def reasons(context: TaskContext, announcement_id: int) -> Counter[str | None]:
    return Counter(row.reason for row in recipients_of(context.uow_factory, announcement_id))


@pytest.mark.parametrize("channel", [TEMPLATE, MINI, OFFICIAL])
def test_everybody_gets_the_message_once_and_a_copy_in_the_inbox(
    context: TaskContext, wechat: HeardWeChat, channel: Channel
) -> None:
    people = people_of(context, 25, *({channel} - {TEMPLATE}))
    sent = begin(context, people, channel)
    work_until_idle(context)
    assert states_of(context.uow_factory, sent) == {"sent": 25}
    assert sorted(wechat.inbox().values()) == [1] * 25
    row = announcement(context, sent)
    assert (row.state, row.next_row) == (AnnouncementState.DONE, None)
    assert row.began_at is not None
    assert row.ended_at is not None
    with context.uow_factory.begin(read_only=True) as uow:
        copies = uow.session.scalars(select(InboxMessage)).all()
        assert {copy.citizen_id for copy in copies} == set(people)
        assert {copy.not_pushed_reason for copy in copies} == {None}
        tries = uow.session.scalars(select(SendTry)).all()
        assert {one.state for one in tries} == {TryState.ACCEPTED}
        assert all(one.message_id for one in tries)
        assert calls_today(uow) == {channel: 25}


def test_nothing_is_sent_before_its_time(
    context: TaskContext, wechat: HeardWeChat, clock: FakeClock
) -> None:
    sent = begin(context, people_of(context, 2), starts_at=clock.now() + timedelta(minutes=2))
    work_until_idle(context)
    assert (announcement(context, sent).state, wechat.calls) == (AnnouncementState.SCHEDULED, [])
    clock.advance(120)
    work_until_idle(context)
    assert states_of(context.uow_factory, sent) == {"sent": 2}


def test_each_of_four_people_gets_exactly_the_first_permitted_channel(
    context: TaskContext, clock: FakeClock
) -> None:
    """Row D12: subscription message, template, customer message, inbox."""
    granted, asked, talking, none = (
        people_of(context, 1, MINI)[0],
        *people_of(context, 3),
    )
    ladder = (MINI, TEMPLATE, CUSTOMER, INBOX)
    sent = begin(context, [granted, asked], *ladder)
    with context.uow_factory.begin() as uow:
        uow.session.execute(
            update(Follower)
            .where(Follower.citizen_id == talking)
            .values(heard_at=clock.now() - timedelta(hours=1))
        )
        other = a_send(uow, [talking, none], *ladder).id
    work_until_idle(context)
    got = {
        row.citizen_id: (row.state, row.channel)
        for one in (sent, other)
        for row in recipients_of(context.uow_factory, one)
    }
    assert got == {
        granted: (RecipientState.SENT, MINI),
        asked: (RecipientState.SENT, TEMPLATE),
        talking: (RecipientState.SENT, CUSTOMER),
        none: (RecipientState.SENT, INBOX),
    }


def test_the_ladder_goes_on_only_after_a_refused_call(
    context: TaskContext, wechat: HeardWeChat
) -> None:
    people = people_of(context, 1, MINI)
    sent = begin(context, people, MINI, TEMPLATE)
    wechat.answer = lambda letter: 43101 if letter.openid.startswith("mp") else None
    work_until_idle(context)
    (row,) = recipients_of(context.uow_factory, sent)
    assert (row.state, row.channel) == (RecipientState.SENT, TEMPLATE)
    with context.uow_factory.begin(read_only=True) as uow:
        tries = {one.channel: one.state for one in uow.session.scalars(select(SendTry))}
        assert tries == {MINI: TryState.REFUSED, TEMPLATE: TryState.ACCEPTED}


def test_people_who_may_not_be_disturbed_are_refused_by_reason_and_find_it_in_the_inbox(
    context: TaskContext, clock: FakeClock
) -> None:
    """Row D15: opted out, unfollowed, capped and erased since the audience was frozen."""
    off, muted, gone, capped, erased, kept = people = people_of(context, 6)
    sent = begin(context, people, starts_at=clock.now() + timedelta(minutes=1))
    with context.uow_factory.begin() as uow:
        wanted = update(Citizen)
        uow.session.execute(wanted.where(Citizen.id == off).values(announcements_off=True))
        uow.session.execute(wanted.where(Citizen.id == muted).values(muted_topics=[TOPIC]))
        follower = update(Follower).where(Follower.citizen_id == gone)
        uow.session.execute(follower.values(subscribed=False))
    earlier = begin(context, [capped])
    work_until_idle(context)
    assert states_of(context.uow_factory, earlier) == {"sent": 1}
    with context.uow_factory.begin() as uow:
        privacy.erase_citizen(uow, erased)
    clock.advance(60)
    work_until_idle(context)
    found = {row.citizen_id: row.reason for row in recipients_of(context.uow_factory, sent)}
    assert found == {
        off: "opted_out", muted: "opted_out", gone: "not_following", capped: "capped",
        erased: "erased", kept: None,
    }  # fmt: skip
    assert states_of(context.uow_factory, sent) == {"refused": 5, "sent": 1}
    with context.uow_factory.begin(read_only=True) as uow:
        copies = uow.session.scalars(
            select(InboxMessage).where(InboxMessage.citizen_id.in_([off, muted, gone]))
        ).all()
        assert len(copies) == 3
        assert all(copy.not_pushed_reason for copy in copies)


def test_a_city_and_the_region_on_one_day_reach_each_person_once(
    context: TaskContext, wechat: HeardWeChat, clock: FakeClock
) -> None:
    """Row D15: the limit counts over all senders."""
    people = people_of(context, 10)
    begin(context, people)
    second = begin(context, people)
    work_until_idle(context)
    # Those to whom the first was just being sent are looked at again after a rest.
    clock.advance(60)
    work_until_idle(context)
    assert sorted(wechat.inbox().values()) == [1] * 10
    counts = states_of(context.uow_factory, second)
    first_of_all = counts["sent"]
    assert counts == Counter({"sent": first_of_all, "refused": 10 - first_of_all})


def test_a_person_in_quiet_hours_gets_the_message_when_they_end(
    context: TaskContext, wechat: HeardWeChat, clock: FakeClock
) -> None:
    sleeper, _ = people = people_of(context, 2)
    sent = begin(context, people)
    with context.uow_factory.begin() as uow:
        uow.session.execute(
            update(Citizen)
            .where(Citizen.id == sleeper)
            .values(quiet_from="11:00", quiet_to="14:00")
        )
    work_until_idle(context)
    assert states_of(context.uow_factory, sent) == {"queued": 1, "sent": 1}
    assert announcement(context, sent).state is AnnouncementState.SENDING
    clock.set(datetime(2026, 5, 1, 14, 0, tzinfo=BEIJING))
    work_until_idle(context)
    assert states_of(context.uow_factory, sent) == {"sent": 2}
    assert sorted(wechat.inbox().values()) == [1, 1]


def test_what_is_left_at_ten_in_the_evening_waits_for_the_morning(
    context: TaskContext, wechat: HeardWeChat, clock: FakeClock
) -> None:
    sent = begin(context, people_of(context, 3))
    clock.set(datetime(2026, 5, 1, 22, 0, tzinfo=BEIJING))
    work_until_idle(context)
    assert (states_of(context.uow_factory, sent), wechat.calls) == ({"queued": 3}, [])
    clock.set(datetime(2026, 5, 2, 8, 0, tzinfo=BEIJING))
    work_until_idle(context)
    assert states_of(context.uow_factory, sent) == {"sent": 3}


def test_a_person_to_whom_another_message_is_on_its_way_is_tried_later(
    context: TaskContext, wechat: HeardWeChat, clock: FakeClock
) -> None:
    (person,) = people_of(context, 1)
    other = begin(context, [person])
    with context.uow_factory.begin() as uow:
        rows = recipients_of(context.uow_factory, other)
        rows[0].state = RecipientState.CLAIMED
        rows[0].leave_outbox()
        uow.session.merge(rows[0])
    sent = begin(context, [person])
    work_until_idle(context)
    assert (states_of(context.uow_factory, sent), wechat.calls) == ({"queued": 1}, [])


def test_a_paused_announcement_claims_nobody_and_goes_on_where_it_stopped(
    context: TaskContext, wechat: HeardWeChat
) -> None:
    """Row D10, inside one process."""
    people = people_of(context, 40)
    sent = begin(context, people)

    def pause_at_tenth(_letter: object) -> None:
        if len(wechat.calls) == 10:
            with context.uow_factory.begin() as uow:
                control.pause_sending(uow, sent, control.Stop(reason="organizer", detail=""))

    wechat.answer = pause_at_tenth
    with context.uow_factory.begin() as uow:
        control.start_due(uow)
    send_once(context, connections=8)
    # Calls that were claimed before the pause are made, at most one set of connections.
    assert 10 <= len(wechat.calls) <= 18
    counts = states_of(context.uow_factory, sent)
    assert counts["sent"] + counts["queued"] == 40
    work_until_idle(context)
    assert states_of(context.uow_factory, sent) == counts
    with context.uow_factory.begin() as uow:
        control.resume_sending(uow, sent)
    work_until_idle(context)
    assert states_of(context.uow_factory, sent) == {"sent": 40}
    assert sorted(wechat.inbox().values()) == [1] * 40


def test_a_cancelled_announcement_has_an_exact_remainder(
    context: TaskContext, wechat: HeardWeChat
) -> None:
    people = people_of(context, 30)
    sent = begin(context, people)

    def cancel_at_tenth(_letter: object) -> int | None:
        if len(wechat.calls) == 10:
            with context.uow_factory.begin() as uow:
                control.cancel_sending(uow, sent, "下雨")
        # A busy answer after the cancellation would queue the recipient again.
        return -1 if len(wechat.calls) > 10 else None

    wechat.answer = cancel_at_tenth
    with context.uow_factory.begin() as uow:
        control.start_due(uow)
    send_once(context, connections=8)
    work_until_idle(context)
    counts = states_of(context.uow_factory, sent)
    assert counts == {"sent": 10, "cancelled": 20}
    row = announcement(context, sent)
    assert (row.state, row.remark) == (AnnouncementState.CANCELLED, "下雨")


def test_an_announcement_without_a_channel_ends_in_the_inbox(
    context: TaskContext, wechat: HeardWeChat
) -> None:
    people = people_of(context, 3)
    sent = begin(context, people, INBOX)
    work_until_idle(context)
    assert {(row.state, row.channel) for row in recipients_of(context.uow_factory, sent)} == {
        (RecipientState.SENT, INBOX)
    }
    assert wechat.calls == []


def test_a_grant_is_used_once_and_a_refusal_ends_all_of_its_template(
    context: TaskContext, wechat: HeardWeChat
) -> None:
    people = people_of(context, 2, MINI)
    begin(context, people, MINI)
    refused: list[str] = []

    def refuse_first(letter: object) -> int | None:
        refused.append(letter.openid)  # type: ignore[attr-defined]
        return 43101 if len(refused) == 1 else None

    wechat.answer = refuse_first
    work_until_idle(context)
    with context.uow_factory.begin(read_only=True) as uow:
        grants = uow.session.scalars(select(MessageGrant)).all()
        assert [one.used_at is not None for one in grants] == [True, True]


def test_results_are_settled_in_batches(
    context: TaskContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    settle = collecting.settle_batch

    def note_size(*given: object) -> object:
        sizes.append(len(given[2]))  # type: ignore[arg-type]
        return settle(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(collecting, "settle_batch", note_size)
    begin(context, people_of(context, 200))
    work_until_idle(context)
    assert sum(sizes) == 200
    assert len(sizes) <= 50


def test_a_restored_backup_whose_queues_were_paused_sends_nothing_until_it_is_resumed(
    context: TaskContext, wechat: HeardWeChat
) -> None:
    """Operators pause all queues before they restore a backup; also in the middle of a run."""
    sent = begin(context, people_of(context, 40))

    def pause_at_tenth(_letter: object) -> None:
        if len(wechat.calls) == 10:
            with context.uow_factory.begin() as uow:
                pause_queue(uow, QUEUE, "restore")

    wechat.answer = pause_at_tenth
    with context.uow_factory.begin() as uow:
        control.start_due(uow)
    send_once(context, connections=8)
    called = len(wechat.calls)
    assert 10 <= called <= 18
    work_until_idle(context)
    assert len(wechat.calls) == called
    with context.uow_factory.begin() as uow:
        resume_queue(uow, QUEUE)
    work_until_idle(context)
    assert states_of(context.uow_factory, sent) == {"sent": 40}
    assert sorted(wechat.inbox().values()) == [1] * 40
