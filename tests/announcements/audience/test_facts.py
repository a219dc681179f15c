"""Facts by one statement, compared with a slow calculation in Python."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from server.accounts.models import Citizen
from server.announcements.audience.choice import MASS_PER_MONTH, Obstacle, choose_channel
from server.announcements.audience.facts import facts_select, load_facts, outreach_key
from server.announcements.audience.selecting import select_recipients
from server.announcements.enums import Channel, Purpose
from server.announcements.models import Announcement
from server.base.clock import beijing_day
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.notices import service as notices
from tests.kit.accounts import a_citizen
from tests.kit.announcements import an_announcement
from tests.kit.audiences import MINI, OFFICIAL, Population, Someone, draw_population
from tests.kit.effort import repeat_count

CONTENTS = {
    Channel.MINI_SUBSCRIPTION: {"template": "lecture-reminder", "fields": {}},
    Channel.OFFICIAL_SUBSCRIPTION: {"template": "oa-sub-announcement", "fields": {}},
    Channel.TEMPLATE: {"template": "oa-announcement", "fields": {}},
    Channel.CUSTOMER_MESSAGE: {"text": "明天开讲"},
}
LADDER = (Channel.MINI_SUBSCRIPTION, Channel.TEMPLATE, Channel.CUSTOMER_MESSAGE, Channel.INBOX)
# WeChat's 48 hours, less one for the way of a message.
WINDOW, WEEK = timedelta(hours=47), timedelta(days=7)


def slow_choice(
    uow: UnitOfWork, one: Someone, row: Announcement, asked_for: bool
) -> Channel | Obstacle:
    """The channel of a person, from the drawn facts alone."""
    today = beijing_day(uow.now)
    first = None
    for name in row.ladder:
        reason = _slow_obstacle(uow, one, row, Channel(name), asked_for, today)
        if reason is None:
            return Channel(name)
        first = first or reason
    assert first is not None
    return first


def _slow_obstacle(
    uow: UnitOfWork, one: Someone, row: Announcement, wanted: Channel, asked_for: bool, today: Any
) -> Obstacle | None:
    if wanted is Channel.INBOX:
        return None
    if one.off or row.topic in one.muted:
        return Obstacle.OPTED_OUT
    sent_today = sum(day == today for _, day in one.outreach)
    sent_in_week = sum(day > today - WEEK for _, day in one.outreach)
    if not _is_own_activity(one, row) and (sent_today >= 1 or sent_in_week >= 3):
        return Obstacle.CAPPED
    return _slow_obstacle_of(uow, one, wanted, asked_for)


def _slow_obstacle_of(
    uow: UnitOfWork, one: Someone, wanted: Channel, asked_for: bool
) -> Obstacle | None:
    if wanted is Channel.MINI_SUBSCRIPTION:
        has, without = bool(one.grants[MINI]), None if one.mini else Obstacle.NO_MINI_PROGRAM
        return without or (None if has else Obstacle.NO_GRANT)
    if wanted is Channel.OFFICIAL_SUBSCRIPTION:
        has, without = bool(one.grants[OFFICIAL]), None if one.official else Obstacle.NOT_FOLLOWING
        return without or (None if has else Obstacle.NO_GRANT)
    if not one.follows:
        return Obstacle.NOT_FOLLOWING
    fresh = one.heard_at is not None and one.heard_at > uow.now - WINDOW
    held = {
        Channel.TEMPLATE: (asked_for, Obstacle.NOT_ASKED_FOR),
        Channel.MASS: (one.mass < MASS_PER_MONTH, Obstacle.QUOTA_SPENT),
        Channel.CUSTOMER_MESSAGE: (fresh and one.window_used < 5, Obstacle.NO_WINDOW),
    }
    permitted, reason = held[wanted]
    return None if permitted else reason


def _is_own_activity(one: Someone, row: Announcement) -> bool:
    return row.purpose is Purpose.CHANGE and row.remark in {str(at) for at in one.signed_up}


def _draw_announcement(
    uow: UnitOfWork, chance: random.Random, population: Population
) -> tuple[Announcement, list[Any]]:
    """An announcement with a random ladder and random grounds for template messages."""
    ladder: Sequence[Channel] = chance.sample(
        [*CONTENTS, Channel.INBOX], chance.choice((1, 2, 3, 4))
    )
    if chance.random() < 0.2:
        ladder = [Channel.MASS]
    lecture = chance.choice(population.lectures)
    audience: dict[str, Any] = {}
    grounds: list[Any] = []
    topic = chance.choice(("lectures", "quiz", None))
    if topic is not None:
        grounds.append(lambda one: topic in one.topics)
    if chance.random() < 0.3:
        audience["contest"] = {"contest": population.contest.ref}
        grounds.append(lambda one: one.entered)
    columns: dict[str, Any] = {}
    if chance.random() < 0.5:
        columns["activity_ref"] = lecture.ref
        grounds.append(lambda one: lecture.id in one.signed_up)
        # The row id, for the slow calculation.
        columns["remark"] = str(lecture.id)
        columns["purpose"] = chance.choice((Purpose.CHANGE, Purpose.NEWS))
    row = an_announcement(
        uow,
        ladder=[one.value for one in ladder],
        contents={one.value: content for one, content in CONTENTS.items()},
        audience=audience,
        topic=topic,
        **columns,
    )
    return row, grounds


def test_facts_and_choice_equal_a_slow_calculation(uow_factory: UnitOfWorkFactory) -> None:
    chance = random.Random(20260502)
    seen: set[Any] = set()
    with uow_factory.begin() as uow:
        population = draw_population(uow, chance, 150)
        everybody = select(Citizen.id)
        for _ in range(repeat_count(400, 25)):
            row, grounds = _draw_announcement(uow, chance, population)
            facts = load_facts(uow, everybody, row)
            for one in population.people:
                if one.erased:
                    assert one.id not in facts
                    continue
                asked_for = any(ground(one) for ground in grounds)
                ladder = [Channel(name) for name in row.ladder]
                chosen = choose_channel(ladder, facts[one.id])
                assert chosen is slow_choice(uow, one, row, asked_for), (one, row.ladder)
                seen.add(chosen)
    assert seen == {*Channel, *Obstacle} - {Obstacle.REFUSED, Obstacle.NEVER_PUSHED}


def test_a_batch_gets_the_facts_of_the_whole_audience(uow_factory: UnitOfWorkFactory) -> None:
    chance = random.Random(5)
    with uow_factory.begin() as uow:
        population = draw_population(uow, chance, 60)
        for _ in range(10):
            row, _grounds = _draw_announcement(uow, chance, population)
            whole = load_facts(uow, select_recipients(uow, row), row)
            ids = sorted(whole)
            parts = [ids[at : at + 7] for at in range(0, len(ids), 7)]
            batches = [
                load_facts(uow, select(Citizen.id).where(Citizen.id.in_(part)), row)
                for part in parts
            ]
            assert {
                citizen: facts for batch in batches for citizen, facts in batch.items()
            } == whole


def test_four_seeded_people_each_get_exactly_the_first_permitted_channel(
    uow_factory: UnitOfWorkFactory,
) -> None:
    with uow_factory.begin() as uow:
        population = draw_population(uow, random.Random(11), 400)
        row = an_announcement(
            uow,
            ladder=[one.value for one in LADDER],
            contents={one.value: content for one, content in CONTENTS.items()},
            topic="lectures",
        )
        facts = load_facts(uow, select_recipients(uow, row), row)
        first: dict[Any, Someone] = {}
        for one in population.people:
            if one.id in facts:
                first.setdefault(choose_channel(LADDER, facts[one.id]), one)
        assert set(first) == set(LADDER)
        four = [first[channel] for channel in LADDER]
        assert [slow_choice(uow, one, row, "lectures" in one.topics) for one in four] == [*LADDER]


def test_a_place_that_the_announcement_reserved_does_not_cap_its_next_channel(
    uow_factory: UnitOfWorkFactory,
) -> None:
    with uow_factory.begin() as uow:
        person = a_citizen(uow)
        mine, other = (an_announcement(uow, ladder=["customer_message"]) for _ in range(2))
        notices.reserve_outreach(uow, outreach_key(mine), [person.id], 1, 3)
        everybody = select(Citizen.id)
        assert not load_facts(uow, everybody, mine)[person.id].capped
        assert load_facts(uow, everybody, other)[person.id].capped


def test_facts_of_many_are_one_statement(uow_factory: UnitOfWorkFactory) -> None:
    with uow_factory.begin() as uow:
        population = draw_population(uow, random.Random(2), 10)
        row, _grounds = _draw_announcement(uow, random.Random(2), population)
        asked = facts_select(uow, select(Citizen.id), row)
        alive = [one for one in population.people if not one.erased]
        assert len(uow.session.execute(asked).all()) == len(alive)
