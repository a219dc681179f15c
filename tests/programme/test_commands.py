"""Loading the campaign: as a whole or not at all, and only once."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from server.base.sql.tables import Base
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.programme.commands import LoadReport, load_campaign
from server.programme.kinds import Kind, Precision
from server.programme.loading import notice_words
from server.programme.models import Campaign, Programme
from server.programme.rules import moved_by_months, window_of
from server.units import service as units
from tests.kit.clock import FakeClock
from tests.programme.test_loading import NOTICE, written

TABLES = ("campaign", "campaign_host", "programme", "programme_organiser", "unit")


def contents(uow: UnitOfWork) -> dict[str, list[tuple[Any, ...]]]:
    tables = [Base.metadata.tables[name] for name in TABLES]
    return {
        table.name: [tuple(row) for row in uow.session.execute(select(table).order_by(table.c.id))]
        for table in tables
    }


def the_notice() -> dict[str, Any]:
    return json.loads(NOTICE.read_text(encoding="utf-8"))


def programmes(uow: UnitOfWork) -> dict[str, Programme]:
    return {row.slug: row for row in uow.session.scalars(select(Programme))}


def test_the_notices_file_makes_fifteen_programmes_with_owners_and_faults_are_reported(
    uow_factory: UnitOfWorkFactory, tmp_path: Path
) -> None:
    faulty = the_notice()
    faulty["theme_activities"][1]["hosts"] = []
    faulty["theme_activities"][6]["start"] = "2020-05-31"
    faulty["theme_activities"][4]["end"] = "2021-01-15"
    refused = load_campaign(uow_factory, written(tmp_path, faulty), shift=False)
    assert not refused.ok
    assert [path for path, _ in refused.problems] == [
        "theme_activities[1].hosts",
        "theme_activities[4].end",
        "theme_activities[6].start",
    ]
    with uow_factory.begin(read_only=True) as uow:
        assert all(rows == [] for rows in contents(uow).values())

    report = load_campaign(uow_factory, NOTICE, shift=False)
    assert report.ok
    assert report.counts["programmes"] == 15
    with uow_factory.begin(read_only=True) as uow:
        rows = programmes(uow)
        owners = units.units_by_id(uow, {row.owner_id for row in rows.values()})
    assert len(rows) == 15
    assert sum(row.kind is Kind.THEME for row in rows.values()) == 8
    assert owners[rows["quiz-contest"].owner_id].name == "自治区科协"
    assert owners[rows["community-lectures"].owner_id].name == "中国知网"
    assert {slug for slug, row in rows.items() if row.owner_assumed} == {
        "grassroots", "bases", "campus", "science-museums", "academicians", "volunteers", "caravan",
    }  # fmt: skip
    assert rows["campus-programme"].end_on == date(2020, 12, 31)
    assert rows["caravan"].start_on is None


def test_a_second_load_of_the_same_file_changes_nothing(uow_factory: UnitOfWorkFactory) -> None:
    first = load_campaign(uow_factory, NOTICE, shift=False)
    with uow_factory.begin(read_only=True) as uow:
        before = contents(uow)
    again = load_campaign(uow_factory, NOTICE, shift=False)
    with uow_factory.begin(read_only=True) as uow:
        assert contents(uow) == before
    assert first.counts["created"] > 15
    assert (again.counts["created"], again.counts["changed"]) == (0, 0)


@pytest.mark.parametrize("days", [0, 1, 2, 6, 7, 15, 16, 46, 167, 300])
def test_the_demo_moves_all_dates_so_that_today_lies_in_its_month(
    uow_factory: UnitOfWorkFactory, clock: FakeClock, days: int
) -> None:
    clock.set(datetime(2026, 6, 14, 16, 30, tzinfo=UTC) + timedelta(days=days))
    today = date(2026, 6, 15) + timedelta(days=days)
    assert load_campaign(uow_factory, NOTICE, shift=True).ok
    with uow_factory.begin(read_only=True) as uow:
        campaign = uow.session.scalars(select(Campaign)).one()
        rows = programmes(uow)
    months = (today.year - 2020) * 12 + today.month - 6
    launch = date(2020, 4, 21) + timedelta(weeks=campaign.shift_weeks)
    assert rows["launch-ceremony"].start_on == rows["launch-ceremony"].end_on == launch
    assert campaign.start_on == moved_by_months(date(2020, 4, 21), months)
    assert rows["quiz-contest"].start_on == moved_by_months(date(2020, 4, 1), months)
    assert campaign.start_on <= launch < campaign.start_on + timedelta(days=7)
    dated = [campaign, *(row for row in rows.values() if row.start_on is not None)]
    assert len(dated) == 9
    for row in dated:
        window = window_of(row.date_text or "", notice_words().dates, year=0)
        assert window is not None
        assert (window.first, window.last) == (row.start_on, row.end_on)
        assert window.precision == row.precision
    due = window_of(campaign.summary["date_text"], notice_words().dates, year=0)
    assert due is not None
    assert (due.last, due.precision) == (campaign.summary_on, Precision.END_OF_MONTH)
    assert campaign.notice_text == "2020年4月下旬—9月底 2020年八桂科普大行动"
    assert rows["quiz-contest"].notice_text == "2020年4－9月 2020年广西公民科学素质网络竞赛"
    assert all(
        row.start_on is not None and row.start_on <= today <= (row.end_on or today)
        for row in map(rows.__getitem__, ("quiz-contest", "douyin-contest", "bagui-forum-lectures"))
    )
    assert (rows["community-lectures"].end_on or today) < today
    assert (rows["youth-science-festival"].start_on or today) > today


def test_the_first_load_decides_the_move_for_good(
    uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    load_campaign(uow_factory, NOTICE, shift=True)
    with uow_factory.begin(read_only=True) as uow:
        before = contents(uow)
    clock.advance(40 * 86400)
    for shift in (True, False):
        report = load_campaign(uow_factory, NOTICE, shift=shift)
        assert (report.counts["created"], report.counts["changed"]) == (0, 0)
    with uow_factory.begin(read_only=True) as uow:
        assert contents(uow) == before


def test_a_changed_file_is_followed_and_the_refs_stay(
    uow_factory: UnitOfWorkFactory, tmp_path: Path
) -> None:
    load_campaign(uow_factory, NOTICE, shift=True)
    with uow_factory.begin(read_only=True) as uow:
        before = programmes(uow)
    changed = the_notice()
    changed["theme_activities"][1] |= {"title": "新名称", "undertakers": ["gxkjg", "gxkpcb"]}
    changed["theme_activities"][6]["end"] = "2020-12-30"
    report = load_campaign(uow_factory, written(tmp_path, changed), shift=True)
    with uow_factory.begin(read_only=True) as uow:
        after = programmes(uow)
    assert (report.counts["created"], report.counts["changed"]) == (0, 3)
    assert {s: (r.id, r.ref) for s, r in after.items()} == {
        s: (r.id, r.ref) for s, r in before.items()
    }
    assert after["quiz-contest"].title == "新名称"
    was, now = before["bagui-forum-lectures"].end_on, after["bagui-forum-lectures"].end_on
    assert was is not None
    assert now == was - timedelta(days=1)


def test_a_file_that_drops_a_loaded_programme_is_refused(
    uow_factory: UnitOfWorkFactory, tmp_path: Path
) -> None:
    load_campaign(uow_factory, NOTICE, shift=False)
    with uow_factory.begin(read_only=True) as uow:
        before = contents(uow)
    shorter = the_notice()
    shorter["joint_actions"].pop()
    shorter["campaign"]["title"] = "别的名称"
    report = load_campaign(uow_factory, written(tmp_path, shorter), shift=False)
    assert not report.ok
    assert "caravan" in report.problems[0].reason
    with uow_factory.begin(read_only=True) as uow:
        assert contents(uow) == before


@pytest.mark.race
def test_loads_at_the_same_moment_make_one_campaign(uow_factory: UnitOfWorkFactory) -> None:
    def load(_: int) -> LoadReport:
        return load_campaign(uow_factory, NOTICE, shift=True)

    with ThreadPoolExecutor(4) as pool:
        reports = list(pool.map(load, range(4)))
    assert all(report.ok for report in reports)
    with uow_factory.begin(read_only=True) as uow:
        count = uow.session.scalar(select(func.count()).select_from(Programme))
        assert (count, len(uow.session.scalars(select(Campaign)).all())) == (15, 1)
    assert sum(report.counts["created"] > 0 for report in reports) == 1
