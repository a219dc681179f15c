"""The published rule about absences, and what a citizen sees of the own ones."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import update

from server.base.uow import UnitOfWorkFactory
from server.signups import service
from server.signups.models import SignUp
from server.signups.service import Wish
from tests.conftest import application_of
from tests.kit.accounts import Person, a_citizen, a_session
from tests.kit.activities import a_lecture
from tests.kit.client import CheckedClient


@pytest.fixture
def uow_factory(app: Flask) -> UnitOfWorkFactory:
    return application_of(app).uow_factory


def mark_absent(uow_factory: UnitOfWorkFactory, person: Person, *days_ago: int) -> None:
    with uow_factory.begin() as uow:
        for days in days_ago:
            lecture = a_lecture(uow, starts_in=timedelta(days=1 + days))
            placed = service.sign_up(uow, person.id, lecture.ref, Wish())
            absent = uow.now - timedelta(days=days)
            uow.session.execute(
                update(SignUp).where(SignUp.id == placed.id).values(absent_at=absent)
            )


def test_the_rule_is_a_sentence_in_the_details(
    client: CheckedClient, uow_factory: UnitOfWorkFactory
) -> None:
    with uow_factory.begin() as uow:
        lecture = a_lecture(uow)
    shown = client.get(f"/activities/{lecture.ref}").get_json()
    assert "90天内缺席3次，从最后一次起7天内不能报新的活动" in shown["no_show_rule"]
    (listed,) = client.get("/activities").get_json()["items"]
    assert listed["no_show_rule"] is None


@pytest.mark.parametrize(
    ("days_ago", "count", "sentence"),
    [
        ((), 0, "最近90天没有缺席。"),
        ((1, 95), 1, "最近90天缺席1次。"),
        ((2, 5, 80), 3, "5月6日12:00以后才能报新的活动"),
        ((10, 20, 30), 3, "最近90天缺席3次。"),
    ],
)
def test_a_citizen_sees_the_own_absences_and_the_end_of_the_pause(
    client: CheckedClient,
    uow_factory: UnitOfWorkFactory,
    days_ago: tuple[int, ...],
    count: int,
    sentence: str,
) -> None:
    with uow_factory.begin() as uow:
        person = a_citizen(uow)
        token = a_session(uow, person)
    mark_absent(uow_factory, person, *days_ago)
    found = client.get("/me/tickets", citizen=token).get_json()["absences"]
    assert (found["count"], found["most"], found["days"]) == (count, 3, 90)
    assert sentence in found["sentence"]
    assert (found["paused_until"] is not None) == ("以后才能" in sentence)
