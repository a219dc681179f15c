"""Bad days in a running contest, from outside: Redis, WeChat or a worker goes away."""

from __future__ import annotations

import json
import os
import signal
import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest
import redis

from tests.e2e.outside import Citizen, Demo, descendants, eventually

pytestmark = pytest.mark.slow
PEOPLE = 6
# More than the processes of the demo have threads to run the house.
STALLED = 200
LOG_INS = 80


@pytest.fixture
def contest(demo: Demo) -> str:
    return str(demo.api("GET", "/contests").body["items"][0]["id"])


@pytest.fixture
def people(demo: Demo, request: pytest.FixtureRequest) -> list[Citizen]:
    born = [Citizen.born(demo, f"{request.node.name[:8]}{n}") for n in range(PEOPLE)]
    for one in born:
        # After a test in which WeChat was away, calls to it begin again by themselves.
        eventually(lambda one=one: logs_in(one), "nobody can log in")  # type: ignore[misc]
        one.agree()
    return born


def logs_in(one: Citizen) -> bool:
    code = one.demo.emu("POST", "login_code", {"person": one.person}).body["code"]
    answer = one.demo.api("POST", "/login", {"code": code})
    assert answer.status in (200, 503), answer
    if answer.status == 200:
        one.token = answer.body["token"]
    return answer.status == 200


def redis_of(demo: Demo) -> tuple[int, redis.Redis]:
    told = json.loads((demo.var / "kv.json").read_text("utf-8"))
    return int(told["pid"]), redis.Redis(unix_socket_path=told["socket"], socket_timeout=60)


def recount(results: dict[str, dict[str, Any]]) -> list[tuple[int, int]]:
    """Score and time of everybody, in the order that the rules give."""
    return sorted(
        ((r["score"], r["duration_ms"]) for r in results.values()), key=lambda p: (-p[0], p[1])
    )


def board(demo: Demo, contest: str) -> list[tuple[int, int]]:
    items = demo.api("GET", f"/contests/{contest}/leaderboard?limit=100").body["items"]
    return [(item["score"], item["duration_ms"]) for item in items]


ALL: dict[str, dict[str, Any]] = {}


def settled(demo: Demo, contest: str) -> None:
    """The board holds everybody, at the latest after the next sweep.

    A Redis that was away comes back as it was, and each process asks it again in its own time.
    """
    eventually(lambda: board(demo, contest) == recount(ALL), "the board lacks somebody")


def test_a_hung_redis_loses_no_answer_and_breaks_no_limit(
    demo: Demo, contest: str, people: list[Citizen]
) -> None:
    pid, client = redis_of(demo)
    os.kill(pid, signal.SIGSTOP)
    try:
        for one in people:
            _, ALL[one.person] = one.take_paper(contest)
            again = one.api("POST", f"/contests/{contest}/attempts")
            assert (again.status, again.body["code"]) == (409, "no_attempts_left")
        assert board(demo, contest) == recount(ALL)
        said = demo.emu("POST", "message", {"person": people[0].person, "content": "帮助"}).body
        assert "答题" in said["attempts"][-1]["reply"]["content"]
        assert demo.api("GET", "/campaign").status == 200
    finally:
        os.kill(pid, signal.SIGCONT)
    client.flushall()
    assert board(demo, contest) == recount(ALL)


def test_a_killed_redis_comes_back_and_the_boards_are_right(
    demo: Demo, contest: str, people: list[Citizen]
) -> None:
    pid, _ = redis_of(demo)
    os.kill(pid, signal.SIGKILL)
    for one in people:
        _, ALL[one.person] = one.take_paper(contest)
    settled(demo, contest)
    eventually(lambda: redis_of(demo)[0] != pid, "Redis was not started again")
    settled(demo, contest)


def test_wechat_away_stops_new_log_ins_and_nothing_else(
    demo: Demo, contest: str, people: list[Citizen]
) -> None:
    demo.emu("POST", "faults", {"path": "*", "http": 502})
    try:
        code = demo.emu("POST", "login_code", {"person": people[0].person}).body["code"]
        refused = demo.api("POST", "/login", {"code": code})
        assert refused.status == 503
        assert "Retry-After" in refused.headers
        for one in people:
            _, ALL[one.person] = one.take_paper(contest)
        said = demo.emu("POST", "message", {"person": people[0].person, "content": "规则"}).body
        assert "题" in said["attempts"][-1]["reply"]["content"]
        named = people[0].api("PATCH", "/me", {"nickname": "新名字"})
        assert (named.status, named.body["nickname_state"]) == (200, "checking")
    finally:
        demo.emu("DELETE", "faults")
    settled(demo, contest)


def test_a_hanging_wechat_holds_no_callback_up(demo: Demo, people: list[Citizen]) -> None:
    demo.emu("POST", "faults", {"path": "/sns/jscode2session", "delay_s": 6})
    try:
        with ThreadPoolExecutor(LOG_INS) as many:
            asked = [many.submit(demo.api, "POST", "/login", {"code": "x"}) for _ in range(LOG_INS)]
            said = demo.emu("POST", "message", {"person": people[0].person, "content": "帮助"}).body
            refused = [one.result() for one in asked]
        assert [attempt["verdict"] for attempt in said["attempts"]] == ["ok-reply"]
        assert "答题" in said["attempts"][0]["reply"]["content"]
        assert {(one.status, "Retry-After" in one.headers) for one in refused} == {(503, True)}
    finally:
        demo.emu("DELETE", "faults")


def test_a_killed_worker_is_replaced_and_closes_what_was_left_open(
    demo: Demo, contest: str, people: list[Citizen]
) -> None:
    paper = people[0].api("POST", f"/contests/{contest}/attempts").body
    first = paper["questions"][0]
    chosen = {first["id"]: [first["options"][0]["key"]]}
    people[0].api("PUT", f"/attempts/{paper['id']}/answers", {"answers": chosen})
    for pid in descendants(demo.pid):
        if b"server\0worker" in Path(f"/proc/{pid}/cmdline").read_bytes():
            os.kill(pid, signal.SIGKILL)
    demo.emu("POST", "clock", {"advance": 400})
    try:
        foretold = people[0].api("GET", f"/attempts/{paper['id']}").body
        eventually(lambda: on_board(people[0], contest), "nobody closed it")
        told = people[0].api("GET", f"/attempts/{paper['id']}").body
        assert told["state"] == "expired"
        assert told["score"] == foretold["score"]
        assert told["correct_count"] == foretold["correct_count"]
        ALL[people[0].person] = told
    finally:
        demo.emu("POST", "clock", {"offset_s": 0})


def test_stalled_clients_hold_nobody_up_and_are_hung_up_on(
    demo: Demo, contest: str, people: list[Citizen]
) -> None:
    head = b"POST /api/v1/login HTTP/1.1\r\nHost: kepu\r\nContent-Type: application/json\r\n"
    halves = (head, head + b'Content-Length: 20\r\n\r\n{"code')
    with ExitStack() as all_of_them:
        stalled = []
        for number in range(STALLED):
            client = socket.create_connection(("127.0.0.1", demo.port), timeout=60)
            all_of_them.enter_context(closing(client))
            client.sendall(halves[number % 2])
            stalled.append(client)
        _, ALL[people[0].person] = people[0].take_paper(contest)
        assert demo.api("GET", "/campaign").status == 200
        for client in stalled:
            assert b"HTTP/1.1 2" not in client.recv(4096)


def test_slow_uploads_and_unread_answers_hold_nobody_up(
    demo: Demo, contest: str, people: list[Citizen]
) -> None:
    upload = (
        f"POST /api/v1/me/avatar HTTP/1.1\r\nHost: kepu\r\nAuthorization: Bearer {people[0].token}"
        "\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 200000\r\n\r\n"
    ).encode() + b"x" * 100_000
    unread = b"GET /openapi.json HTTP/1.1\r\nHost: kepu\r\n\r\n" * 200
    with ExitStack() as all_of_them:
        for number in range(STALLED):
            client = socket.create_connection(("127.0.0.1", demo.port), timeout=60)
            all_of_them.enter_context(closing(client))
            client.sendall((upload, unread)[number % 2])
        _, ALL[people[1].person] = people[1].take_paper(contest)
        assert demo.api("GET", "/campaign").status == 200


def on_board(one: Citizen, contest: str) -> bool:
    mine = one.api("GET", f"/contests/{contest}/leaderboard").body["me"]
    return mine is not None
