"""The boards' address as other programs see it."""

from __future__ import annotations

from datetime import datetime

import pytest
from sqlalchemy import select

from server.accounts.models import Identity
from server.base.clock import BEIJING
from server.base.uow import UnitOfWorkFactory
from server.quiz.contests.service import ContestView
from server.quiz.leaderboards import tasks as board_tasks
from tests.kit import boards as kit
from tests.kit.accounts import Person, a_citizen, a_session
from tests.kit.boards import a_contest, an_entry, hand_in
from tests.kit.client import CheckedClient
from tests.kit.clock import FakeClock

NANNING = "450100"


@pytest.fixture
def game(uow_factory: UnitOfWorkFactory) -> tuple[ContestView, Person, str]:
    """A contest with three papers; the second best is of somebody with a token."""
    with uow_factory.begin() as uow:
        contest = a_contest(uow)
        me = a_citizen(uow, nickname="覃小莲", city=NANNING)
        first, third = kit.people(uow, 2)
        for citizen, score in ((first, 90), (me.id, 80), (third, 70)):
            hand_in(uow, contest, an_entry(uow, contest, citizen, city=NANNING), score=score)
        return contest, me, a_session(uow, me)


def test_a_stranger_reads_a_board_without_a_place_on_it(
    client: CheckedClient, game: tuple[ContestView, Person, str]
) -> None:
    contest, _, _ = game
    answer = client.get(f"/contests/{contest.ref}/leaderboard")
    assert answer.status_code == 200
    body = answer.get_json()
    assert body["me"] is None
    assert body["total"] == 3
    assert body["frozen"] is False
    assert [line["rank"] for line in body["items"]] == [1, 2, 3]
    assert body["items"][1] == {
        "rank": 2, "nickname": "覃*", "avatar_url": None, "city": NANNING,
        "city_name": "南宁市", "score": 80, "duration_ms": 60_000, "me": False,
    }  # fmt: skip


@pytest.mark.parametrize("ready", [False, True])
def test_a_citizen_finds_the_own_place(
    ready: bool,
    client: CheckedClient,
    uow_factory: UnitOfWorkFactory,
    game: tuple[ContestView, Person, str],
) -> None:
    contest, _, token = game
    if ready:
        assert board_tasks.build_board(uow_factory, contest.id, f"total/city:{NANNING}")
    path = f"/contests/{contest.ref}/leaderboard?scope=city:{NANNING}&period=total&limit=1"
    body = client.get(path, citizen=token).get_json()
    assert len(body["items"]) == 1
    assert (body["me"]["rank"], body["me"]["score"]) == (2, 80)
    assert [line["me"] for line in body["me"]["around"]] == [False, True, False]


@pytest.mark.parametrize(("word", "period"), [
    ("today", "day:2026-05-02"), ("this_week", "week:2026-W18"), ("total", "total"),
])  # fmt: skip
def test_the_running_day_and_week_are_the_servers(
    word: str,
    period: str,
    client: CheckedClient,
    clock: FakeClock,
    game: tuple[ContestView, Person, str],
) -> None:
    clock.advance(86_400)
    path = f"/contests/{game[0].ref}/leaderboard?period="
    named = client.get(path + word).get_json()
    assert named["period"] == period
    assert {**named, "as_of": 0} == {**client.get(path + period).get_json(), "as_of": 0}


def test_a_contest_is_found_by_its_slug_too(
    client: CheckedClient, game: tuple[ContestView, Person, str]
) -> None:
    assert client.get(f"/contests/{game[0].slug}/leaderboard").status_code == 200


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ("scope=region&period=total&limit=100", 200),
        ("period=day:2026-05-01", 200),
        ("period=week:2026-W18", 200),
        ("period=today", 200),
        ("period=this_week", 200),
        ("scope=audience:youth", 200),
        ("limit=0", 422),
        ("limit=101", 422),
        ("limit=ten", 422),
        ("scope=city:999999", 422),
        ("scope=county:450100", 422),
        ("scope=unit:nowhere", 422),
        ("scope=audience:cats", 422),
        ("scope=" + "x" * 1000, 422),
        ("period=day:2026-02-30", 422),
        ("period=season", 422),
        ("scope=group:abc", 404),
    ],
)
def test_what_can_be_asked_and_what_not(
    asked: str, status: int, client: CheckedClient, game: tuple[ContestView, Person, str]
) -> None:
    answer = client.get(f"/contests/{game[0].ref}/leaderboard?{asked}", citizen=game[2])
    assert answer.status_code == status
    if status != 200:
        assert answer.get_json()["code"] == {404: "not_found", 422: "invalid"}[status]


def test_an_unknown_contest_is_not_found(client: CheckedClient) -> None:
    assert client.get("/contests/none/leaderboard").status_code == 404


def test_a_dead_token_is_refused(
    client: CheckedClient, game: tuple[ContestView, Person, str]
) -> None:
    answer = client.get(f"/contests/{game[0].ref}/leaderboard", citizen="nobody")
    assert answer.status_code == 401


def test_no_answer_names_a_person_to_machines(
    client: CheckedClient, uow_factory: UnitOfWorkFactory, game: tuple[ContestView, Person, str]
) -> None:
    contest, me, token = game
    said = client.get(f"/contests/{contest.ref}/leaderboard", citizen=token).text
    with uow_factory.begin() as uow:
        openids = uow.session.scalars(select(Identity.openid)).all()
    assert openids
    for secret in (*openids, "覃小莲", "openid", "citizen", "cit_"):
        assert secret not in said
    assert me.openid in openids


def test_the_answer_says_of_when_it_is(
    client: CheckedClient, uow_factory: UnitOfWorkFactory, game: tuple[ContestView, Person, str]
) -> None:
    body = client.get(f"/contests/{game[0].ref}/leaderboard").get_json()
    told = datetime.fromisoformat(body["as_of"])
    assert told == uow_factory.dependencies.clock.now()
    assert told.utcoffset() is not None
    assert told.astimezone(BEIJING).hour == 12
