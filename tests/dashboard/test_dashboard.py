"""The dashboard's pages: for every place its own figures, which add up, without reading papers."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import Engine, event

from server.base.errors import NotFound
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.channel import service as channel
from server.console.list_views import read_table
from server.console.tables import ListQuery, Table
from server.dashboard import funnel, service
from server.dashboard.console import PAGES
from server.dashboard.rules import DaySum, shade_steps, sum_weeks, without_gaps
from server.dashboard.tables import (
    PARTICIPANTS,
    PARTICIPATIONS,
    ParticipantQuery,
    ParticipationQuery,
)
from tests.kit.accounts import a_citizen
from tests.kit.clock import FakeClock
from tests.kit.console import PEOPLE, Browser, console_app
from tests.kit.figures import MAY, count, took_part
from tests.kit.quiz import open_contest, started, take

REGION, NANNING, QINGXIU = PEOPLE["auditor-region"], "city:450100", "county:450103"


def fill(uow_factory: UnitOfWorkFactory) -> None:
    """Four people of Nanning, two of them of Qingxiu, one of Liuzhou, one of nowhere."""
    with uow_factory.begin() as uow:
        took_part(uow, 1, "a1", 0, city="450100", county="450103", audience="youth", hour=20)
        took_part(uow, 1, "a2", 2, city="450100", county="450103", audience="youth", hour=21)
        took_part(uow, 2, "b1", 0, city="450100", county="450103", audience="elder")
        took_part(uow, 3, "c1", 1, city="450100", county="450102", audience="youth")
        took_part(uow, 4, "d1", 1, city="450100")
        took_part(uow, 5, "e1", 1, city="450200", audience="farmer")
        took_part(uow, 6, "f1", 3)
    count(uow_factory)


def read(uow_factory: UnitOfWorkFactory, who: str, place: str) -> service.Dashboard:
    with uow_factory.begin(read_only=True) as uow:
        return service.read_dashboard(uow, PEOPLE[who], place)


def test_the_rows_of_every_level_add_up_to_its_tile(uow_factory: UnitOfWorkFactory) -> None:
    fill(uow_factory)
    region = read(uow_factory, "auditor-region", "region")
    assert (region.total.people, region.total.times, region.total.returned) == (6, 7, 1)
    city = read(uow_factory, "auditor-region", NANNING)
    assert (city.total.people, city.total.times) == (4, 5)
    for found in (region, city):
        assert found.unplaced is not None
        rows = [*found.below, found.unplaced]
        for name in ("people", "times", "returned"):
            assert sum(getattr(one, name) for one in rows) == getattr(found.total, name)
    tile = next(one for one in region.below if one.place == NANNING)
    assert (tile.people, tile.times) == (city.total.people, city.total.times)
    assert (region.unplaced and region.unplaced.people, len(region.below)) == (1, 14)
    assert (city.unplaced and city.unplaced.people) == 1


def test_days_hours_and_groups_each_add_up(uow_factory: UnitOfWorkFactory) -> None:
    fill(uow_factory)
    for place in ("region", NANNING, QINGXIU):
        found = read(uow_factory, "auditor-region", place)
        assert sum(one.times for one in found.days) == found.total.times
        assert sum(one.newcomers for one in found.days) == found.total.people
        assert sum(found.hours) == found.total.times
        assert sum(one.people for one in found.groups) == found.total.people
    county = read(uow_factory, "auditor-region", QINGXIU)
    assert (county.hours[20], county.hours[21], county.hours[12]) == (1, 1, 1)
    assert [(one.audience, one.people) for one in county.groups if one.people] == [
        ("youth", 1),
        ("elder", 1),
    ]
    region = read(uow_factory, "auditor-region", "region")
    assert {one.audience: one.reached for one in region.groups} == {
        "youth": 1, "farmer": 1, "worker": 0, "official": 0, "elder": 1, "": 1
    }  # fmt: skip


def test_an_organizer_sees_the_own_place_and_those_below_it(uow_factory: UnitOfWorkFactory) -> None:
    fill(uow_factory)
    city = read(uow_factory, "editor-city", NANNING)
    assert [one.place for one in city.path] == [NANNING]
    county = read(uow_factory, "editor-city", QINGXIU)
    assert [one.place for one in county.path] == [NANNING, QINGXIU]
    for who, place in (
        ("editor-city", "region"),
        ("editor-city", "city:450200"),
        ("editor-county", NANNING),
        ("editor-county", "county:450102"),
        ("auditor-region", "city:999999"),
        ("auditor-region", "unit:99"),
        ("auditor-region", "x"),
    ):
        with pytest.raises(NotFound):
            read(uow_factory, who, place)


def test_a_page_reads_counted_figures_alone(uow_factory: UnitOfWorkFactory) -> None:
    """So that it takes as long with a million papers: no statement reads them."""
    fill(uow_factory)
    heard = listen(uow_factory.engine)
    read(uow_factory, "auditor-region", "region")
    few = len(heard)
    assert few < 20
    assert [one for one in heard if "participa" in one or "FROM attempt" in one] == []
    with uow_factory.begin() as uow:
        for number in range(200):
            took_part(uow, 10 + number, f"more_{number}", number % 9, city="450300")
    count(uow_factory)
    heard.clear()
    assert read(uow_factory, "auditor-region", "region").total.times == 207
    assert len([one for one in heard if one.startswith("SELECT")]) == few


def listen(engine: Engine) -> list[str]:
    heard: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda _c, _u, said, *_: heard.append(said))
    return heard


def test_the_funnel_counts_people_step_by_step(
    uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    contest = open_contest(uow_factory)
    with uow_factory.begin() as uow:
        channel.record_follow(uow, "o-follower", uow.now, "")
        ids = [a_citizen(uow, city="450100").id for _ in range(4)]
        started(uow, contest, ids[1])
    for citizen_id in ids[2:]:
        take(uow_factory, contest, citizen_id)
    clock.advance(86_400)
    take(uow_factory, contest, ids[3])
    count(uow_factory)
    with uow_factory.begin() as uow:
        assert funnel.is_funnel_due(uow)
        funnel.count_funnel(uow)
        assert not funnel.is_funnel_due(uow)
    region = read(uow_factory, "auditor-region", "region")
    assert [one.people for one in region.funnel] == [1, 4, 3, 2, 1]
    assert [one.share for one in region.funnel][:3] == [None, None, 75.0]
    city = read(uow_factory, "auditor-region", NANNING)
    assert [one.people for one in city.funnel] == [0, 4, 3, 2, 1]
    clock.advance(600)
    with uow_factory.begin() as uow:
        assert funnel.is_funnel_due(uow)
        funnel.count_funnel(uow)
    assert read(uow_factory, "auditor-region", NANNING).funnel == city.funnel


def test_the_page_shows_the_place_its_figures_and_the_target_sentence(
    uow_factory: UnitOfWorkFactory,
) -> None:
    fill(uow_factory)
    app, _ = console_app(uow_factory, PAGES)
    status, text = Browser(app, "editor-region").get("/figures")
    assert status == 200
    assert "广西壮族自治区数据总览" in text
    assert 'href="/console/figures/city:450100"' in text
    assert "数据统计到 2026-05-01 12:00:00" in text
    status, text = Browser(app, "editor-city").get("/figures?by=week")
    assert (status, "南宁市数据总览" in text) == (200, True)
    assert Browser(app, "editor-city").get("/figures/city:450200")[0] == 404
    assert Browser(app, "system_admin-region").get("/figures")[0] == 403
    assert Browser(app, "editor-city").get("/figures?by=year")[0] == 422


def test_days_without_a_participation_are_shown_and_weeks_begin_on_monday() -> None:
    days = [DaySum(MAY, 2, 2), DaySum(MAY + timedelta(days=3), 1, 0)]
    shown = without_gaps(days, MAY + timedelta(days=4))
    assert [one.times for one in shown] == [2, 0, 0, 1, 0]
    # 1 May 2026 is a Friday.
    assert [(one.first.isoformat(), one.times) for one in sum_weeks(shown)] == [
        ("2026-04-27", 2),
        ("2026-05-04", 1),
    ]
    assert without_gaps([], MAY) == []


def test_shades_divide_what_there_is_into_five() -> None:
    assert shade_steps([0, 1, 20, 50, 101]) == [0, 1, 1, 3, 5]
    assert shade_steps([0, 7]) == [0, 5]
    assert shade_steps([0, 0]) == [0, 0]
    assert shade_steps([]) == []


def test_each_tile_opens_as_many_rows_as_it_counts(uow_factory: UnitOfWorkFactory) -> None:
    fill(uow_factory)
    with uow_factory.begin(read_only=True) as uow:
        for who, place in (
            ("editor-region", "region"),
            ("editor-region", NANNING),
            ("editor-city", NANNING),
            ("editor-county", QINGXIU),
        ):
            found = service.read_dashboard(uow, PEOPLE[who], place)
            people = rows_of(uow, who, PARTICIPANTS, ParticipantQuery(place=place))
            times = rows_of(uow, who, PARTICIPATIONS, ParticipationQuery(place=place))
            assert (people, times) == (found.total.people, found.total.times)
            for one in found.days:
                of_day = ParticipationQuery(place=place, day=one.first)
                assert rows_of(uow, who, PARTICIPATIONS, of_day) == one.times
            for group in found.groups:
                wanted = ParticipationQuery(place=place, group=group.audience or "none")  # type: ignore[arg-type]
                assert rows_of(uow, who, PARTICIPATIONS, wanted) == group.times
        # Without a filter each organizer still sees the own place alone.
        assert rows_of(uow, "editor-city", PARTICIPATIONS, ParticipationQuery()) == 5
        with pytest.raises(NotFound):
            rows_of(uow, "editor-city", PARTICIPATIONS, ParticipationQuery(place="city:450200"))


def rows_of(uow: UnitOfWork, who: str, table: Table, query: ListQuery) -> int:
    return read_table(uow, PEOPLE[who], table, query).count
