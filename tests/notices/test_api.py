"""Permissions and the inbox as the mini-program sees them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from server.base.templates import message_templates
from server.base.uow import Hooks, UnitOfWorkFactory
from server.base.web.metrics import UNKNOWN_WORDS
from server.notices import service
from server.notices.api import API
from server.notices.service import Choice
from tests.kit.accounts import Person, a_citizen, a_session
from tests.kit.client import CheckedClient
from tests.kit.clock import FakeClock
from tests.kit.edge import edge_client
from tests.kit.gateway import RecordingGateway
from tests.kit.notices import FIRST, SECOND, SENDS


@pytest.fixture
def api(uow_factory: UnitOfWorkFactory, gateway: RecordingGateway) -> CheckedClient:
    senders = Hooks(sends=tuple(one.slug for one in message_templates()[:2]))
    dependencies = replace(uow_factory.dependencies, hooks=uow_factory.dependencies.hooks + senders)
    return edge_client(UnitOfWorkFactory(uow_factory.engine, dependencies), gateway, API)


@pytest.fixture
def person(uow_factory: UnitOfWorkFactory) -> Person:
    with uow_factory.begin() as uow:
        return a_citizen(uow)


@pytest.fixture
def token(uow_factory: UnitOfWorkFactory, person: Person) -> str:
    with uow_factory.begin() as uow:
        return a_session(uow, person)


def test_the_answers_of_the_sheet_are_counted(api: CheckedClient, token: str) -> None:
    chosen = {"results": {FIRST: "accept", SECOND: "reject"}}
    left = api.post("/me/subscriptions", json=chosen, citizen=token).get_json()["remaining"]
    assert (left[FIRST], left[SECOND]) == (1, 0)
    left = api.post("/me/subscriptions", json=chosen, citizen=token).get_json()["remaining"]
    assert (left[FIRST], left[SECOND]) == (2, 0)


def test_what_may_still_be_pushed_is_told_without_asking_anew(
    api: CheckedClient, token: str
) -> None:
    before = api.get("/me/subscriptions", citizen=token).get_json()["remaining"]
    assert set(before.values()) == {0}
    api.post("/me/subscriptions", json={"results": {FIRST: "accept"}}, citizen=token)
    left = api.get("/me/subscriptions", citizen=token).get_json()["remaining"]
    assert left == {**before, FIRST: 1}


def test_a_repeated_request_with_its_key_counts_once(api: CheckedClient, token: str) -> None:
    for _ in range(3):
        answer = api.post(
            "/me/subscriptions",
            json={"results": {FIRST: "accept"}},
            citizen=token,
            headers={"Idempotency-Key": "tap-1"},
        )
        assert answer.get_json()["remaining"][FIRST] == 1


def test_the_event_of_the_same_tap_is_not_counted_again(
    api: CheckedClient, uow_factory: UnitOfWorkFactory, person: Person, token: str
) -> None:
    with uow_factory.begin() as uow:
        items = [Choice(template_id=FIRST, status="accept")]
        service.record_popups(uow, person.id, items, uow.now)
    answer = api.post("/me/subscriptions", json={"results": {FIRST: "accept"}}, citizen=token)
    assert answer.get_json()["remaining"][FIRST] == 1


@pytest.mark.parametrize(
    "word", ["acceptWithAudio", "acceptWithAlert", "acceptWithForcePush", "acceptInSomeNewWay"]
)
def test_a_stronger_yes_is_a_yes(api: CheckedClient, token: str, word: str) -> None:
    chosen = {"results": {FIRST: word, SECOND: "accept"}}
    answer = api.post("/me/subscriptions", json=chosen, citizen=token)
    left = answer.get_json()["remaining"]
    assert (answer.status_code, left[FIRST], left[SECOND]) == (200, 1, 1)


@pytest.mark.parametrize(
    "word", ["reject", "ban", "filter", "rejectWithSound", "maybe", "", "x" * 999]
)
def test_another_word_is_no_grant_and_loses_no_other(
    api: CheckedClient, token: str, word: str
) -> None:
    chosen = {"results": {FIRST: word, SECOND: "accept"}}
    answer = api.post("/me/subscriptions", json=chosen, citizen=token)
    left = answer.get_json()["remaining"]
    assert (answer.status_code, left[FIRST], left[SECOND]) == (200, 0, 1)


def test_a_template_of_another_version_is_left_out(api: CheckedClient, token: str) -> None:
    chosen = {"results": {"of-an-older-version": "accept", FIRST: "accept"}}
    answer = api.post("/me/subscriptions", json=chosen, citizen=token)
    assert answer.status_code == 200
    assert "of-an-older-version" not in answer.get_json()["remaining"]
    assert answer.get_json()["remaining"][FIRST] == 1


def test_words_that_we_do_not_know_are_counted(api: CheckedClient, token: str) -> None:
    counted = UNKNOWN_WORDS.labels("subscriptions")
    before = counted._value.get()
    for word in ("accept", "acceptWithAudio", "reject", "ban", "filter", "maybe", "perhaps"):
        api.post("/me/subscriptions", json={"results": {FIRST: word}}, citizen=token)
    assert counted._value.get() == before + 2


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"results": {}},
        {"results": {FIRST: 1}},
        {"results": {FIRST: None}},
        {"results": {FIRST: "accept"}, "remaining": 5},
        {"results": [FIRST]},
        {"results": {f"template-{number}": "accept" for number in range(21)}},
    ],
)
def test_wrong_answers_are_refused(api: CheckedClient, token: str, body: dict[str, Any]) -> None:
    answer = api.post("/me/subscriptions", json=body, citizen=token)
    assert (answer.status_code, answer.get_json()["code"]) == (422, "invalid")


def test_permissions_need_a_citizen_who_agreed(
    api: CheckedClient, uow_factory: UnitOfWorkFactory
) -> None:
    with uow_factory.begin() as uow:
        token = a_session(uow, a_citizen(uow, consented=False))
    body = {"results": {FIRST: "accept"}}
    assert api.post("/me/subscriptions", json=body).status_code == 401
    answer = api.post("/me/subscriptions", json=body, citizen=token)
    assert (answer.status_code, answer.get_json()["code"]) == (409, "consent_required")
    assert api.get("/me/inbox").status_code == 401


def test_the_inbox_is_paged_newest_first(
    api: CheckedClient, uow_factory: UnitOfWorkFactory, person: Person, token: str, clock: FakeClock
) -> None:
    empty = {"items": [], "next": None, "unread": 0}
    assert api.get("/me/inbox", citizen=token).get_json() == empty
    for number in range(3):
        clock.advance(1)
        with uow_factory.begin() as uow:
            service.post_message(
                uow,
                person.id,
                service.Letter(title=f"通知{number}", body="正文", key=f"a:{number}"),
            )
            service.post_message(
                uow,
                a_citizen(uow).id,
                service.Letter(title="别人的", body="正文", key=f"a:{number}"),
            )
    first = api.get("/me/inbox?limit=2", citizen=token).get_json()
    assert [item["title"] for item in first["items"]] == ["通知2", "通知1"]
    assert first["items"][0]["not_pushed_reason"] is None
    second = api.get(f"/me/inbox?limit=2&after={first['next']}", citizen=token).get_json()
    assert [item["title"] for item in second["items"]] == ["通知0"]
    assert (second["next"], second["unread"]) == (None, 3)


def test_a_message_is_shown_alone_and_is_new_until_it_is_opened(
    api: CheckedClient, uow_factory: UnitOfWorkFactory, person: Person, token: str
) -> None:
    with uow_factory.begin() as uow:
        for number in range(3):
            letter = service.Letter(title=f"通知{number}", body="正文", key=f"a:{number}")
            service.post_message(uow, person.id, letter)
    shown = api.get("/me/inbox", citizen=token).get_json()
    one = shown["items"][0]
    assert (shown["unread"], one["read"], one["withdrawn"]) == (3, False, False)
    assert api.get(f"/me/inbox/{one['id']}", citizen=token).get_json() == one
    for _ in range(2):
        assert api.post(f"/me/inbox/{one['id']}/read", citizen=token).status_code == 204
    assert api.get(f"/me/inbox/{one['id']}", citizen=token).get_json() == {**one, "read": True}
    assert api.get("/me/inbox", citizen=token).get_json()["unread"] == 2
    assert api.post("/me/inbox/read", citizen=token).status_code == 204
    assert api.get("/me/inbox", citizen=token).get_json()["unread"] == 0


def test_a_message_of_somebody_else_is_not_found(
    api: CheckedClient, uow_factory: UnitOfWorkFactory, person: Person, token: str
) -> None:
    with uow_factory.begin() as uow:
        service.post_message(uow, person.id, service.Letter(title="题", body="文", key="a:1"))
        other = a_session(uow, a_citizen(uow))
    (one,) = api.get("/me/inbox", citizen=token).get_json()["items"]
    answers = [
        api.get(f"/me/inbox/{one['id']}", citizen=other),
        api.post(f"/me/inbox/{one['id']}/read", citizen=other),
        api.get("/me/inbox/msg_unknown", citizen=token),
    ]
    assert [(one.status_code, one.get_json()["code"]) for one in answers] == [
        (404, "no_such_message")
    ] * 3
    assert api.get("/me/inbox", citizen=token).get_json()["unread"] == 1


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "limit=x", "after=nonsense"])
def test_a_wrong_page_is_refused(api: CheckedClient, token: str, query: str) -> None:
    answer = api.get(f"/me/inbox?{query}", citizen=token)
    assert (answer.status_code, answer.get_json()["code"]) == (422, "invalid")


def test_a_template_without_a_sender_is_not_offered(
    uow_factory: UnitOfWorkFactory, gateway: RecordingGateway, token: str
) -> None:
    plain = edge_client(uow_factory, gateway, API)
    told = plain.get("/me/subscriptions", citizen=token).get_json()["remaining"]
    slugs = {one.slug for one in message_templates() if one.id in told}
    assert slugs == set(uow_factory.dependencies.hooks.sends) == SENDS
