"""kill -9 of the worker at every point of promotions, lotteries, reminders and their messages.

After it another worker does what is left. No promotion is lost, none is made twice, and nobody gets
a message twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from server.accounts import service as accounts
from server.activities import service as activities
from server.base import outbox
from server.base.clock import BEIJING, beijing_day
from server.base.jobs import TaskContext
from server.base.outbox_rows import Lost, OutboxState
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.notices import pushes
from server.notices import service as inbox
from server.notices import tasks as notice_tasks
from server.notices.models import InboxMessage, Push
from server.signups import notices, reminders, service, store, tasks, waitlist
from server.signups.kinds import NoticeKind, SignUpState
from server.signups.models import SignUp, SignUpNotice
from tests.kit.accounts import a_citizen
from tests.kit.activities import Lecture, a_lecture, live_signups, recount, stored_counts
from tests.kit.clock import FakeClock
from tests.kit.effort import repeat_count
from tests.kit.killed import Point, kill_at_point
from tests.kit.outbox import write_line
from tests.signups.test_notices import grant

pytestmark = [pytest.mark.race, pytest.mark.slow]

POINTS: tuple[Point, ...] = (
    (store, "activities_with_due_offers"),
    (activities, "due_draws"),
    (activities, "lock_seats"),
    (activities, "note_draw"),
    (activities, "store_counts"),
    (waitlist, "end_due_offers"),
    (store, "settle_signup"),
    (store, "note_message"),
    (reminders, "due_reminders"),
    (reminders, "add_reminders"),
    (notices, "due_notices"),
    (accounts, "lock_citizen"),
    (notices, "_lock_notice"),
    (inbox, "post_message"),
    (inbox, "plan_push"),
    (outbox, "lease_due"),
    (outbox, "begin_calls"),
    (outbox, "settle_calls"),
)
# A claim of a dead worker ends after a minute; nothing else here is so short.
LATER = 61
SEATS, ONE_DAY = repeat_count(2, 1), timedelta(days=1)


class FileGateway:
    """WeChat, which notes every message in a file that outlives the process."""

    def __init__(self, heard: Path) -> None:
        self.heard = heard

    def send_subscription(self, message: Any) -> str:
        write_line(self.heard, f"{message.openid}|{message.template_id}|{message.fields}")
        return "1"


@dataclass(frozen=True, kw_only=True)
class Story:
    """A lecture with work for a worker, and what must have come of it."""

    lecture: Lecture
    run: Callable[[TaskContext], object]
    notices: Counter[NoticeKind] = field(default_factory=Counter)
    states: Counter[SignUpState] = field(default_factory=Counter)


@pytest.fixture
def context(uow_factory: UnitOfWorkFactory, tmp_path: Path) -> TaskContext:
    gateway: Any = FileGateway(tmp_path / "heard")
    gateway.heard.touch()
    return TaskContext(uow_factory=uow_factory, gateway=gateway)


def a_listener(uow: UnitOfWork, *slugs: str) -> int:
    citizen = a_citizen(uow).id
    for slug in slugs:
        grant(uow, citizen, slug)
    return citizen


def sign_up_people(context: TaskContext, lecture: Lecture, count: int, *slugs: str) -> list[int]:
    """Citizens with a place each, whose first messages are told."""
    with context.uow_factory.begin() as uow:
        people = [a_listener(uow, *slugs) for _ in range(count)]
    for one in people:
        with context.uow_factory.begin() as uow:
            service.sign_up(uow, one, lecture.ref, service.Wish())
    tell_everybody(context)
    return people


def tell_everybody(context: TaskContext) -> None:
    while tasks.tell_notices(context):
        continue
    notice_tasks.send_pushes(context)


def an_expired_offer(context: TaskContext, clock: FakeClock) -> Story:
    """Two offers have expired, and two more people wait."""
    with context.uow_factory.begin() as uow:
        lecture = a_lecture(uow, seats=SEATS, offer_minutes=30)
    people = sign_up_people(context, lecture, 3 * SEATS, "waitlist-promoted")
    for one in people[:SEATS]:
        with context.uow_factory.begin() as uow:
            service.withdraw(uow, one, lecture.ref)
    tell_everybody(context)
    clock.advance(31 * 60)
    return Story(
        lecture=lecture,
        run=tasks.expire_offers,
        notices=Counter({NoticeKind.OFFERED: 2 * SEATS, NoticeKind.EXPIRED: SEATS}),
        states=Counter({SignUpState.OFFERED: SEATS}),
    )


def a_due_lottery(context: TaskContext, clock: FakeClock) -> Story:
    """Four people have lots for two seats."""
    with context.uow_factory.begin() as uow:
        lecture = a_lecture(
            uow, seats=SEATS, draw_at=uow.now + timedelta(minutes=5), draw_seed="5" * 64,
            draw_commitment="c" * 64,
        )  # fmt: skip
    sign_up_people(context, lecture, 2 * SEATS, "signup-success")
    clock.advance(6 * 60)
    return Story(
        lecture=lecture,
        run=tasks.draw_lotteries,
        notices=Counter({NoticeKind.DRAWN: SEATS, NoticeKind.NOT_DRAWN: SEATS}),
        states=Counter({SignUpState.CONFIRMED: SEATS, SignUpState.WAITLISTED: SEATS}),
    )


def a_due_reminder(context: TaskContext, clock: FakeClock) -> Story:
    """A lecture begins in less than a day."""
    with context.uow_factory.begin() as uow:
        lecture = a_lecture(uow, seats=SEATS, starts_in=timedelta(hours=24, minutes=10))
    sign_up_people(context, lecture, SEATS, "lecture-reminder", "lecture-reminder")
    clock.advance(20 * 60)
    return Story(
        lecture=lecture,
        run=tasks.plan_reminders,
        notices=Counter({NoticeKind.TOMORROW: SEATS}),
        states=Counter({SignUpState.CONFIRMED: SEATS}),
    )


STORIES = (an_expired_offer, a_due_lottery, a_due_reminder)


def work_through(context: TaskContext, story: Story) -> None:
    """What a worker does, one task after the other."""
    story.run(context)
    tell_everybody(context)


def find_faults(context: TaskContext, story: Story) -> Iterator[str]:
    """What is wrong after all work is done."""
    with context.uow_factory.begin(read_only=True) as uow:
        if stored_counts(uow, story.lecture) != recount(uow, story.lecture):
            yield "the counters are wrong"
        states = Counter(row.state for row in live_signups(uow, story.lecture))
        if states != story.states:
            yield f"places: {states}"
        yield from _find_message_faults(uow, story)
    sent = Counter(context.gateway.heard.read_text().splitlines())
    yield from (f"sent twice: {line}" for line, count in sent.items() if count > 1)


def _find_message_faults(uow: UnitOfWork, story: Story) -> Iterator[str]:
    rows = uow.session.scalars(
        select(SignUpNotice)
        .join(SignUp, SignUp.id == SignUpNotice.signup_id)
        .where(SignUp.activity_id == story.lecture.id)
    ).all()
    kinds = Counter(row.kind for row in rows if row.kind in story.notices)
    if kinds != story.notices:
        yield f"messages: {kinds}"
    yield from (f"not told: {row.kind}" for row in rows if row.told_at is None)
    people = select(SignUp.citizen_id).where(SignUp.activity_id == story.lecture.id)
    mine = uow.session.scalars(
        select(InboxMessage.key).where(InboxMessage.citizen_id.in_(people))
    ).all()
    if len(mine) != len(rows):
        yield f"{len(mine)} letters for {len(rows)} messages"
    queued = uow.session.scalars(
        select(Push.outbox_state).where(
            Push.citizen_id.in_(people),
            Push.outbox_state.not_in((OutboxState.DONE, OutboxState.IN_DOUBT)),
        )
    ).all()
    yield from (f"a push is {state}" for state in queued)


def kill_at_every_point(
    context: TaskContext,
    clock: FakeClock,
    begin: Callable[[TaskContext, FakeClock], Story],
    *,
    until_fault: bool = False,
) -> tuple[list[str], list[str]]:
    """Kill a worker at each of its points in turn; the labels, and what was wrong afterwards."""
    labels: list[str] = []
    faults: list[str] = []
    while True:
        # Nobody's quiet hours, and the next day, so that earlier lectures are over.
        clock.set(datetime.combine(beijing_day(clock.now()) + ONE_DAY, time(10), BEIJING))
        story = begin(context, clock)
        run = partial(work_through, context, story)
        label = kill_at_point(context.uow_factory, run, POINTS, len(labels) + 1)
        for _ in range(2):
            work_through(context, story)
            clock.advance(LATER)
        faults += [f"{label}: {said}" for said in find_faults(context, story)]
        if label is None or (faults and until_fault):
            return labels, faults
        labels.append(label)


@pytest.mark.parametrize("begin", STORIES)
def test_a_worker_killed_at_any_point_loses_no_promotion_and_tells_nobody_twice(
    context: TaskContext, clock: FakeClock, begin: Callable[[TaskContext, FakeClock], Story]
) -> None:
    labels, faults = kill_at_every_point(context, clock, begin)
    assert faults == []
    assert len(labels) > 15
    wanted = {"before the commit", "after the commit", "after plan_push", "after settle_calls"}
    assert wanted <= set(labels)


def write_message_later(uow: UnitOfWork, *given: Any, **named: Any) -> None:
    """Write a message in a transaction of its own after that of its cause."""
    uow_factory = LATE["uow_factory"]

    def write() -> None:
        with uow_factory.begin() as later:
            NOTE(later, *given, **named)

    uow.after_commit(write)


NOTE = store.note_message
LATE: dict[str, UnitOfWorkFactory] = {}


def test_messages_written_after_their_promotion_would_be_lost(
    context: TaskContext, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    LATE["uow_factory"] = context.uow_factory
    monkeypatch.setattr(store, "note_message", write_message_later)
    _, faults = kill_at_every_point(context, clock, an_expired_offer, until_fault=True)
    assert any(said.startswith("after the commit: messages") for said in faults)


def test_pushes_repeated_after_an_unknown_result_would_come_twice(
    context: TaskContext, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pushes, "QUEUE", replace(pushes.QUEUE, lost=Lost.QUEUED))
    _, faults = kill_at_every_point(context, clock, a_due_reminder, until_fault=True)
    assert any("sent twice" in said for said in faults)
