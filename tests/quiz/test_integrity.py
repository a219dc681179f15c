"""The fraud desk: bots are flagged, held and gone from every board; nobody else is flagged."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from server.accounts import identities
from server.audit.models import AuditRecord
from server.audit.service import record_page
from server.base.jobs import TaskContext
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.notices.models import InboxMessage
from server.quiz import service as quiz
from server.quiz.attempts.devices import add_device_use
from server.quiz.bank.service import bank_of
from server.quiz.contests.service import ContestView
from server.quiz.integrity import inspection
from server.quiz.integrity.console import PAGES
from server.quiz.leaderboards import board_view
from server.quiz.leaderboards.board_keys import CountedPlace
from server.quiz.leaderboards.tasks import rebuild_boards
from server.quiz.models import DeviceUse, Entry, IntegrityCase, IntegrityFlag
from server.quiz.service import PlayerPapers, Sitting, add_played_papers, play_season
from server.wechat.gateway import TextPlace, Verdict
from tests.kit import boards as kit
from tests.kit.accounts import a_citizen, a_session
from tests.kit.console import PEOPLE, Browser, console_app
from tests.kit.gateway import RecordingGateway
from tests.kit.quiz import open_contest, take

BOTS, NORMAL = 8, 1000
OF_HOLDS = AuditRecord.subject_kind == "hold"
PLACE = CountedPlace(city="450100", county="450103", unit_id=None, audience=None)


def the_context(uow_factory: UnitOfWorkFactory, gateway: RecordingGateway) -> TaskContext:
    return TaskContext(uow_factory=uow_factory, gateway=gateway)


def play(uow_factory: UnitOfWorkFactory, contest: ContestView, seed: int) -> list[int]:
    """A day of bots and normal citizens; the citizens, the bots first."""
    chance = random.Random(seed)
    skill = [1.0] * BOTS + [chance.uniform(0.3, 1.0) for _ in range(NORMAL)]
    now = uow_factory.dependencies.clock.now()
    sittings = [
        Sitting(
            player=at,
            started_at=now - timedelta(minutes=chance.uniform(10, 50)),
            took=timedelta(milliseconds=3000 if at < BOTS else chance.uniform(35_000, 290_000)),
        )
        for at in range(BOTS + NORMAL)
    ]

    def answer(player: int, item: quiz.Item) -> list[int]:
        if chance.random() < skill[player]:
            return list(item.answer)
        return [chance.randrange(len(item.options))]

    with uow_factory.begin() as uow:
        bank = bank_of(uow, contest.bank, contest.bank_revision)
        places = [PLACE] * len(sittings)
        season = play_season(
            contest, bank, places, sittings, answer, chance=chance, shards=quiz.SHARDS
        )
        citizens = kit.people(uow, len(sittings))
        players = [
            PlayerPapers(citizen_id=citizen, place=PLACE, papers=season.papers[at])
            for at, citizen in enumerate(citizens)
        ]
        add_played_papers(uow, contest, players, lambda name: f"att_{seed}_{name}")
        for at, citizen in enumerate(citizens):
            # Bots share one device, normal citizens in families of up to four.
            device = "bots" if at < BOTS else f"family-{at // 4}"
            add_device_use(uow, citizen, device, uow.now)
    return citizens


def flagged(uow: UnitOfWork) -> dict[int, set[str]]:
    """The signals by citizen."""
    found: dict[int, set[str]] = {}
    rows = select(Entry.citizen_id, IntegrityFlag.signal).join(Entry)
    for citizen, signal in uow.session.execute(rows):
        found.setdefault(citizen, set()).add(signal.value)
    return found


def shown_on_boards(uow_factory: UnitOfWorkFactory, contest: ContestView) -> set[str]:
    """The total of each board that has the region's, the city's and the county's places."""
    found = set()
    for scope in ("region", "city:450100", "county:450103"):
        with uow_factory.begin(read_only=True) as uow:
            board = board_view.read_board(uow, contest, scope=scope, limit=100)
            found.add(f"{scope} {board.total} {board.items[0].score if board.items else 0}")
    return found


def test_bots_are_held_by_the_desk_and_no_normal_citizen_is_flagged(
    uow_factory: UnitOfWorkFactory, gateway: RecordingGateway
) -> None:
    contest = open_contest(uow_factory)
    citizens = play(uow_factory, contest, seed=7)
    context = the_context(uow_factory, gateway)
    rebuild_boards(context, contest.id)
    assert inspection.inspect_contests(context) == 3 * BOTS
    assert inspection.inspect_contests(context) == 0
    with uow_factory.begin(read_only=True) as uow:
        found = flagged(uow)
        refs = uow.session.scalars(
            select(IntegrityFlag.ref).where(IntegrityFlag.signal == "speed")
        ).all()
    assert found == {bot: {"speed", "shared_device", "perfect_hour"} for bot in citizens[:BOTS]}
    everybody = BOTS + NORMAL
    for scope in shown_on_boards(uow_factory, contest):
        assert f" {everybody} " in scope, "a flag alone changes nothing"
    app, _ = console_app(uow_factory, PAGES, audit=record_page)
    editor = Browser(app, "editor-city")
    for ref in refs:
        status, _page = editor.ask("POST", f"/integrity/{ref}/hold", {"reason": "每题0.3秒"})
        assert status == 303
    for scope in shown_on_boards(uow_factory, contest):
        assert f" {NORMAL} " in scope
    rebuild_boards(context, contest.id)
    for scope in shown_on_boards(uow_factory, contest):
        assert f" {NORMAL} " in scope
    with uow_factory.begin(read_only=True) as uow:
        held = set(uow.session.scalars(select(Entry.citizen_id).where(Entry.held_at.is_not(None))))
        acts = uow.session.scalars(select(AuditRecord.act).where(OF_HOLDS)).all()
    assert held == set(citizens[:BOTS])
    assert list(acts) == ["quiz.hold_results"] * BOTS


def test_more_papers_than_a_page_holds_are_all_inspected(
    uow_factory: UnitOfWorkFactory, gateway: RecordingGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inspection, "_MOST", 4)
    contest = open_contest(uow_factory)
    citizens = [take_fast(uow_factory, contest) for _ in range(11)]
    context = the_context(uow_factory, gateway)
    assert inspection.inspect_contests(context) == len(citizens)
    with uow_factory.begin(read_only=True) as uow:
        assert flagged(uow) == {citizen: {"speed"} for citizen in citizens}


def take_fast(uow_factory: UnitOfWorkFactory, contest: ContestView) -> int:
    """A new citizen with a paper of no time at all, who has most answers right."""
    with uow_factory.begin() as uow:
        citizen_id = a_citizen(uow).id
    take(uow_factory, contest, citizen_id, right=7)
    return citizen_id


@dataclass(frozen=True)
class Cheat:
    """A held citizen with a paper."""

    citizen_id: int
    token: str
    paper: str
    flag: str


@pytest.fixture
def contest(uow_factory: UnitOfWorkFactory) -> ContestView:
    return open_contest(uow_factory, papers_per_day=9)


@pytest.fixture
def early_citizen(uow_factory: UnitOfWorkFactory) -> int:
    """A citizen of Nanning who was there before the others."""
    with uow_factory.begin() as uow:
        return a_citizen(uow, city="450100").id


@pytest.fixture
def cheat(uow_factory: UnitOfWorkFactory, contest: ContestView) -> Cheat:
    """A citizen of Nanning with one paper and a flag, and two others on the board."""
    with uow_factory.begin() as uow:
        person = a_citizen(uow, city="450100", county="450103")
        others = [a_citizen(uow, city="450200").id for _ in range(2)]
        token = a_session(uow, person)
    view = take(uow_factory, contest, person.id)
    for other in others:
        take(uow_factory, contest, other, right=5)
    with uow_factory.begin() as uow:
        flag = IntegrityFlag(
            ref=uow.new_ref("flg"), entry_id=view.sheet.entry_id, signal="speed",
            evidence={"papers": [view.sheet.ref], "each_ms": 300, "floor_ms": 1000},
            found_at=uow.now,
        )  # fmt: skip
        uow.session.add(flag)
        uow.session.flush()
        return Cheat(person.id, token, view.sheet.ref, flag.ref)


@pytest.fixture
def console(uow_factory: UnitOfWorkFactory) -> Flask:
    return console_app(uow_factory, PAGES, audit=record_page)[0]


def hold(console: Flask, cheat: Cheat, who: str = "editor-city") -> int:
    given = {"reason": "答题过快。"}
    return Browser(console, who).ask("POST", f"/integrity/{cheat.flag}/hold", given)[0]


def decide(console: Flask, cheat: Cheat, decision: str, who: str = "approver-city") -> int:
    given = {"reason": "核对过了。", "decision": decision}
    return Browser(console, who).ask("POST", f"/integrity/{cheat.flag}/decision", given)[0]


def board_total(client: Any, contest: ContestView) -> int:
    answer = client.get(f"/contests/{contest.ref}/leaderboard?scope=region")
    assert answer.status_code == 200
    return int(answer.get_json()["total"])


def letters(uow_factory: UnitOfWorkFactory, citizen_id: int) -> list[str]:
    with uow_factory.begin(read_only=True) as uow:
        rows = select(InboxMessage).where(InboxMessage.citizen_id == citizen_id)
        return [row.title for row in uow.session.scalars(rows.order_by(InboxMessage.id))]


def test_a_held_citizen_appeals_and_an_approver_releases(
    client: Any,
    uow_factory: UnitOfWorkFactory,
    gateway: RecordingGateway,
    console: Flask,
    contest: ContestView,
    cheat: Cheat,
) -> None:
    gateway.answers["check_text"] = Verdict.PASS
    appeal = f"/attempts/{cheat.paper}/appeal"
    assert client.post(appeal, json={"reason": "我没有"}, citizen=cheat.token).status_code == 409
    (record,) = client.get("/me/attempts", citizen=cheat.token).get_json()["items"]
    assert (record["held"], record["appeal"]) == (False, None)
    assert board_total(client, contest) == 3
    assert hold(console, cheat) == 303
    assert hold(console, cheat) == 409
    assert board_total(client, contest) == 2
    (record,) = client.get("/me/attempts", citizen=cheat.token).get_json()["items"]
    assert (record["held"], record["appeal"]) == (True, "possible")
    for words in (" 我是\n自己答的 ", "另外的话"):
        answer = client.post(appeal, json={"reason": words}, citizen=cheat.token)
        assert (answer.status_code, answer.data) == (202, b"")
    assert [one[1:] for one in gateway.called("check_text")] == [
        ("我是 自己答的", TextPlace.COMMENT)
    ]
    (record,) = client.get("/me/attempts", citizen=cheat.token).get_json()["items"]
    assert record["appeal"] == "waiting"
    shown = Browser(console, "approver-city").get(f"/integrity/{cheat.flag}")[1]
    assert "我是 自己答的" in shown
    assert decide(console, cheat, "release") == 303
    assert decide(console, cheat, "release") == 409
    assert board_total(client, contest) == 3
    (record,) = client.get("/me/attempts", citizen=cheat.token).get_json()["items"]
    assert (record["held"], record["appeal"]) == (False, None)
    assert letters(uow_factory, cheat.citizen_id) == [
        "你的竞赛成绩已暂停",
        "成绩复核结果：已恢复",
    ]
    with uow_factory.begin(read_only=True) as uow:
        # The appeal is made in the records of this contest, whichever others are running.
        assert set(uow.session.scalars(select(InboxMessage.page))) == {
            f"packages/quiz/records/index?id={contest.ref}"
        }
        bodies = uow.session.scalars(select(InboxMessage.body).order_by(InboxMessage.id)).all()
        assert [body.rpartition("：")[2] for body in bodies] == ["答题过快。", "核对过了。"]
        acts = uow.session.execute(
            select(AuditRecord.act, AuditRecord.role).where(OF_HOLDS).order_by(AuditRecord.number)
        ).all()
    assert [tuple(row) for row in acts] == [
        ("quiz.hold_results", "editor"),
        ("quiz.appeal_hold", "system"),
        ("quiz.decide_hold", "approver"),
    ]


def test_new_papers_of_a_held_citizen_reach_no_board_until_the_release(
    client: Any,
    uow_factory: UnitOfWorkFactory,
    console: Flask,
    contest: ContestView,
    cheat: Cheat,
) -> None:
    assert hold(console, cheat) == 303
    take(uow_factory, contest, cheat.citizen_id)
    assert board_total(client, contest) == 2
    assert decide(console, cheat, "uphold") == 303
    take(uow_factory, contest, cheat.citizen_id)
    assert board_total(client, contest) == 2
    (record, *_rest) = client.get("/me/attempts", citizen=cheat.token).get_json()["items"]
    assert (record["held"], record["appeal"]) == (True, "rejected")


def test_a_card_of_a_held_result_is_shown_to_nobody(
    client: Any, gateway: RecordingGateway, console: Flask, cheat: Cheat
) -> None:
    gateway.answers["mini_program_code"] = b""
    given = {"kind": "quiz_result", "attempt_id": cheat.paper}
    shared = client.post("/shares", json=given, citizen=cheat.token).get_json()
    assert client.get(f"/shares/{shared['id']}/card.png").status_code == 200
    assert hold(console, cheat) == 303
    assert client.get(f"/shares/{shared['id']}/card.png").status_code == 404


def test_who_held_cannot_decide_and_another_city_sees_nothing(
    uow_factory: UnitOfWorkFactory, console: Flask, cheat: Cheat
) -> None:
    assert hold(console, cheat, "editor-other") == 404
    assert hold(console, cheat, "approver-city") == 403
    assert hold(console, cheat) == 303
    assert decide(console, cheat, "release", "editor-city") == 403
    assert decide(console, cheat, "release", "approver-other") == 404
    with uow_factory.begin() as uow:
        uow.session.scalars(select(IntegrityCase)).one().holder_id = PEOPLE["approver-city"].id
    assert decide(console, cheat, "release") == 409


def test_another_citizens_paper_cannot_be_appealed(
    client: Any, uow_factory: UnitOfWorkFactory, console: Flask, cheat: Cheat
) -> None:
    hold(console, cheat)
    with uow_factory.begin() as uow:
        other = a_session(uow, a_citizen(uow))
    path = f"/attempts/{cheat.paper}/appeal"
    assert client.post(path, json={"reason": "x"}, citizen=other).status_code == 404
    assert client.post(path, json={"reason": " \u200b "}, citizen=cheat.token).status_code == 422


def test_a_merge_ends_no_hold(
    client: Any,
    uow_factory: UnitOfWorkFactory,
    console: Flask,
    contest: ContestView,
    early_citizen: int,
    cheat: Cheat,
) -> None:
    clean = early_citizen
    hold(console, cheat)
    take(uow_factory, contest, clean, right=3)
    assert board_total(client, contest) == 3
    with uow_factory.begin() as uow:
        # The earlier citizen is the one that stays.
        assert identities.merge_citizens(uow, clean, cheat.citizen_id) == clean
    assert board_total(client, contest) == 2
    with uow_factory.begin(read_only=True) as uow:
        kept = uow.session.scalars(select(Entry).where(Entry.citizen_id == clean)).one()
        case = uow.session.scalars(select(IntegrityCase)).one()
        assert (kept.held_at is not None, case.entry_id) == (True, kept.id)


def test_a_device_is_stored_as_a_keyed_hash_and_only_with_a_paper(
    client: Any, uow_factory: UnitOfWorkFactory, contest: ContestView
) -> None:
    with uow_factory.begin() as uow:
        token = a_session(uow, a_citizen(uow))
    path = f"/contests/{contest.ref}/attempts"
    for device in ("d" * 32, "d" * 32, "short", "x" * 65, "' OR 1=1 -- xxxxxxxxxxx"):
        headers = {"X-Device-Id": device}
        paper = client.post(path, citizen=token, headers=headers).get_json()
        closed = f"/attempts/{paper['id']}/submission"
        assert client.post(closed, json={"answers": {}}, citizen=token).status_code == 200
    with uow_factory.begin(read_only=True) as uow:
        (kept,) = uow.session.scalars(select(DeviceUse)).all()
        assert kept.device == uow.keys.blind_hash("d" * 32, "device")
