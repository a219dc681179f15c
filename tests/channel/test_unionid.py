"""After a follow WeChat is asked who that is, outside of any transaction, until it answers."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from server.accounts import service as accounts
from server.accounts.models import Citizen
from server.base.jobs import TaskContext
from server.base.outbox import begin_calls, end_overdue, lease_due, settle_calls
from server.base.outbox_rows import Claim, Done
from server.base.uow import UnitOfWorkFactory
from server.channel import models, tasks, unionids
from server.channel.models import UnionidLookup
from server.wechat.errors import NotSent, WeChatError, error_of
from server.wechat.gateway import FollowerDetails
from tests.kit.accounts import a_citizen
from tests.kit.channel import NOON, OPENID, a_handler, an_event, at_once, rows, said
from tests.kit.clock import FakeClock
from tests.kit.gateway import RecordingGateway
from tests.kit.outbox import without_jitter


def known(unionid: str | None) -> Any:
    return lambda openid: FollowerDetails(openid=openid, subscribed=True, unionid=unionid)


@pytest.fixture
def context(uow_factory: UnitOfWorkFactory, gateway: RecordingGateway) -> TaskContext:
    gateway.answers["fetch_follower"] = known("union-1")
    return TaskContext(uow_factory=without_jitter(uow_factory), gateway=gateway)


def asking(uow_factory: UnitOfWorkFactory) -> list[str]:
    return [row.asking.value for row in rows(uow_factory, models.Follower)]


def test_a_new_follower_is_asked_about_once(
    context: TaskContext, gateway: RecordingGateway, rung: list[Any]
) -> None:
    handler = a_handler(context.uow_factory)
    for _ in range(2):
        said(handler, an_event("subscribe"))
    (row,) = rows(context.uow_factory, models.Follower)
    assert rung == [("channel.learn_unionid", (row.id,))]
    assert [tasks.learn_unionids(context) for _ in range(2)] == [1, 0]
    assert gateway.called("fetch_follower") == [(OPENID,)]
    assert asking(context.uow_factory) == ["known"]
    with context.uow_factory.begin(read_only=True) as uow:
        assert uow.session.scalars(select(Citizen.unionid)).all() == ["union-1"]


def test_a_follower_turns_out_to_be_a_citizen_of_the_mini_program(context: TaskContext) -> None:
    handler = a_handler(context.uow_factory)
    said(handler, an_event("subscribe", "qrscene_contest"))
    with context.uow_factory.begin() as uow:
        person = a_citizen(uow, openid="o-mini", unionid="union-1")
    tasks.learn_unionids(context)
    (row,) = rows(context.uow_factory, models.Follower)
    assert row.citizen_id == person.id
    assert row.asking is UnionidLookup.KNOWN
    assert [visit.citizen_id for visit in rows(context.uow_factory, models.SceneVisit)] == [
        person.id
    ]
    with context.uow_factory.begin(read_only=True) as uow:
        assert accounts.openid_of(uow, person.id, "official_account") == OPENID
    # The next event finds the same person.
    said(handler, an_event("unsubscribe", created_at=NOON + 1))
    assert [r.subscribed for r in rows(context.uow_factory, models.Follower)] == [False]


@pytest.mark.parametrize("trouble", [None, error_of(40003)], ids=["none", "gone"])
def test_without_a_unionid_the_asking_ends(
    context: TaskContext, gateway: RecordingGateway, trouble: WeChatError | None
) -> None:
    gateway.answers["fetch_follower"] = trouble or known(None)
    said(a_handler(context.uow_factory), an_event("subscribe"))
    assert [tasks.learn_unionids(context) for _ in range(2)] == [1, 0]
    assert asking(context.uow_factory) == ["none"]


def test_wechat_away_is_asked_again_later_and_later(
    context: TaskContext, gateway: RecordingGateway, clock: FakeClock
) -> None:
    gateway.answers["fetch_follower"] = NotSent()
    said(a_handler(context.uow_factory), an_event("subscribe"))
    for wait in (2, 4, 8):
        assert tasks.learn_unionids(context) == 1
        clock.advance(wait - 1)
        assert tasks.learn_unionids(context) == 0
        clock.advance(1)
    gateway.answers["fetch_follower"] = known("union-1")
    assert tasks.learn_unionids(context) == 1
    assert asking(context.uow_factory) == ["known"]


def claimed(context: TaskContext) -> Claim:
    with context.uow_factory.begin() as uow:
        leased = lease_due(uow, unionids.QUEUE, 1)
        (call,) = begin_calls(uow, unionids.QUEUE, leased).calls
    return call.claim


class Killed(BaseException):
    """The worker's process ends here."""


def test_a_worker_killed_while_asking_is_followed_by_another(
    context: TaskContext, gateway: RecordingGateway, clock: FakeClock
) -> None:
    gateway.answers["fetch_follower"] = Killed()
    said(a_handler(context.uow_factory), an_event("subscribe"))
    with pytest.raises(Killed):
        tasks.learn_unionids(context)
    gateway.answers["fetch_follower"] = known("union-1")
    assert tasks.learn_unionids(context) == 0
    clock.advance(60)
    assert tasks.learn_unionids(context) == 1
    assert asking(context.uow_factory) == ["known"]


def test_an_answer_to_a_claim_that_was_lost_changes_no_state(
    context: TaskContext, clock: FakeClock
) -> None:
    said(a_handler(context.uow_factory), an_event("subscribe"))
    slow = claimed(context)
    clock.advance(60)
    end_overdue(context.uow_factory, unionids.QUEUE)
    quick = claimed(context)
    with context.uow_factory.begin() as uow:
        settle_calls(uow, unionids.QUEUE, [(slow, Done())])
    assert asking(context.uow_factory) == ["claimed"]
    with context.uow_factory.begin() as uow:
        told = unionids.ToldUnionid(openid=OPENID, unionid="union-1")
        settle_calls(uow, unionids.QUEUE, [(quick, Done(result=told))])
    assert asking(context.uow_factory) == ["known"]


def test_no_call_is_made_inside_a_transaction(
    context: TaskContext, gateway: RecordingGateway
) -> None:
    depths: list[int] = []

    def follower(openid: str) -> FollowerDetails:
        depths.append(context.uow_factory.depth)
        return FollowerDetails(openid=openid, subscribed=True)

    gateway.answers["fetch_follower"] = follower
    said(a_handler(context.uow_factory), an_event("subscribe"))
    tasks.learn_unionids(context)
    assert depths == [0]


@pytest.mark.race
def test_events_and_the_asking_at_the_same_moment_do_not_block_each_other(
    context: TaskContext,
) -> None:
    handler = a_handler(context.uow_factory)
    people = [f"o-person-{number}" for number in range(6)]
    with context.uow_factory.begin() as uow:
        for number, _ in enumerate(people):
            a_citizen(uow, openid=f"o-mini-{number}", unionid=f"union of o-person-{number}")
    context.gateway.answers["fetch_follower"] = lambda openid: FollowerDetails(
        openid=openid, subscribed=True, unionid=f"union of {openid}"
    )
    for openid in people:
        said(handler, an_event("subscribe", "qrscene_contest", openid=openid))
    at_once(
        [
            *[lambda: tasks.learn_unionids(context)] * 2,
            *[
                lambda o=openid, n=number: said(  # type: ignore[misc]
                    handler, an_event("scan", "contest", openid=o, created_at=NOON + n)
                )
                for openid in people
                for number in range(2)
            ],
        ]
    )
    tasks.learn_unionids(context)
    assert set(asking(context.uow_factory)) == {"known"}
    assert len(rows(context.uow_factory, models.Follower)) == len(people)
