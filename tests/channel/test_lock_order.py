"""The sweeps of the official account take the citizen first, as an erasure does."""

from __future__ import annotations

import pytest
from sqlalchemy import delete, select

from server.accounts import privacy
from server.accounts import service as accounts
from server.base.jobs import Shop
from server.base.work import Desk, Work
from server.channel import models, service, tasks
from tests.kit.channel import NOON, OPENID, a_door, an_event, rows, said
from tests.kit.clock import FakeClock
from tests.kit.gateway import RecordingGateway
from tests.kit.locks import meet

WEEK = 7 * 24 * 3600


@pytest.fixture
def left(desk: Desk, clock: FakeClock) -> int:
    """Somebody who came by a code and left the account a week ago."""
    door = a_door(desk)
    said(door, an_event("subscribe", "qrscene_contest", created_at=NOON - 10))
    said(door, an_event("unsubscribe", created_at=NOON))
    clock.advance(WEEK)
    with desk.work(read_only=True) as work:
        found = accounts.citizen_of_openid(work, "official_account", OPENID, create=False)
    assert found is not None
    return found


def half_an_erasure(work: Work, citizen_id: int) -> None:
    privacy.hold(work, citizen_id)
    work.session.execute(
        delete(models.SceneVisit).where(models.SceneVisit.citizen_id == citizen_id)
    )


@pytest.mark.race
def test_an_erasure_and_the_sweep_of_those_who_left_do_not_wait_for_each_other(
    desk: Desk, left: int, gateway: RecordingGateway
) -> None:
    refused = meet(
        desk,
        hold=lambda work: half_an_erasure(work, left),
        other=lambda: tasks.tidy(Shop(desk=desk, gateway=gateway)),
        go_on=lambda work: privacy.erase(work, left),
    )
    assert refused == []
    assert rows(desk, models.Follower) == rows(desk, models.SceneVisit) == []


@pytest.mark.race
def test_the_deadlock_is_seen_when_the_follower_is_locked_first(
    desk: Desk, left: int, database_kind: str
) -> None:
    def sweep_the_other_way_round() -> None:
        with desk.work() as work:
            work.session.scalars(select(models.Follower).with_for_update()).all()
            service.forget(work, left)

    refused = meet(
        desk,
        hold=lambda work: half_an_erasure(work, left),
        other=sweep_the_other_way_round,
        go_on=lambda work: privacy.erase(work, left),
    )
    assert refused == ([] if database_kind == "sqlite" else ["database_away"])


def test_who_came_back_is_not_forgotten_by_a_sweep_that_saw_them_gone(
    desk: Desk, left: int
) -> None:
    with desk.work(read_only=True) as work:
        assert service.gone_for_good(work) == [left]
    said(a_door(desk), an_event("subscribe", created_at=NOON + WEEK))
    with desk.work() as work:
        assert not service.forget_the_gone(work, left)
    assert len(rows(desk, models.Follower)) == 1
