"""The projector page: its address is its key, its code changes, its count is the hall's."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
import segno
from flask import Flask

from server.activities.kinds import ActivityState
from server.activities.models import Activity
from server.base.uow import UnitOfWorkFactory
from server.checkin.codes import VENUE_SECONDS, read_venue_code, venue_code_at
from server.checkin.screen_api import SCREEN_API
from server.checkin.screen_pages import PAGES
from tests.kit.activities import Lecture
from tests.kit.checkin_probes import admit_row, open_hall
from tests.kit.clock import FakeClock
from tests.kit.console import NANNING, Browser, console_app
from tests.kit.edge import edge_client
from tests.kit.gateway import RecordingGateway
from tests.kit.signup_probes import seat_guest


@pytest.fixture
def lecture(uow_factory: UnitOfWorkFactory) -> Lecture:
    with uow_factory.begin() as uow:
        return open_hall(uow, NANNING, title="溶洞", speaker="覃教授", speaker_post="广西大学")


@pytest.fixture
def app(uow_factory: UnitOfWorkFactory) -> Flask:
    return console_app(uow_factory, PAGES)[0]


@pytest.fixture
def feed(
    uow_factory: UnitOfWorkFactory, gateway: RecordingGateway
) -> Callable[[str], tuple[int, Any]]:
    """Asks what a projector page asks for; status and answer."""
    client = edge_client(uow_factory, gateway, SCREEN_API)

    def ask(code: str) -> tuple[int, Any]:
        answer = client.get(f"/screens/{code}")
        return answer.status_code, answer.get_json()

    return ask


def make_address(app: Flask, lecture: Lecture) -> str:
    """The key of a new address."""
    editor, path = Browser(app, "editor-city"), f"/activities/{lecture.ref}/screen"
    assert editor.ask("POST", path, {})[0] == 303
    (code,) = set(re.findall(r"/console/screens/([A-Z2-7-]+)", editor.get(path)[1]))
    assert re.fullmatch(r"([A-Z2-7]{4}-){3}[A-Z2-7]{4}", code)
    return code


def test_the_page_needs_no_session_and_shows_what_the_audience_may_see(
    app: Flask, uow_factory: UnitOfWorkFactory, lecture: Lecture
) -> None:
    code = make_address(app, lecture)
    visitor = Browser(app)
    answer = visitor.open("GET", f"/screens/{code}", {})
    assert answer.status_code == 200
    assert "Set-Cookie" not in answer.headers
    assert "no-store" in answer.headers["Cache-Control"]
    shown = answer.get_data().decode()
    assert "溶洞" in shown
    assert "主讲人：覃教授 广西大学" in shown
    assert set(re.findall(r'href="(/console[^"]*)"', shown)) == set(
        re.findall(r'href="(/console/assets/screen[^"]*)"', shown)
    )
    assert visitor.get(f"/activities/{lecture.ref}/checkin")[0] in (401, 404)


def test_the_code_is_the_venues_and_changes_with_every_window(
    app: Flask,
    uow_factory: UnitOfWorkFactory,
    lecture: Lecture,
    feed: Callable[[str], tuple[int, Any]],
    clock: FakeClock,
) -> None:
    code = make_address(app, lecture)
    pictures = []
    for _ in range(3):
        status, told = feed(code)
        assert status == 200
        assert told["state"] == "open"
        with uow_factory.begin(read_only=True) as uow:
            venue = venue_code_at(uow.keys, lecture.id, uow.now)
            assert read_venue_code(uow.keys, venue, uow.now) == lecture.id
        picture = segno.make(venue, error="m", micro=False).svg_data_uri(scale=10, border=2)
        assert told["code"] == picture
        assert 0 < told["next_ms"] <= VENUE_SECONDS * 1000
        assert told["code_ms"] == told["next_ms"] + VENUE_SECONDS * 1000
        pictures.append(picture)
        clock.advance(VENUE_SECONDS)
    assert len(set(pictures)) == 3


def test_the_count_speaks_of_people(
    app: Flask,
    uow_factory: UnitOfWorkFactory,
    lecture: Lecture,
    feed: Callable[[str], tuple[int, Any]],
) -> None:
    code = make_address(app, lecture)
    with uow_factory.begin() as uow:
        seat_guest(uow, lecture, "覃丽")
        admit_row(uow, seat_guest(uow, lecture, "韦明", party_size=3))
    told = feed(code)[1]
    assert (told["admitted"], told["expected"]) == (3, 4)


@pytest.mark.parametrize(
    ("state", "minutes", "shown"),
    [
        (ActivityState.PUBLISHED, -120, "before"),
        (ActivityState.PUBLISHED, 0, "open"),
        (ActivityState.PUBLISHED, 150, "over"),
        (ActivityState.CLOSED, 150, "over"),
        (ActivityState.POSTPONED, 0, "off"),
        (ActivityState.CANCELLED, 0, "off"),
    ],
)
def test_without_a_check_in_there_is_no_code(
    app: Flask,
    uow_factory: UnitOfWorkFactory,
    lecture: Lecture,
    feed: Callable[[str], tuple[int, Any]],
    clock: FakeClock,
    state: ActivityState,
    minutes: int,
    shown: str,
) -> None:
    code = make_address(app, lecture)
    with uow_factory.begin() as uow:
        uow.session.get_one(Activity, lecture.id).state = state
    clock.advance(minutes * 60)
    status, told = feed(code)
    assert status == 200
    assert told["state"] == shown
    assert (told["code"] is not None) is (shown == "open")
    assert told["opens"] == "11:30"


def test_the_day_before_the_page_says_the_day(
    app: Flask,
    lecture: Lecture,
    feed: Callable[[str], tuple[int, Any]],
    clock: FakeClock,
) -> None:
    code = make_address(app, lecture)
    clock.advance(-24 * 3600)
    told = feed(code)[1]
    assert (told["state"], told["opens"]) == ("before", "5月1日 11:30")


def test_an_address_ends_with_the_day_with_a_new_one_and_with_another_date(
    app: Flask,
    uow_factory: UnitOfWorkFactory,
    lecture: Lecture,
    feed: Callable[[str], tuple[int, Any]],
    clock: FakeClock,
) -> None:
    old = make_address(app, lecture)
    new = make_address(app, lecture)
    assert old != new
    assert feed(old)[0] == 404
    assert feed(new.lower())[0] == 200
    status, shown = Browser(app).get(f"/screens/{old}")
    assert status == 404
    assert "已经停用" in shown
    clock.advance(11 * 3600)
    assert feed(new)[0] == 200
    clock.advance(2 * 3600)
    assert feed(new)[0] == 404
    with uow_factory.begin() as uow:
        row = uow.session.get_one(Activity, lecture.id)
        row.starts_at, row.ends_at = uow.now, uow.now + (row.ends_at - row.starts_at)
    assert feed(new)[0] == 404


def test_only_who_may_admit_people_is_given_the_address(app: Flask, lecture: Lecture) -> None:
    path = f"/activities/{lecture.ref}/screen"
    assert Browser(app, "approver-city").get(path)[0] == 403
    assert Browser(app, "editor-county").get(path)[0] == 404
    assert Browser(app).get("/screens/AAAA-AAAA-AAAA-AAAA")[0] == 404


@pytest.mark.parametrize("code", ["x", "AAAA", "../../admin", "%00", "a" * 3000, "签到"])
def test_any_other_text_is_no_address(
    app: Flask, lecture: Lecture, feed: Callable[[str], tuple[int, Any]], code: str
) -> None:
    make_address(app, lecture)
    assert feed(code)[0] == 404
    assert Browser(app).get(f"/screens/{code}")[0] == 404


def test_two_activities_have_their_own_addresses_codes_and_counts(
    app: Flask,
    uow_factory: UnitOfWorkFactory,
    lecture: Lecture,
    feed: Callable[[str], tuple[int, Any]],
) -> None:
    with uow_factory.begin() as uow:
        other = open_hall(uow, NANNING, title="星空", speaker="")
        admit_row(uow, seat_guest(uow, other, "韦明"))
    told = [feed(make_address(app, one))[1] for one in (lecture, other)]
    assert [one["title"] for one in told] == ["溶洞", "星空"]
    assert [one["speaker"] for one in told] == ["主讲人：覃教授 广西大学", ""]
    assert [one["admitted"] for one in told] == [0, 1]
    assert told[0]["code"] != told[1]["code"]
