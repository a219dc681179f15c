"""Calendar files: stable UIDs, growing SEQUENCE, right hours in any zone, and feeds by key."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.signups import changes, service
from server.signups.calendar_file import CalendarEvent, fold_line, write_calendar
from server.signups.models import CalendarFeed
from tests.conftest import application_of
from tests.kit.accounts import a_citizen, a_session
from tests.kit.activities import Lecture, a_lecture
from tests.kit.client import CheckedClient
from tests.kit.console import PEOPLE
from tests.signups.test_changes import to_start

# Three in the afternoon in Beijing.
START = datetime(2026, 5, 3, 7, tzinfo=UTC)


@pytest.fixture
def uow_factory(app: Flask) -> UnitOfWorkFactory:
    return application_of(app).uow_factory


class Caller:
    """A citizen with a token."""

    def __init__(self, uow: UnitOfWork) -> None:
        person = a_citizen(uow)
        self.id, self.token = person.id, a_session(uow, person)


@pytest.fixture
def me(uow_factory: UnitOfWorkFactory) -> Caller:
    with uow_factory.begin() as uow:
        return Caller(uow)


def read_events(content: bytes) -> list[dict[str, str]]:
    """The events of a file, read by the rules of RFC 5545: unfold, split, unescape."""
    assert content.endswith(b"\r\n")
    lines = content.removesuffix(b"\r\n").split(b"\r\n")
    assert all(len(line) <= 75 and b"\n" not in line for line in lines)
    for line in lines:
        line.decode()  # a character is never split
    whole = content.replace(b"\r\n ", b"").decode().removesuffix("\r\n").split("\r\n")
    assert (whole[0], whole[1], whole[-1]) == ("BEGIN:VCALENDAR", "VERSION:2.0", "END:VCALENDAR")
    events: list[dict[str, str]] = []
    for line in whole:
        name, _, value = line.partition(":")
        if line == "BEGIN:VEVENT":
            events.append({})
        elif events:
            events[-1][name] = re.sub(r"\\(.)", lambda m: "\n" if m[1] == "n" else m[1], value)
    return events


def sign_up(uow_factory: UnitOfWorkFactory, citizen: int, **columns: Any) -> Lecture:
    with uow_factory.begin() as uow:
        lecture = a_lecture(uow, **{"starts_at": START, **columns})
    with uow_factory.begin() as uow:
        service.sign_up(uow, citizen, lecture.ref, service.Wish())
    return lecture


def test_one_activity_is_a_calendar_file_before_login(
    client: CheckedClient, uow_factory: UnitOfWorkFactory
) -> None:
    with uow_factory.begin() as uow:
        lecture = a_lecture(
            uow, starts_at=START, title="水, 气; 土\\与生命", venue="报告厅",
            address="民族大道61号", speaker="黄小明", notes="第一行\n第二行", revision=3,
        )  # fmt: skip
    answer = client.get(f"/activities/{lecture.ref}.ics")
    assert answer.headers["Content-Type"] == "text/calendar"
    (found,) = read_events(answer.data)
    assert found["UID"] == f"{lecture.ref}@bagui-kepu"
    assert (found["SEQUENCE"], found["STATUS"]) == ("3", "CONFIRMED")
    assert found["SUMMARY"] == "水, 气; 土\\与生命"
    assert found["LOCATION"] == "报告厅（民族大道61号）"
    assert found["DESCRIPTION"] == "主讲人：黄小明\n第一行\n第二行"
    assert (found["DTSTART"], found["DTEND"]) == ("20260503T070000Z", "20260503T090000Z")
    assert client.get("/activities/act_none.ics").status_code == 404


def test_a_feed_learns_of_changes_and_of_the_cancellation(
    client: CheckedClient, uow_factory: UnitOfWorkFactory, me: Caller
) -> None:
    lecture = sign_up(uow_factory, me.id)
    sign_up(uow_factory, me.id, starts_at=START + timedelta(days=1))
    full = sign_up(uow_factory, me.id, starts_at=START + timedelta(days=2))
    with uow_factory.begin() as uow:
        service.withdraw(uow, me.id, full.ref)
        other = Caller(uow)
    path = client.post("/me/calendar", citizen=me.token).get_json()["path"].removeprefix("/api/v1")

    def told() -> list[tuple[str, str, str]]:
        events = read_events(client.get(path).data)
        return [(one["UID"], one["SEQUENCE"], one["STATUS"]) for one in events]

    uid = f"{lecture.ref}@bagui-kepu"
    assert told()[0] == (uid, "0", "CONFIRMED")
    assert len(told()) == 2
    editor = PEOPLE["editor-region"]
    with uow_factory.begin() as uow:
        changes.move_activity(uow, editor, lecture.ref, to_start(START - timedelta(hours=1)))
    assert told()[0] == (uid, "1", "CONFIRMED")
    with uow_factory.begin() as uow:
        changes.postpone_activity(uow, editor, lecture.ref, "台风")
    assert told()[0] == (uid, "2", "TENTATIVE")
    with uow_factory.begin() as uow:
        changes.cancel_activity(uow, editor, lecture.ref, "台风")
    assert told()[0] == (uid, "3", "CANCELLED")
    (first, *_) = read_events(client.get(path).data)
    assert first["SUMMARY"].startswith("（已取消）")
    empty = client.post("/me/calendar", citizen=other.token).get_json()["path"]
    assert read_events(client.get(empty.removeprefix("/api/v1")).data) == []


def test_the_key_of_a_feed_is_the_same_until_it_is_withdrawn(
    client: CheckedClient, uow_factory: UnitOfWorkFactory, me: Caller
) -> None:
    first, again = (
        client.post("/me/calendar", citizen=me.token).get_json()["path"] for _ in range(2)
    )
    assert first == again
    opened = first.removeprefix("/api/v1")
    assert client.get(opened).status_code == 200
    forged = f"{opened[:-1]}{'0' if opened[-1] != '0' else '1'}"
    for wrong in (forged, "/me/calendar.ics?key=", "/me/calendar.ics?key=é.é"):
        assert client.get(wrong).status_code == 404
    assert client.get("/me/calendar.ics").status_code == 422
    for _ in range(2):
        assert client.delete("/me/calendar", citizen=me.token).status_code == 204
    assert client.get(opened).status_code == 404
    renewed = client.post("/me/calendar", citizen=me.token).get_json()["path"]
    assert renewed != first
    assert client.get(renewed.removeprefix("/api/v1")).status_code == 200
    with uow_factory.begin(read_only=True) as uow:
        assert len(uow.session.scalars(select(CalendarFeed.id)).all()) == 1


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=300))
def test_every_text_comes_back_from_a_folded_file(words: str) -> None:
    event = CalendarEvent(
        uid="a", sequence=0, status="CONFIRMED", changed_at=START, starts_at=START, ends_at=START,
        title=words, place=words, description=f"{words}\n{words}",
    )  # fmt: skip
    (found,) = read_events(write_calendar(words, [event]))
    assert (found["SUMMARY"], found["LOCATION"]) == (words, words)
    assert found["DESCRIPTION"] == f"{words}\n{words}"


def test_a_line_is_folded_by_octets_and_not_inside_a_character() -> None:
    assert fold_line("a" * 75) == b"a" * 75 + b"\r\n"
    assert fold_line("a" * 76) == b"a" * 75 + b"\r\n a\r\n"
    assert fold_line("a" * 74 + "水") == b"a" * 74 + b"\r\n " + "水".encode() + b"\r\n"
