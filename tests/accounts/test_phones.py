"""A phone number is sealed in its row, found again blindly, shown masked, and taken back."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from server.accounts import identities, phones, privacy
from server.accounts.chat import HANDLERS
from server.accounts.models import Phone
from server.base.work import Desk
from server.wechat.errors import BadLoginCode, NotSent
from server.wechat.gateway import PhoneNumber
from tests.conftest import house_of
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
    assert phones.masked(whole) == shown


def test_the_number_is_not_in_the_row_and_can_be_found_again(desk: Desk) -> None:
    with desk.work() as work:
        one, other = a_citizen(work), a_citizen(work)
        for person in (one, one, other):
            phones.keep(work, person.id, NUMBER)
    with desk.work(read_only=True) as work:
        rows = work.session.scalars(select(Phone)).all()
        assert len(rows) == 2
        assert not any("13800001234" in f"{row.sealed}{row.blind}{row.ref}" for row in rows)
        assert rows[0].sealed != rows[1].sealed
        assert {row.blind for row in rows} == {work.keys.blind("+8613800001234", "phone")}
        assert phones.masked_of(work, one.id) == "138****1234"
        assert privacy.export(work, one.id)["phone"] == "+8613800001234"


def test_a_number_is_handed_over_and_forgotten(desk: Desk) -> None:
    other = PhoneNumber(country="86", number="13900005678")
    with desk.work() as work:
        keep, gone, more = (a_citizen(work).id for _ in range(3))
        phones.keep(work, gone, NUMBER)
        assert identities.join(work, keep, gone) == keep
        assert phones.masked_of(work, keep) == "138****1234"
        phones.keep(work, more, other)
        identities.join(work, keep, more)
        assert phones.masked_of(work, keep) == "138****1234"
        privacy.erase(work, keep)
        assert work.session.scalar(select(func.count()).select_from(Phone)) == 0


@pytest.mark.parametrize(("taken_back", "left"), [("8", 0), ("6,20", 1)])
def test_a_withdrawn_permission_drops_the_number(desk: Desk, taken_back: str, left: int) -> None:
    event = "user_authorization_revoke"
    with desk.work() as work:
        person = a_citizen(work)
        phones.keep(work, person.id, NUMBER)
    with desk.work() as work:
        at = int(work.now.timestamp())
        dict(HANDLERS)[event](work, an_event(person.openid, event, at, {"RevokeInfo": taken_back}))
        assert work.session.scalar(select(func.count()).select_from(Phone)) == left


def test_a_citizen_gives_and_takes_back_a_number(
    client: Any, app: Flask, gateway: RecordingGateway
) -> None:
    with house_of(app).desk.work() as work:
        person = a_citizen(work)
        phone, stranger = a_session(work, person), a_session(work, a_citizen(work, consented=False))
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
    with house_of(app).desk.work() as work:
        phone = a_session(work, a_citizen(work))
    gateway.answers["phone_number"] = said
    refused = client.post("/me/phone", json={"code": "c" * 64}, citizen=phone)
    assert (refused.status_code, refused.get_json()["code"]) == (status, code)
