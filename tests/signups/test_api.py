"""Activities and sign-ups as the mini-program uses them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask

from server.activities.kinds import ActivityKind, ActivityState
from server.base.uow import UnitOfWorkFactory
from server.signups.contacts import name_on_signup
from server.signups.tickets import read_ticket
from tests.conftest import application_of
from tests.kit.accounts import a_citizen, a_session
from tests.kit.activities import a_lecture, live_signups
from tests.kit.client import CheckedClient


@pytest.fixture
def uow_factory(app: Flask) -> UnitOfWorkFactory:
    return application_of(app).uow_factory


@pytest.fixture
def me(uow_factory: UnitOfWorkFactory) -> dict[str, Any]:
    with uow_factory.begin() as uow:
        return {"citizen": a_session(uow, a_citizen(uow))}


def listed(client: CheckedClient, query: str = "") -> list[str]:
    page = client.get(f"/activities?{query}").get_json()
    return [one["title"] for one in page["items"]]


def test_a_name_is_kept_without_what_nobody_sees(
    client: CheckedClient, uow_factory: UnitOfWorkFactory, me: dict[str, Any]
) -> None:
    with uow_factory.begin() as uow:
        lecture = a_lecture(uow)
    given = {"name": "\u202e韦\u200b明\u2066"}
    assert client.post(f"/activities/{lecture.ref}/signup", json=given, **me).status_code == 201
    with uow_factory.begin(read_only=True) as uow:
        (row,) = live_signups(uow, lecture)
        assert name_on_signup(uow, row) == "韦明"


def test_filters_compose_and_drafts_are_never_shown(
    client: CheckedClient, uow_factory: UnitOfWorkFactory
) -> None:
    with uow_factory.begin() as uow:
        a_lecture(uow, title="甲", city="450100", audiences="|elder|youth|")
        a_lecture(uow, title="乙", city="450100", starts_in=timedelta(days=9))
        a_lecture(uow, title="丙", city="450200", kind=ActivityKind.OPEN_DAY)
        a_lecture(uow, title="草稿", state=ActivityState.DRAFT)
        a_lecture(uow, title="待审", state=ActivityState.REVIEW)
        a_lecture(
            uow, title="旧", starts_in=timedelta(days=-2),
            signup_opens_at=uow.now - timedelta(days=9),
        )  # fmt: skip
        day = (uow.now + timedelta(days=9)).date()
    assert listed(client) == ["甲", "丙", "乙"]
    assert listed(client, "city=450100") == ["甲", "乙"]
    assert listed(client, "city=450100&audience=farmer") == ["乙"]
    assert listed(client, "kind=open_day") == ["丙"]
    assert listed(client, f"from={day}") == ["乙"]
    assert listed(client, f"to={day - timedelta(days=3)}") == ["甲", "丙"]
    past = day - timedelta(days=12)
    assert listed(client, f"from={past}&to={day - timedelta(days=3)}") == ["旧", "甲", "丙"]
    assert listed(client, "status=past") == ["旧"]
    assert listed(client, "status=open&city=450200") == ["丙"]


def test_pages_of_the_list_have_each_activity_once(
    client: CheckedClient, uow_factory: UnitOfWorkFactory
) -> None:
    with uow_factory.begin() as uow:
        for number in range(7):
            a_lecture(uow, title=f"{number}", starts_at=uow.now + timedelta(days=2 + number // 3))
    seen: list[str] = []
    after = ""
    while True:
        page = client.get(f"/activities?limit=2{after}").get_json()
        seen += [one["title"] for one in page["items"]]
        if page["next"] is None:
            break
        after = f"&after={page['next']}"
    assert seen == [f"{number}" for number in range(7)]


@pytest.mark.parametrize(
    "query", ["city=110000", "kind=party", "status=now", "from=tomorrow", "limit=0", "after=x"]
)
def test_a_wrong_filter_is_refused(client: CheckedClient, query: str) -> None:
    assert client.get(f"/activities?{query}").status_code == 422


def test_a_sign_up_from_the_first_tap_to_the_withdrawal(
    client: CheckedClient, uow_factory: UnitOfWorkFactory, me: dict[str, Any]
) -> None:
    with uow_factory.begin() as uow:
        lecture = a_lecture(uow, seats=3, party_max=3)
    path = f"/activities/{lecture.ref}"
    assert client.get(path).get_json()["me"] is None
    made = client.post(f"{path}/signup", json={"party_size": 2}, **me)
    assert made.status_code == 201
    ticket = made.get_json()["ticket"]["code"]
    with uow_factory.begin(read_only=True) as uow:
        assert read_ticket(uow.keys, ticket) is not None
    again = client.post(f"{path}/signup", json={"party_size": 2}, **me)
    assert (again.status_code, again.get_json()) == (200, made.get_json())
    shown = client.get(path, **me).get_json()
    assert (shown["seats_left"], shown["me"]) == (1, made.get_json())
    (held,) = client.get("/me/tickets", **me).get_json()["items"]
    assert (held["activity"], held["place"]) == (lecture.ref, made.get_json())
    begins, kept_until = (
        datetime.fromisoformat(held[one]) for one in ("starts_at", "seat_kept_until")
    )
    assert kept_until - begins == timedelta(minutes=15)
    for _ in range(2):
        assert client.delete(f"{path}/signup", **me).status_code == 204
    assert client.get(path, **me).get_json()["seats_left"] == 3


QUESTIONS = [
    {"key": "school", "label": "学校", "needed": True},
    {"key": "meal", "label": "是否用餐", "options": ["是", "否"]},
]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"answers": {"school": "二中", "meal": "是"}}, 201),
        ({"answers": {"school": "二中"}}, 201),
        ({"answers": {}}, 422),
        ({"answers": {"school": " "}}, 422),
        ({"answers": {"school": "二中", "meal": "也许"}}, 422),
        ({"answers": {"school": "二" * 101}}, 422),
        ({"answers": {"school": "二中", "more": "x"}}, 422),
        ({"answers": {"school": "二中"}, "phone": "138 0013 8000", "name": "韦 某"}, 201),
        ({"answers": {"school": "二中"}, "phone": "12345"}, 422),
        ({"answers": {"school": "二中"}, "party_size": 2}, 422),
        ({"answers": {"school": "二中"}, "citizen_id": 1}, 422),
    ],
)
def test_what_is_typed_is_checked(
    client: CheckedClient,
    uow_factory: UnitOfWorkFactory,
    me: dict[str, Any],
    body: dict[str, Any],
    status: int,
) -> None:
    with uow_factory.begin() as uow:
        lecture = a_lecture(uow, questions=QUESTIONS)
    assert client.post(f"/activities/{lecture.ref}/signup", json=body, **me).status_code == status


def test_a_full_lecture_says_so_in_a_sentence(
    client: CheckedClient, uow_factory: UnitOfWorkFactory, me: dict[str, Any]
) -> None:
    with uow_factory.begin() as uow:
        lecture = a_lecture(uow, seats=1, waitlist_most=0)
        other = {"citizen": a_session(uow, a_citizen(uow))}
    assert client.post(f"/activities/{lecture.ref}/signup", json={}, **other).status_code == 201
    refused = client.post(f"/activities/{lecture.ref}/signup", json={}, **me)
    assert (refused.status_code, refused.get_json()["code"]) == (409, "activity_full")
    assert refused.get_json()["detail"] == "名额已满，候补也满了。"
