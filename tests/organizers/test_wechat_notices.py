"""The organizer's own WeChat: one notice a day of what waits, within WeChat's rules; tests."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from server.base.access import Role
from server.base.clock import BEIJING
from server.base.jobs import TaskContext
from server.base.outbox_rows import OutboxState
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.organizers import wechat_notices
from server.organizers.models import OrganizerAccount, OrganizerNotice, OrganizerWeChat
from server.quiz.enums import QuestionState
from server.units import service as units
from server.wechat.errors import RecipientGone, WeChatAway
from tests.conftest import application_of
from tests.kit.clock import FakeClock
from tests.kit.console import Browser
from tests.kit.gateway import RecordingGateway
from tests.kit.organizers import an_account, logged_in
from tests.kit.question_probes import make_question

OPENID = "o" * 28


@pytest.fixture
def factory(app: Flask) -> UnitOfWorkFactory:
    return application_of(app).uow_factory


@pytest.fixture
def lan(factory: UnitOfWorkFactory, clock: FakeClock) -> OrganizerAccount:
    """An approver of Nanning with a bound WeChat, at ten in the morning, and a waiting question."""
    local = clock.now().astimezone(BEIJING)
    clock.advance((34 - local.hour) % 24 * 3600)
    with factory.begin() as uow:
        account = an_account(uow, "lan", role=Role.APPROVER)
        bind(uow, account.id)
        scope, _ = units.resolve_scope(uow, "city:450100")
        make_question(uow, scope, QuestionState.DRAFT, sent=True)
        return account


def bind(uow: UnitOfWork, organizer_id: int) -> None:
    sealed = uow.keys.seal_text(OPENID, f"organizer_wechat.openid:{organizer_id}")
    uow.session.add(
        OrganizerWeChat(organizer_id=organizer_id, openid=sealed, openid_hash="h",
                        bound_at=uow.now, notices_on=True)
    )  # fmt: skip
    uow.session.flush()


def run_day(factory: UnitOfWorkFactory, gateway: RecordingGateway) -> int:
    """Plan and send, as the tasks do; how many notices were planned."""
    context = TaskContext(uow_factory=factory, gateway=gateway)
    planned = wechat_notices.plan_notices(context)
    wechat_notices.send_notices(context)
    return planned


def the_notices(factory: UnitOfWorkFactory) -> list[OutboxState | None]:
    with factory.begin(read_only=True) as uow:
        rows = uow.session.scalars(select(OrganizerNotice).order_by(OrganizerNotice.day))
        return [row.outbox_state for row in rows]


def test_what_waits_is_told_once_a_day(
    factory: UnitOfWorkFactory, gateway: RecordingGateway, clock: FakeClock, lan: OrganizerAccount
) -> None:
    gateway.answers["send_text"] = None
    assert [run_day(factory, gateway) for _ in range(2)] == [1, 0]
    ((openid, text),) = gateway.called("send_text")
    assert openid == OPENID
    assert "1 道题等您审核" in text
    assert text.count("/console") == 1
    clock.advance(24 * 3600)
    assert run_day(factory, gateway) == 1
    assert the_notices(factory) == [OutboxState.DONE] * 2


def test_at_night_and_without_work_nothing_is_sent(
    factory: UnitOfWorkFactory, gateway: RecordingGateway, clock: FakeClock, lan: OrganizerAccount
) -> None:
    with factory.begin() as uow:
        other = an_account(uow, "mo", role=Role.APPROVER, place="city:450200")
        sealed = uow.keys.seal_text("x" * 28, f"organizer_wechat.openid:{other.id}")
        uow.session.add(
            OrganizerWeChat(organizer_id=other.id, openid=sealed, openid_hash="i",
                            bound_at=uow.now, notices_on=True)
        )  # fmt: skip
    clock.advance(10 * 3600)
    assert run_day(factory, gateway) == 0
    gateway.answers["send_text"] = None
    clock.advance(14 * 3600)
    assert run_day(factory, gateway) == 1
    assert [openid for openid, _ in gateway.called("send_text")] == [OPENID]


def test_outside_the_window_the_page_says_what_to_do(
    app: Flask, factory: UnitOfWorkFactory, gateway: RecordingGateway, clock: FakeClock,
    lan: OrganizerAccount,
) -> None:  # fmt: skip
    gateway.answers["send_text"] = RecipientGone(errcode=45015)
    assert run_day(factory, gateway) == 1
    assert the_notices(factory) == [OutboxState.GIVEN_UP]
    browser = logged_in(app, clock, "lan")
    page = browser.get("/account")[1]
    assert "48小时内没有给公众号发过消息，或者" in page
    assert run_day(factory, gateway) == 0


def test_whoever_switched_it_off_or_unbound_is_left_alone(
    app: Flask, factory: UnitOfWorkFactory, gateway: RecordingGateway, clock: FakeClock,
    lan: OrganizerAccount,
) -> None:  # fmt: skip
    browser = logged_in(app, clock, "lan")
    assert browser.ask("POST", "/account/wechat/notices-off", {})[0] == 303
    assert "提醒已经关闭" in browser.get("/account")[1]
    assert run_day(factory, gateway) == 0
    assert browser.ask("POST", "/account/wechat/notices-on", {})[0] == 303
    context = TaskContext(uow_factory=factory, gateway=gateway)
    assert wechat_notices.plan_notices(context) == 1
    # Unbound between planning and sending: nothing is sent.
    assert browser.ask("POST", "/account/wechat/unbind", {})[0] == 303
    wechat_notices.send_notices(context)
    assert gateway.called("send_text") == []
    assert the_notices(factory) == [OutboxState.GIVEN_UP]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (None, "测试消息已经送出"),
        (RecipientGone(errcode=45015), "没有送出：您48小时内没有给公众号发过消息"),
        (RecipientGone(errcode=43004), "没有送出：您没有关注公众号"),
        (WeChatAway(), "没有送出：微信暂时不能使用"),
    ],
)
def test_the_test_message_says_what_happened(
    app: Flask, factory: UnitOfWorkFactory, gateway: RecordingGateway, clock: FakeClock,
    lan: OrganizerAccount, answer: Exception | None, said: str,
) -> None:  # fmt: skip
    gateway.answers["send_text"] = answer
    browser: Browser = logged_in(app, clock, "lan")
    assert browser.ask("POST", "/account/wechat/test", {})[0] == 303
    assert said in browser.get("/account")[1]


def test_notices_of_last_month_are_deleted(
    factory: UnitOfWorkFactory, gateway: RecordingGateway, clock: FakeClock, lan: OrganizerAccount
) -> None:
    gateway.answers["send_text"] = None
    assert run_day(factory, gateway) == 1
    clock.advance(int(timedelta(days=31).total_seconds()))
    with factory.begin() as uow:
        assert wechat_notices.drop_old_notices(uow) == 1
