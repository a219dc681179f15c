"""What the official account says about lectures, sign-ups, own places and the check-in."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import update

from server.activities.kinds import ActivityKind, ActivityState
from server.activities.models import Activity, Seating
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.channel.links import LINK_BYTES, pages_linked
from server.channel.loading import released_pages
from server.channel.rules import TEXT_LIMIT_BYTES
from server.signups import service
from server.signups.chat import ANSWERS
from server.signups.kinds import SignUpState
from server.signups.service import Wish
from tests.kit.accounts import a_citizen
from tests.kit.activities import a_lecture

LECTURES, OPEN, OWN, CHECK_IN = ANSWERS.values()


def test_the_next_lectures_are_those_of_the_own_city(uow_factory: UnitOfWorkFactory) -> None:
    with uow_factory.begin() as uow:
        here = a_citizen(uow, city="450100").id
        away = a_citizen(uow, city="450300").id
        nanning = a_lecture(uow, city="450100", title="甘蔗")
        a_lecture(uow, city="450200", title="机器人")
        a_lecture(uow, city="450100", title="开放", kind=ActivityKind.OPEN_DAY)
        a_lecture(uow, city="450100", title="取消的", state=ActivityState.CANCELLED)
        told = LECTURES(uow, here)
        assert told.startswith("南宁市近期的讲座：\n2026年5月4日（周一）12:00《甘蔗》")
        assert "正在报名，还有2个名额" in told
        assert f"packages/lectures/detail/index?id={nanning.ref}" in told
        assert "机器人" not in told
        assert "开放" not in told
        assert "取消的" not in told
        elsewhere = LECTURES(uow, away)
        assert elsewhere.startswith("桂林市近期没有讲座，别的地方有：")
        assert "甘蔗" in elsewhere
        assert LECTURES(uow, None).startswith("近期的讲座：")


def test_without_any_lecture_there_is_still_a_sentence_and_a_way_on(
    uow_factory: UnitOfWorkFactory,
) -> None:
    with uow_factory.begin() as uow:
        for answer in (LECTURES, OPEN, OWN):
            told = answer(uow, a_citizen(uow).id)
            assert pages_linked(told) == ["packages/lectures/list/index"]


@pytest.mark.parametrize(
    ("columns", "taken", "sentence"),
    [
        ({}, 1, "还有1个名额"),
        ({}, 2, "可以候补"),
        ({"waitlist_most": 0}, 2, "候补也满了"),
        ({"signup_opens_at": timedelta(hours=3)}, 0, "2026年5月1日（周五）15:00开始报名"),
        ({"signup_closes_at": timedelta(hours=-1)}, 0, "报名已经截止"),
        ({"draw_at": timedelta(hours=5)}, 0, "正在登记抽签"),
    ],
)
def test_each_lecture_says_what_one_can_do_now(
    uow_factory: UnitOfWorkFactory, columns: dict[str, object], taken: int, sentence: str
) -> None:
    with uow_factory.begin() as uow:
        given = {k: uow.now + v if isinstance(v, timedelta) else v for k, v in columns.items()}
        lecture = a_lecture(uow, **given)
        uow.session.execute(
            update(Seating).where(Seating.activity_id == lecture.id).values(taken=taken)
        )
        assert sentence in LECTURES(uow, None)


def test_only_what_is_open_answers_the_word_for_signing_up(
    uow_factory: UnitOfWorkFactory,
) -> None:
    with uow_factory.begin() as uow:
        a_lecture(uow, title="开着", kind=ActivityKind.OPEN_DAY)
        a_lecture(uow, title="以后", signup_opens_at=uow.now + timedelta(hours=1))
        told = OPEN(uow, None)
    assert "开着" in told
    assert "以后" not in told


def test_own_places_are_told_in_every_state(uow_factory: UnitOfWorkFactory) -> None:
    with uow_factory.begin() as uow:
        me, other = a_citizen(uow).id, a_citizen(uow).id
        assert "还不知道你在小程序里是谁" in OWN(uow, None)
    with uow_factory.begin() as uow:
        seat = a_lecture(uow, title="有座", starts_in=timedelta(days=7))
        full = a_lecture(uow, title="满了", seats=1, starts_in=timedelta(days=8))
        service.sign_up(uow, other, full.ref, Wish())
        service.sign_up(uow, me, seat.ref, Wish())
        service.sign_up(uow, me, full.ref, Wish())
        off = a_lecture(uow, title="推迟", starts_in=timedelta(days=9))
        service.sign_up(uow, me, off.ref, Wish())
        _set_state(uow, off.id, ActivityState.POSTPONED)
        told = OWN(uow, me)
    assert told.index("有座") < told.index("满了") < told.index("推迟")
    for words in ("已经报上，共1个座位", "正在候补，第1位", "活动延期"):
        assert words in told
    assert pages_linked(told)[-1] == "packages/lectures/ticket/index"


def _set_state(uow: UnitOfWork, activity_id: int, state: ActivityState) -> None:
    uow.session.execute(update(Activity).where(Activity.id == activity_id).values(state=state))


def test_every_state_of_a_place_and_an_activity_has_words(uow_factory: UnitOfWorkFactory) -> None:
    with uow_factory.begin(read_only=True) as uow:
        states = [SignUpState.CONFIRMED, SignUpState.OFFERED, SignUpState.WAITLISTED,
                  SignUpState.ENTERED, ActivityState.POSTPONED, ActivityState.CANCELLED,
                  ActivityState.CLOSED]  # fmt: skip
        for state in states:
            key = f"signups.chat.own_{state.value}"
            assert uow.texts.fill_text(key, seats=1, position=1, until="明天") != key


def test_long_titles_fit_into_a_reply_and_every_link_leads_to_a_page(
    uow_factory: UnitOfWorkFactory,
) -> None:
    with uow_factory.begin() as uow:
        me = a_citizen(uow).id
        for day in range(1, 9):
            lecture = a_lecture(
                uow, title="长" * 80, venue="馆" * 60, address="路" * 120,
                starts_in=timedelta(days=day),
            )  # fmt: skip
            service.sign_up(uow, me, lecture.ref, Wish())
        for answer in ANSWERS.values():
            told = answer(uow, me)
            links = pages_linked(told)
            assert links
            assert {page.partition("?")[0] for page in links} <= released_pages()
            assert len(told.encode()) + LINK_BYTES * len(links) <= TEXT_LIMIT_BYTES


def test_a_title_with_brackets_cannot_become_a_link(uow_factory: UnitOfWorkFactory) -> None:
    with uow_factory.begin() as uow:
        a_lecture(uow, title="[中奖](pages/home/index)")
        assert "pages/home/index" not in pages_linked(LECTURES(uow, None))
