"""The published document is true: every endpoint answers as it says, and a lie would be found."""

from __future__ import annotations

from copy import deepcopy
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from server.accounts import service as accounts
from server.accounts.models import Citizen
from server.activities.models import Activity
from server.base.clock import beijing_midnight
from server.base.uow import UnitOfWorkFactory
from server.checkin import screens
from server.checkin import service as checkin
from server.notices import service as notices
from server.programme import commands as programme
from server.quiz.bank.commands import import_questions
from server.quiz.contests import commands as quiz
from server.quiz.enums import CaseState
from server.quiz.models import Attempt, Contest, IntegrityCase
from server.signups import service
from server.wechat.errors import AWAY, WeChatAway
from server.wechat.gateway import GroupEntry, PhoneNumber, Verdict, WeChatIdentity
from tests.conftest import application_of
from tests.house.source import ROOT
from tests.kit.accounts import a_citizen
from tests.kit.activities import a_lecture
from tests.kit.announcements import a_sent_one, an_announcement
from tests.kit.checkin import EDITOR, open_lecture, ticket_of
from tests.kit.client import CheckedClient, Undocumented
from tests.kit.clock import FakeClock
from tests.kit.gateway import RecordingGateway
from tests.kit.pack_probes import a_channel_code
from tests.kit.pictures import a_code, a_picture, as_form
from tests.kit.sealing import publish_at_once
from tests.kit.signup_probes import seat_guest

FACTS = ROOT / "config" / "campaign" / "2020"


@pytest.fixture
def contest(app: Flask, clock: FakeClock) -> str:
    """The demo's data over the test's database; the id of its contest."""
    uow_factory = application_of(app).uow_factory
    assert programme.load_campaign(uow_factory, FACTS / "campaign.json", shift=True).ok
    assert import_questions(uow_factory, FACTS / "questions.csv").ok
    return quiz.open_demo_contest(uow_factory)


@pytest.fixture
def token(client: CheckedClient, gateway: RecordingGateway) -> str:
    gateway.answers["code_to_identity"] = WeChatIdentity(openid="o" * 28, unionid="u" * 28)
    gateway.answers["check_text"] = Verdict.PASS
    return str(client.post("/login", json={"code": "c" * 32}).get_json()["token"])


def test_every_endpoint_is_walked_and_answers_as_documented(
    client: CheckedClient,
    contest: str,
    token: str,
    clock: FakeClock,
    gateway: RecordingGateway,
    app: Flask,
) -> None:
    me = {"citizen": token}
    uow_factory_of_app = application_of(app).uow_factory
    policy = client.get("/campaign").get_json()["policy_version"]
    given = {"policy_version": policy, "guardian": False, "under_14": False}
    client.post("/me/consents", json=given, **me)
    client.patch("/me", json={"nickname": "小韦", "city": "450100", "public_rank": True}, **me)
    client.put("/me", json={"county": "450103"}, **me)
    template = client.get("/campaign").get_json()["subscribe_templates"][0]["id"]
    wanted = {"name": "南宁市第九十九中学", "city": "450100"}
    assert client.post("/me/unit-requests", json=wanted, **me).status_code == 200
    client.post("/me/subscriptions", json={"results": {template: "accept"}}, **me)
    client.get("/me/subscriptions", **me)
    slug = client.get("/programmes").get_json()["items"][0]["slug"]
    for path in (
        "/me", "/me/inbox", "/me/export", f"/programmes/{slug}", "/regions", "/units",
        "/contests", f"/contests/{contest}", f"/contests/{contest}/rules", "/me/unit-requests",
    ):  # fmt: skip
        assert client.get(path, **me).status_code == 200, path
    read_inbox(client, uow_factory_of_app, me)
    take_a_paper(client, contest, me)
    assert client.get(f"/contests/{contest}/leaderboard", **me).get_json()["me"]["rank"] == 1
    assert client.get("/signing-key").get_json()["algorithm"] == "Ed25519"
    assert client.get(f"/contests/{contest}/final").status_code == 404
    publish_at_once(uow_factory_of_app, contest)
    assert client.get(f"/contests/{contest}/final").get_json()["version"] == 1
    with uow_factory_of_app.begin() as uow:
        uow.session.execute(update(Contest).values(final_id=None))
    appeal_hold(client, uow_factory_of_app, me)
    take_a_timed_paper(client, clock, me)
    sign_up_and_withdraw(client, uow_factory_of_app, me)
    scan_at_gate(client, uow_factory_of_app, me)
    open_channel_code(client, uow_factory_of_app)
    open_announcement(client, uow_factory_of_app, me)
    practise(client, me)
    share_and_visit(client, gateway, contest, me)
    ask_for_certificate(client, contest, me)
    give_picture_and_phone(client, gateway, me)
    assert client.post("/logout", **me).status_code == 204
    again = client.post("/login", json={"code": "d" * 32}).get_json()["token"]
    assert client.delete("/me", citizen=again).status_code == 204
    assert walked(client) == set(declared(client)), "call a new endpoint in this test"


@pytest.mark.parametrize("trouble", AWAY)
def test_every_way_in_which_wechat_is_away_is_documented(
    client: CheckedClient, token: str, gateway: RecordingGateway, trouble: type[WeChatAway]
) -> None:
    me = {"citizen": token}
    policy = client.get("/me", **me).get_json()["policy_version"]
    client.post("/me/consents", json={"policy_version": policy, "guardian": False}, **me)
    for call in ("code_to_identity", "phone_number", "group_entry"):
        gateway.answers[call] = trouble()
    entry = {"code": "c", "encrypted_data": "e", "iv": "i"}
    answers = [
        client.post("/login", json={"code": "c"}),
        client.post("/me/phone", json={"code": "c"}, **me),
        client.post("/groups", json=entry, **me),
    ]
    assert {(one.status_code, one.get_json(force=True)["code"]) for one in answers} == {
        (503, trouble.code)
    }


@pytest.mark.parametrize(
    "path",
    [
        *("/", "/front.css", "/healthz", "/readyz", "/metrics", "/openapi.json", "/docs"),
        "/pictures/none.jpg",
    ],
)
def test_the_other_addresses_answer_as_documented(
    client: CheckedClient, gateway: RecordingGateway, path: str
) -> None:
    gateway.answers |= {"is_available": True, "token_age_seconds": 1.0}
    assert client.get(path).status_code in (200, 404, 503)
    assert client.post(path).status_code == 405


@pytest.mark.parametrize("account", ["official", "miniprogram"])
def test_the_callbacks_refuse_as_documented(client: CheckedClient, account: str) -> None:
    path = f"/wechat/{account}/callback"
    assert client.get(path).status_code == 403
    assert client.post(path, data=b"<xml/>").status_code == 403
    assert client.post(path, data=b"x" * 70000).status_code == 413
    assert client.put(path).status_code == 405


def take_a_paper(client: CheckedClient, contest: str, me: dict[str, Any]) -> None:
    paper = client.post(f"/contests/{contest}/attempts", **me).get_json()
    answers = {"answers": {paper["questions"][0]["id"]: ["A"]}}
    assert client.put(f"/attempts/{paper['id']}/answers", json=answers, **me).status_code == 204
    assert client.get(f"/attempts/{paper['id']}", **me).status_code == 200
    assert client.post(f"/attempts/{paper['id']}/submission", **me).status_code == 200
    assert client.get(f"/attempts/{paper['id']}", **me).get_json()["review"]
    assert client.get("/me/attempts", **me).get_json()["items"][0]["id"] == paper["id"]


def appeal_hold(client: CheckedClient, uow_factory: UnitOfWorkFactory, me: dict[str, Any]) -> None:
    paper = client.get("/me/attempts", **me).get_json()["items"][0]["id"]
    path, given = f"/attempts/{paper}/appeal", {"reason": "我是自己答的"}
    assert client.post(path, json=given, **me).get_json()["code"] == "not_held"
    with uow_factory.begin() as uow:
        entry_id = uow.session.scalars(select(Attempt.entry_id).where(Attempt.ref == paper)).one()
        uow.session.add(
            IntegrityCase(
                ref="hld_1", entry_id=entry_id, state="held", hold_reason="x", holder_id=0,
                held_at=uow.now,
            )
        )  # fmt: skip
    assert client.post(path, json=given, **me).status_code == 202
    with uow_factory.begin() as uow:
        uow.session.scalars(select(IntegrityCase)).one().state = CaseState.RELEASED


def practise(client: CheckedClient, me: dict[str, Any]) -> None:
    dealt = client.post("/practice", json={"count": 1}, **me).get_json()
    (question,) = dealt["questions"]
    answer = {"question_id": question["id"], "answer": [question["options"][0]["key"]]}
    assert client.post(f"/practice/{dealt['id']}/answers", json=answer, **me).status_code == 200
    assert client.get("/me/mistakes", **me).status_code == 200
    path = f"/questions/{question['id']}/reports"
    assert client.post(path, json={"reason": "选项有误"}, **me).status_code == 202


def ask_for_certificate(client: CheckedClient, contest: str, me: dict[str, str]) -> None:
    """A certificate with its files."""
    body = {"kind": "quiz_score", "source": contest}
    serial = client.post("/certificates", json=body, **me).get_json()["serial"]
    assert client.get("/me/certificates", **me).get_json()["items"][0]["serial"] == serial
    for path in (f"/certificates/{serial}.png", f"/certificates/{serial}.pdf"):
        # On a busy machine the drawing may take longer than a request waits for it.
        answers = (client.get(path, **me).status_code for _ in range(30))
        assert next(status for status in answers if status != 503) == 200


def share_and_visit(
    client: CheckedClient, gateway: RecordingGateway, contest: str, me: dict[str, Any]
) -> None:
    gateway.answers["mini_program_code"] = a_picture()
    closed = client.post(f"/contests/{contest}/attempts", **me).get_json()
    assert closed["code"] == "no_attempts_left"
    held = client.get("/me/export", **me).get_json()["held"]["contest_papers"]
    body = {"kind": "quiz_result", "attempt_id": held[0]["id"]}
    card = client.post("/shares", json=body, **me).get_json()
    for picture in ("image_url", "card_url"):
        assert client.get(card[picture]).status_code == 200
    assert client.post("/visits", json={"scene": card["id"]}, **me).status_code == 204
    gateway.answers["group_entry"] = GroupEntry(openid="o" * 28, opengid="g")
    entry = {"code": "c", "encrypted_data": "e", "iv": "i"}
    assert client.post("/groups", json=entry, **me).status_code == 200


def give_picture_and_phone(
    client: CheckedClient, gateway: RecordingGateway, me: dict[str, Any]
) -> None:
    assert client.post("/me/avatar", **as_form(a_picture()), **me).status_code == 202
    gateway.answers["phone_number"] = PhoneNumber(country="86", number="13800000000")
    assert client.post("/me/phone", json={"code": "c"}, **me).status_code == 200


def read_inbox(client: CheckedClient, uow_factory: UnitOfWorkFactory, me: dict[str, str]) -> None:
    letter = notices.Letter(key="welcome", title="欢迎", body="欢迎参加科普活动。")
    with uow_factory.begin() as uow:
        person = uow.session.scalars(select(Citizen.id)).one()
        assert notices.post_message(uow, person, letter)
    [item] = client.get("/me/inbox", **me).get_json()["items"]
    assert client.get(f"/me/inbox/{item['id']}", **me).get_json()["title"] == "欢迎"
    assert client.post(f"/me/inbox/{item['id']}/read", **me).status_code == 204
    assert client.post("/me/inbox/read", **me).status_code == 204


def sign_up_and_withdraw(
    client: CheckedClient, uow_factory: UnitOfWorkFactory, me: dict[str, Any]
) -> None:
    with uow_factory.begin() as uow:
        free = a_lecture(uow, offer_minutes=30)
        full = a_lecture(uow, seats=1, starts_in=timedelta(days=9), offer_minutes=30)
        other = a_citizen(uow)
        service.sign_up(uow, other.id, full.ref, service.Wish())
    assert len(client.get("/activities", **me).get_json()["items"]) == 2
    signed = client.post(f"/activities/{free.ref}/signup", json={}, **me)
    assert (signed.status_code, signed.get_json()["status"]) == (201, "confirmed")
    assert client.get(f"/activities/{free.ref}", **me).get_json()["me"]["ticket"]
    assert len(client.get("/me/tickets", **me).get_json()["items"]) == 1
    assert client.post(f"/activities/{full.ref}/signup", json={}, **me).status_code == 201
    with uow_factory.begin() as uow:
        assert service.withdraw(uow, other.id, full.ref)
    offer = f"/activities/{full.ref}/signup/offer"
    accepted = client.post(offer, json={"accept": True}, **me)
    assert accepted.get_json()["status"] == "confirmed"
    assert client.delete(f"/activities/{free.ref}/signup", **me).status_code == 204
    assert client.get(f"/activities/{full.ref}.ics").status_code == 200
    feed = client.post("/me/calendar", **me).get_json()["path"].removeprefix("/api/v1")
    assert client.get(feed).status_code == 200
    assert client.delete("/me/calendar", **me).status_code == 204


def open_announcement(
    client: CheckedClient, uow_factory: UnitOfWorkFactory, me: dict[str, Any]
) -> None:
    with uow_factory.begin() as uow:
        caller = accounts.resolve_token(uow, me["citizen"])
        assert caller is not None
        row = an_announcement(uow)
        a_sent_one(uow, row, caller.id, "1")
        ref = row.ref
    assert client.post(f"/me/announcements/{ref}/opened", **me).status_code == 204


def scan_at_gate(client: CheckedClient, uow_factory: UnitOfWorkFactory, me: dict[str, Any]) -> None:
    with uow_factory.begin() as uow:
        lecture = open_lecture(uow)
        guest = seat_guest(uow, lecture)
        made = checkin.make_grant(uow, EDITOR, lecture.ref, "东门")
        screens.make_address(uow, EDITOR, lecture.ref)
        screen = screens.find_address(uow, EDITOR, lecture.ref)
        venue = checkin.venue_code_at(uow.keys, lecture.id, uow.now)
        ticket = ticket_of(uow, guest)
        scanned_at = uow.now.isoformat()
    assert client.post("/checkins", json={"code": venue}, **me).status_code == 409
    assert client.post(f"/activities/{lecture.ref}/signup", json={}, **me).status_code == 201
    assert client.post("/checkins", json={"code": venue}, **me).get_json()["result"] == "ok"
    assert client.post("/staff/grants", json={"code": made.code}, **me).status_code == 201
    path = f"/staff/sessions/{lecture.ref}"
    for read in ("/staff/sessions", path, f"{path}/roster", f"{path}/people?words=8000"):
        assert client.get(read, **me).status_code == 200
    scan = {"nonce": "1", "ticket": ticket, "scanned_at": scanned_at}
    taken = client.post("/staff/checkins", json={"scans": [scan]}, **me).get_json()
    assert taken["results"][0]["result"] == "OK"
    person = {"person": guest.ref}
    assert client.post(f"{path}/departures", json=person, **me).status_code == 204
    wrong = {**person, "reason": "扫错了人"}
    assert client.post(f"{path}/admissions/undo", json=wrong, **me).status_code == 204
    assert client.post(f"{path}/admissions", json=wrong, **me).status_code == 201
    assert client.post(f"{path}/walk-ins", json={"name": "黄强"}, **me).status_code == 201
    assert screen is not None
    assert client.get(screen.path.removeprefix("/console")).get_json()["admitted"] == 3
    feedback = f"/activities/{lecture.ref}/feedback"
    assert client.get(feedback, **me).get_json() == {"open": False, "given": None}
    assert client.post(feedback, json={"rating": 5}, **me).status_code == 409
    with uow_factory.begin() as uow:
        begun = {"starts_at": uow.now - timedelta(minutes=1)}
        uow.session.execute(update(Activity).where(Activity.id == lecture.id).values(begun))
    assert client.post(feedback, json={"rating": 5}, **me).status_code == 201


def open_channel_code(client: CheckedClient, uow_factory: UnitOfWorkFactory) -> None:
    with uow_factory.begin() as uow:
        code = a_channel_code(uow, open_lecture(uow).ref, picture=a_code()).code
    for path in (f"/codes/{code}", f"/codes/{code}/link.png", f"/codes/{code}/mini.jpg"):
        assert client.get(path).status_code == 200


def take_a_timed_paper(client: CheckedClient, clock: FakeClock, me: dict[str, Any]) -> None:
    """Under a timer for each item, one question after the other."""
    uow_factory = application_of(client.app).uow_factory
    today = beijing_midnight(clock.now().date())
    plan = quiz.ContestPlan(
        slug="timed", title="限时", programme_slug=None, bank=quiz.BANK,
        opens_at=today - timedelta(days=1), closes_at=today + timedelta(days=9),
        body=quiz.preset_body("nanjing-2018"),
    )  # fmt: skip
    timed = quiz.open_contest(uow_factory, plan)
    paper = client.post(f"/contests/{timed}/attempts", **me).get_json()
    answers = {
        "answers": {paper["questions"][0]["id"]: [paper["questions"][0]["options"][0]["key"]]}
    }
    assert client.put(f"/attempts/{paper['id']}/answers", json=answers, **me).status_code == 204
    assert client.post(f"/attempts/{paper['id']}/next", **me).status_code == 201


def declared(client: CheckedClient) -> list[str]:
    return [
        f"{method.upper()} {path}"
        for path, methods in client.document["paths"].items()
        if path.startswith("/api/")
        for method in methods
    ]


def walked(client: CheckedClient) -> set[str]:
    return {f"{method} {path}" for method, path, status in client.templates if status < 300}


def test_an_undocumented_field_is_found(client: CheckedClient, contest: str) -> None:
    document = deepcopy(client.document)
    operation = document["paths"]["/api/v1/contests"]["get"]
    schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
    name = schema["$ref"].rsplit("/", 1)[1]
    del document["components"]["schemas"][name]["properties"]["next"]
    client.judge_by(document)
    with pytest.raises(Undocumented, match="next"):
        client.get("/contests")


def test_an_undocumented_status_is_found(client: CheckedClient) -> None:
    document = deepcopy(client.document)
    del document["paths"]["/api/v1/me"]["get"]["responses"]["401"]
    client.judge_by(document)
    with pytest.raises(Undocumented, match="401"):
        client.get("/me")
