"""Log-in, profile, consent, export and erasure as the mini-program sees them."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import func, select

from server.accounts.api import API
from server.accounts.models import Consent
from server.base.uow import UnitOfWorkFactory
from server.wechat.errors import BadLoginCode, LoginRefused, NotSent
from server.wechat.gateway import Verdict
from tests.kit.accounts import known_as
from tests.kit.boards import at_most
from tests.kit.client import CheckedClient
from tests.kit.clock import FakeClock
from tests.kit.edge import edge_client
from tests.kit.effort import repeat_count
from tests.kit.gateway import RecordingGateway
from tests.kit.units import a_unit

GUARDIAN = {"guardian": True, "guardian_name": "韦大山", "guardian_relation": "父亲"}

# More than the failures that one address is allowed a minute.
PUPILS = repeat_count(500, 320)


def log_in(api: CheckedClient, gateway: RecordingGateway, openid: str = "openid-a") -> Any:
    gateway.answers["code_to_identity"] = known_as(openid)
    answer = api.post("/login", json={"code": "a-code"})
    assert answer.status_code == 200
    return answer.get_json()


@pytest.fixture
def token(api: CheckedClient, gateway: RecordingGateway) -> str:
    """A session of a citizen who has agreed."""
    answer = log_in(api, gateway)
    consent = {"policy_version": answer["citizen"]["policy_version"], "guardian": False}
    assert api.post("/me/consents", json=consent, citizen=answer["token"]).status_code == 201
    return str(answer["token"])


@pytest.fixture
def tight(
    uow_factory: UnitOfWorkFactory, gateway: RecordingGateway, with_limits: Any
) -> CheckedClient:
    """The same edge with the real speed limits."""
    slow = UnitOfWorkFactory(
        uow_factory.engine, replace(uow_factory.dependencies, settings=with_limits)
    )
    return edge_client(slow, gateway, API)


def code_of(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.get_json()["code"]


def test_the_first_log_in_makes_a_citizen(api: CheckedClient, gateway: RecordingGateway) -> None:
    first = log_in(api, gateway)
    second = log_in(api, gateway)
    assert gateway.called("code_to_identity") == [("a-code",), ("a-code",)]
    assert first["citizen"]["is_new"]
    assert not second["citizen"]["is_new"]
    assert first["citizen"]["id"] == second["citizen"]["id"]
    assert first["citizen"]["id"].startswith("cit_")
    assert (first["citizen"]["nickname"], first["citizen"]["consented"]) == (None, False)
    assert first["expires_at"] == "2026-05-31T04:00:00Z"


def test_a_log_in_and_a_consent_take_few_statements(
    api: CheckedClient, gateway: RecordingGateway, uow_factory: UnitOfWorkFactory
) -> None:
    # By the ORM these two took two thirds of the CPU of a rush.
    with at_most(uow_factory, 10):
        answer = log_in(api, gateway)
    with at_most(uow_factory, 5):
        log_in(api, gateway)
    consent = {"policy_version": answer["citizen"]["policy_version"], "guardian": False}
    with at_most(uow_factory, 4):
        assert api.post("/me/consents", json=consent, citizen=answer["token"]).status_code == 201


@pytest.mark.parametrize(
    ("trouble", "status", "code"),
    [
        (BadLoginCode(errcode=40029), 401, "bad_login_code"),
        (LoginRefused(errcode=40226), 403, "login_refused"),
        (NotSent(), 503, "wechat_away"),
    ],
)
def test_a_refused_code_says_why(
    api: CheckedClient, gateway: RecordingGateway, trouble: Exception, status: int, code: str
) -> None:
    gateway.answers["code_to_identity"] = trouble
    assert code_of(api.post("/login", json={"code": "a-code"})) == (status, code)


@pytest.mark.parametrize(
    "body",
    [{}, {"code": ""}, {"code": 1}, {"code": "x", "openid": "openid-a"}, {"code": "x" * 300}],
)
def test_a_log_in_of_another_shape_asks_nobody(
    api: CheckedClient, gateway: RecordingGateway, body: dict[str, Any]
) -> None:
    assert code_of(api.post("/login", json=body)) == (422, "invalid")
    assert gateway.calls == []


def test_log_ins_of_one_openid_are_slowed_down(
    tight: CheckedClient, gateway: RecordingGateway, clock: FakeClock
) -> None:
    for _ in range(5):
        log_in(tight, gateway)
    answer = tight.post("/login", json={"code": "a-code"})
    assert code_of(answer) == (429, "too_many_requests")
    assert int(answer.headers["Retry-After"]) >= 6
    log_in(tight, gateway, "openid-of-a-classmate")
    clock.advance(6)
    log_in(tight, gateway)


def test_wrong_codes_count_against_the_address(
    tight: CheckedClient, gateway: RecordingGateway
) -> None:
    gateway.answers["code_to_identity"] = BadLoginCode(errcode=40029)
    answers = [tight.post("/login", json={"code": "x"}).status_code for _ in range(151)]
    assert answers == [401] * 150 + [429]


def test_codes_over_the_limit_never_reach_wechat(
    tight: CheckedClient, gateway: RecordingGateway, clock: FakeClock
) -> None:
    gateway.answers["code_to_identity"] = BadLoginCode(errcode=40029)
    answers = [tight.post("/login", json={"code": "x"}) for _ in range(400)]
    assert [answer.status_code for answer in answers] == [401] * 150 + [429] * 250
    assert {answer.headers["Retry-After"] for answer in answers[150:]} == {"1"}
    assert len(gateway.called("code_to_identity")) == 150
    elsewhere = {"environ_base": {"REMOTE_ADDR": "203.0.113.9"}}
    assert tight.post("/login", json={"code": "x"}, **elsewhere).status_code == 401
    clock.advance(1)
    log_in(tight, gateway)


def test_a_log_in_that_wechat_cannot_answer_is_nobodys_failure(
    tight: CheckedClient, gateway: RecordingGateway
) -> None:
    gateway.answers["code_to_identity"] = NotSent()
    statuses = {tight.post("/login", json={"code": "x"}).status_code for _ in range(200)}
    assert statuses == {503}


def test_tokens_that_were_never_given_count_against_the_address(tight: CheckedClient) -> None:
    statuses = [tight.get("/me", citizen=f"guess-{n}").status_code for n in range(152)]
    assert statuses == [401] * 150 + [429] * 2


def test_a_class_whose_tokens_ran_out_together_may_log_in_again(
    tight: CheckedClient, gateway: RecordingGateway, clock: FakeClock
) -> None:
    tokens = [log_in(tight, gateway, f"openid-of-pupil-{n}")["token"] for n in range(160)]
    clock.advance(31 * 86_400)
    assert {tight.get("/me", citizen=token).status_code for token in tokens} == {401}
    log_in(tight, gateway, "openid-of-pupil-0")


def test_erasing_oneself_empties_no_bucket(
    tight: CheckedClient, gateway: RecordingGateway, uow_factory: UnitOfWorkFactory
) -> None:
    def come() -> str:
        citizen = log_in(tight, gateway)
        consent = {"policy_version": citizen["citizen"]["policy_version"], "guardian": False}
        assert tight.post("/me/consents", json=consent, citizen=citizen["token"]).status_code == 201
        return str(citizen["token"])

    gateway.answers["check_text"] = Verdict.PASS
    token = come()
    for number in range(5):
        name = {"nickname": f"小{number}"}
        assert tight.patch("/me", json=name, citizen=token).status_code == 200
        assert tight.get("/me/export", citizen=token).status_code == 200
    assert tight.delete("/me", citizen=token).status_code == 204
    token = come()
    assert tight.patch("/me", json={"nickname": "小九"}, citizen=token).status_code == 429
    assert tight.get("/me/export", citizen=token).status_code == 429
    assert len(gateway.called("check_text")) == 5


def test_a_writing_call_over_its_pace_is_refused_before_anything_is_done(
    tight: CheckedClient, gateway: RecordingGateway, uow_factory: UnitOfWorkFactory
) -> None:
    citizen = log_in(tight, gateway)
    consent = {"policy_version": citizen["citizen"]["policy_version"], "guardian": False}
    answers = [
        tight.post("/me/consents", json=consent, citizen=citizen["token"]) for _ in range(70)
    ]
    assert [answer.status_code for answer in answers] == [201] * 60 + [429] * 10
    assert answers[-1].headers["Retry-After"] == "1"
    with uow_factory.begin(read_only=True) as uow:
        assert uow.session.scalar(select(func.count()).select_from(Consent)) == 60
    other = log_in(tight, gateway, "openid-of-a-classmate")["token"]
    assert tight.post("/me/consents", json=consent, citizen=other).status_code == 201


@pytest.mark.slow
def test_five_hundred_pupils_behind_one_address_log_in(
    tight: CheckedClient, gateway: RecordingGateway
) -> None:
    for number in range(PUPILS):
        log_in(tight, gateway, f"openid-of-pupil-{number}")


def test_logging_out_kills_the_token_at_once(api: CheckedClient, gateway: RecordingGateway) -> None:
    token = log_in(api, gateway)["token"]
    other = log_in(api, gateway)["token"]
    assert api.post("/logout", citizen=token).status_code == 204
    assert code_of(api.get("/me", citizen=token)) == (401, "not_authenticated")
    assert code_of(api.post("/logout", citizen=token)) == (401, "not_authenticated")
    assert api.get("/me", citizen=other).status_code == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/me"),
        ("PATCH", "/me"),
        ("DELETE", "/me"),
        ("POST", "/me/consents"),
        ("GET", "/me/export"),
        ("POST", "/logout"),
    ],
)
def test_without_a_token_nothing_is_answered(api: CheckedClient, method: str, path: str) -> None:
    assert code_of(api.open(method, path)) == (401, "not_authenticated")
    assert code_of(api.open(method, path, citizen="no-such-token")) == (401, "not_authenticated")


def test_the_profile_is_changed_part_by_part(
    api: CheckedClient, uow_factory: UnitOfWorkFactory, token: str
) -> None:
    with uow_factory.begin() as uow:
        unit = a_unit(uow, name="南宁市第一中学")
    every = {
        "nickname": "小明",
        "city": "450100",
        "county": "450103",
        "unit": unit.ref,
        "audience": "youth",
        "sex": "female",
        "birth_band": "2010",
        "schooling": "junior",
        "residence": "urban",
        "language": "za",
        "elder_mode": True,
        "public_rank": True,
        "topics": ["科学态度", "space"],
        "quiet_from": "22:00",
        "quiet_to": "07:30",
    }
    for field, value in every.items():
        # Some things only make sense together.
        together = {"quiet_to": "07:30"} if field == "quiet_from" else {}
        answer = api.patch("/me", json={field: value, **together}, citizen=token)
        assert answer.status_code == 200, answer.text
        assert answer.get_json()[field] == value
    profile = api.get("/me", citizen=token).get_json()
    assert {field: profile[field] for field in every} == every
    assert profile["unit_name"] == "南宁市第一中学"
    assert (profile["city_name"], profile["county_name"]) == ("南宁市", "青秀区")
    assert (profile["nickname_state"], profile["pending_nickname"]) == ("shown", None)
    assert profile["consented"]
    cleared = api.patch("/me", json=dict.fromkeys(every), citizen=token).get_json()
    assert cleared["nickname"] is cleared["city"] is cleared["unit"] is None
    assert cleared["city_name"] is cleared["county_name"] is None
    assert (cleared["language"], cleared["public_rank"], cleared["topics"]) == ("zh", False, [])


@pytest.mark.parametrize(
    "body",
    [
        {"city": "999999"},
        {"city": 450100},
        {"county": "450103"},
        {"city": "450200", "county": "450103"},
        {"unit": "no-such-unit"},
        {"unit": "a\x00b"},
        {"audience": "aliens"},
        {"sex": "x"},
        {"birth_band": "1987"},
        {"language": "en"},
        {"elder_mode": "yes"},
        {"topics": ["<script>"]},
        {"topics": ["a"] * 21},
        {"quiet_from": "22:00"},
        {"quiet_from": "24:00", "quiet_to": "07:00"},
        {"nickname": ""},
        {"nickname": "   "},
        {"nickname": "\u200b\u202e"},
        {"nickname": "很" * 21},
        {"score": 100},
        {"under_14": False},
        {"avatar_url": "https://x/y.png"},
    ],
)
def test_a_wrong_profile_changes_nothing(
    api: CheckedClient, gateway: RecordingGateway, token: str, body: dict[str, Any]
) -> None:
    before = api.get("/me", citizen=token).get_json()
    assert code_of(api.patch("/me", json={"elder_mode": True, **body}, citizen=token)) == (
        422,
        "invalid",
    )
    assert api.get("/me", citizen=token).get_json() == before
    assert gateway.called("check_text") == []


def test_put_changes_the_named_parts_alone_as_patch_does(api: CheckedClient, token: str) -> None:
    api.patch("/me", json={"elder_mode": True}, citizen=token)
    changed = api.put("/me", json={"public_rank": True}, citizen=token).get_json()
    assert (changed["elder_mode"], changed["public_rank"]) == (True, True)


def test_before_consent_the_profile_cannot_be_changed(
    api: CheckedClient, gateway: RecordingGateway
) -> None:
    token = log_in(api, gateway)["token"]
    answer = api.patch("/me", json={"nickname": "小明"}, citizen=token)
    assert code_of(answer) == (409, "consent_required")
    assert gateway.called("check_text") == []
    assert api.get("/me", citizen=token).status_code == 200


def test_a_nickname_is_cleaned_and_asked_about_once(
    api: CheckedClient, gateway: RecordingGateway, token: str
) -> None:
    for _ in range(2):
        answer = api.patch("/me", json={"nickname": " 小\u202e明\r\n "}, citizen=token)
        assert answer.get_json()["nickname"] == "小明"
    api.patch("/me", json={"elder_mode": True}, citizen=token)
    assert [args[:2] for args in gateway.called("check_text")] == [("openid-a", "小明")]


def test_a_risky_nickname_changes_nothing(
    api: CheckedClient, gateway: RecordingGateway, token: str
) -> None:
    gateway.answers["check_text"] = Verdict.RISKY
    answer = api.patch("/me", json={"nickname": "坏话", "elder_mode": True}, citizen=token)
    assert code_of(answer) == (409, "nickname_refused")
    profile = api.get("/me", citizen=token).get_json()
    assert (profile["nickname"], profile["elder_mode"]) == (None, False)


@pytest.mark.parametrize("verdict", [Verdict.REVIEW, NotSent()])
def test_an_undecided_nickname_is_checking(
    api: CheckedClient, gateway: RecordingGateway, token: str, verdict: Any
) -> None:
    gateway.answers["check_text"] = verdict
    answer = api.patch("/me", json={"nickname": "小明", "city": "450100"}, citizen=token)
    assert answer.status_code == 200
    profile = answer.get_json()
    assert (profile["nickname"], profile["nickname_state"]) == (None, "checking")
    assert (profile["pending_nickname"], profile["city"]) == ("小明", "450100")


def test_new_nicknames_are_slowed_down(
    tight: CheckedClient, gateway: RecordingGateway, token: str
) -> None:
    def rename(number: int) -> int:
        return tight.patch("/me", json={"nickname": f"小{number}"}, citizen=token).status_code

    assert [rename(number) for number in range(6)] == [200] * 5 + [429]
    assert tight.patch("/me", json={"elder_mode": True}, citizen=token).status_code == 200
    assert rename(4) == 200


def test_a_child_agrees_with_a_guardian(api: CheckedClient, gateway: RecordingGateway) -> None:
    answer = log_in(api, gateway)
    token, version = answer["token"], answer["citizen"]["policy_version"]

    def consent(**declared: Any) -> Any:
        body = {"policy_version": version, "guardian": False, **declared}
        return api.post("/me/consents", json=body, citizen=token)

    assert code_of(consent(under_14=True)) == (409, "guardian_consent_required")
    assert code_of(consent(policy_version="1999")) == (409, "policy_version_outdated")
    unreadable = {**GUARDIAN, "guardian_name": "\u200b"}
    assert code_of(consent(under_14=True, **unreadable)) == (422, "invalid")
    assert not api.get("/me", citizen=token).get_json()["consented"]
    made = consent(under_14=True, **GUARDIAN)
    assert made.status_code == 201
    assert made.get_json() == {
        "policy_version": version,
        "guardian": True,
        "under_14": True,
        "given_at": "2026-05-01T04:00:00Z",
    }
    profile = api.get("/me", citizen=token).get_json()
    assert (profile["consented"], profile["under_14"]) == (True, True)
    assert log_in(api, gateway)["citizen"]["consented"]


def test_the_export_is_everything_and_slowed_down(
    tight: CheckedClient, gateway: RecordingGateway, token: str
) -> None:
    tight.patch("/me", json={"nickname": "小明"}, citizen=token)
    answer = tight.get("/me/export", citizen=token)
    held = answer.get_json()["held"]
    assert held["person"]["nickname"] == "小明"
    assert held["identities"][0]["openid"] == "openid-a"
    assert {"sessions", "consents", "inbox", "message_grants"} <= held.keys()
    statuses = [tight.get("/me/export", citizen=token).status_code for _ in range(5)]
    assert statuses == [200] * 4 + [429]


def test_erasure_kills_the_token_and_the_next_log_in_is_somebody_new(
    api: CheckedClient, gateway: RecordingGateway, token: str
) -> None:
    mine = api.get("/me", citizen=token).get_json()["id"]
    noise = log_in(api, gateway, "openid-noise")["token"]
    answer = api.delete("/me", citizen=token, headers={"Idempotency-Key": "erase-1"})
    assert (answer.status_code, answer.data) == (204, b"")
    assert code_of(api.get("/me", citizen=token)) == (401, "not_authenticated")
    assert code_of(api.delete("/me", citizen=token)) == (401, "not_authenticated")
    again = log_in(api, gateway)["citizen"]
    assert again["is_new"]
    assert again["id"] != mine
    assert not again["consented"]
    assert api.get("/me", citizen=noise).status_code == 200


def test_no_log_line_names_a_person(
    api: CheckedClient, gateway: RecordingGateway, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    answer = log_in(api, gateway, "openid-canary")
    token = answer["token"]
    consent = {"policy_version": answer["citizen"]["policy_version"], "under_14": True, **GUARDIAN}
    api.post("/me/consents", json=consent, citizen=token)
    for verdict in (NotSent(), Verdict.PASS, Verdict.RISKY):
        gateway.answers["check_text"] = verdict
        api.patch("/me", json={"nickname": f"金丝雀{type(verdict).__name__}"}, citizen=token)
    gateway.answers["code_to_identity"] = BadLoginCode(errcode=40029)
    api.post("/login", json={"code": "code-canary"})
    api.get("/me/export", citizen=token)
    api.delete("/me", citizen=token)
    said = "\n".join(str(record.__dict__) for record in caplog.records)
    assert "answered" in said
    found = [c for c in ("canary", "金丝雀", "韦大山", str(token)) if c in said]
    assert found == []


def test_no_answer_holds_the_openid_but_the_export(
    api: CheckedClient, gateway: RecordingGateway
) -> None:
    gateway.answers["code_to_identity"] = known_as("openid-canary", "union-canary")
    answer = api.post("/login", json={"code": "a-code"})
    token = answer.get_json()["token"]
    assert "canary" not in answer.text
    assert "canary" not in api.get("/me", citizen=token).text
    assert "session_key" not in answer.text
