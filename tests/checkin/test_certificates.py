"""The certificate of attendance: only for a check-in, with the check-out where it is needed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from server.activities.kinds import ActivityKind, ActivityState
from server.activities.models import Activity
from server.base.uow import UnitOfWorkFactory
from server.checkin import service
from server.checkin.kinds import ScanDirection
from server.programme.models import Participation
from server.signups import changes
from server.signups.contacts import Contact, sealed_contact
from server.signups.models import SignUp
from server.wechat.gateway import Verdict
from tests.kit.accounts import Person, a_citizen, a_session
from tests.kit.activities import Lecture, a_lecture
from tests.kit.checkin import EDITOR, give_grant, open_lecture, scan_in, seat_citizen, ticket_of
from tests.kit.clock import FakeClock
from tests.kit.gateway import RecordingGateway


@pytest.fixture
def person(uow_factory: UnitOfWorkFactory) -> Person:
    with uow_factory.begin() as uow:
        return a_citizen(uow, nickname="小韦")


@pytest.fixture
def phone(uow_factory: UnitOfWorkFactory, person: Person) -> str:
    with uow_factory.begin() as uow:
        return a_session(uow, person)


@pytest.fixture(autouse=True)
def harmless(gateway: RecordingGateway) -> None:
    gateway.answers["check_text"] = Verdict.PASS


def seat(uow_factory: UnitOfWorkFactory, person: Person, **columns: Any) -> tuple[Lecture, SignUp]:
    with uow_factory.begin() as uow:
        lecture = a_lecture(uow, seats=5, starts_in=timedelta(0), **columns)
        return lecture, seat_citizen(uow, lecture, citizen_id=person.id)


def ask(client: Any, phone: str, lecture: Lecture) -> Any:
    body = {"kind": "attendance", "source": lecture.ref}
    return client.post("/certificates", json=body, citizen=phone)


def scan(
    uow_factory: UnitOfWorkFactory, lecture: Lecture, signup: SignUp, way: ScanDirection
) -> None:
    with uow_factory.begin() as uow:
        held = give_grant(uow, lecture)
        assert scan_in(uow, held, ticket_of(uow, signup), direction=way) == "OK"


def verified(client: Any, serial: str) -> str:
    return str(client.get(f"/verify/{serial}").get_data(as_text=True))


def test_only_a_check_in_gives_the_certificate_and_it_verifies(
    client: Any, uow_factory: UnitOfWorkFactory, person: Person, phone: str
) -> None:
    lecture, signup = seat(
        uow_factory, person, speaker="覃教授", city="450100", venue="广西图书馆", title="溶洞的来历"
    )
    refused = ask(client, phone, lecture)
    assert (refused.status_code, refused.get_json()["reason"]) == (409, "no_admission")
    assert client.get("/me/certificates", citizen=phone).get_json()["available"] == []
    scan(uow_factory, lecture, signup, ScanDirection.IN)
    (offer,) = client.get("/me/certificates", citizen=phone).get_json()["available"]
    assert (offer["source"], offer["name"]) == (lecture.ref, "韦明")
    made = ask(client, phone, lecture)
    assert made.status_code == 201
    told = made.get_json()
    assert (told["heading"], told["name"]) == ("听讲证书", "韦明")
    facts = {one["label"]: one["value"] for one in told["details"]}
    assert (facts["地点"], facts["主讲人"]) == ("南宁市广西图书馆", "覃教授")
    assert ask(client, phone, lecture).get_json()["serial"] == told["serial"]
    page = verified(client, told["serial"])
    for words in ("证书有效", "韦*", "溶洞的来历", facts["时间"], facts["签到"]):
        assert words in page
    assert "韦明" not in page
    for at in (3, len(told["serial"]) - 1):
        other = "0" if told["serial"][at] != "0" else "1"
        altered = told["serial"][:at] + other + told["serial"][at + 1 :]
        assert "没有查到这个编号" in verified(client, altered)


def test_where_a_check_out_is_needed_the_certificate_waits_for_it(
    client: Any, uow_factory: UnitOfWorkFactory, person: Person, phone: str, clock: FakeClock
) -> None:
    lecture, signup = seat(uow_factory, person, checkout_needed=True)
    scan(uow_factory, lecture, signup, ScanDirection.IN)
    refused = ask(client, phone, lecture)
    assert (refused.status_code, refused.get_json()["reason"]) == (409, "no_check_out")
    clock.advance(timedelta(minutes=95).total_seconds())
    scan(uow_factory, lecture, signup, ScanDirection.OUT)
    made = ask(client, phone, lecture)
    assert made.status_code == 201
    assert {"label": "在场时间", "value": "95分钟"} in made.get_json()["details"]


def test_an_undone_check_in_takes_the_certificate_back_and_a_new_one_gives_it_again(
    client: Any, uow_factory: UnitOfWorkFactory, person: Person, phone: str, clock: FakeClock
) -> None:
    lecture, signup = seat(uow_factory, person)
    scan(uow_factory, lecture, signup, ScanDirection.IN)
    serial = ask(client, phone, lecture).get_json()["serial"]
    picture = f"/certificates/{serial}.png"
    assert client.get(picture, citizen=phone).status_code == 200
    clock.advance(60)
    with uow_factory.begin(EDITOR) as uow:
        service.undo_admission(uow, EDITOR, signup.ref, "认错了人")
    assert "暂时无效" in verified(client, serial)
    assert client.get(picture, citizen=phone).status_code == 404
    assert ask(client, phone, lecture).get_json()["reason"] == "undone"
    clock.advance(60)
    with uow_factory.begin(EDITOR) as uow:
        service.admit_by_hand(uow, EDITOR, signup.ref, "核对过了")
    assert "证书有效" in verified(client, serial)
    again = ask(client, phone, lecture)
    assert (again.status_code, again.get_json()["serial"]) == (200, serial)
    assert client.get(picture, citizen=phone).status_code == 200


def test_somebody_who_was_not_there_gets_none(
    client: Any, uow_factory: UnitOfWorkFactory, person: Person
) -> None:
    lecture, signup = seat(uow_factory, person)
    scan(uow_factory, lecture, signup, ScanDirection.IN)
    with uow_factory.begin() as uow:
        stranger = a_session(uow, a_citizen(uow))
    assert ask(client, stranger, lecture).get_json()["code"] == "certificate_not_earned"
    unknown = {"kind": "attendance", "source": "act_nothing"}
    assert client.post("/certificates", json=unknown, citizen=stranger).status_code == 404


@pytest.mark.parametrize("kind", list(ActivityKind))
def test_every_kind_of_activity_has_its_heading(
    client: Any, uow_factory: UnitOfWorkFactory, person: Person, phone: str, kind: ActivityKind
) -> None:
    lecture, signup = seat(uow_factory, person, kind=kind)
    with uow_factory.begin() as uow:
        row = uow.session.get_one(SignUp, signup.id)
        row.name = sealed_contact(uow, row.ref, Contact())["name"]
    scan(uow_factory, lecture, signup, ScanDirection.IN)
    made = ask(client, phone, lecture).get_json()
    assert made["heading"].endswith("证书")
    assert made["name"] == "小韦"


def test_the_certificate_waits_for_the_start_and_ends_with_a_cancellation(
    client: Any, uow_factory: UnitOfWorkFactory, person: Person, phone: str, clock: FakeClock
) -> None:
    with uow_factory.begin() as uow:
        lecture = open_lecture(uow)
        signup = seat_citizen(uow, lecture, citizen_id=person.id)
    scan(uow_factory, lecture, signup, ScanDirection.IN)
    early = ask(client, phone, lecture)
    assert (early.status_code, early.get_json()["reason"]) == (409, "not_begun")
    assert client.get("/me/certificates", citizen=phone).get_json()["available"] == []
    with uow_factory.begin() as uow:
        assert uow.session.scalars(select(Participation.kind)).all() == ["attended"]
        changes.cancel_activity(uow, EDITOR, lecture.ref, "停电")
        assert uow.session.scalars(select(Participation.kind)).all() == []
    clock.advance(3600)
    refused = ask(client, phone, lecture)
    assert (refused.status_code, refused.get_json()["reason"]) == (409, "cancelled")


def test_a_cancellation_withholds_a_certificate_that_was_issued(
    client: Any, uow_factory: UnitOfWorkFactory, person: Person, phone: str, clock: FakeClock
) -> None:
    lecture, signup = seat(uow_factory, person)
    scan(uow_factory, lecture, signup, ScanDirection.IN)
    serial = ask(client, phone, lecture).get_json()["serial"]
    assert "证书有效" in verified(client, serial)
    with uow_factory.begin() as uow:
        row = update(Activity).where(Activity.id == lecture.id)
        uow.session.execute(row.values(state=ActivityState.CANCELLED))
    assert "证书有效" not in verified(client, serial)
