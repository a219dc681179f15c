"""The form of an audience, and the live count beside it."""

from __future__ import annotations

from datetime import date

import pytest
from flask import Flask
from werkzeug.datastructures import MultiDict

from server.announcements.audience.forms import AudienceForm, fill_audience, read_audience
from server.announcements.audience.rule import (
    AudienceRule,
    CameBy,
    ContestResult,
    SignedUp,
    SignUpBand,
    TookPartIn,
)
from server.base.access import Role
from server.base.uow import UnitOfWorkFactory
from tests.conftest import application_of
from tests.kit.accounts import a_citizen
from tests.kit.clock import FakeClock
from tests.kit.organizers import an_account, logged_in

RULES = [
    AudienceRule(),
    AudienceRule(cities=("450100", "450200"), counties=("450103",), units=("unt_1", "unt_2")),
    AudienceRule(topics=("lectures",)),
    AudienceRule(took_part=TookPartIn(programme="quiz-contest", first_day=date(2026, 5, 1))),
    AudienceRule(contest=ContestResult(contest="cst_1", completed=True, best_rank=1, last_rank=9)),
    AudienceRule(contest=ContestResult(contest="cst_1", minimum_score=80)),
    AudienceRule(signups=SignedUp(activities=("act_1",), states=(SignUpBand.ABSENT,))),
    AudienceRule(signups=SignedUp(first_day=date(2026, 5, 1), last_day=date(2026, 5, 2))),
    AudienceRule(came_by=CameBy(scenes=("poster-1", "poster-2"), last_day=date(2026, 5, 2))),
]


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_survives_the_form(app: Flask, rule: AudienceRule) -> None:
    with app.test_request_context():
        shown = AudienceForm(MultiDict())
        fill_audience(shown, rule)
        typed = {
            one.name: "y" if one.data is True else str(one.data)
            for one in shown
            if one.data not in (None, False, "")
        }
        again = AudienceForm(MultiDict(typed))
        assert again.validate(), again.errors
        assert read_audience(again) == rule


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"audience_places": "南宁市、北京市"}, "audience_places"),
        ({"audience_best_rank": "0"}, "audience_best_rank"),
        (
            {"audience_contest": "c", "audience_best_rank": "9", "audience_last_rank": "2"},
            "audience_contest",
        ),
        ({"audience_signup_state": "absent"}, "audience_activity"),
        ({"audience_activity": "act_1", "audience_signup_state": "x"}, "audience_activity"),
        (
            {"audience_first_day": "2026-05-02", "audience_last_day": "2026-05-01"},
            "audience_activity",
        ),
    ],
)
def test_a_fault_stands_beside_its_field(app: Flask, typed: dict[str, str], field: str) -> None:
    with app.test_request_context():
        form = AudienceForm(MultiDict(typed))
        assert not form.validate()
        assert list(form.errors) == [field]


def test_the_live_count_stays_within_the_place_of_the_organizer(
    app: Flask, clock: FakeClock
) -> None:
    uow_factory: UnitOfWorkFactory = application_of(app).uow_factory
    with uow_factory.begin() as uow:
        an_account(uow, role=Role.EDITOR, place="city:450100")
        for city in ("450100", "450100", "450200"):
            a_citizen(uow, city=city)
        a_citizen(uow, city="450100", muted_topics=["lectures"])
    browser = logged_in(app, clock)
    address = "/announcements/audience-count"
    for query, said in (
        ("", "会发给 3 人"),
        ("?topic=lectures", "会发给 2 人"),
        ("?audience_places=柳州市", "会发给 0 人"),
        ("?audience_places=北京市", "条件填好后"),
    ):
        assert said in browser.get(address + query)[1], query
