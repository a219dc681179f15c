"""Followers: whatever WeChat sends, however often and in whatever order, the rows end the same."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from server.base.uow import UnitOfWorkFactory
from server.channel import commands, models, service
from server.channel.callback_handler import CallbackHandler
from server.channel.models import UnionidLookup
from server.wechat.callback.inbound import Message
from tests.kit.channel import (
    NOON,
    a_handler,
    a_message,
    an_event,
    at_once,
    empty,
    everything,
    rows,
    said,
)

DAY = 24 * 3600
BEGIN = NOON - 18 * 3600  # the messages go over a midnight of Beijing


def every_kind() -> list[Message]:
    """One of each, in the order in which they happened."""
    events = [
        ("subscribe", "qrscene_contest"),
        ("click", "QUIZ_TODAY"),
        ("click", "CONTACT"),
        ("view", "https://example.org/a"),
        ("view_miniprogram", "pages/a"),
        ("scan", "contest-nanning"),
        ("unsubscribe", ""),
        ("subscribe", ""),
        ("scan", "contest-nanning"),
        ("scan", "contest"),
        ("location", ""),
        ("templatesendjobfinish", ""),
        ("debug_demo", ""),
        ("nobody_knows_this", ""),
    ]
    messages = [
        an_event(name, key, created_at=BEGIN + 3600 * place)
        for place, (name, key) in enumerate(events)
    ]
    kinds = ("image", "voice", "video", "shortvideo", "location", "link")
    messages += [a_message(kind, msg_id=f"k{kind}") for kind in kinds]
    words = ("答题", "我的成绩", "电话", "没有这个词")
    messages += [a_message(content=word, msg_id=f"w{word}") for word in words]
    return messages


def once(handler: CallbackHandler, messages: list[Message]) -> None:
    for message in messages:
        said(handler, message)


def three_in_a_row(handler: CallbackHandler, messages: list[Message]) -> None:
    for message in messages:
        assert len({said(handler, message) for _ in range(3)}) == 1


def three_at_a_time(handler: CallbackHandler, messages: list[Message]) -> None:
    for message in messages:
        replies = at_once([lambda m=message: said(handler, m) for _ in range(3)])  # type: ignore[misc]
        assert len(set(replies)) == 1


def reversed_order(handler: CallbackHandler, messages: list[Message]) -> None:
    once(handler, messages[::-1])


def all_at_once(handler: CallbackHandler, messages: list[Message]) -> None:
    at_once([lambda m=message: said(handler, m) for message in messages])  # type: ignore[misc]


@pytest.mark.race
@pytest.mark.parametrize(
    "way", [three_in_a_row, three_at_a_time, reversed_order, all_at_once], ids=lambda w: w.__name__
)
def test_every_kind_of_message_ends_in_the_same_rows(
    uow_factory: UnitOfWorkFactory, way: Callable[[CallbackHandler, list[Message]], None]
) -> None:
    messages = every_kind()
    commands.seed_replies(uow_factory)
    once(a_handler(uow_factory), messages)
    expected = everything(uow_factory)
    assert len(expected["seen_message"]) == 9
    assert len(expected["follower"]) == 1
    empty(uow_factory)
    commands.seed_replies(uow_factory)
    way(a_handler(uow_factory), messages)
    assert everything(uow_factory) == expected


def follower(uow_factory: UnitOfWorkFactory) -> models.Follower:
    (row,) = rows(uow_factory, models.Follower)
    return row  # type: ignore[no-any-return]


def at(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def test_an_older_event_that_comes_later_does_not_turn_the_state(
    uow_factory: UnitOfWorkFactory,
) -> None:
    handler = a_handler(uow_factory)
    said(handler, an_event("unsubscribe", created_at=NOON + 60))
    said(handler, an_event("subscribe", "qrscene_contest", created_at=NOON))
    row = follower(uow_factory)
    assert not row.subscribed
    assert row.subscribed_at == at(NOON)
    assert row.unsubscribed_at == at(NOON + 60)
    assert row.first_scene == "contest"


def test_of_two_events_in_one_second_the_one_that_came_later_counts(
    uow_factory: UnitOfWorkFactory,
) -> None:
    handler = a_handler(uow_factory)
    for event, follows in (("subscribe", True), ("unsubscribe", False)):
        said(handler, an_event(event))
        assert follower(uow_factory).subscribed is follows


def test_a_scan_by_a_follower_is_no_new_follow(uow_factory: UnitOfWorkFactory) -> None:
    handler = a_handler(uow_factory)
    said(handler, an_event("subscribe", "qrscene_contest", created_at=NOON - DAY))
    said(handler, an_event("scan", "contest-nanning"))
    row = follower(uow_factory)
    assert row.subscribed_at == at(NOON - DAY)
    assert (row.first_scene, row.last_scene) == ("contest", "contest-nanning")
    assert row.last_event_at == at(NOON)


def test_a_scan_by_somebody_who_followed_before_our_time_makes_them_known(
    uow_factory: UnitOfWorkFactory,
) -> None:
    said(a_handler(uow_factory), an_event("scan", "contest"))
    row = follower(uow_factory)
    assert row.subscribed
    assert row.subscribed_at is None
    assert row.asking is UnionidLookup.WANTED


def test_a_visit_counts_once_for_each_scene_and_beijing_day(uow_factory: UnitOfWorkFactory) -> None:
    handler = a_handler(uow_factory)
    midnight = NOON - 12 * 3600
    for moment in (NOON, NOON - 5, midnight, midnight - 1):
        said(handler, an_event("scan", "contest", created_at=moment))
    said(handler, an_event("scan", "contest-nanning", created_at=NOON))
    seen = sorted(
        (row.scene, row.day.isoformat(), row.at) for row in rows(uow_factory, models.SceneVisit)
    )
    assert seen == [
        ("contest", "2026-04-30", at(midnight - 1)),
        ("contest", "2026-05-01", at(midnight)),
        ("contest-nanning", "2026-05-01", at(NOON)),
    ]


def test_a_message_from_the_future_is_taken_to_be_from_ten_minutes_ahead(
    uow_factory: UnitOfWorkFactory,
) -> None:
    said(a_handler(uow_factory), an_event("scan", "contest", created_at=NOON + DAY))
    assert follower(uow_factory).last_event_at == at(NOON + 600)


def test_who_follows_is_counted(uow_factory: UnitOfWorkFactory) -> None:
    handler = a_handler(uow_factory)
    for openid in ("o-one", "o-two", "o-three"):
        said(handler, an_event("subscribe", openid=openid))
    said(handler, an_event("unsubscribe", openid="o-two"))
    with uow_factory.begin(read_only=True) as uow:
        found = {name: read(uow) for name, read in service.READINGS.items()}
    assert found["followers"] == 2
    assert found["unionids_wanted"] == 3
