"""What the campaign shows: filters, pages, the running campaign, the door for other slices."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from server.base.errors import Invalid, NotFound
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.programme import service
from server.programme.commands import load_campaign
from server.programme.service import Kind, Wanted
from tests.kit.clock import FakeClock
from tests.kit.programme import SEASON, a_campaign, a_programme
from tests.programme.test_loading import NOTICE


@pytest.fixture
def notice(uow_factory: UnitOfWorkFactory) -> UnitOfWorkFactory:
    assert load_campaign(uow_factory, NOTICE, shift=False).ok
    return uow_factory


def slugs(uow: UnitOfWork, wanted: Wanted) -> list[str]:
    found, following = service.list_programmes(uow, wanted, limit=100, after=None)
    assert following is None
    return [item.slug for item in found]


def test_programmes_come_in_the_notices_order(notice: UnitOfWorkFactory) -> None:
    with notice.begin(read_only=True) as uow:
        listed = slugs(uow, Wanted())
    assert listed[:2] == ["launch-ceremony", "quiz-contest"]
    assert listed[7:9] == ["leading-group-activities", "grassroots"]
    assert len(listed) == 15


def test_a_city_sees_its_own_programmes_and_those_of_the_whole_region(
    notice: UnitOfWorkFactory,
) -> None:
    with notice.begin(read_only=True) as uow:
        nanning = slugs(uow, Wanted(city="450100"))
        liuzhou = slugs(uow, Wanted(city="450200"))
    assert set(nanning) - set(liuzhou) == {
        "launch-ceremony", "community-lectures", "bagui-forum-lectures",
    }  # fmt: skip
    assert {"quiz-contest", "campus-programme", "caravan"} <= set(liuzhou)


def test_a_programme_in_a_county_belongs_to_its_city(uow_factory: UnitOfWorkFactory) -> None:
    with uow_factory.begin() as uow:
        a_campaign(uow, a_programme("fair", SEASON, place="横州市", place_code="450181"))
        assert slugs(uow, Wanted(city="450100")) == ["fair"]
        assert slugs(uow, Wanted(city="450200")) == []


@pytest.mark.parametrize(
    ("since", "until", "expected"),
    [
        (date(2020, 10, 1), None, ["campus-programme", "bagui-forum-lectures"]),
        (None, date(2020, 3, 31), []),
        (date(2021, 1, 1), None, []),
        (date(2020, 4, 21), date(2020, 4, 21), [
            "launch-ceremony", "quiz-contest", "douyin-contest", "campus-programme",
            "community-lectures", "leading-group-activities",
        ]),
        (date(2020, 12, 31), date(2020, 12, 31), ["campus-programme", "bagui-forum-lectures"]),
    ],
)  # fmt: skip
def test_a_period_keeps_what_takes_place_in_it(
    notice: UnitOfWorkFactory, since: date | None, until: date | None, expected: list[str]
) -> None:
    with notice.begin(read_only=True) as uow:
        assert slugs(uow, Wanted(since=since, until=until)) == expected


def test_filters_hold_together(notice: UnitOfWorkFactory) -> None:
    with notice.begin(read_only=True) as uow:
        assert slugs(uow, Wanted(kind=Kind.THEME, city="450200", since=date(2020, 10, 1))) == [
            "campus-programme"
        ]
        assert slugs(uow, Wanted(kind=Kind.JOINT, since=date(2020, 5, 1))) == []
        assert len(slugs(uow, Wanted(kind=Kind.JOINT, city="450200"))) == 7


def test_pages_follow_each_other_without_gap_or_repeat(notice: UnitOfWorkFactory) -> None:
    seen: list[str] = []
    after = None
    with notice.begin(read_only=True) as uow:
        for _ in range(3):
            found, after = service.list_programmes(uow, Wanted(), limit=5, after=after)
            seen += [item.slug for item in found]
        assert after is None
        assert seen == slugs(uow, Wanted())


@pytest.mark.parametrize(
    "wanted",
    [
        Wanted(city="450000"),
        Wanted(city="450103"),
        Wanted(city="x"),
        Wanted(since=date(2020, 5, 2), until=date(2020, 5, 1)),
    ],
)
def test_a_question_that_makes_no_sense_is_refused_even_before_a_campaign(
    uow_factory: UnitOfWorkFactory, wanted: Wanted
) -> None:
    with uow_factory.begin(read_only=True) as uow, pytest.raises(Invalid):
        slugs(uow, wanted)


@pytest.mark.parametrize(
    "after", ["nonsense", "WzEwMDAwMDAwMDAwMDAwMDAwMDAwMDBd", "Wy0xXQ", "WyJhIl0"]
)
def test_a_cursor_that_nobody_gave_is_refused(notice: UnitOfWorkFactory, after: str) -> None:
    with notice.begin(read_only=True) as uow, pytest.raises(Invalid):
        service.list_programmes(uow, Wanted(), limit=5, after=after)


def test_before_any_load_there_is_no_campaign_and_no_programme(
    uow_factory: UnitOfWorkFactory,
) -> None:
    with uow_factory.begin(read_only=True) as uow:
        assert slugs(uow, Wanted()) == []
        assert service.programme_by_slug(uow, "quiz-contest") is None
        with pytest.raises(NotFound):
            service.find_campaign(uow)


def test_another_slice_finds_its_programme_by_slug(notice: UnitOfWorkFactory) -> None:
    with notice.begin(read_only=True) as uow:
        quiz = service.programme_by_slug(uow, "quiz-contest")
        joint = service.programme_by_slug(uow, "caravan")
        assert service.programme_by_slug(uow, "nothing") is None
        assert service.programme_by_slug(uow, "nul\0") is None
    assert quiz is not None
    assert joint is not None
    assert (quiz.start, quiz.end) == (date(2020, 4, 1), date(2020, 9, 30))
    assert (joint.start, joint.end) == (None, None)


def test_the_newest_campaign_that_has_begun_is_the_running_one(
    uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    with uow_factory.begin() as uow:
        a_campaign(uow, slug="next", start=date(2026, 9, 1))
        a_campaign(uow, slug="first", start=date(2026, 5, 1))
    running = []
    # A Beijing day begins at 16:00 UTC of the day before.
    for at in (
        datetime(2026, 4, 30, 15, 59, tzinfo=UTC),
        datetime(2026, 8, 31, 15, 59, tzinfo=UTC),
        datetime(2026, 8, 31, 16, 0, tzinfo=UTC),
    ):
        clock.set(at)
        with uow_factory.begin(read_only=True) as uow:
            running.append(service.find_campaign(uow).slug)
    assert running == ["first", "first", "next"]
