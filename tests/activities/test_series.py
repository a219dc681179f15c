"""Weekly series: dated drafts of one activity, once for each form."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from server.activities import console, planning_pages
from server.activities.drafts import read_draft
from server.activities.kinds import ActivityState
from server.activities.models import Activity, ActivitySeries
from server.base.uow import UnitOfWorkFactory
from tests.kit.activity_probes import make_in_state
from tests.kit.console import NANNING, PEOPLE, REGION, Browser, console_app

WEEK = timedelta(weeks=1)
FORM = {"copies": "3", "title": "八桂讲坛·大众科普", "most_signups": "2", "form_key": "frm_1"}


@pytest.fixture
def app(uow_factory: UnitOfWorkFactory) -> Flask:
    return console_app(uow_factory, console.PAGES, planning_pages.PAGES)[0]


def stored_rows(uow_factory: UnitOfWorkFactory) -> list[Activity]:
    with uow_factory.begin(read_only=True) as uow:
        rows = list(uow.session.scalars(select(Activity).order_by(Activity.starts_at)))
        uow.session.expunge_all()
        return rows


def test_each_week_gets_a_draft_with_all_its_times_moved(
    app: Flask, uow_factory: UnitOfWorkFactory
) -> None:
    with uow_factory.begin() as uow:
        at = uow.now + timedelta(days=3)
        ref = make_in_state(
            uow, NANNING, ActivityState.PUBLISHED, draw_at=at - timedelta(days=1), speaker="韦明"
        )["ref"]
    editor = Browser(app, "editor-city")
    assert "2026年5月11日（周一）12:00" in editor.get(f"/activities/{ref}/weekly")[1]
    assert editor.ask("POST", f"/activities/{ref}/weekly", FORM)[0] == 303
    first, *copies = stored_rows(uow_factory)
    assert (first.state, first.ref, first.series_number) == (ActivityState.PUBLISHED, ref, 1)
    assert [one.state for one in copies] == [ActivityState.DRAFT] * 3
    assert [one.series_number for one in copies] == [2, 3, 4]
    for week, one in enumerate(copies, 1):
        for name in ("starts_at", "ends_at", "signup_opens_at", "signup_closes_at", "draw_at"):
            assert getattr(one, name) == getattr(first, name) + week * WEEK
        assert (one.owner, one.writer_id) == (NANNING.spelled, PEOPLE["editor-city"].id)
        with uow_factory.begin(read_only=True) as uow:
            assert read_draft(uow, one).speaker == "韦明"
    with uow_factory.begin(read_only=True) as uow:
        series = uow.session.scalars(select(ActivitySeries)).one()
        assert (series.title, series.most_signups) == (FORM["title"], 2)
    _, shown = editor.get(f"/activities?series={series.ref}")
    assert all(one.ref in shown for one in (first, *copies))
    assert "已经建好3份草稿" in shown


def test_a_form_sent_twice_makes_its_drafts_once(
    app: Flask, uow_factory: UnitOfWorkFactory
) -> None:
    with uow_factory.begin() as uow:
        ref = make_in_state(uow, NANNING, ActivityState.DRAFT)["ref"]
    editor = Browser(app, "editor-city")
    sent = [editor.open("POST", f"/activities/{ref}/weekly", FORM).location for _ in range(2)]
    assert sent[0] == sent[1]
    assert len(stored_rows(uow_factory)) == 4


def test_a_series_is_continued_behind_its_last_number(
    app: Flask, uow_factory: UnitOfWorkFactory
) -> None:
    with uow_factory.begin() as uow:
        ref = make_in_state(uow, NANNING, ActivityState.DRAFT)["ref"]
    editor = Browser(app, "editor-city")
    editor.ask("POST", f"/activities/{ref}/weekly", FORM)
    last = stored_rows(uow_factory)[-1]
    assert "属于系列《八桂讲坛·大众科普》" in editor.get(f"/activities/{last.ref}/weekly")[1]
    again = {**FORM, "form_key": "frm_2", "copies": "1"}
    assert editor.ask("POST", f"/activities/{last.ref}/weekly", again)[0] == 303
    assert stored_rows(uow_factory)[-1].series_number == 5
    with uow_factory.begin(read_only=True) as uow:
        assert len(uow.session.scalars(select(ActivitySeries)).all()) == 1


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"copies": "27"}, "1到26"),
        ({"copies": "x"}, "数字"),
        ({"title": " "}, "请填写系列名称"),
        ({"most_signups": "0"}, "1到99"),
    ],
)
def test_a_plan_that_cannot_be_meant_is_refused_with_a_sentence(
    app: Flask, uow_factory: UnitOfWorkFactory, changed: dict[str, str], sentence: str
) -> None:
    with uow_factory.begin() as uow:
        ref = make_in_state(uow, NANNING, ActivityState.DRAFT)["ref"]
    page = f"/activities/{ref}/weekly"
    status, shown = Browser(app, "editor-city").ask("POST", page, {**FORM, **changed})
    assert (status, sentence in shown) == (422, True)
    assert len(stored_rows(uow_factory)) == 1


def test_a_higher_activity_is_not_continued_below(
    app: Flask, uow_factory: UnitOfWorkFactory
) -> None:
    with uow_factory.begin() as uow:
        ref = make_in_state(uow, REGION, ActivityState.PUBLISHED)["ref"]
    assert Browser(app, "editor-city").ask("POST", f"/activities/{ref}/weekly", FORM)[0] == 404
