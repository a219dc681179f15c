"""kill -9 of workers that send over HTTP; the emulated WeChat is the oracle.

Row D9 with the whole way of a message: the product's fan-out and its connections, and a WeChat in
another process, which goes on with the requests of a killed worker.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import update

from server.accounts.models import Citizen
from server.announcements import tasks
from server.announcements.enums import Channel
from server.announcements.ledger import claiming, collecting, sending
from server.announcements.ledger.tries import Tries, new_client_id
from server.base.jobs import TaskContext
from server.base.settings import WeChat, WeChatApp
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.wechat import send_line
from server.wechat.http_gateway import open_gateway
from tests.kit.clock import FakeClock
from tests.kit.effort import repeat_count
from tests.kit.emulated_process import EmulatedProcess
from tests.kit.killed import Point, kill_workers
from tests.kit.sends import a_send, set_connections, some_followers, states_of, work_until_idle

pytestmark = [pytest.mark.race, pytest.mark.slow]

POINTS: tuple[Point, ...] = (
    (sending, "pick_batch"),
    (sending, "begin_batch"),
    (send_line, "call_of"),
    (send_line, "accepted_of"),
    (collecting, "judge_result"),
    (collecting, "settle_batch"),
    (tasks, "end_overdue_batch"),
)
PEOPLE, CONNECTIONS, WORKERS = repeat_count(2000, 150), 16, 3
# All within the nine minutes in which a call may be repeated.
KILLS = repeat_count(36, 6)
# A claim of a dead worker ends after half a minute.
LATER = 31


@pytest.fixture
def wechat(tmp_path: Path) -> Iterator[EmulatedProcess]:
    with EmulatedProcess(tmp_path / "wechat") as process:
        yield process


@pytest.fixture
def context(
    uow_factory: UnitOfWorkFactory, wechat: EmulatedProcess, monkeypatch: pytest.MonkeyPatch
) -> TaskContext:
    set_connections(monkeypatch, uow_factory, CONNECTIONS)
    settings = WeChat(
        api_base=wechat.api_base,
        official_account=app_of(wechat, "official_account"),
        mini_program=app_of(wechat, "mini_program"),
    )
    gateway = open_gateway(settings, uow_factory.dependencies, uow_factory, total_seconds=60)
    return TaskContext(uow_factory=uow_factory, gateway=gateway)


def app_of(wechat: EmulatedProcess, name: str) -> WeChatApp:
    made = wechat.apps[name]
    return WeChatApp(appid=made["appid"], secret=made["secret"])


def begin(context: TaskContext, wechat: EmulatedProcess) -> int:
    openids = wechat.seed_followers(PEOPLE, "killed")
    with context.uow_factory.begin() as uow:
        people = some_followers(uow, PEOPLE, openids=openids)
        uow.session.execute(update(Citizen).values(topics=["lectures"]))
        return a_send(uow, people, Channel.TEMPLATE, topic="lectures").id


def kill(context: TaskContext, clock: FakeClock, *wanted: tuple[int, str | None]) -> list[str]:
    """Let workers send until each is killed at its point; then their claims expire."""
    run = partial(work_until_idle, context)
    found = kill_workers(context.uow_factory, run, POINTS, wanted)
    clock.advance(LATER)
    return [label for label in found if label is not None]


def finish(context: TaskContext, clock: FakeClock) -> None:
    for _ in range(3):
        work_until_idle(context)
        clock.advance(LATER)


def test_workers_killed_amid_their_requests_reach_everybody_once(
    context: TaskContext, wechat: EmulatedProcess, clock: FakeClock
) -> None:
    sent = begin(context, wechat)
    chance = random.Random(9)
    labels = kill(context, clock, (3, "after accepted_of"), (5, "after call_of"), (1, None))
    while len(labels) < KILLS:
        points = [(chance.randint(1, 3 * CONNECTIONS), None) for _ in range(WORKERS)]
        fresh = kill(context, clock, *points)
        labels += fresh
        if not fresh:
            break  # everybody is reached
    finish(context, clock)
    received = wechat.delivered()
    assert states_of(context.uow_factory, sent) == {"sent": PEOPLE}
    assert (len(received), set(received.values())) == (PEOPLE, {1})
    assert {"after accepted_of", "after call_of"} <= set(labels)
    assert len(labels) >= min(KILLS, 6)


def test_repeats_with_fresh_ids_would_reach_people_twice(
    context: TaskContext,
    wechat: EmulatedProcess,
    clock: FakeClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The negative control."""
    load = claiming.load_tries

    def load_with_fresh_ids(uow: UnitOfWork, row_ids: Sequence[int]) -> dict[int, Tries]:
        found = load(uow, row_ids)
        for one in found.values():
            if one.current is not None:
                one.current.client_msg_id = new_client_id(uow)
        return found

    monkeypatch.setattr(claiming, "load_tries", load_with_fresh_ids)
    begin(context, wechat)
    assert kill(context, clock, (3, "after accepted_of")) == ["after accepted_of"]
    finish(context, clock)
    assert Counter(wechat.delivered().values())[2] >= 1
