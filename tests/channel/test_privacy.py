"""What the account holds about a person: exported, erased, re-pointed, forgotten in time."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from server.accounts import privacy
from server.accounts import service as accounts
from server.base.jobs import TaskContext
from server.base.uow import UnitOfWorkFactory
from server.channel import models, service, tasks
from server.channel.personal_data import OWN_DATA
from server.wechat.callback.replies import Reply
from tests.kit.accounts import a_citizen
from tests.kit.channel import NOON, OPENID, a_handler, a_message, a_player, an_event, rows, said
from tests.kit.clock import FakeClock
from tests.kit.gateway import RecordingGateway

DAY = 24 * 3600
TABLES = (models.Follower, models.SceneVisit, models.LateReply)


@pytest.fixture
def citizen_id(uow_factory: UnitOfWorkFactory) -> int:
    """Somebody about whom every table knows something, beside a bystander."""
    handler = a_handler(uow_factory)
    for openid in (OPENID, "o-bystander"):
        a_player(uow_factory, openid)
        said(handler, an_event("subscribe", "qrscene_contest", openid=openid, created_at=NOON - 10))
        said(handler, a_message(content="我的成绩", openid=openid))
        handler.deliver_late(a_message(content="答题", openid=openid), Reply.of_text("迟到的回答"))
    with uow_factory.begin(read_only=True) as uow:
        found = accounts.citizen_of_openid(uow, "official_account", OPENID, create=False)
    assert found is not None
    return found


def test_the_export_tells_all_of_it(uow_factory: UnitOfWorkFactory, citizen_id: int) -> None:
    with uow_factory.begin(read_only=True) as uow:
        held: Any = OWN_DATA.export_person(uow, citizen_id)
    assert held["follower"] == {
        "subscribed": True,
        "subscribed_at": "2026-05-01T03:59:50+00:00",
        "unsubscribed_at": None,
        "first_scene": "contest",
        "last_scene": "contest",
        "last_event_at": "2026-05-01T03:59:50+00:00",
        "last_message_at": "2026-05-01T04:00:00+00:00",
    }
    assert held["scene_visits"] == [{"scene": "contest", "day": "2026-05-01"}]
    (late,) = held["late_replies"]
    assert late["text"] == "迟到的回答"
    spoken = [one["text"] for one in held["recent_replies"]]
    assert "quiz.my_result for a citizen" in spoken


def test_erasing_leaves_nothing_of_the_person_and_all_of_others(
    uow_factory: UnitOfWorkFactory, citizen_id: int
) -> None:
    message = a_message(content="我的成绩", msg_id="kept")
    said(a_handler(uow_factory), message)
    with uow_factory.begin() as uow:
        OWN_DATA.erase_person(uow, citizen_id)
    for table in TABLES:
        assert [row.citizen_id for row in rows(uow_factory, table)] != []
        assert citizen_id not in [row.citizen_id for row in rows(uow_factory, table)]
    seen = rows(uow_factory, models.SeenMessage)
    assert citizen_id not in [row.citizen_id for row in seen]
    assert sum("my_result" in row.reply for row in seen) == 1
    # The message stays handled: a repeat does nothing again and tells nothing any more.
    assert a_handler(uow_factory).apply_effects(message) == Reply()


def test_no_openid_stands_in_any_column_of_the_slice(
    uow_factory: UnitOfWorkFactory, citizen_id: int
) -> None:
    a_handler(uow_factory).reply_without_effects(a_message(content="没有这个词"))
    with uow_factory.begin(read_only=True) as uow:
        for mapper in models.Base.registry.mappers:
            if mapper.class_.__module__ != models.__name__:
                continue
            for row in uow.session.execute(text(f"SELECT * FROM {mapper.local_table.name}")):
                assert OPENID not in str(row)


def test_two_citizens_who_are_one_keep_one_of_everything(
    uow_factory: UnitOfWorkFactory, citizen_id: int
) -> None:
    handler = a_handler(uow_factory)
    said(handler, an_event("unsubscribe", openid="o-other", created_at=NOON))
    said(handler, an_event("scan", "contest", openid="o-other", created_at=NOON - 20))
    with uow_factory.begin() as uow:
        other = accounts.citizen_of_openid(uow, "official_account", "o-other", create=False)
        assert other is not None
        OWN_DATA.merge_persons(uow, other, citizen_id)
    mine = [row for row in rows(uow_factory, models.Follower) if row.citizen_id == other]
    (row,) = mine
    assert not row.subscribed
    assert row.subscribed_at is not None
    assert row.first_scene_at.timestamp() == NOON - 20
    assert row.last_scene_at.timestamp() == NOON - 10
    visits = [v for v in rows(uow_factory, models.SceneVisit) if v.citizen_id == other]
    assert [v.at.timestamp() for v in visits] == [NOON - 20]
    for table in (*TABLES, models.SeenMessage):
        assert citizen_id not in [row.citizen_id for row in rows(uow_factory, table)]


def test_a_person_with_one_follower_row_takes_it_along(
    uow_factory: UnitOfWorkFactory, citizen_id: int
) -> None:
    with uow_factory.begin() as uow:
        person = a_citizen(uow)
        OWN_DATA.merge_persons(uow, person.id, citizen_id)
    assert person.id in [row.citizen_id for row in rows(uow_factory, models.Follower)]
    assert len(rows(uow_factory, models.Follower)) == 2


def test_a_week_after_leaving_what_came_from_the_account_alone_is_forgotten(
    uow_factory: UnitOfWorkFactory, citizen_id: int, clock: FakeClock, gateway: RecordingGateway
) -> None:
    context = TaskContext(uow_factory=uow_factory, gateway=gateway)
    said(a_handler(uow_factory), an_event("unsubscribe", created_at=NOON))
    clock.advance(7 * DAY - 1)
    tasks.delete_overdue(context)
    assert citizen_id in [row.citizen_id for row in rows(uow_factory, models.Follower)]
    clock.advance(1)
    tasks.delete_overdue(context)
    for table in TABLES:
        assert citizen_id not in [row.citizen_id for row in rows(uow_factory, table)]
    assert len(rows(uow_factory, models.Follower)) == 1
    # The person and what they did in the campaign stay until they ask.
    with uow_factory.begin(read_only=True) as uow:
        known = accounts.citizen_of_openid(uow, "official_account", OPENID, create=False)
    assert known == citizen_id
    assert tasks.delete_overdue(context) == 0


def test_visits_to_the_mini_program_stay_when_somebody_left_the_account(
    uow_factory: UnitOfWorkFactory,
    citizen_id: int,
    clock: FakeClock,
    gateway: RecordingGateway,
) -> None:
    with uow_factory.begin() as uow:
        service.record_mini_program_visit(uow, citizen_id, "contest")
        told: Any = privacy.export_citizen(uow, citizen_id)
        assert [row["scene"] for row in told["visits"]] == ["contest"]
    said(a_handler(uow_factory), an_event("unsubscribe", created_at=NOON))
    clock.advance(7 * DAY)
    tasks.delete_overdue(TaskContext(uow_factory=uow_factory, gateway=gateway))
    (left,) = (v for v in rows(uow_factory, models.SceneVisit) if v.citizen_id == citizen_id)
    assert left.app == "mini_program"
    with uow_factory.begin() as uow:
        privacy.erase_citizen(uow, citizen_id)
    assert citizen_id not in [v.citizen_id for v in rows(uow_factory, models.SceneVisit)]


def test_who_comes_back_within_the_week_is_not_forgotten(
    uow_factory: UnitOfWorkFactory, citizen_id: int, clock: FakeClock, gateway: RecordingGateway
) -> None:
    handler = a_handler(uow_factory)
    said(handler, an_event("unsubscribe", created_at=NOON))
    clock.advance(3 * DAY)
    said(handler, an_event("subscribe", created_at=NOON + 3 * DAY))
    clock.advance(30 * DAY)
    tasks.delete_overdue(TaskContext(uow_factory=uow_factory, gateway=gateway))
    assert citizen_id in [row.citizen_id for row in rows(uow_factory, models.Follower)]


def test_handled_messages_are_let_go_after_two_days(
    uow_factory: UnitOfWorkFactory, citizen_id: int, clock: FakeClock, gateway: RecordingGateway
) -> None:
    context = TaskContext(uow_factory=uow_factory, gateway=gateway)
    clock.advance(2 * DAY - 1)
    tasks.delete_overdue(context)
    assert rows(uow_factory, models.SeenMessage)
    clock.advance(1)
    tasks.delete_overdue(context)
    assert rows(uow_factory, models.SeenMessage) == []
