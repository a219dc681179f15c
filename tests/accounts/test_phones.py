"""A phone number is sealed in its row, found again blindly, shown masked, and taken back."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from server.accounts import identities, phones, privacy
from server.accounts.chat import HANDLERS
from server.accounts.models import Phone
from server.base.uow import UnitOfWorkFactory
from server.wechat.errors import BadLoginCode, NotSent
from server.wechat.gateway import PhoneNumber
from tests.conftest import application_of
from tests.kit.accounts import a_citizen, a_session
from tests.kit.gateway import RecordingGateway
from tests.kit.notices import an_event

NUMBER = PhoneNumber(country="86", number="13800001234")


@pytest.mark.parametrize(
    ("whole", "shown"),
    [
        ("+8613800001234", "138****1234"),
        ("+85291234567", "+85*****4567"),
        ("+8612345678", "1******8"),
    ],
)
def test_the_middle_is_hidden(whole: str, shown: str) -> None:
    assert phones.mask_number(whole) == shown


def test_the_number_is_not_in_the_row_and_can_be_found_again(
    uow_factory: UnitOfWorkFactory,
) -> None:
    with uow_factory.begin() as uow:
        one, other = a_citizen(uow), a_citizen(uow)
        for person in (one, one, other):
            phones.keep_number(uow, person.id, NUMBER)
    with uow_factory.begin(read_only=True) as uow:
        rows = uow.session.scalars(select(Phone)).all()
        assert len(rows) == 2
        assert not any("13800001234" in f"{row.sealed}{row.blind}{row.ref}" for row in rows)
        assert rows[0].sealed != rows[1].sealed
        assert {row.blind for row in rows} == {uow.keys.blind_hash("+8613800001234", "phone")}
        assert phones.masked_of(uow, one.id) == "138****1234"
        assert privacy.export_citizen(uow, one.id)["phone"] == "+8613800001234"


def test_a_number_is_handed_over_and_forgotten(uow_factory: UnitOfWorkFactory) -> None:
    other = PhoneNumber(country="86", number="13900005678")
    with uow_factory.begin() as uow:
        keep, gone, more = (a_citizen(uow).id for _ in range(3))
        phones.keep_number(uow, gone, NUMBER)
        assert identities.merge_citizens(uow, keep, gone) == keep
        assert phones.masked_of(uow, keep) == "138****1234"
        phones.keep_number(uow, more, other)
        identities.merge_citizens(uow, keep, more)
        assert phones.masked_of(uow, keep) == "138****1234"
        privacy.erase_citizen(uow, keep)
        assert uow.session.scalar(select(func.count()).select_from(Phone)) == 0


@pytest.mark.parametrize(("taken_back", "left"), [("8", 0), ("6,20", 1)])
def test_a_withdrawn_permission_drops_the_number(
    uow_factory: UnitOfWorkFactory, taken_back: str, left: int
) -> None:
    event = "user_authorization_revoke"
    with uow_factory.begin() as uow:
        person = a_citizen(uow)
        phones.keep_number(uow, person.id, NUMBER)
    with uow_factory.begin() as uow:
        at = int(uow.now.timestamp())
        dict(HANDLERS)[event](uow, an_event(person.openid, event, at, {"RevokeInfo": taken_back}))
        assert uow.session.scalar(select(func.count()).select_from(Phone)) == left


def test_a_citizen_gives_and_takes_back_a_number(
    client: Any, app: Flask, gateway: RecordingGateway
) -> None:
    with application_of(app).uow_factory.begin() as uow:
        person = a_citizen(uow)
        phone, stranger = a_session(uow, person), a_session(uow, a_citizen(uow, consented=False))
    gateway.answers["phone_number"] = NUMBER
    answer = client.post("/me/phone", json={"code": "c" * 64}, citizen=phone)
    assert (answer.status_code, answer.get_json()) == (200, {"phone_masked": "138****1234"})
    assert gateway.called("phone_number") == [(person.openid, "c" * 64)]
    assert client.get("/me", citizen=phone).get_json()["phone_masked"] == "138****1234"
    assert client.get("/me/export", citizen=phone).get_json()["held"]["phone"] == "+8613800001234"
    assert client.patch("/me", json={"phone": None}, citizen=phone).status_code == 200
    assert client.get("/me", citizen=phone).get_json()["phone_masked"] is None
    assert client.post("/me/phone", json={"code": "c"}, citizen=stranger).status_code == 409
    assert client.post("/me/phone", json={"code": "c"}).status_code == 401


@pytest.mark.parametrize(
    ("said", "status", "code"),
    [(BadLoginCode(), 422, "invalid"), (NotSent(), 503, "wechat_away")],
)
def test_a_code_that_tells_no_number_is_refused(
    client: Any, app: Flask, gateway: RecordingGateway, said: Exception, status: int, code: str
) -> None:
    with application_of(app).uow_factory.begin() as uow:
        phone = a_session(uow, a_citizen(uow))
    gateway.answers["phone_number"] = said
    refused = client.post("/me/phone", json={"code": "c" * 64}, citizen=phone)
    assert (refused.status_code, refused.get_json()["code"]) == (status, code)
