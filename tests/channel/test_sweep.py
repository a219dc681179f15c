"""The list of followers is gone through slowly; who is known from the mini-program is linked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from server.accounts import service as accounts
from server.base.jobs import TaskContext
from server.base.signing import Keys
from server.base.uow import UnitOfWorkFactory
from server.channel import models, rules, tasks
from server.channel.models import UnionidLookup
from server.wechat.errors import CallInDoubt, NotSent, QuotaSpent, RecipientGone
from server.wechat.gateway import FollowerDetails, FollowerPage
from tests.kit.accounts import a_citizen
from tests.kit.channel import NOON, a_handler, an_event, at_once, rows, said
from tests.kit.clock import FakeClock
from tests.kit.gateway import RecordingGateway

PAGE = 1500


class Account:
    """The official account's followers as WeChat lists them."""

    def __init__(self, number: int) -> None:
        self.openids = [f"o-{n:05}" for n in range(number)]
        self.gone: set[str] = set()
        self.steps_per_call = 0.0
        self.clock: FakeClock | None = None
        self.asked: list[int] = []
        self.depths: list[int] = []
        self.uow_factory: UnitOfWorkFactory | None = None

    def follower_page(self, after: str = "") -> FollowerPage:
        self._called()
        if after in self.gone:
            raise RecipientGone
        begin = self.openids.index(after) + 1 if after else 0
        some = self.openids[begin : begin + PAGE]
        return FollowerPage(openids=tuple(some), following=some[-1] if some else "")

    def followers(self, openids: Sequence[str]) -> list[FollowerDetails]:
        self._called()
        assert 1 <= len(openids) <= 100
        if self.gone & set(openids):
            raise RecipientGone
        self.asked.append(len(openids))
        return [
            FollowerDetails(
                openid=openid, subscribed=True, unionid=f"u-{openid}", subscribed_at=NOON - 1000
            )
            for openid in openids
        ]

    def _called(self) -> None:
        assert self.uow_factory is not None
        self.depths.append(self.uow_factory.depth)
        if self.clock is not None:
            self.clock.steady += self.steps_per_call


@pytest.fixture
def account(uow_factory: UnitOfWorkFactory) -> Account:
    made = Account(3200)
    made.uow_factory = uow_factory
    return made


@pytest.fixture
def context(
    uow_factory: UnitOfWorkFactory, gateway: RecordingGateway, account: Account
) -> TaskContext:
    gateway.answers["follower_page"] = account.follower_page
    gateway.answers["fetch_followers"] = account.followers
    return TaskContext(uow_factory=uow_factory, gateway=gateway)


def players(uow_factory: UnitOfWorkFactory, *openids: str) -> dict[str, int]:
    """People of the mini-program who have long followed the account, unknown to us."""
    with uow_factory.begin() as uow:
        return {
            openid: a_citizen(uow, openid=f"mini-{openid}", unionid=f"u-{openid}").id
            for openid in openids
        }


def linked(uow_factory: UnitOfWorkFactory) -> dict[str, int]:
    known = [f"o-{n:05}" for n in range(3200)]
    with uow_factory.begin(read_only=True) as uow:
        return accounts.citizens_of_openids(uow, "official_account", known)


def sweep_until_the_end(context: TaskContext, clock: FakeClock) -> tuple[int, int]:
    """Parts that it took, and how many were linked."""
    parts = found = 0
    while True:
        found += tasks.sweep_followers(context)
        parts += 1
        (row,) = rows(context.uow_factory, models.FollowerSweep)
        if row.due_at - clock.now() > timedelta(hours=1):
            return parts, found
        clock.advance(rules.SWEEP_EVERY.total_seconds())


def test_whoever_plays_is_linked_and_nobody_else_is_made(
    context: TaskContext, account: Account, clock: FakeClock, gateway: RecordingGateway
) -> None:
    people = players(
        context.uow_factory, "o-00000", "o-00999", "o-01000", "o-01499", "o-01500", "o-03199"
    )
    players(context.uow_factory, "not-a-follower")
    assert sweep_until_the_end(context, clock) == (6, len(people))
    assert linked(context.uow_factory) == people
    followers = rows(context.uow_factory, models.Follower)
    assert {row.citizen_id for row in followers} == set(people.values())
    assert {row.asking for row in followers} == {UnionidLookup.KNOWN}
    assert {row.subscribed_at for row in followers} == {datetime.fromtimestamp(NOON - 1000, UTC)}
    assert all(row.subscribed for row in followers)
    assert sum(account.asked) == 3200
    assert set(account.depths) == {0}
    # WeChat allows 500 pages a day.
    assert (
        len(gateway.called("follower_page")) * (86_400 / rules.SWEEP_EVERY.total_seconds()) / 6
        < 500
    )


def test_between_two_parts_and_two_rounds_nothing_is_asked(
    context: TaskContext, clock: FakeClock, gateway: RecordingGateway
) -> None:
    tasks.sweep_followers(context)
    calls = len(gateway.calls)
    clock.advance(rules.SWEEP_EVERY.total_seconds() - 1)
    assert tasks.sweep_followers(context) == 0
    assert len(gateway.calls) == calls
    clock.advance(1)
    sweep_until_the_end(context, clock)
    calls = len(gateway.calls)
    clock.advance(rules.SWEEP_REST.total_seconds() - 1)
    assert tasks.sweep_followers(context) == 0
    assert len(gateway.calls) == calls
    late = players(context.uow_factory, "o-02000")
    clock.advance(1)
    assert sweep_until_the_end(context, clock)[1] == 1
    assert linked(context.uow_factory) == late


def test_who_is_known_already_is_not_asked_about(
    context: TaskContext, account: Account, clock: FakeClock
) -> None:
    players(context.uow_factory, *(f"o-{n:05}" for n in range(100)))
    sweep_until_the_end(context, clock)
    account.asked.clear()
    clock.advance(rules.SWEEP_REST.total_seconds())
    sweep_until_the_end(context, clock)
    assert sum(account.asked) == 3100


def test_a_follower_without_a_unionid_so_far_is_linked(
    context: TaskContext, clock: FakeClock
) -> None:
    context.gateway.answers["fetch_follower"] = lambda openid: FollowerDetails(
        openid=openid, subscribed=True
    )
    said(a_handler(context.uow_factory), an_event("subscribe", openid="o-00007"))
    tasks.learn_unionids(context)
    people = players(context.uow_factory, "o-00007")
    sweep_until_the_end(context, clock)
    assert linked(context.uow_factory) == people
    (row,) = rows(context.uow_factory, models.Follower)
    assert (row.citizen_id, row.asking) == (people["o-00007"], UnionidLookup.KNOWN)


def test_who_has_no_account_any_more_hinders_nobody(
    context: TaskContext, account: Account, clock: FakeClock
) -> None:
    people = players(context.uow_factory, "o-00010", "o-00012")
    account.gone = {"o-00011", "o-00055"}
    sweep_until_the_end(context, clock)
    assert linked(context.uow_factory) == people
    # The cursor's owner is gone: the list is begun again.
    account.gone = {"o-01499"}
    clock.advance(rules.SWEEP_REST.total_seconds())
    for _ in range(3):
        tasks.sweep_followers(context)
        clock.advance(rules.SWEEP_EVERY.total_seconds())
    (row,) = rows(context.uow_factory, models.FollowerSweep)
    assert (row.cursor, row.place) == (None, 0)


def test_a_slow_wechat_gets_smaller_parts(
    context: TaskContext, account: Account, clock: FakeClock, gateway: RecordingGateway
) -> None:
    account.clock, account.steps_per_call = clock, 1.0
    tasks.sweep_followers(context)
    assert len(gateway.called("fetch_followers")) == 2
    (row,) = rows(context.uow_factory, models.FollowerSweep)
    assert (row.cursor, row.place) == (None, 200)


@pytest.mark.parametrize(
    ("trouble", "wait"), [(NotSent(), 300), (CallInDoubt(), 300), (QuotaSpent(), 12 * 3600)]
)
def test_wechat_away_loses_no_place(
    context: TaskContext, clock: FakeClock, gateway: RecordingGateway, trouble: Exception, wait: int
) -> None:
    tasks.sweep_followers(context)
    clock.advance(rules.SWEEP_EVERY.total_seconds())
    working = gateway.answers["fetch_followers"]
    gateway.answers["fetch_followers"] = trouble
    assert tasks.sweep_followers(context) == 0
    (row,) = rows(context.uow_factory, models.FollowerSweep)
    assert row.place == 1000
    assert abs((row.due_at - clock.now()).total_seconds() - wait) <= 300
    gateway.answers["fetch_followers"] = working
    people = players(context.uow_factory, "o-01001")
    clock.advance(wait)
    sweep_until_the_end(context, clock)
    assert linked(context.uow_factory) == people


def test_a_slow_worker_does_not_put_a_later_one_back(
    context: TaskContext, account: Account, clock: FakeClock
) -> None:
    def overtaken(after: str = "") -> FollowerPage:
        context.gateway.answers["follower_page"] = account.follower_page
        clock.advance(rules.SWEEP_EVERY.total_seconds())
        tasks.sweep_followers(context)
        clock.advance(rules.SWEEP_EVERY.total_seconds())
        tasks.sweep_followers(context)
        return account.follower_page(after)

    context.gateway.answers["follower_page"] = overtaken
    tasks.sweep_followers(context)
    (row,) = rows(context.uow_factory, models.FollowerSweep)
    assert (row.cursor is not None, row.place) == (True, 0)


def test_the_cursor_is_sealed_and_another_key_begins_anew(
    context: TaskContext, clock: FakeClock
) -> None:
    for _ in range(2):
        tasks.sweep_followers(context)
        clock.advance(rules.SWEEP_EVERY.total_seconds())
    (row,) = rows(context.uow_factory, models.FollowerSweep)
    assert row.cursor is not None
    assert "o-01499" not in row.cursor
    other = replace(context.uow_factory.dependencies, keys=Keys("x" * 48))
    tasks.sweep_followers(
        replace(context, uow_factory=UnitOfWorkFactory(context.uow_factory.engine, other))
    )
    (row,) = rows(context.uow_factory, models.FollowerSweep)
    assert (row.cursor, row.place) == (None, 1000)


@pytest.mark.race
def test_workers_at_once_take_one_part(context: TaskContext, gateway: RecordingGateway) -> None:
    people = players(context.uow_factory, "o-00001", "o-00002")
    found: list[Any] = at_once([lambda: tasks.sweep_followers(context)] * 4)
    assert sorted(found) == [0, 0, 0, 2]
    assert len(gateway.called("follower_page")) == 1
    assert linked(context.uow_factory) == people
