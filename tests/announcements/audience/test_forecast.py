"""The forecast: counts by channel and reason, quotas and the split over days."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace

import pytest

from server.announcements.audience.choice import Obstacle, PersonFacts, choose_channel
from server.announcements.audience.facts import load_facts
from server.announcements.audience.forecast import forecast, require_plan
from server.announcements.audience.freezing import freeze_audience
from server.announcements.audience.plan import PlanProblem, SendingPlan, forecast_of
from server.announcements.audience.selecting import select_recipients
from server.announcements.enums import Channel
from server.announcements.errors import NoGroundForTemplate, SplitNeeded
from server.announcements.models import Announcement, ChannelUse
from server.base.access import REGION, Organizer, Role, Scope
from server.base.clock import beijing_day
from server.base.errors import NotFound
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from tests.kit.announcements import an_announcement
from tests.kit.audiences import draw_population

FOLLOWER = PersonFacts(follows=True, in_official_account=True, asked_for=True)
STRANGER = PersonFacts()
LADDER = (Channel.MINI_SUBSCRIPTION, Channel.TEMPLATE, Channel.CUSTOMER_MESSAGE)
PLAN = SendingPlan(ladder=(Channel.TEMPLATE,), limits={Channel.TEMPLATE: 100}, used={}, rate=10)
NANNING = Scope(city="450100")
EDITOR = Organizer(id=1, name="韦", role=Role.EDITOR, scope=REGION, place="广西")


def an_offer(uow: UnitOfWork, **columns: object) -> Announcement:
    return an_announcement(
        uow,
        ladder=[one.value for one in LADDER],
        contents={
            "mini_subscription": {"template": "lecture-reminder", "fields": {}},
            "template": {"template": "oa-announcement", "fields": {}},
            "customer_message": {"text": "明天开讲"},
        },
        **columns,
    )


def test_everybody_is_reached_by_one_channel_or_has_one_reason(
    uow_factory: UnitOfWorkFactory,
) -> None:
    with uow_factory.begin() as uow:
        draw_population(uow, random.Random(4), 200)
        row = an_offer(uow, topic="lectures")
        facts = load_facts(uow, select_recipients(uow, row), row)
        chosen = Counter(choose_channel(LADDER, one) for one in facts.values())
        found = forecast(uow, EDITOR, row)
        assert dict(found.reached) == {o: n for o, n in chosen.items() if isinstance(o, Channel)}
        assert dict(found.unreached) == {o: n for o, n in chosen.items() if isinstance(o, Obstacle)}
        assert found.people == len(facts)
        assert found.pushed + sum(found.unreached.values()) == found.people
        assert found.permissions.follows == sum(one.follows for one in facts.values())
        assert found.permissions.windows == sum(one.window for one in facts.values())
        assert set(found.reached) == set(LADDER)


def test_the_forecast_of_frozen_recipients_is_about_them(uow_factory: UnitOfWorkFactory) -> None:
    with uow_factory.begin() as uow:
        draw_population(uow, random.Random(4), 40)
        row = an_offer(uow, topic="lectures", starts_at=uow.now)
        before = forecast(uow, EDITOR, row)
        freeze_audience(uow, row)
        draw_population(uow, random.Random(5), 40)
        assert forecast(uow, EDITOR, row) == before


def test_an_organizer_forecasts_only_within_the_own_place(uow_factory: UnitOfWorkFactory) -> None:
    with uow_factory.begin() as uow:
        row = an_offer(uow, topic="lectures")
        with pytest.raises(NotFound):
            forecast(uow, replace(EDITOR, scope=NANNING), row)


def test_over_the_daily_quota_a_split_must_be_chosen(uow_factory: UnitOfWorkFactory) -> None:
    with uow_factory.begin() as uow:
        draw_population(uow, random.Random(4), 100)
        row = an_offer(uow, topic="lectures")
        whole = require_plan(uow, EDITOR, row)
        limit = uow.settings.sending.template_per_day
        wanted = whole.reached[Channel.TEMPLATE]
        used = ChannelUse(on_day=beijing_day(uow.now), channel=Channel.TEMPLATE, calls=0)
        used.calls = limit - wanted
        uow.session.add(used)
        assert require_plan(uow, EDITOR, row).days == 1
        used.calls = limit - wanted // 2
        with pytest.raises(SplitNeeded) as refused:
            require_plan(uow, EDITOR, row)
        row.per_day = int(str(refused.value.facts["most"]))
        assert require_plan(uow, EDITOR, row).days > 1
        row.per_day += 3
        with pytest.raises(SplitNeeded):
            require_plan(uow, EDITOR, row)


def test_template_messages_that_nobody_asked_for_are_refused(
    uow_factory: UnitOfWorkFactory,
) -> None:
    grounds = (
        {"topic": "lectures"},
        {"activity_ref": "act_1"},
        {"audience": {"contest": {"contest": "daily"}}},
        {"audience": {"took_part": {"programme": "quiz-contest"}}},
        {"audience": {"signups": {"activities": ["act_1"]}}},
    )
    without = ({}, {"audience": {"cities": ["450100"]}}, {"audience": {"took_part": {"kind": "a"}}})
    with uow_factory.begin() as uow:
        for columns in grounds:
            require_plan(uow, EDITOR, an_offer(uow, **columns))
        for columns in without:
            with pytest.raises(NoGroundForTemplate):
                require_plan(uow, EDITOR, an_offer(uow, **columns))


@pytest.mark.parametrize(
    ("people", "used", "per_day", "problem", "fitting"),
    [
        (100, 0, None, False, None),
        (101, 0, None, True, 100),
        (100, 1, None, True, 99),
        (500, 0, 100, False, None),
        (500, 40, 100, True, 60),
        (500, 100, 100, True, 1),
    ],
)
def test_the_largest_day_is_compared_with_the_quota_left(
    people: int, used: int, per_day: int | None, problem: bool, fitting: int | None
) -> None:
    plan = replace(PLAN, used={Channel.TEMPLATE: used}, per_day=per_day)
    found = forecast_of([(FOLLOWER, people)], plan)
    assert (PlanProblem.OVER_QUOTA in found.problems, found.fitting_per_day) == (problem, fitting)


def test_only_the_share_of_a_channel_counts_against_its_quota() -> None:
    found = forecast_of([(FOLLOWER, 60), (STRANGER, 40)], replace(PLAN, per_day=50))
    assert (found.quotas[0].wanted, found.days, found.seconds) == (30, 2, 3)
    assert found.unreached == {Obstacle.NOT_FOLLOWING: 40}


@pytest.mark.parametrize(
    ("people", "is_wrong"), [(1, True), (2, False), (10_000, False), (10_001, True)]
)
def test_a_mass_message_needs_two_to_ten_thousand(people: int, is_wrong: bool) -> None:
    plan = replace(PLAN, ladder=(Channel.MASS,), limits={Channel.MASS: 100})
    found = forecast_of([(FOLLOWER, people)], plan)
    assert (PlanProblem.MASS_SIZE in found.problems) is is_wrong
    assert not found.quotas[0].is_exceeded


def test_an_empty_audience_and_one_that_nothing_reaches_are_told() -> None:
    assert PlanProblem.NOBODY in forecast_of([], PLAN).problems
    assert forecast_of([(STRANGER, 3)], PLAN).problems == (PlanProblem.NOBODY_PUSHED,)
    inbox = replace(PLAN, ladder=(Channel.INBOX,))
    assert forecast_of([(STRANGER, 3)], inbox).problems == ()
