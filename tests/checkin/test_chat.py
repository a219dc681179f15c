"""Checking in from the official account's menu: every result is a sentence for the follower."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import Any

import pytest

from server import slices
from server.activities.service import ActivityState
from server.base.uow import UnitOfWorkFactory
from server.channel.callback_handler import CallbackHandler
from server.channel.loading import read_shipped
from server.channel.menus import SCAN
from server.checkin import codes, grants
from server.checkin.chat import check_in_by_scan
from server.signups.kinds import SignUpState
from server.wechat.callback.inbound import Message
from tests.kit.accounts import a_citizen
from tests.kit.activities import Lecture
from tests.kit.channel import NOON, OPENID, a_handler, an_event, said
from tests.kit.checkin import (
    EDITOR,
    add_unseated,
    admissions_of,
    open_lecture,
    seat_citizen,
    ticket_of,
)
from tests.kit.clock import FakeClock

_seconds = itertools.count(1)


def scanned(result: Any, openid: str = OPENID) -> Message:
    """The event of the menu entry that scans, as WeChat pushes it."""
    second = NOON + next(_seconds)
    found = an_event("scancode_waitmsg", "CHECK_IN", openid=openid, created_at=second)
    info = {"ScanType": "qrcode", "ScanResult": result}
    return Message(**{**{n: getattr(found, n) for n in found.__struct_fields__},
                      "fields": {"ScanCodeInfo": info}})  # fmt: skip


@pytest.fixture
def handler(uow_factory: UnitOfWorkFactory) -> CallbackHandler:
    return a_handler(uow_factory, handlers=[(SCAN, check_in_by_scan)])


def follower(uow_factory: UnitOfWorkFactory) -> int:
    """A citizen who follows the account and uses the mini-program."""
    with uow_factory.begin() as uow:
        a_citizen(uow, openid=OPENID, unionid="u-1", app="official_account")
        return a_citizen(uow, openid="mini-of-the-follower", unionid="u-1").id


def venue_code(uow_factory: UnitOfWorkFactory, lecture: Lecture) -> str:
    with uow_factory.begin(read_only=True) as uow:
        return codes.venue_code_at(uow.keys, lecture.id, uow.now)


def test_a_scan_of_the_venue_s_code_checks_in_once_and_says_so(
    uow_factory: UnitOfWorkFactory, handler: CallbackHandler
) -> None:
    citizen = follower(uow_factory)
    with uow_factory.begin() as uow:
        lecture = open_lecture(uow, title="甘蔗")
        seat_citizen(uow, lecture, citizen_id=citizen, party_size=2)
    code = venue_code(uow_factory, lecture)
    assert handler.reply_without_effects(scanned(code)) is None
    first = scanned(code)
    assert handler.apply_effects(first).text == "签到成功！《甘蔗》，2人，12:00。请进场。"
    assert handler.apply_effects(first).text.startswith("签到成功")
    assert said(handler, scanned(f" {code.lower()} ")) == "《甘蔗》你在12:00已经签到，不用再扫。"
    with uow_factory.begin(read_only=True) as uow:
        (row,) = admissions_of(uow, lecture)
        assert row.people == 2


def test_every_other_code_gets_a_sentence_of_its_own(
    uow_factory: UnitOfWorkFactory, handler: CallbackHandler, clock: FakeClock
) -> None:
    citizen = follower(uow_factory)
    with uow_factory.begin() as uow:
        lecture, foreign = open_lecture(uow), open_lecture(uow)
        ticket = ticket_of(uow, seat_citizen(uow, lecture, citizen_id=citizen))
        grant = grants.make_grant(uow, EDITOR, lecture.ref, "东门").code
    old, other = venue_code(uow_factory, lecture), venue_code(uow_factory, foreign)
    assert "你没有报名这场活动" in said(handler, scanned(other))
    clock.advance(30)
    told = {
        "签到码已经更新": old,
        "这是电子票": ticket,
        "检票授权码": grant,
        "这不是签到码": "https://example.cn/lottery",
        "没有读到二维码": "",
    }
    for words, code in told.items():
        assert words in said(handler, scanned(code)), code
    changed = old[:-1] + ("A" if old[-1] != "A" else "B")
    assert "签到码已经更新" in said(handler, scanned(changed))
    assert "没有读到二维码" in said(handler, scanned({"x": "y"}))
    with uow_factory.begin(read_only=True) as uow:
        assert admissions_of(uow, lecture) == []


def test_a_refusal_of_the_gate_is_said_as_in_the_mini_program(
    uow_factory: UnitOfWorkFactory, handler: CallbackHandler, clock: FakeClock
) -> None:
    citizen = follower(uow_factory)
    with uow_factory.begin() as uow:
        waiting = open_lecture(uow)
        add_unseated(uow, waiting, SignUpState.WAITLISTED, citizen_id=citizen)
        early = open_lecture(uow, starts_at=uow.now + timedelta(days=1))
        seat_citizen(uow, early, citizen_id=citizen)
        off = open_lecture(uow, state=ActivityState.CANCELLED)
        seat_citizen(uow, off, citizen_id=citizen)
    for lecture, words in ((waiting, "你还在候补"), (early, "签到还没有开始"), (off, "不能再签到")):
        assert words in said(handler, scanned(venue_code(uow_factory, lecture)))


def test_a_follower_without_the_mini_program_is_told_to_open_it(
    uow_factory: UnitOfWorkFactory, handler: CallbackHandler
) -> None:
    with uow_factory.begin() as uow:
        lecture = open_lecture(uow)
    told = said(handler, scanned(venue_code(uow_factory, lecture)))
    assert "请先点开小程序一次" in told
    assert "](" not in told


def test_the_menu_s_entry_and_the_handler_belong_together() -> None:
    leaves = [leaf for top in read_shipped().menu["button"] for leaf in top["sub_button"]]
    (entry,) = [leaf for leaf in leaves if leaf["type"] == SCAN]
    assert entry["name"] == "扫码签到"
    assert (SCAN, check_in_by_scan) in slices.HANDLERS
