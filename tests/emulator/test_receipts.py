"""Reports on sends: what they say, and that they can be early, late, double, lost or unknown.

Source: "Event pushes of template messages", "Event pushes of subscription notices".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from server.emulator.apps import MINI, OFFICIAL
from server.emulator.testing import ControlError, Emulator, emulated_wechat
from tests.emulator import test_subscribe, test_template
from tests.emulator.conftest import TEMPLATES, Api, Push, Receiver
from tests.emulator.kit import opened

EVENT = "TEMPLATESENDJOBFINISH"


@pytest.fixture
def wechat(receiver: Receiver) -> Iterator[Emulator]:
    with emulated_wechat(
        server=receiver.url, sent_event_s=(0.0, 0.0), templates=TEMPLATES
    ) as emulator:
        yield emulator


@pytest.fixture
def wei(wechat: Emulator, receiver: Receiver) -> dict[str, Any]:
    person = wechat.create_person("Wei")
    wechat.follow_account(person["person"])
    receiver.pushes.clear()
    return person


def send(wechat: Emulator, person: dict[str, Any]) -> str:
    body = test_template.message(person)
    return str(Api(wechat).official(test_template.SEND, body)["msgid"])


def reports(wechat: Emulator, receiver: Receiver, account: str = OFFICIAL) -> list[dict[str, Any]]:
    assert wechat.wait_settled()
    return [opened(wechat.apps[account], push) for push in receiver.pushes]


def test_each_message_has_one_report(
    wechat: Emulator, receiver: Receiver, wei: dict[str, Any]
) -> None:
    msgid = send(wechat, wei)
    (report,) = reports(wechat, receiver)
    assert (report["Event"], report["MsgID"], report["Status"]) == (EVENT, msgid, "success")


def test_reports_are_lost_and_doubled_on_order(
    wechat: Emulator, receiver: Receiver, wei: dict[str, Any]
) -> None:
    wechat.post_control("receipts", event=EVENT, manner="drop", count=1)
    wechat.post_control("receipts", event=EVENT, manner="duplicate", count=1)
    _lost, double, usual = (send(wechat, wei) for _ in range(3))
    told = sorted(report["MsgID"] for report in reports(wechat, receiver))
    assert told == sorted([double, double, usual])


def test_an_early_report_comes_before_the_answer(
    wechat: Emulator, receiver: Receiver, wei: dict[str, Any]
) -> None:
    calls: list[int] = []

    def count_calls(_push: Push) -> tuple[int, bytes]:
        calls.append(len(wechat.list_calls(test_template.SEND)))
        return 200, b"success"

    receiver.answer = count_calls
    wechat.post_control("receipts", event=EVENT, manner="early", count=1)
    send(wechat, wei)
    assert calls == [0]
    assert len(wechat.list_calls(test_template.SEND)) == 1


def test_reports_are_held_back_and_released_in_another_order(
    wechat: Emulator, receiver: Receiver, wei: dict[str, Any]
) -> None:
    wechat.post_control("receipts", event=EVENT, manner="hold")
    sent = [send(wechat, wei) for _ in range(8)]
    assert reports(wechat, receiver) == []
    assert wechat.get_control("receipts")["held"] == 8
    assert wechat.post_control("receipts", release=True, shuffle=True) == {"released": 8}
    assert sorted(report["MsgID"] for report in reports(wechat, receiver)) == sorted(sent)
    assert wechat.post_control("receipts", lift=True) == {"items": [], "held": 0}


def test_a_late_report_waits_longer(
    wechat: Emulator, receiver: Receiver, wei: dict[str, Any]
) -> None:
    wechat.post_control("receipts", event=EVENT, manner="late", delay_s=3600, count=1)
    send(wechat, wei)
    usual = send(wechat, wei)
    assert not wechat.wait_settled(0.5)
    assert [opened(wechat.apps[OFFICIAL], push)["MsgID"] for push in receiver.pushes] == [usual]


def test_a_message_that_fails_at_wechat_is_not_shown(
    wechat: Emulator, receiver: Receiver, wei: dict[str, Any]
) -> None:
    """Source: "Event pushes of template messages": failed: system failed (with a space)."""
    failed = "failed: system failed"
    wechat.post_control("receipts", event=EVENT, status=failed, openid=wei["openid_oa"], count=1)
    send(wechat, wei)
    (report,) = reports(wechat, receiver)
    assert report["Status"] == failed
    assert wechat.read_inbox(wei["openid_oa"]) == []


def test_reports_about_unknown_messages_can_be_pushed(
    wechat: Emulator, receiver: Receiver, wei: dict[str, Any]
) -> None:
    wechat.post_control("receipts", event=EVENT, stray=3, person=wei["person"])
    told = reports(wechat, receiver)
    assert {report["Event"] for report in told} == {EVENT}
    assert len({report["MsgID"] for report in told}) == 3
    receiver.pushes.clear()
    event = test_subscribe.SENT_EVENT
    wechat.post_control("receipts", event=event, stray=1, person=wei["person"])
    assert reports(wechat, receiver, MINI)[0]["Event"] == event


def test_the_same_orders_hold_for_subscription_messages(
    wechat: Emulator, receiver: Receiver, wei: dict[str, Any]
) -> None:
    wechat.answer_sheet(wei["person"], test_subscribe.SIGNUP["id"])
    receiver.pushes.clear()
    event = test_subscribe.SENT_EVENT
    wechat.post_control("receipts", event=event, status="failed", count=1)
    body = test_subscribe.message(wei["openid_mp"])
    assert Api(wechat).mini(test_subscribe.SEND, body)["errcode"] == 0
    (report,) = reports(wechat, receiver, MINI)
    assert (report["List"]["ErrorStatus"], report["List"]["ErrorCode"]) == ("failed", "101")
    assert wechat.read_inbox(wei["openid_mp"]) == []


@pytest.mark.parametrize(
    "body",
    [
        {"event": "OTHER"},
        {"event": EVENT, "manner": "loudly"},
        {"event": EVENT, "size": 1},
        {"event": EVENT, "count": "1"},
        {"event": EVENT, "delay_s": -1},
        {"event": EVENT, "stray": 0, "person": ...},
    ],
)
def test_another_order_is_refused(
    wechat: Emulator, wei: dict[str, Any], body: dict[str, Any]
) -> None:
    body = {key: wei["person"] if value is ... else value for key, value in body.items()}
    with pytest.raises(ControlError, match="400"):
        wechat.post_control("receipts", **body)
