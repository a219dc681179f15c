"""The sweeps of the official account take the citizen first, as an erasure does."""

from __future__ import annotations

import pytest
from sqlalchemy import delete, select

from server.accounts import privacy
from server.accounts import service as accounts
from server.base.jobs import TaskContext
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.channel import models, service, tasks
from server.channel.personal_data import OWN_DATA
from tests.kit.channel import NOON, OPENID, a_handler, an_event, rows, said
from tests.kit.clock import FakeClock
from tests.kit.gateway import RecordingGateway
from tests.kit.locks import meet

WEEK = 7 * 24 * 3600


@pytest.fixture
def left(uow_factory: UnitOfWorkFactory, clock: FakeClock) -> int:
    """Somebody who came by a code and left the account a week ago."""
    handler = a_handler(uow_factory)
    said(handler, an_event("subscribe", "qrscene_contest", created_at=NOON - 10))
    said(handler, an_event("unsubscribe", created_at=NOON))
    clock.advance(WEEK)
    with uow_factory.begin(read_only=True) as uow:
        found = accounts.citizen_of_openid(uow, "official_account", OPENID, create=False)
    assert found is not None
    return found


def half_an_erasure(uow: UnitOfWork, citizen_id: int) -> None:
    privacy.lock_citizen(uow, citizen_id)
    uow.session.execute(delete(models.SceneVisit).where(models.SceneVisit.citizen_id == citizen_id))


@pytest.mark.race
def test_an_erasure_and_the_sweep_of_those_who_left_do_not_wait_for_each_other(
    uow_factory: UnitOfWorkFactory, left: int, gateway: RecordingGateway
) -> None:
    refused = meet(
        uow_factory,
        hold=lambda uow: half_an_erasure(uow, left),
        other=lambda: tasks.delete_overdue(TaskContext(uow_factory=uow_factory, gateway=gateway)),
        go_on=lambda uow: privacy.erase_citizen(uow, left),
    )
    assert refused == []
    assert rows(uow_factory, models.Follower) == rows(uow_factory, models.SceneVisit) == []


@pytest.mark.race
def test_the_deadlock_is_seen_when_the_follower_is_locked_first(
    uow_factory: UnitOfWorkFactory, left: int, database_kind: str
) -> None:
    def sweep_the_other_way_round() -> None:
        with uow_factory.begin() as uow:
            uow.session.scalars(select(models.Follower).with_for_update()).all()
            OWN_DATA.erase_person(uow, left)

    refused = meet(
        uow_factory,
        hold=lambda uow: half_an_erasure(uow, left),
        other=sweep_the_other_way_round,
        go_on=lambda uow: privacy.erase_citizen(uow, left),
    )
    assert refused == ([] if database_kind == "sqlite" else ["database_away"])


def test_who_came_back_is_not_forgotten_by_a_sweep_that_saw_them_gone(
    uow_factory: UnitOfWorkFactory, left: int
) -> None:
    with uow_factory.begin(read_only=True) as uow:
        assert service.gone_for_good(uow) == [left]
    said(a_handler(uow_factory), an_event("subscribe", created_at=NOON + WEEK))
    with uow_factory.begin() as uow:
        assert not service.forget_the_gone(uow, left)
    assert len(rows(uow_factory, models.Follower)) == 1
