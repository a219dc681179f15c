"""The contest over HTTP: what a phone gets, and what somebody who is no phone does not."""

from __future__ import annotations

import json
import re
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from server.base.uow import UnitOfWorkFactory
from server.quiz.attempts import attempt_store
from server.quiz.attempts import service as attempts
from server.quiz.contests.service import ContestView
from server.quiz.models import Attempt, Question
from tests.conftest import application_of
from tests.kit.accounts import a_citizen, a_session
from tests.kit.boards import at_most
from tests.kit.clock import FakeClock
from tests.kit.quiz import all_right, open_contest, rows, seen, some_right

TELLTALE = re.compile(r"answer_?key|correct|explanation|is_right|solution|source|difficulty")


def a_phone(uow_factory: UnitOfWorkFactory, *, consented: bool = True, **columns: Any) -> str:
    with uow_factory.begin() as uow:
        return a_session(uow, a_citizen(uow, consented=consented, **columns))


def begun(client: Any, contest: ContestView, phone: str) -> dict[str, Any]:
    answer = client.post(f"/contests/{contest.ref}/attempts", citizen=phone)
    assert answer.status_code == 201
    paper: dict[str, Any] = answer.get_json()
    return paper


def test_a_citizen_takes_a_paper_and_sees_what_came_of_it(
    client: Any, uow_factory: UnitOfWorkFactory, clock: FakeClock, contest: ContestView
) -> None:
    phone = a_phone(uow_factory, city="450100", county="450103")
    listed = client.get("/contests", citizen=phone).get_json()["items"]
    assert [one["id"] for one in listed] == [contest.ref]
    assert listed[0]["me"] == {
        "division": None, "warm_up_left": 0, "held": False,
        "attempts_left_today": 1, "attempts_left_total": None,
        "best_score": None, "open_attempt_id": None, "open_deadline": None,
        "open_remaining_ms": None, "total": None, "today_score": None, "rank": None,
        "behind_next": None, "behind_next_ms": None,
    }  # fmt: skip
    paper = begun(client, contest, phone)
    assert len(paper["questions"]) == 10
    assert paper["answers"] == {}
    assert (paper["remaining_ms"], paper["state"]) == (300_000, "open")
    questions = seen(paper)
    clock.advance(60)
    half = all_right(questions[:5])
    saved = client.put(f"/attempts/{paper['id']}/answers", json={"answers": half}, citizen=phone)
    assert (saved.status_code, saved.data) == (204, b"")
    there = client.get(f"/attempts/{paper['id']}", citizen=phone).get_json()
    assert there == {**paper, "answers": half, "remaining_ms": 240_000}
    repeat = client.post(f"/contests/{contest.slug}/attempts", citizen=phone)
    assert (repeat.status_code, repeat.get_json()) == (200, there)
    me = client.get(f"/contests/{contest.ref}", citizen=phone).get_json()["me"]
    assert (me["attempts_left_today"], me["open_attempt_id"]) == (0, paper["id"])
    assert (me["open_deadline"], me["open_remaining_ms"]) == (paper["deadline"], 240_000)
    rest = {"answers": all_right(questions[5:])}
    path = f"/attempts/{paper['id']}/submission"
    result = client.post(path, json=rest, citizen=phone)
    assert result.status_code == 200
    told = result.get_json()
    assert (told["score"], told["max_score"], told["correct_count"]) == (100, 100, 10)
    assert (told["duration_ms"], told["question_count"], told["personal_best"]) == (60_000, 10, 100)
    assert told["ranks"] == {"kind": "at_close", "region": 1, "city": 1, "city_name": "南宁市"}
    assert [one["question_id"] for one in told["review"]] == [q.id for q in questions]
    assert all(one["chosen"] == one["correct"] for one in told["review"])
    assert all(one["explanation"] == rows()[one["question_id"]]["explanation"]
               for one in told["review"])  # fmt: skip
    assert client.post(path, citizen=phone).get_json() == told
    after = client.get(f"/attempts/{paper['id']}", citizen=phone).get_json()
    assert {name: after[name] for name in told} == told
    assert after["questions"] == paper["questions"]
    me = client.get(f"/contests/{contest.ref}", citizen=phone).get_json()["me"]
    assert (me["best_score"], me["open_attempt_id"]) == (100, None)
    refused = client.post(f"/contests/{contest.ref}/attempts", citizen=phone)
    assert (refused.status_code, refused.get_json()["code"]) == (409, "no_attempts_left")


def test_contests_are_public_and_come_page_by_page(
    client: Any, uow_factory: UnitOfWorkFactory
) -> None:
    refs = [open_contest(uow_factory, slug=f"c{n}").ref for n in range(3)][::-1]
    first = client.get("/contests?limit=2").get_json()
    rest = client.get(f"/contests?limit=2&after={first['next']}").get_json()
    assert [one["id"] for one in first["items"] + rest["items"]] == refs
    assert rest["next"] is None
    assert {one["me"] for one in first["items"]} == {None}
    assert client.get(f"/contests/{refs[0]}").get_json()["me"] is None
    assert client.get("/contests/nothing").status_code == 404
    for query in ("after=x", "limit=0", "limit=101"):
        assert client.get(f"/contests?{query}").status_code == 422


def test_where_a_contest_stands_follows_the_clock(
    client: Any, uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    opens = clock.now() + timedelta(hours=1)
    contest = open_contest(uow_factory, opens_at=opens, closes_at=opens + timedelta(hours=1))
    phone = a_phone(uow_factory)
    for state, code in (("upcoming", "contest_not_open"), ("open", None), ("closed", None)):
        there = client.get(f"/contests/{contest.ref}", citizen=phone).get_json()
        assert there["state"] == state
        assert there["me"]["attempts_left_today"] == (1 if state == "open" else 0)
        if code:
            refused = client.post(f"/contests/{contest.ref}/attempts", citizen=phone)
            assert refused.get_json()["code"] == code
        clock.advance(3600)
    refused = client.post(f"/contests/{contest.ref}/attempts", citizen=phone)
    assert (refused.status_code, refused.get_json()["code"]) == (409, "contest_closed")


def test_nobody_answers_without_a_token_or_a_consent(
    client: Any, uow_factory: UnitOfWorkFactory, contest: ContestView
) -> None:
    path = f"/contests/{contest.ref}/attempts"
    assert client.post(path).status_code == 401
    assert client.get("/attempts/att_x").status_code == 401
    assert client.put("/attempts/att_x/answers", json={"answers": {}}).status_code == 401
    assert client.post("/attempts/att_x/submission").status_code == 401
    assert client.post("/attempts/att_x/next").status_code == 401
    refused = client.post(path, citizen=a_phone(uow_factory, consented=False))
    assert (refused.status_code, refused.get_json()["code"]) == (409, "consent_required")


def test_papers_of_others_and_of_nobody_are_404_to_read_and_to_write(
    client: Any, uow_factory: UnitOfWorkFactory, contest: ContestView
) -> None:
    paper = begun(client, contest, a_phone(uow_factory))
    stranger = a_phone(uow_factory)
    body = {"answers": all_right(seen(paper))}
    for ref in (paper["id"], "att_00000000000000000000", "1", "%27"):
        assert client.get(f"/attempts/{ref}", citizen=stranger).status_code == 404
        assert (
            client.put(f"/attempts/{ref}/answers", json=body, citizen=stranger).status_code == 404
        )
        assert client.post(f"/attempts/{ref}/submission", citizen=stranger).status_code == 404
        assert client.post(f"/attempts/{ref}/next", citizen=stranger).status_code == 404
    assert client.post("/contests/nothing/attempts", citizen=stranger).status_code == 404


# T1: nothing that tells what is right, before the end


def test_nothing_that_is_said_before_the_end_holds_a_key_or_an_explanation(
    client: Any, uow_factory: UnitOfWorkFactory, contest: ContestView
) -> None:
    phone = a_phone(uow_factory)
    paper = begun(client, contest, phone)
    questions = seen(paper)
    some = {"answers": some_right(questions, 5)}
    wrong = {"answers": {questions[0].id: ["Z"], "KX0000": ["A"]}}
    said = [
        client.get("/contests", citizen=phone),
        client.get(f"/contests/{contest.ref}", citizen=phone),
        client.get(f"/contests/{contest.ref}/rules"),
        client.get(f"/contests/{contest.ref}/leaderboard", citizen=phone),
        client.post(f"/contests/{contest.ref}/attempts", citizen=phone),
        client.put(f"/attempts/{paper['id']}/answers", json=some, citizen=phone),
        client.put(f"/attempts/{paper['id']}/answers", json=wrong, citizen=phone),
        client.post(f"/attempts/{paper['id']}/submission", json=wrong, citizen=phone),
        client.post(f"/attempts/{paper['id']}/next", citizen=phone),
        client.get(f"/attempts/{paper['id']}", citizen=phone),
        client.get("/me/attempts", citizen=phone),
        client.get("/me/export", citizen=phone),
    ]
    for answer in [json.dumps(paper), *(one.get_data(as_text=True) for one in said)]:
        words = json.loads(answer) if answer else {}
        assert not TELLTALE.search(" ".join(names(words)))
        for row in rows().values():
            assert row["explanation"] not in str(words)


def names(value: Any) -> list[str]:
    """Every field name in an answer, however deep."""
    if isinstance(value, dict):
        return [*value, *(name for inner in value.values() for name in names(inner))]
    return [name for inner in value for name in names(inner)] if isinstance(value, list) else []


def test_right_and_wrong_answers_are_received_alike(
    client: Any, uow_factory: UnitOfWorkFactory, contest: ContestView
) -> None:
    replies = []
    for right in (10, 0):
        phone = a_phone(uow_factory)
        paper = begun(client, contest, phone)
        body = {"answers": some_right(seen(paper), right)}
        answer = client.put(f"/attempts/{paper['id']}/answers", json=body, citizen=phone)
        headers = {n: v for n, v in answer.headers.items() if n not in ("X-Request-Id", "Date")}
        replies.append((answer.status_code, answer.data, headers))
    assert replies[0] == replies[1]


def test_over_200_papers_no_key_and_no_place_tells_what_is_right(
    client: Any, uow_factory: UnitOfWorkFactory, contest: ContestView
) -> None:
    """Chi-square of the right key of four-option single choices, at 0.1 %."""
    places: Counter[str] = Counter()
    by_question: dict[str, set[str]] = {}
    shapes = set()
    for _ in range(200):
        paper = begun(client, contest, a_phone(uow_factory))
        shapes.add(tuple(sorted(paper["questions"][0])))
        for question in seen(paper):
            keys = [key for key, _ in question.options]
            assert keys == list("ABCDEF"[: len(keys)])
            if question.kind == "judge":
                assert [text for _, text in question.options] == ["正确", "错误"]
            if question.kind == "single" and len(keys) == 4:
                places[question.key[0]] += 1
                by_question.setdefault(question.id, set()).add(question.key[0])
    even = sum(places.values()) / 4
    assert sum((places[key] - even) ** 2 / even for key in "ABCD") < 16.27
    assert all(len(keys) == 4 for keys in by_question.values())
    assert shapes == {("id", "kind", "options", "stem")}


def test_questions_are_known_outside_by_their_ref_alone(
    client: Any, uow_factory: UnitOfWorkFactory, contest: ContestView
) -> None:
    paper = begun(client, contest, a_phone(uow_factory))
    with uow_factory.begin(read_only=True) as uow:
        refs = set(uow.session.scalars(select(Question.ref)))
    assert {question["id"] for question in paper["questions"]} <= refs
    assert {tuple(sorted(option)) for q in paper["questions"] for option in q["options"]} == {
        ("key", "text")
    }
    assert re.fullmatch(r"att_[0-9a-z]{20}", paper["id"])


# A2: the forged points of 2019


@pytest.mark.parametrize(
    "forged",
    [
        {"score": 100},
        {"points": 1440, "correct_count": 10},
        {"rank": 1},
        {"citizen_id": 1},
        {"duration_ms": 1},
        {"answers": {}, "score": 100},
        {"answers": {}, "started_at": "2026-05-01T00:00:00+08:00"},
    ],
)
def test_points_that_a_client_writes_itself_are_refused_and_change_nothing(
    client: Any, uow_factory: UnitOfWorkFactory, contest: ContestView, forged: dict[str, Any]
) -> None:
    phone = a_phone(uow_factory)
    refused = client.post(f"/contests/{contest.ref}/attempts", json=forged, citizen=phone)
    assert refused.status_code == 422
    paper = begun(client, contest, phone)
    for method, path in (("PUT", "answers"), ("POST", "submission"), ("POST", "next")):
        answer = client.open(method, f"/attempts/{paper['id']}/{path}", json=forged, citizen=phone)
        assert answer.status_code == 422
    told = client.post(f"/attempts/{paper['id']}/submission", citizen=phone).get_json()
    assert (told["score"], told["correct_count"]) == (0, 0)
    board = client.get(f"/contests/{contest.ref}/leaderboard", citizen=phone).get_json()
    assert [line["score"] for line in board["items"]] == [0]


def test_a_score_that_somebody_posts_over_and_over_is_taken_once(
    client: Any, uow_factory: UnitOfWorkFactory, contest: ContestView
) -> None:
    phone = a_phone(uow_factory)
    paper = begun(client, contest, phone)
    body = {"answers": some_right(seen(paper), 3)}
    path = f"/attempts/{paper['id']}/submission"
    first = client.post(path, json=body, citizen=phone).get_json()
    better = {"answers": all_right(seen(paper))}
    for _ in range(10):
        assert client.post(path, json=better, citizen=phone).get_json() == first
    answer = client.put(f"/attempts/{paper['id']}/answers", json=better, citizen=phone)
    assert (answer.status_code, answer.get_json()["code"]) == (409, "attempt_closed")
    board = client.get(f"/contests/{contest.ref}/leaderboard").get_json()
    assert [line["score"] for line in board["items"]] == [30]


def test_a_clock_that_the_client_claims_moves_no_deadline(
    client: Any, uow_factory: UnitOfWorkFactory, clock: FakeClock, contest: ContestView
) -> None:
    phone = a_phone(uow_factory)
    paper = begun(client, contest, phone)
    clock.advance(303)
    for days in (-1, 1):
        then = (clock.now() + timedelta(days=days)).strftime("%a, %d %b %Y %H:%M:%S GMT")
        answer = client.put(
            f"/attempts/{paper['id']}/answers",
            json={"answers": all_right(seen(paper))},
            citizen=phone,
            headers={"Date": then, "X-Client-Time": then},
        )
        assert answer.get_json()["code"] == "attempt_closed"
    told = client.post(
        f"/attempts/{paper['id']}/submission",
        json={"answers": all_right(seen(paper))},
        citizen=phone,
    ).get_json()
    assert (told["score"], told["state"], told["duration_ms"]) == (0, "expired", 300_000)


@pytest.mark.parametrize(
    "body",
    [
        b'{"answers": 1}',
        b'{"answers": {"KX0001": "A"}}',
        b'{"answers": {"KX0001": [1]}}',
        b'{"answers": {"KX0001": ["ABC"]}}',
        b'{"answers": {"' + b"x" * 41 + b'": []}}',
        b'{"answers": {"KX0001": ["A","B","C","D","E","F","G","H","I"]}}',
        json.dumps({"answers": {f"q{n}": [] for n in range(101)}}).encode(),
        b"[]",
        b"{}",
    ],
)
def test_answers_of_another_shape_are_422(
    client: Any, uow_factory: UnitOfWorkFactory, contest: ContestView, body: bytes
) -> None:
    phone = a_phone(uow_factory)
    paper = begun(client, contest, phone)
    answer = client.put(
        f"/attempts/{paper['id']}/answers",
        data=body,
        content_type="application/json",
        citizen=phone,
    )
    assert answer.status_code == 422


# The timer of each item


def test_timed_items_come_one_by_one_with_their_own_deadline(
    client: Any, uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    contest = open_contest(uow_factory, "nanjing-2018", slug="nanjing")
    phone = a_phone(uow_factory)
    paper = begun(client, contest, phone)
    assert (len(paper["questions"]), paper["question_count"], paper["timer"]) == (1, 20, "item")
    assert paper["questions"][0]["deadline"]
    path = f"/attempts/{paper['id']}"
    refused = client.post(f"{path}/next", citizen=phone)
    assert (refused.status_code, refused.get_json()["code"]) == (409, "answer_first")
    body = {"answers": all_right(seen(paper))}
    assert client.put(f"{path}/answers", json=body, citizen=phone).status_code == 204
    clock.advance(10)
    second = client.post(f"{path}/next", citizen=phone)
    assert second.status_code == 201
    assert sorted(second.get_json()) == ["deadline", "id", "kind", "options", "stem"]
    there = client.get(path, citizen=phone).get_json()
    assert there["questions"] == [*paper["questions"], second.get_json()]
    clock.advance(31)
    third = client.post(f"{path}/next", citizen=phone)
    assert third.status_code == 201
    told = client.post(f"{path}/submission", citizen=phone).get_json()
    assert (told["score"], len(told["review"])) == (5, 20)
    answer = client.post(f"{path}/next", citizen=phone)
    assert answer.get_json()["code"] == "attempt_closed"


# Limits and keys


@pytest.mark.parametrize("papers_before", [0, 1])
@pytest.mark.parametrize(("key", "most"), [({}, 8), ({"Idempotency-Key": "once"}, 10)])
def test_a_start_takes_eight_statements_with_its_caller_and_two_more_under_a_key(
    app: Flask,
    client: Any,
    uow_factory: UnitOfWorkFactory,
    papers_before: int,
    key: dict[str, str],
    most: int,
) -> None:
    contest = open_contest(uow_factory, papers_per_day=3)
    with uow_factory.begin() as uow:
        for shard in range(attempts.SHARDS):
            attempt_store.lock_deck(uow, contest.id, shard)
    begun(client, contest, a_phone(uow_factory))
    phone = a_phone(uow_factory)
    for _ in range(papers_before):
        paper = begun(client, contest, phone)
        client.post(f"/attempts/{paper['id']}/submission", json={}, citizen=phone)
    with at_most(application_of(app).uow_factory, most) as said:
        path = f"/contests/{contest.ref}/attempts"
        assert client.post(path, json={}, citizen=phone, headers=key).status_code == 201
    assert len(said) == most


def test_a_key_that_repeats_a_start_replays_its_answer(
    client: Any, uow_factory: UnitOfWorkFactory, contest: ContestView
) -> None:
    phone = a_phone(uow_factory)
    path, named = f"/contests/{contest.ref}/attempts", {"Idempotency-Key": "once"}
    first = client.post(path, json={}, citizen=phone, headers=named)
    again = client.post(path, json={}, citizen=phone, headers=named)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.get_json() == again.get_json()
    with uow_factory.begin(read_only=True) as uow:
        assert len(uow.session.scalars(select(Attempt.id)).all()) == 1
