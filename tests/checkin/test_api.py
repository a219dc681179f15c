"""Check-in as the mini-program uses it: self check-in, and the scanner's page under a grant."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from server.activities.kinds import ActivityState
from server.activities.models import Activity
from server.app import Overrides, create_app
from server.base.settings import Settings
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.checkin import service
from server.signups import service as signups
from server.signups.kinds import SignUpState
from tests.conftest import application_of
from tests.kit.accounts import a_citizen, a_session
from tests.kit.activities import Lecture
from tests.kit.boards import at_most
from tests.kit.checkin import (
    EDITOR,
    add_unseated,
    check_hall,
    open_lecture,
    seat_citizen,
    ticket_of,
)
from tests.kit.client import CheckedClient
from tests.kit.clock import FakeClock
from tests.kit.signup_probes import seat_guest


@pytest.fixture
def uow_factory(app: Flask) -> UnitOfWorkFactory:
    return application_of(app).uow_factory


@dataclass
class Gate:
    """A gate of a lecture with its scanner, as the mini-program sees it."""

    client: CheckedClient
    uow_factory: UnitOfWorkFactory
    lecture: Lecture
    staff: dict[str, Any]
    grant: dict[str, Any]
    ref: str

    @property
    def path(self) -> str:
        return f"/staff/sessions/{self.lecture.ref}"

    def scan(self, *scans: dict[str, Any], **more: Any) -> list[dict[str, Any]]:
        """Send scans; the time of each is now unless it has another one."""
        with self.uow_factory.begin(read_only=True) as uow:
            now = uow.now.isoformat()
        given = [{"nonce": one["ticket"][:60] or "-", "scanned_at": now, **one} for one in scans]
        sent = self.client.post("/staff/checkins", json={"scans": given, **more}, **self.staff)
        assert sent.status_code == 200, sent.get_json()
        results: list[dict[str, Any]] = sent.get_json()["results"]
        return results


def open_gate(
    client: CheckedClient, uow_factory: UnitOfWorkFactory, lecture: Lecture, label: str = "东门"
) -> Gate:
    with uow_factory.begin() as uow:
        made = service.make_grant(uow, EDITOR, lecture.ref, label)
        staff = {"citizen": a_session(uow, a_citizen(uow))}
    answer = client.post("/staff/grants", json={"code": made.code}, **staff)
    assert answer.status_code == 201
    return Gate(client, uow_factory, lecture, staff, answer.get_json(), made.ref)


@pytest.fixture
def gate(client: CheckedClient, uow_factory: UnitOfWorkFactory) -> Iterator[Gate]:
    with uow_factory.begin() as uow:
        lecture = open_lecture(uow, seats=30)
    yield open_gate(client, uow_factory, lecture)
    with uow_factory.begin(read_only=True) as uow:
        check_hall(uow, lecture)


def codes_by_reason(uow: UnitOfWork, lecture: Lecture) -> dict[str, str]:
    """A ticket for each reason that a sign-up of this or another lecture leads to."""
    other = open_lecture(uow)
    states = {
        "CANCELLED": (SignUpState.WITHDRAWN, SignUpState.REMOVED, SignUpState.CALLED_OFF),
        "WAITLISTED": (SignUpState.WAITLISTED, SignUpState.ENTERED),
    }
    made = {"OK": ticket_of(uow, seat_citizen(uow, lecture, name="韦明"))}
    made["WRONG_SESSION"] = ticket_of(uow, seat_citizen(uow, other))
    for reason, several in states.items():
        for state in several:
            row = add_unseated(uow, lecture, state)
            made[f"{reason} {state}"] = ticket_of(uow, row)
    unknown = signups.spell_ticket(uow.keys, 2**39)
    good = made["OK"]
    made["NOT_FOUND"] = unknown
    made["BAD_SIGNATURE"] = good[:-1] + ("A" if good[-1] != "A" else "B")
    made["BAD_SIGNATURE of another text"] = "https://example.cn/票"
    made["BAD_SIGNATURE of nothing"] = ""
    return made


def test_each_scan_of_a_batch_gets_its_own_reason_and_a_bad_one_stops_no_other(
    gate: Gate,
) -> None:
    """A wrong ticket must not block the next (Hi.Events #217), nor one of another session pass
    (pretixscan-ios #34)."""
    with gate.uow_factory.begin() as uow:
        codes = codes_by_reason(uow, gate.lecture)
    wrong_first = sorted(codes, key=lambda reason: reason == "OK")
    results = gate.scan(
        *[{"nonce": f"n{at}", "ticket": codes[one]} for at, one in enumerate(wrong_first)]
    )
    assert [one["result"] for one in results] == [one.split()[0] for one in wrong_first]
    admitted = results[-1]
    assert (admitted["name"], admitted["by"], admitted["people"]) == ("韦**", "东门", 1)
    (again,) = gate.scan({"nonce": "again", "ticket": codes["OK"]})
    assert (again["result"], again["at"], again["by"]) == ("ALREADY", admitted["at"], "东门")
    (repeated,) = gate.scan({"nonce": f"n{len(wrong_first) - 1}", "ticket": codes["OK"]})
    assert repeated == admitted


@pytest.mark.parametrize(
    ("seconds", "admitted", "listed"),
    [(600, True, True), (600, False, True), (30, True, True), (30, False, False)],
)
def test_a_ticket_cancelled_after_the_roster_was_loaded_is_refused_and_listed(
    gate: Gate, clock: FakeClock, seconds: int, admitted: bool, listed: bool
) -> None:
    """The phone let the person in without network (pretix PR #3187), or asked at once."""
    with gate.uow_factory.begin() as uow:
        signup = seat_citizen(uow, gate.lecture)
        assert signup.citizen_id is not None
        code = ticket_of(uow, signup)
        scanned_at = uow.now.isoformat()
    entries = gate.client.get(f"{gate.path}/roster", **gate.staff).get_json()["entries"]
    assert [one["result"] for one in entries] == ["OK"]
    with gate.uow_factory.begin() as uow:
        signups.withdraw(uow, signup.citizen_id, gate.lecture.ref)
    clock.advance(seconds)
    scan = {"ticket": code, "scanned_at": scanned_at, "admitted": admitted}
    (answer,) = gate.scan(scan)
    assert gate.scan(scan) == [answer]
    assert (answer["result"], answer["state"]) == ("CANCELLED", "withdrawn")
    with gate.uow_factory.begin() as uow:
        found = service.list_conflicts(uow, EDITOR, gate.lecture.ref)
        assert [one.signup_id for one in found] == [signup.id] * listed


def test_a_cancelled_activity_admits_nobody_and_one_that_is_not_open_yet_says_so(
    gate: Gate, clock: FakeClock
) -> None:
    with gate.uow_factory.begin() as uow:
        code = ticket_of(uow, seat_citizen(uow, gate.lecture))
        row = uow.session.get_one(Activity, gate.lecture.id)
        day = timedelta(days=1)
        row.starts_at, row.ends_at = row.starts_at + day, row.ends_at + day
    assert gate.scan({"nonce": "1", "ticket": code})[0]["result"] == "TOO_EARLY"
    with gate.uow_factory.begin() as uow:
        uow.session.get_one(Activity, gate.lecture.id).state = ActivityState.CANCELLED
    assert gate.scan({"nonce": "2", "ticket": code})[0]["result"] == "CANCELLED"


def test_a_roster_has_every_sign_up_and_no_secret_and_a_cut_one_is_seen(gate: Gate) -> None:
    with gate.uow_factory.begin() as uow:
        codes = codes_by_reason(uow, gate.lecture)
        seat_guest(uow, gate.lecture, name="覃丽", party_size=2)
    gate.scan({"ticket": codes["OK"]})
    answer = gate.client.get(f"{gate.path}/roster", **gate.staff)
    made = answer.get_json()
    by_hash = {one["ticket"]: one for one in made["entries"]}
    assert len(by_hash) == 7
    for reason in ("OK", "CANCELLED withdrawn", "WAITLISTED waitlisted"):
        entry = by_hash[hashlib.sha256(codes[reason].encode()).hexdigest()]
        assert (entry["result"], entry["in_at"] is not None) == (reason.split()[0], reason == "OK")
    text = answer.get_data(as_text=True)
    assert not [code for code in codes.values() if code and code in text]
    assert "韦明" not in text
    assert "13800138000" not in text
    assert made["signature"] == signature_of(gate, made, made["entries"])
    assert made["signature"] != signature_of(gate, made, made["entries"][:-1])


def signature_of(gate: Gate, made: dict[str, Any], entries: list[dict[str, Any]]) -> str:
    """The signature as the OpenAPI document describes it."""
    lines = [made["session"]["id"], made["made_at"]]
    for one in entries:
        parts = (one["ticket"], one["result"], one["people"], one["in_at"] or "-", one["name"])
        lines.append(" ".join(map(str, parts)))
    key = gate.grant["roster_key"].encode()
    return hmac.new(key, "\n".join(lines).encode(), hashlib.sha256).hexdigest()


def test_a_grant_opens_its_session_alone_and_a_revoked_one_none_at_once(gate: Gate) -> None:
    with gate.uow_factory.begin() as uow:
        other = open_lecture(uow)
        somebody = {"citizen": a_session(uow, a_citizen(uow))}
    client = gate.client
    assert client.get(gate.path, **gate.staff).get_json()["counters"]["admitted"] == 0
    assert len(client.get("/staff/sessions", **gate.staff).get_json()["items"]) == 1
    for path in ("", "/roster", "/people?words=1"):
        assert client.get(f"/staff/sessions/{other.ref}{path}", **gate.staff).status_code == 404
        assert client.get(f"{gate.path}{path}", **somebody).status_code == 404
        assert client.get(f"{gate.path}{path}").status_code == 401
    scans = {"scans": [{"nonce": "1", "ticket": "x", "scanned_at": "2026-05-16T09:00:00+08:00"}]}
    assert client.post("/staff/checkins", json=scans, **somebody).status_code == 404
    assert client.post("/staff/checkins", json=scans, **gate.staff).status_code == 200
    with gate.uow_factory.begin() as uow:
        service.revoke_grant(uow, EDITOR, gate.ref)
    assert client.get("/staff/sessions", **gate.staff).get_json()["items"] == []
    for refused in (
        client.post("/staff/checkins", json=scans, **gate.staff),
        client.get(gate.path, **gate.staff),
        client.get(f"{gate.path}/roster", **gate.staff),
        client.get(f"{gate.path}/people?words=1", **gate.staff),
    ):
        assert (refused.status_code, refused.get_json()["code"]) == (403, "grant_ended")


@pytest.mark.parametrize(
    "scan",
    [
        {"nonce": ""}, {"nonce": "n" * 65}, {"direction": "up"}, {"scanned_at": "9:00"},
        {"scanned_at": "2026-05-16T09:00:00"}, {"result": "OK"}, {"ticket": None},
    ],
)  # fmt: skip
def test_a_scan_in_another_form_is_refused(gate: Gate, scan: dict[str, Any]) -> None:
    given = {"nonce": "1", "ticket": "x", "scanned_at": "2026-05-16T09:00:00+08:00", **scan}
    for scans in ([given], [], [given] * 201):
        sent = gate.client.post("/staff/checkins", json={"scans": scans}, **gate.staff)
        assert sent.status_code == 422


def test_somebody_without_a_ticket_is_found_admitted_and_taken_back(gate: Gate) -> None:
    with gate.uow_factory.begin() as uow:
        row = seat_guest(uow, gate.lecture, name="覃丽", party_size=2, group_label="初二（3）班")
    client, path = gate.client, gate.path
    for words in ("8000", "13800138000", "丽", "初二"):
        (found,) = client.get(f"{path}/people?words={words}", **gate.staff).get_json()["items"]
        assert (found["id"], found["name"], found["phone_tail"]) == (row.ref, "覃**", "8000")
        assert (found["result"], found["came_at"], found["inside"]) == ("OK", None, False)
    for words in ("8001", "韦", "覃**"):
        assert client.get(f"{path}/people?words={words}", **gate.staff).get_json()["items"] == []
    body = {"person": row.ref, "reason": "手机没电"}
    made = client.post(f"{path}/admissions", json=body, **gate.staff)
    assert (made.status_code, made.get_json()["counters"]["inside"]) == (201, 2)
    refused = client.post(f"{path}/admissions", json=body, **gate.staff)
    assert (refused.status_code, refused.get_json()["code"]) == (409, "already_admitted")
    (found,) = client.get(f"{path}/people?words=8000", **gate.staff).get_json()["items"]
    assert found["inside"]
    leave = {"person": row.ref}
    assert client.post(f"{path}/departures", json=leave, **gate.staff).status_code == 204
    assert client.post(f"{path}/departures", json=leave, **gate.staff).status_code == 409
    for status in (204, 409):
        undone = client.post(f"{path}/admissions/undo", json=body, **gate.staff)
        assert undone.status_code == status
    assert client.get(path, **gate.staff).get_json()["counters"]["admitted"] == 0
    unknown = {"person": "sgn_x", "reason": "核对"}
    assert client.post(f"{path}/admissions", json=unknown, **gate.staff).status_code == 404


def test_a_walk_in_is_admitted_while_there_is_room(gate: Gate) -> None:
    path = f"{gate.path}/walk-ins"
    made = gate.client.post(path, json={"party_size": 29, "name": "\u202e黄强"}, **gate.staff)
    assert (made.status_code, made.get_json()["name"]) == (201, "黄**")
    assert made.get_json()["counters"] == {
        "admitted": 29, "inside": 29, "walk_ins": 29, "expected": 29
    }  # fmt: skip
    full = gate.client.post(path, json={"party_size": 2}, **gate.staff)
    assert (full.status_code, full.get_json()["code"]) == (409, "hall_full")
    wrong = gate.client.post(path, json={"phone": "123"}, **gate.staff)
    assert wrong.status_code == 422
    key = {"Idempotency-Key": "one-tap"}
    twice = [gate.client.post(path, json={}, headers=key, **gate.staff) for _ in range(2)]
    assert [one.status_code for one in twice] == [201, 201]
    assert twice[0].get_json() == twice[1].get_json()


def test_a_citizen_checks_in_with_the_venue_s_code(gate: Gate, clock: FakeClock) -> None:
    client = gate.client
    with gate.uow_factory.begin() as uow:
        seated, waiting = a_citizen(uow), a_citizen(uow)
        seat_citizen(uow, gate.lecture, citizen_id=seated.id, party_size=2)
        add_unseated(uow, gate.lecture, SignUpState.ENTERED, citizen_id=waiting.id)
        me, waiter = ({"citizen": a_session(uow, one)} for one in (seated, waiting))
        somebody = {"citizen": a_session(uow, a_citizen(uow))}
        code = service.venue_code_at(uow.keys, gate.lecture.id, uow.now)
    for result in ("ok", "already"):
        answer = client.post("/checkins", json={"code": code}, **me)
        assert (answer.status_code, answer.get_json()["result"]) == (200, result)
        assert answer.get_json()["people"] == 2
    shown = client.get(f"/activities/{gate.lecture.ref}", **me).get_json()
    assert shown["me"]["checked_in"]
    kept = client.delete(f"/activities/{gate.lecture.ref}/signup", **me)
    assert (kept.status_code, kept.get_json()["code"]) == (409, "already_checked_in")
    for who, reason in ((waiter, "waitlisted"), (somebody, "not_signed_up")):
        answer = client.post("/checkins", json={"code": code}, **who)
        assert (answer.status_code, answer.get_json()["code"]) == (409, reason)
    clock.advance(31)
    for late in (code, ticket_of_guest(gate), "", "V1"):
        answer = client.post("/checkins", json={"code": late}, **me)
        assert (answer.status_code, answer.get_json()["code"]) == (409, "code_expired")


def ticket_of_guest(gate: Gate) -> str:
    with gate.uow_factory.begin() as uow:
        return ticket_of(uow, seat_guest(uow, gate.lecture))


def test_a_scan_takes_few_statements_and_more_scans_take_few_more(gate: Gate) -> None:
    with gate.uow_factory.begin() as uow:
        codes = [ticket_of(uow, seat_citizen(uow, gate.lecture)) for _ in range(12)]
    gate.scan({"ticket": codes[0]})
    with at_most(gate.uow_factory, 12) as one:
        gate.scan({"ticket": codes[1]})
    with at_most(gate.uow_factory, 40) as ten:
        results = gate.scan(*[{"nonce": code, "ticket": code} for code in codes[2:]])
    assert [answer["result"] for answer in results] == ["OK"] * 10
    # Each has a scan, an attendance and a participation of its own; a batch holds the activity.
    assert len(ten) - len(one) == 1 + 3 * 9
    with at_most(gate.uow_factory, 10):
        assert gate.scan(*[{"nonce": code, "ticket": code} for code in codes[2:]]) == results


@contextmanager
def opened_client(settings: Settings, overrides: Overrides) -> Iterator[CheckedClient]:
    """A client of an application of its own, whose connections are closed afterwards."""
    app = create_app(settings, overrides)
    yield CheckedClient(app)
    application_of(app).uow_factory.engine.dispose()


def test_guessing_codes_is_throttled_for_the_guesser_alone(
    with_limits: Settings, overrides: Overrides
) -> None:
    """Half of thirty a minute come at once; a right code is not counted."""
    with opened_client(with_limits, overrides) as client:
        guess_codes(client)


def guess_codes(client: CheckedClient) -> None:
    factory = application_of(client.app).uow_factory
    with factory.begin() as uow:
        lecture = open_lecture(uow)
        guesser, other = ({"citizen": a_session(uow, a_citizen(uow))} for _ in range(2))
    for path, refusal in (("/staff/grants", 404), ("/checkins", 409)):
        codes = [client.post(path, json={"code": f"G1{at}"}, **guesser).status_code
                 for at in range(20)]  # fmt: skip
        assert codes == [refusal if path == "/staff/grants" and at < 15 else 429
                         for at in range(20)]  # fmt: skip
    with factory.begin() as uow:
        made = service.make_grant(uow, EDITOR, lecture.ref, "东门")
    assert client.post("/staff/grants", json={"code": made.code}, **guesser).status_code == 429
    for _ in range(20):
        assert client.post("/staff/grants", json={"code": made.code}, **other).status_code == 201
    assert client.post("/checkins", json={"code": "V1"}, **other).status_code == 409


def test_a_gate_works_without_wechat_and_without_redis(
    settings: Settings, overrides: Overrides
) -> None:
    """The recorder of WeChat's gateway refuses every call, and nothing listens at Redis."""
    away = replace(settings, redis_url="redis://127.0.0.1:9/0")
    with opened_client(away, overrides) as client:
        pass_gate(client)


def pass_gate(client: CheckedClient) -> None:
    factory = application_of(client.app).uow_factory
    with factory.begin() as uow:
        lecture = open_lecture(uow)
        me = a_citizen(uow)
        seat_citizen(uow, lecture, citizen_id=me.id)
        guest = ticket_of(uow, seat_guest(uow, lecture))
        own = {"citizen": a_session(uow, me)}
        venue = service.venue_code_at(uow.keys, lecture.id, uow.now)
    gate = open_gate(client, factory, lecture)
    assert client.post("/checkins", json={"code": venue}, **own).status_code == 200
    assert gate.scan({"ticket": guest})[0]["result"] == "OK"
    assert client.get(f"{gate.path}/roster", **gate.staff).status_code == 200
    assert client.post("/checkins", json={"code": "V1"}, **own).status_code == 409
    with factory.begin() as uow:
        assert check_hall(uow, lecture).admitted == 2
