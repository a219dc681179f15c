"""Batches of scans and rosters of large halls, as the mini-program sends and loads them."""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from server.app import open_application
from server.base.settings_reader import load_settings
from server.base.uow import UnitOfWorkFactory
from server.checkin import service
from server.checkin.schemas import MOST_SCANS
from server.cli.main import main
from server.signups.kinds import SignUpState
from tests.conftest import application_of
from tests.kit.accounts import a_citizen, a_session
from tests.kit.activities import Lecture
from tests.kit.checkin import (
    EDITOR,
    add_unseated,
    admissions_of,
    check_hall,
    open_lecture,
    scans_of,
    seat_citizen,
    ticket_of,
)
from tests.kit.client import CheckedClient
from tests.kit.clock import FakeClock
from tests.kit.databases import place_migrated
from tests.kit.signup_probes import seat_guest


@pytest.fixture
def uow_factory(app: Flask) -> UnitOfWorkFactory:
    return application_of(app).uow_factory


def hold_grant(
    client: CheckedClient,
    uow_factory: UnitOfWorkFactory,
    lecture: Lecture,
    staff: dict[str, Any] | None = None,
    label: str = "东门",
) -> dict[str, Any]:
    """The token of a citizen who has redeemed a grant for a lecture."""
    with uow_factory.begin() as uow:
        made = service.make_grant(uow, EDITOR, lecture.ref, label)
        holder = staff or {"citizen": a_session(uow, a_citizen(uow))}
    assert client.post("/staff/grants", json={"code": made.code}, **holder).status_code == 201
    return holder


def sent_results(
    client: CheckedClient, staff: dict[str, Any], scans: list[dict[str, Any]], **more: Any
) -> list[str]:
    answer = client.post("/staff/checkins", json={"scans": scans, **more}, **staff)
    assert answer.status_code == 200, answer.get_json()
    return [one["result"] for one in answer.get_json()["results"]]


def scan_of(code: str, at: datetime, nonce: str = "", **more: Any) -> dict[str, Any]:
    return {"nonce": nonce or code, "ticket": code, "scanned_at": at.isoformat(), **more}


def test_a_full_batch_is_taken_and_tells_the_people_of_the_hall(
    client: CheckedClient, uow_factory: UnitOfWorkFactory
) -> None:
    with uow_factory.begin() as uow:
        lecture = open_lecture(uow, seats=2 * MOST_SCANS)
        codes = [ticket_of(uow, seat_guest(uow, lecture, party_size=2)) for _ in range(MOST_SCANS)]
        now = uow.now
    staff = hold_grant(client, uow_factory, lecture)
    scans = [scan_of(code, now) for code in codes]
    answer = client.post("/staff/checkins", json={"scans": scans}, **staff).get_json()
    assert Counter(one["result"] for one in answer["results"]) == {"OK": MOST_SCANS}
    assert (answer["admitted"], answer["inside"]) == (2 * MOST_SCANS, 2 * MOST_SCANS)
    again = client.post("/staff/checkins", json={"scans": scans}, **staff).get_json()
    assert again == answer
    out = [scan_of(code, now, f"out-{code}", direction="out") for code in codes[:5]]
    assert sent_results(client, staff, out) == ["OK"] * 5
    with uow_factory.begin() as uow:
        hall = check_hall(uow, lecture)
        assert (hall.admitted, hall.inside) == (2 * MOST_SCANS, 2 * MOST_SCANS - 10)


def test_one_nonce_twice_in_a_batch_has_one_answer(
    client: CheckedClient, uow_factory: UnitOfWorkFactory
) -> None:
    with uow_factory.begin() as uow:
        lecture = open_lecture(uow)
        code, other = (ticket_of(uow, seat_guest(uow, lecture)) for _ in range(2))
        now = uow.now
    staff = hold_grant(client, uow_factory, lecture)
    # The second has another ticket by mistake, and gets the answer of the first.
    twice = [scan_of(code, now, "one"), scan_of(other, now, "one"), scan_of(code, now, "two")]
    assert sent_results(client, staff, twice) == ["OK", "OK", "ALREADY"]
    assert sent_results(client, staff, [scan_of(other, now, "three")]) == ["OK"]
    with uow_factory.begin() as uow:
        assert len(scans_of(uow, lecture)) == 3
        assert check_hall(uow, lecture).admitted == 2


@pytest.mark.parametrize("hours", [-23, -6, 0, 6, 23])
def test_a_wrong_clock_of_a_device_changes_no_result(
    client: CheckedClient, uow_factory: UnitOfWorkFactory, clock: FakeClock, hours: int
) -> None:
    with uow_factory.begin() as uow:
        lecture = open_lecture(uow)
        code = ticket_of(uow, seat_citizen(uow, lecture))
        begun = uow.now
    staff = hold_grant(client, uow_factory, lecture)
    clock.advance(3600)
    off = timedelta(hours=hours)
    saved = [
        scan_of(code, begun + off + timedelta(minutes=minute), f"{minute}", direction=direction)
        for minute, direction in ((10, "in"), (20, "out"), (30, "in"), (45, "out"))
    ]
    sent_at = (begun + off + timedelta(hours=1)).isoformat()
    assert sent_results(client, staff, saved, sent_at=sent_at) == ["OK"] * 4
    with uow_factory.begin() as uow:
        (row,) = admissions_of(uow, lecture)
        assert row.first_in_at == begun + timedelta(minutes=10)
        assert row.device_at == begun + off + timedelta(minutes=10)
        assert row.stayed_seconds == 25 * 60
        assert {one.arrived_at for one in scans_of(uow, lecture)} == {uow.now}


@pytest.mark.parametrize("hours", [-23, -6, 0, 6, 23, 400])
def test_a_wrong_clock_without_a_time_of_sending_changes_no_result_either(
    client: CheckedClient, uow_factory: UnitOfWorkFactory, hours: int
) -> None:
    with uow_factory.begin() as uow:
        lecture = open_lecture(uow)
        code = ticket_of(uow, seat_citizen(uow, lecture))
        at = uow.now + timedelta(hours=hours)
    staff = hold_grant(client, uow_factory, lecture)
    wanted = [("in", "OK"), ("in", "ALREADY"), ("out", "OK"), ("out", "ALREADY"), ("in", "OK")]
    for number, (direction, result) in enumerate(wanted):
        scan = scan_of(code, at + timedelta(seconds=number), f"{number}", direction=direction)
        assert sent_results(client, staff, [scan]) == [result]
    with uow_factory.begin() as uow:
        assert check_hall(uow, lecture).inside == 1


def test_a_scanner_of_two_sessions_names_the_one_it_scans_for(
    client: CheckedClient, uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    with uow_factory.begin() as uow:
        first, second = open_lecture(uow), open_lecture(uow)
        codes = [ticket_of(uow, seat_guest(uow, one)) for one in (first, second)]
        now = uow.now
    staff = hold_grant(client, uow_factory, first)
    clock.advance(1)
    hold_grant(client, uow_factory, second, staff, "西门")
    listed = client.get("/staff/sessions", **staff).get_json()["items"]
    assert [one["session"]["id"] for one in listed] == [second.ref, first.ref]
    scans = [scan_of(code, now) for code in codes]
    assert sent_results(client, staff, scans) == ["WRONG_SESSION", "OK"]
    named = [{**one, "nonce": f"{one['nonce']}-2"} for one in scans]
    assert sent_results(client, staff, named, session=first.ref) == ["OK", "WRONG_SESSION"]
    with uow_factory.begin() as uow:
        ended = service.list_grants(uow, EDITOR, second.ref)[0].row.ref
        service.revoke_grant(uow, EDITOR, ended)
    # The last redeemed one has ended; the other one is still valid by its name.
    body = {"scans": [scan_of(codes[0], now, "3")]}
    assert client.post("/staff/checkins", json=body, **staff).status_code == 403
    assert sent_results(client, staff, body["scans"], session=first.ref) == ["ALREADY"]
    unknown = client.post("/staff/checkins", json={**body, "session": "act_x"}, **staff)
    assert unknown.status_code == 404


def test_a_roster_and_a_search_reach_people_beyond_the_first_part(
    client: CheckedClient, uow_factory: UnitOfWorkFactory
) -> None:
    count = 620
    with uow_factory.begin() as uow:
        lecture = open_lecture(uow, seats=count)
        citizen = a_citizen(uow).id
        for _ in range(count - 1):
            add_unseated(uow, lecture, SignUpState.REMOVED, citizen_id=citizen)
        last = seat_guest(uow, lecture, name="闭思远", phone_tail="0042")
    staff = hold_grant(client, uow_factory, lecture)
    path = f"/staff/sessions/{lecture.ref}"
    entries = client.get(f"{path}/roster", **staff).get_json()["entries"]
    assert len({one["ticket"] for one in entries}) == count
    assert Counter(one["result"] for one in entries) == {"CANCELLED": count - 1, "OK": 1}
    for words in ("思远", "0042"):
        (found,) = client.get(f"{path}/people?words={words}", **staff).get_json()["items"]
        assert (found["id"], found["name"]) == (last.ref, "闭**")


def test_a_search_lists_twenty_people_and_needs_words(
    client: CheckedClient, uow_factory: UnitOfWorkFactory
) -> None:
    with uow_factory.begin() as uow:
        lecture = open_lecture(uow, seats=30)
        for _ in range(25):
            seat_guest(uow, lecture)
    staff = hold_grant(client, uow_factory, lecture)
    path = f"/staff/sessions/{lecture.ref}/people"
    for words, count in (("韦", 20), ("", 0), ("   ", 0), ("%", 0), ("8000", 20), ("800", 0)):
        items = client.get(path, query_string={"words": words}, **staff).get_json()["items"]
        assert len(items) == count, words
    assert client.get(path, query_string={"words": "字" * 31}, **staff).status_code == 422


def test_the_commands_print_codes_as_json(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KEPU_VAR", str(tmp_path))
    monkeypatch.setenv("KEPU_REDIS_URL", f"fake:{tmp_path.name}")
    monkeypatch.setattr("server.cli.main.set_up_logging", lambda *_: None)
    place_migrated(tmp_path)
    factory = open_application(load_settings()).uow_factory
    with factory.begin() as uow:
        lecture = open_lecture(uow)
    for command, first in (("grant-scanner", "G1"), ("venue-code", "V1")):
        assert main([command, lecture.ref]) == 0
        printed = json.loads(capsys.readouterr().out)
        assert list(printed) == ["code"]
        assert printed["code"].startswith(first)
        assert main([command, "act_unknown"]) == 1
        assert "not_found" in capsys.readouterr().err
    with pytest.raises(SystemExit) as refused:
        main(["grant-scanner", lecture.ref, "--gate", "门" * 21])
    assert refused.value.code == 2
    factory.engine.dispose()
