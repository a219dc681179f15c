"""A missing unit: asked for in the mini-program, answered in the console, told in the inbox."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import quote

import pytest
from flask import Flask
from sqlalchemy import select

from server.accounts.models import Citizen
from server.base.access import Role
from server.base.jobs import TaskContext
from server.base.uow import UnitOfWorkFactory
from server.notices.models import InboxMessage
from server.unit_requests import service, tasks
from server.unit_requests.models import NameCheck, RequestState, UnitRequest, UnitRequester
from server.units.models import Unit
from server.wechat.errors import WeChatAway
from server.wechat.gateway import Verdict
from tests.conftest import application_of
from tests.kit.accounts import a_citizen, a_session
from tests.kit.boards import people
from tests.kit.client import CheckedClient
from tests.kit.clock import FakeClock
from tests.kit.console import Browser
from tests.kit.gateway import RecordingGateway
from tests.kit.organizers import an_account, logged_in
from tests.kit.units import a_unit

NAME = "青秀区新竹小学"
WANTED = {"name": NAME, "city": "450100", "county": "450103"}


@pytest.fixture
def factory(app: Flask) -> UnitOfWorkFactory:
    return application_of(app).uow_factory


@pytest.fixture
def admin(app: Flask, factory: UnitOfWorkFactory, clock: FakeClock) -> Browser:
    """The system administrator of the county."""
    with factory.begin() as uow:
        an_account(uow, "admin", role=Role.SYSTEM_ADMIN, place="county:450103")
    return logged_in(app, clock, "admin")


@pytest.fixture
def me(factory: UnitOfWorkFactory, gateway: RecordingGateway) -> dict[str, Any]:
    gateway.answers["check_text"] = Verdict.PASS
    with factory.begin() as uow:
        return {"citizen": a_session(uow, a_citizen(uow))}


def the_request(factory: UnitOfWorkFactory) -> UnitRequest:
    with factory.begin(read_only=True) as uow:
        return uow.session.scalars(select(UnitRequest)).one()


def tell(factory: UnitOfWorkFactory) -> int:
    context = TaskContext(uow_factory=factory, gateway=RecordingGateway())
    return tasks.tell_requesters(context)


def test_a_citizen_asks_the_county_creates_and_he_is_a_member(
    client: CheckedClient, admin: Browser, factory: UnitOfWorkFactory, me: dict[str, Any]
) -> None:
    sent = client.post("/me/unit-requests", json=WANTED, **me).get_json()
    assert (sent["state"], sent["place"], sent["unit_name"]) == ("waiting", "南宁市青秀区", None)
    assert "个单位等待登记" in admin.get()[1]
    page = f"/unit-requests/{sent['id']}"
    assert NAME in admin.get("/unit-requests?state=waiting")[1]
    form = {"answer": "created", "name": "新竹小学", "kind": "", "sentence": ""}
    status, shown = admin.ask("POST", page, form)
    assert (status, "请选择单位类别。" in shown) == (422, True)
    form["kind"] = "school"
    assert admin.ask("POST", page, form)[0] == 303
    assert admin.ask("POST", page, form)[0] == 409
    assert "等待登记" not in admin.get()[1]
    assert tell(factory) == 1
    assert tell(factory) == 0
    (answered,) = client.get("/me/unit-requests", **me).get_json()["items"]
    assert (answered["state"], answered["unit_name"]) == ("created", "新竹小学")
    assert client.get("/me", **me).get_json()["unit_name"] == "新竹小学"
    (letter,) = client.get("/me/inbox", **me).get_json()["items"]
    assert "已为你加入" in letter["body"]


def test_asking_twice_and_ten_people_make_one_task(
    client: CheckedClient, factory: UnitOfWorkFactory, me: dict[str, Any]
) -> None:
    first = client.post("/me/unit-requests", json=WANTED, **me).get_json()
    again = client.post("/me/unit-requests", json={**WANTED, "name": f" {NAME}。"}, **me)
    assert again.get_json()["id"] == first["id"]
    with factory.begin() as uow:
        others = people(uow, 10)
    for citizen in others:
        with factory.begin() as uow:
            wanted = service.check_wanted(uow, citizen, **WANTED)
            service.send_request(uow, citizen, wanted, NameCheck.PASSED)
    row = the_request(factory)
    with factory.begin(read_only=True) as uow:
        assert service.count_requesters(uow, row.id) == 11


def test_whoever_chose_another_unit_meanwhile_is_told_and_left_there(
    client: CheckedClient, admin: Browser, factory: UnitOfWorkFactory, me: dict[str, Any]
) -> None:
    client.post("/me/unit-requests", json=WANTED, **me)
    with factory.begin() as uow:
        known, other = a_unit(uow, name="新竹小学校", county="450103"), a_unit(uow)
    client.patch("/me", json={"unit": other.ref}, **me)
    page = f"/unit-requests/{the_request(factory).ref}"
    assert f'value="{known.ref}"' in admin.get(page)[1]
    assert admin.ask("POST", page, {"answer": "pointed", "kind": "school", "unit": "x"})[0] == 422
    form = {"answer": "pointed", "kind": "school", "unit": known.ref}
    assert admin.ask("POST", page, form)[0] == 303
    assert tell(factory) == 1
    assert client.get("/me", **me).get_json()["unit"] == other.ref
    (letter,) = client.get("/me/inbox", **me).get_json()["items"]
    assert "新竹小学校" in letter["body"]
    assert "可以重新选择" in letter["body"]


def test_a_request_is_pointed_at_any_unit_that_a_search_finds(
    client: CheckedClient, admin: Browser, factory: UnitOfWorkFactory, me: dict[str, Any]
) -> None:
    client.post("/me/unit-requests", json=WANTED, **me)
    with factory.begin() as uow:
        known = a_unit(uow, name="南宁二中", county="450103")
        elsewhere = a_unit(uow, name="柳州二中", city="450200", county="450205")
    page = f"/unit-requests/{the_request(factory).ref}"
    assert known.ref not in admin.get(page)[1]
    shown = admin.get(f"{page}?words={quote('二中')}")[1]
    assert "找到 1 个" in shown
    assert known.ref in shown
    assert elsewhere.ref not in shown
    assert re.search(r"<input[^>]*checked[^>]*value=\"pointed\"", shown)
    assert "请换个词再查" in admin.get(f"{page}?words={quote('没有的')}")[1]
    # A refused form offers the chosen unit again.
    wrong = {"answer": "pointed", "unit": known.ref, "sentence": "好" * 301, "kind": ""}
    status, again = admin.ask("POST", page, wrong)
    assert (status, known.ref in again) == (422, True)
    form = {"answer": "pointed", "unit": known.ref, "kind": ""}
    assert admin.ask("POST", page, form)[0] == 303
    listed = admin.get("/unit-requests")[1]
    assert f"“{NAME}”已经办理，结果是：名录里已有。" in listed
    assert NAME in listed
    assert tell(factory) == 1
    assert client.get("/me", **me).get_json()["unit"] == known.ref


def test_a_refusal_needs_a_sentence_which_the_citizen_reads(
    client: CheckedClient, admin: Browser, factory: UnitOfWorkFactory, me: dict[str, Any]
) -> None:
    client.post("/me/unit-requests", json=WANTED, **me)
    page = f"/unit-requests/{the_request(factory).ref}"
    form = {"answer": "refused", "kind": "school", "sentence": " "}
    status, shown = admin.ask("POST", page, form)
    assert status == 422
    assert "请写明原因" in shown
    assert admin.ask("POST", page, {**form, "sentence": "班级不单独登记。"})[0] == 303
    tell(factory)
    (answered,) = client.get("/me/unit-requests", **me).get_json()["items"]
    assert (answered["state"], answered["sentence"]) == ("refused", "班级不单独登记。")
    # The same unit can be asked for again later.
    assert client.post("/me/unit-requests", json=WANTED, **me).get_json()["state"] == "waiting"


@pytest.mark.parametrize(
    ("changed", "status", "code"),
    [
        ({"county": "450202"}, 422, "invalid"),
        ({"city": "999999", "county": None}, 422, "invalid"),
        ({"name": "\u200b\u200b"}, 422, "invalid"),
        ({"name": "第一中学"}, 409, "unit_listed"),
    ],
)
def test_what_cannot_be_asked_for_is_refused(
    client: CheckedClient, factory: UnitOfWorkFactory, me: dict[str, Any], changed: dict[str, Any],
    status: int, code: str,
) -> None:  # fmt: skip
    with factory.begin() as uow:
        a_unit(uow, name="第一中学", county="450103")
    answer = client.post("/me/unit-requests", json={**WANTED, **changed}, **me)
    assert (answer.status_code, answer.get_json()["code"]) == (status, code)


def test_the_name_passes_the_content_check_and_waits_for_people_without_one(
    client: CheckedClient, admin: Browser, factory: UnitOfWorkFactory, gateway: RecordingGateway,
    me: dict[str, Any],
) -> None:  # fmt: skip
    gateway.answers["check_text"] = Verdict.RISKY
    answer = client.post("/me/unit-requests", json=WANTED, **me)
    assert (answer.status_code, answer.get_json()["code"]) == (409, "unit_name_refused")
    gateway.answers["check_text"] = WeChatAway()
    assert client.post("/me/unit-requests", json=WANTED, **me).status_code == 200
    row = the_request(factory)
    assert row.name_check is NameCheck.UNCHECKED
    assert "还没有通过微信的内容检查" in admin.get(f"/unit-requests/{row.ref}")[1]


def test_five_requests_may_wait_at_a_time(factory: UnitOfWorkFactory) -> None:
    with factory.begin() as uow:
        (citizen,) = people(uow, 1)
    for number in range(6):
        with factory.begin() as uow:
            wanted = service.check_wanted(uow, citizen, **{**WANTED, "name": f"第{number}小学"})
            if number == 5:
                with pytest.raises(service.EnoughRequests):
                    service.send_request(uow, citizen, wanted, NameCheck.PASSED)
                return
            service.send_request(uow, citizen, wanted, NameCheck.PASSED)


@pytest.mark.race
def test_ten_people_at_the_same_instant_make_one_request(uow_factory: UnitOfWorkFactory) -> None:
    with uow_factory.begin() as uow:
        citizens = people(uow, 10)

    def send(citizen: int) -> None:
        with uow_factory.begin() as uow:
            wanted = service.check_wanted(uow, citizen, **WANTED)
            service.send_request(uow, citizen, wanted, NameCheck.PASSED)

    with ThreadPoolExecutor(10) as pool:
        list(pool.map(send, citizens))
    with uow_factory.begin(read_only=True) as uow:
        (row,) = uow.session.scalars(select(UnitRequest))
        assert row.state is RequestState.WAITING
        assert len(uow.session.scalars(select(UnitRequester)).all()) == 10
        assert uow.session.scalars(select(Unit)).all() == []
        assert uow.session.scalars(select(InboxMessage)).all() == []
        assert set(uow.session.scalars(select(Citizen.unit_id))) == {None}
