"""kill -9 of the workers that send an announcement, at every labelled point and at random ones.

Row D9: afterwards other workers go on, everybody got the message at most once, and each recipient
has a state: sent, refused or unknown. Nobody is unknown where WeChat recognises a repeated call.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from server.accounts import service as accounts
from server.accounts.models import Citizen
from server.announcements import tasks
from server.announcements.enums import AnnouncementState, Channel
from server.announcements.ledger import (
    claiming,
    collecting,
    control,
    locking,
    sending,
    settling,
)
from server.announcements.ledger.tries import Tries, new_client_id
from server.announcements.models import Announcement
from server.base.jobs import TaskContext
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.notices import service as notices
from tests.kit import sends
from tests.kit.clock import FakeClock
from tests.kit.effort import repeat_count
from tests.kit.killed import Point, kill_workers
from tests.kit.sends import (
    HeardWeChat,
    a_send,
    set_connections,
    some_followers,
    states_of,
    work_until_idle,
)

pytestmark = [pytest.mark.race, pytest.mark.slow]

POINTS: tuple[Point, ...] = (
    (control, "start_due"),
    (sending, "pick_batch"),
    (locking, "lock_announcements"),
    (accounts, "lock_citizens"),
    (claiming, "load_batch_facts"),
    (notices, "reserve_outreach"),
    (notices, "take_grants"),
    (claiming, "place_tries"),
    (notices, "post_copies"),
    (sending, "begin_batch"),
    (sends, "leave_process"),
    (sends, "reach_phone"),
    (sends, "read_answer"),
    (collecting, "judge_result"),
    (settling, "load_tries"),
    (collecting, "settle_batch"),
    (tasks, "end_overdue_batch"),
    (control, "finish_sent"),
)
LABELS = (*(f"after {name}" for _, name in POINTS), "before the commit", "after the commit")
OF_EVERY_BATCH = ("after begin_batch", "after settle_batch", "after post_copies", *LABELS[-2:])
TEMPLATE, MINI = Channel.TEMPLATE, Channel.MINI_SUBSCRIPTION
WORKERS, NEVER = 3, 1_000_000
CONNECTIONS = 64
# A claim of a dead worker ends after half a minute.
LATER = 31
LABELLED_PEOPLE, PEOPLE = repeat_count(2000, 60), 2000
KILLS, SENDS = 30, repeat_count(10, 1)


class Send:
    """An announcement that is being sent by workers which are killed."""

    def __init__(
        self, context: TaskContext, clock: FakeClock, people: int, *ladder: Channel
    ) -> None:
        self.context, self.clock, self.size = context, clock, people
        with context.uow_factory.begin() as uow:
            ids = some_followers(uow, people, grants=[one for one in ladder if one is MINI])
            uow.session.execute(update(Citizen).values(topics=["lectures"]))
            self.id = a_send(uow, ids, *ladder, topic="lectures").id
        self.labels: list[str] = []

    def kill(self, *wanted: tuple[int, str | None]) -> None:
        """Let workers send until each is killed at its point; then their claims expire."""
        run = partial(work_until_idle, self.context)
        found = kill_workers(self.context.uow_factory, run, POINTS, wanted)
        self.labels += [label for label in found if label is not None]
        self.clock.advance(LATER)

    def finish(self) -> None:
        for _ in range(4):
            work_until_idle(self.context)
            self.clock.advance(LATER)

    def find_faults(self) -> Iterator[str]:
        """What is wrong when all work is done; the oracle is what people received."""
        heard = self.context.gateway.inbox()
        doubles = sum(count > 1 for count in heard.values())
        if doubles:
            yield f"{doubles} people got it twice"
        counts = states_of(self.context.uow_factory, self.id)
        final = counts["sent"] + counts["refused"] + counts["unknown"]
        if final != self.size:
            yield f"states: {dict(counts)}"
        if not counts["sent"] <= len(heard) <= counts["sent"] + counts["unknown"]:
            yield f"{len(heard)} were reached: {dict(counts)}"
        with self.context.uow_factory.begin(read_only=True) as uow:
            state = uow.session.get_one(Announcement, self.id).state
        if state is not AnnouncementState.DONE:
            yield f"the announcement is {state}"

    @property
    def unknown(self) -> int:
        return states_of(self.context.uow_factory, self.id)["unknown"]


@pytest.fixture
def context(
    uow_factory: UnitOfWorkFactory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> TaskContext:
    set_connections(monkeypatch, uow_factory, CONNECTIONS)
    return TaskContext(uow_factory=uow_factory, gateway=HeardWeChat(tmp_path / "heard"))


def kill_at_label(
    context: TaskContext, clock: FakeClock, label: str, number: int, *ladder: Channel
) -> Send:
    """One of three workers is killed at a point, the others go on."""
    send = Send(context, clock, LABELLED_PEOPLE, *ladder)
    send.kill((number, label))
    send.kill(*[(NEVER, None)] * (WORKERS - 1))
    send.finish()
    return send


@pytest.mark.parametrize("label", LABELS)
def test_a_sender_killed_at_a_point_leaves_nobody_out_and_reaches_nobody_twice(
    context: TaskContext, clock: FakeClock, label: str
) -> None:
    """At least 60 kills under `make prove`."""
    faults: list[str] = []
    killed = 0
    # The first worker at a point, and with more effort a later time too.
    for number in (1, *repeat_count(2, 0) * (2,), *repeat_count(1, 0) * (3,)):
        ladder = (MINI,) if label == "after take_grants" else (TEMPLATE,)
        context.gateway.heard.write_text("")
        send = kill_at_label(context, clock, label, number, *ladder)
        faults += [f"{number}: {said}" for said in send.find_faults()]
        if ladder == (TEMPLATE,) and send.unknown:
            faults.append(f"{number}: {send.unknown} unknown")
        killed += send.labels == [label]
        clock.advance(86_400 * 8)
    assert faults == []
    assert killed >= 1


def draw_point(chance: random.Random) -> tuple[int, str | None]:
    """Any point, or one with a label, because most points are those of single calls."""
    if chance.random() < 0.7:
        return chance.randint(1, 250), None
    return chance.randint(1, 3), chance.choice(OF_EVERY_BATCH)


def kill_at_random(
    context: TaskContext, clock: FakeClock, chance: random.Random, kills: int, *ladder: Channel
) -> Send:
    """Three workers at a time send to 2,000 people and are killed, so many in all."""
    context.gateway.heard.write_text("")
    send = Send(context, clock, PEOPLE, *ladder)
    while len(send.labels) < kills:
        before = len(send.labels)
        send.kill(*(draw_point(chance) for _ in range(WORKERS)))
        if len(send.labels) == before:
            break  # everybody is reached
    send.finish()
    return send


def killed_sends(
    context: TaskContext, clock: FakeClock, kills: int, *ladder: Channel
) -> Iterator[tuple[int, Send]]:
    for seed in range(SENDS):
        yield seed, kill_at_random(context, clock, random.Random(seed), kills, *ladder)
        clock.advance(86_400 * 8)


def test_workers_killed_at_random_reach_everybody_once_where_wechat_recognises_repeats(
    context: TaskContext, clock: FakeClock
) -> None:
    """At least 300 kills under `make prove`."""
    labels: Counter[str] = Counter()
    for seed, send in killed_sends(context, clock, KILLS, TEMPLATE):
        assert list(send.find_faults()) == [], seed
        assert states_of(context.uow_factory, send.id) == {"sent": PEOPLE}, seed
        labels.update(send.labels)
    assert labels.total() >= KILLS * SENDS
    assert len(labels) >= 8


def test_workers_killed_at_random_reach_nobody_twice_where_wechat_does_not(
    context: TaskContext, clock: FakeClock
) -> None:
    for seed, send in killed_sends(context, clock, 9, MINI):
        assert list(send.find_faults()) == [], seed
        # Calls under way, and as many whose results were not settled yet.
        assert send.unknown <= len(send.labels) * 2 * CONNECTIONS < PEOPLE, seed


# --- negative controls --------------------------------------------------------------------------


def test_a_claim_that_is_committed_after_the_call_would_reach_people_twice(
    context: TaskContext, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def call_too_early(self: Any, fan_out: Any, chunk: Sequence[int]) -> bool:
        with self._uow_factory.begin() as uow:
            begun = sending.begin_batch(uow, sending.QUEUE, chunk)
            self._collector.add_calls(begun.calls)
            for call in begun.calls:
                fan_out.submit(call.claim.row_id, call.letter.letter)
        return True

    monkeypatch.setattr(sending._Run, "_send_chunk", call_too_early)
    send = kill_at_label(context, clock, "after reach_phone", 1, MINI)
    assert any("twice" in said for said in send.find_faults())


def test_a_repeat_with_a_fresh_id_would_reach_people_twice(
    context: TaskContext, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    load = claiming.load_tries

    def load_with_fresh_ids(uow: UnitOfWork, row_ids: Sequence[int]) -> dict[int, Tries]:
        found = load(uow, row_ids)
        for one in found.values():
            if one.current is not None:
                one.current.client_msg_id = new_client_id(uow)
        return found

    monkeypatch.setattr(claiming, "load_tries", load_with_fresh_ids)
    send = kill_at_label(context, clock, "after reach_phone", 1, TEMPLATE)
    assert any("twice" in said for said in send.find_faults())
