"""The boards of WeChat groups: whoever opens the card is on it, and nobody else sees it."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from server.accounts import identities, privacy
from server.base.errors import Invalid, NotFound
from server.base.uow import UnitOfWorkFactory
from server.quiz.leaderboards import board_view, groups
from server.quiz.models import GroupMember, WeChatGroup
from server.wechat.errors import BadLoginCode, LoginRefused, NotSent, OpenDataRefused
from server.wechat.gateway import GroupEntry
from tests.kit.accounts import Person, a_citizen, a_session
from tests.kit.boards import a_contest, an_entry, hand_in
from tests.kit.clock import FakeClock
from tests.kit.gateway import RecordingGateway
from tests.kit.quiz import all_at_once

BODY = {"code": "c" * 32, "encrypted_data": "ZW5j", "iv": "aXY="}


def people(uow_factory: UnitOfWorkFactory, count: int) -> list[Person]:
    with uow_factory.begin() as uow:
        return [a_citizen(uow) for _ in range(count)]


def enter(uow_factory: UnitOfWorkFactory, person: Person, opengid: str = "G-one") -> str:
    with uow_factory.begin() as uow:
        return groups.join_group(uow, person.id, GroupEntry(openid=person.openid, opengid=opengid))


def board_of(
    uow_factory: UnitOfWorkFactory, contest: Any, person: Person | None, group: str
) -> board_view.Board:
    with uow_factory.begin(read_only=True) as uow:
        return board_view.read_board(
            uow,
            contest,
            scope=f"group:{group}",
            citizen_id=None if person is None else person.id,
        )


def test_two_groups_see_only_their_own_members(
    uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    everybody = people(uow_factory, 9)
    with uow_factory.begin() as uow:
        contest = a_contest(uow)
        chance = random.Random(1)
        scores = {}
        for person in everybody[:8]:
            entry = an_entry(uow, contest, person.id)
            scores[person.id] = chance.choice([60, 80, 100])
            hand_in(
                uow,
                contest,
                entry,
                score=scores[person.id],
                closed_at=clock.now() + timedelta(seconds=chance.randrange(60)),
            )
    one = {enter(uow_factory, person, "G-one") for person in everybody[:5]}
    two = {enter(uow_factory, person, "G-two") for person in everybody[4:]}
    assert len(one) == len(two) == 1
    assert one != two
    (first,), (second,) = one, two
    board = board_of(uow_factory, contest, everybody[0], first)
    assert [line.score for line in board.items] == sorted(
        (scores[person.id] for person in everybody[:5]), reverse=True
    )
    assert [line.rank for line in board.items] == [1, 2, 3, 4, 5]
    assert (board.total, board.me is not None) == (5, True)
    assert board_of(uow_factory, contest, everybody[4], second).total == 4
    assert board_of(uow_factory, contest, everybody[8], second).me is None  # no paper yet
    for stranger, group in ((everybody[5], first), (everybody[0], second), (None, first)):
        with pytest.raises(NotFound):
            board_of(uow_factory, contest, stranger, group)
    with pytest.raises(NotFound):
        board_of(uow_factory, contest, everybody[0], "grp_nothing")


def test_the_groups_own_id_is_nowhere(uow_factory: UnitOfWorkFactory) -> None:
    (person,) = people(uow_factory, 1)
    ref = enter(uow_factory, person)
    with uow_factory.begin(read_only=True) as uow:
        row = uow.session.scalars(select(WeChatGroup)).one()
        assert row.opengid_hash == uow.keys.blind_hash("G-one", "opengid")
        assert "G-one" not in (row.opengid_hash, row.ref, ref)
        assert privacy.export_citizen(uow, person.id)["groups"] == [
            {"id": ref, "joined_at": uow_factory.dependencies.clock.now()}
        ]


def test_another_persons_entry_opens_nothing(uow_factory: UnitOfWorkFactory) -> None:
    one, other = people(uow_factory, 2)
    for openid in (other.openid, "nobody"):
        with uow_factory.begin() as uow, pytest.raises(Invalid):
            groups.join_group(uow, one.id, GroupEntry(openid=openid, opengid="G-one"))
    with uow_factory.begin(read_only=True) as uow:
        assert uow.session.scalar(select(func.count()).select_from(WeChatGroup)) == 0


@pytest.mark.race
def test_many_members_enter_a_new_group_at_once(uow_factory: UnitOfWorkFactory) -> None:
    everybody = people(uow_factory, 6)
    steps = [lambda person=person: enter(uow_factory, person) for person in everybody * 2]
    assert len(set(all_at_once(steps))) == 1
    with uow_factory.begin(read_only=True) as uow:
        assert uow.session.scalar(select(func.count()).select_from(WeChatGroup)) == 1
        assert uow.session.scalar(select(func.count()).select_from(GroupMember)) == 6


def test_a_joined_citizen_is_once_on_the_board_and_an_erased_one_stays_nameless(
    uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    keep, gone, friend = people(uow_factory, 3)
    with uow_factory.begin() as uow:
        contest = a_contest(uow)
        hand_in(uow, contest, an_entry(uow, contest, gone.id), score=80, closed_at=clock.now())
    group = enter(uow_factory, keep)
    assert enter(uow_factory, gone) == enter(uow_factory, friend) == group
    with uow_factory.begin() as uow:
        assert identities.merge_citizens(uow, keep.id, gone.id) == keep.id
    board = board_of(uow_factory, contest, keep, group)
    assert [(line.score, line.me) for line in board.items] == [(80, True)]
    with uow_factory.begin() as uow:
        privacy.erase_citizen(uow, keep.id)
    board = board_of(uow_factory, contest, friend, group)
    assert [(line.nickname, line.score) for line in board.items] == [("已注销用户", 80)]


def test_a_citizen_enters_a_group_over_http(
    client: Any, uow_factory: UnitOfWorkFactory, gateway: RecordingGateway, clock: FakeClock
) -> None:
    with uow_factory.begin() as uow:
        person = a_citizen(uow)
        phone = a_session(uow, person)
        contest = a_contest(uow)
        hand_in(uow, contest, an_entry(uow, contest, person.id), score=90, closed_at=clock.now())
    gateway.answers["group_entry"] = GroupEntry(openid=person.openid, opengid="G-one")
    made = client.post("/groups", json=BODY, citizen=phone)
    assert made.status_code == 200
    group = made.get_json()["group_id"]
    assert gateway.called("group_entry") == [(BODY["code"], "ZW5j", "aXY=")]
    assert client.post("/groups", json=BODY, citizen=phone).get_json() == {"group_id": group}
    path = f"/contests/{contest.ref}/leaderboard?scope=group:{group}"
    board = client.get(path, citizen=phone).get_json()
    assert (board["total"], board["items"][0]["score"], board["me"]["rank"]) == (1, 90, 1)
    assert client.get(path).status_code == 404


@pytest.mark.parametrize(
    ("said", "status", "code"),
    [
        (BadLoginCode(), 422, "invalid"),
        (OpenDataRefused(), 422, "invalid"),
        (LoginRefused(), 403, "login_refused"),
        (NotSent(), 503, "wechat_away"),
        (GroupEntry(openid="another", opengid="G"), 422, "invalid"),
    ],
)
def test_an_entry_that_proves_nothing_is_refused(
    client: Any,
    uow_factory: UnitOfWorkFactory,
    gateway: RecordingGateway,
    said: object,
    status: int,
    code: str,
) -> None:
    with uow_factory.begin() as uow:
        phone = a_session(uow, a_citizen(uow))
    gateway.answers["group_entry"] = said
    refused = client.post("/groups", json=BODY, citizen=phone)
    assert (refused.status_code, refused.get_json()["code"]) == (status, code)
    assert client.post("/groups", json=BODY).status_code == 401
