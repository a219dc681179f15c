"""Effect and kept answer are one transaction: both or neither, once for a key, whoever dies."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, insert, select

from server.base.access import Citizen
from server.base.jobs import Lease
from server.base.sql.prepared import run_statement
from server.base.sql.tables import table_of
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.base.web import idempotency
from server.base.web.auth import Who
from server.base.web.drawings import Drawings, kept_drawings
from server.base.web.endpoint import Api, Edge, endpoint
from server.base.web.errors import install_error_handlers
from server.base.web.request_frame import install_request_frame
from server.base.web.schema import In, Out
from tests.kit.clock import FakeClock

TWINS = 8
MARKS = "/api/v1/marks"


class Nothing(In, frozen=True, kw_only=True):
    pass


class Marked(Out, frozen=True, kw_only=True):
    number: int


class Marks:
    """An endpoint whose effect can be counted: each run leaves one row."""

    def __init__(self) -> None:
        self.api = Api("marks")
        self.before_end: Callable[[UnitOfWork], None] = lambda _work: None

        @endpoint(self.api, "POST", "/marks", who=Who.CITIZEN, body=Nothing, out=Marked)
        def mark(uow: UnitOfWork, body: Nothing) -> Marked:
            number = marks_in(uow)
            # Rows of twins must not stop each other: the key alone is to be tested.
            name = uow.new_ref("mark")
            uow.session.add(Lease(name=name, holder="mark", fence=number, until=uow.now))
            uow.session.flush()
            self.before_end(uow)
            return Marked(number=number)


def marks_in(uow: UnitOfWork) -> int:
    asked = select(func.count()).select_from(Lease).where(Lease.holder == "mark")
    return uow.session.scalar(asked) or 0


def marks_of(uow_factory: UnitOfWorkFactory) -> int:
    with uow_factory.begin(read_only=True) as uow:
        return marks_in(uow)


@pytest.fixture
def marks() -> Marks:
    return Marks()


@pytest.fixture
def http(uow_factory: UnitOfWorkFactory, marks: Marks, clock: FakeClock) -> FlaskClient:
    app = Flask("marks")
    install_request_frame(app, clock, clock)
    install_error_handlers(app, uow_factory.dependencies.texts)
    edge = Edge(
        uow_factory=uow_factory,
        gateway=None,
        resolve=lambda _work, _token: Citizen(id=1),
        drawings=Drawings(kept_drawings(uow_factory.dependencies.settings)),
    )
    app.register_blueprint(edge.build_blueprint((marks.api,)))
    return app.test_client()


def sent(http: FlaskClient, key: str | None = "k1") -> tuple[int, Any]:
    headers = {"Authorization": "Bearer ann"} | ({} if key is None else {"Idempotency-Key": key})
    answer = http.application.test_client().post(MARKS, json={}, headers=headers)
    return answer.status_code, answer.get_json(force=True)


def at_once(http: FlaskClient, key: str | None) -> list[tuple[int, Any]]:
    """The same request from many threads at the same moment."""
    answers: list[tuple[int, Any]] = []
    together = threading.Barrier(TWINS)

    def send() -> None:
        together.wait()
        answers.append(sent(http, key))

    threads = [threading.Thread(target=send) for _ in range(TWINS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


@pytest.mark.race
def test_twins_at_the_same_moment_have_one_effect_and_one_answer(
    http: FlaskClient, uow_factory: UnitOfWorkFactory
) -> None:
    answers = at_once(http, "k1")
    assert marks_of(uow_factory) == 1
    done = [body for status, body in answers if status == 200]
    refused = [body["code"] for status, body in answers if status != 200]
    assert done
    assert all(body == {"number": 0} for body in done)
    assert set(refused) <= {"idempotency_in_flight"}
    assert sent(http) == (200, {"number": 0})


@pytest.mark.race
def test_without_a_key_each_twin_has_its_own_effect(
    http: FlaskClient, uow_factory: UnitOfWorkFactory
) -> None:
    """The control of the race above."""
    answers = at_once(http, None)
    assert [status for status, _ in answers] == [200] * TWINS
    assert marks_of(uow_factory) == TWINS


@pytest.mark.race
def test_a_process_killed_before_its_commit_leaves_the_key_and_the_work_to_the_repeat(
    http: FlaskClient, marks: Marks, uow_factory: UnitOfWorkFactory
) -> None:
    reached, tell = os.pipe()
    pid = os.fork()
    if pid == 0:  # pragma: no cover - the child is killed
        # Connections of the parent are not touched by the child.
        uow_factory.engine.dispose(close=False)
        marks.before_end = lambda _work: (os.write(tell, b"x"), threading.Event().wait())[1:]
        sent(http)
        os._exit(1)
    try:
        assert os.read(reached, 1) == b"x"
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(reached)
        os.close(tell)
    assert marks_of(uow_factory) == 0
    status, _ = in_flight_until_noticed(http)
    assert status == 200
    assert marks_of(uow_factory) == 1


def in_flight_until_noticed(http: FlaskClient) -> tuple[int, Any]:
    """PostgreSQL may need a moment to see that the other end of a connection is gone."""
    while True:
        status, body = sent(http)
        if status == 200 or body["code"] != "idempotency_in_flight":
            return status, body


def test_a_failure_after_the_effect_leaves_neither_effect_nor_answer(
    http: FlaskClient, marks: Marks, uow_factory: UnitOfWorkFactory
) -> None:
    def fail(_work: UnitOfWork) -> None:
        raise RuntimeError

    marks.before_end = fail
    assert sent(http)[0] == 500
    assert marks_of(uow_factory) == 0
    marks.before_end = lambda _work: None
    assert sent(http) == (200, {"number": 0})
    assert marks_of(uow_factory) == 1


def test_a_twin_committed_after_the_look_is_replayed_and_the_second_effect_taken_back(
    http: FlaskClient, uow_factory: UnitOfWorkFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert sent(http) == (200, {"number": 0})
    find, looks = idempotency.find_answer, iter([True])

    def blind_at_first(uow: UnitOfWork, asked: idempotency.Keyed) -> tuple[int, str] | None:
        return None if next(looks, False) else find(uow, asked)

    monkeypatch.setattr(idempotency, "find_answer", blind_at_first)
    assert sent(http) == (200, {"number": 0})
    assert marks_of(uow_factory) == 1


def test_an_answer_is_never_written_over(uow_factory: UnitOfWorkFactory) -> None:
    asked = idempotency.Keyed(caller="citizen:1", key="k", print_of="p")
    with uow_factory.begin() as uow:
        idempotency.keep_answer(uow, asked, 201, "first")
    with pytest.raises(idempotency.AnsweredMeanwhile), uow_factory.begin() as uow:
        idempotency.keep_answer(uow, asked, 201, "second")
    with uow_factory.begin() as uow:
        assert idempotency.find_answer(uow, asked) == (201, "first")


def test_a_claim_of_a_running_request_holds_the_key_and_one_that_died_gives_it_up(
    uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    asked = idempotency.Keyed(caller="citizen:1", key="k", print_of="p")
    idempotency.claim_key(uow_factory, asked.caller, asked.key, asked.print_of)
    with pytest.raises(idempotency.IdempotencyInFlight), uow_factory.begin() as uow:
        idempotency.find_answer(uow, asked)
    clock.advance(idempotency.IN_FLIGHT.total_seconds() + 1)
    with uow_factory.begin() as uow:
        assert idempotency.find_answer(uow, asked) is None
        idempotency.keep_answer(uow, asked, 200, "done")
    with uow_factory.begin() as uow:
        assert idempotency.find_answer(uow, asked) == (200, "done")


def test_a_request_that_erases_its_caller_keeps_no_answer(
    http: FlaskClient, marks: Marks, uow_factory: UnitOfWorkFactory
) -> None:
    marks.before_end = lambda uow: idempotency.drop_answers_of(uow, 1)
    assert sent(http)[0] == 200
    with uow_factory.begin(read_only=True) as uow:
        kept = select(func.count()).select_from(idempotency.KeptAnswer)
        assert uow.session.scalar(kept) == 0


def test_what_is_kept_for_one_caller_is_not_found_by_another(
    uow_factory: UnitOfWorkFactory,
) -> None:
    mine = idempotency.Keyed(caller="citizen:1", key="k", print_of="p")
    with uow_factory.begin() as uow:
        idempotency.keep_answer(uow, mine, 200, "mine")
    yours = idempotency.Keyed(caller="citizen:2", key="k", print_of="p")
    assert mine.lock != yours.lock
    with uow_factory.begin() as uow:
        assert idempotency.find_answer(uow, yours) is None


def test_a_conflict_at_the_commit_rolls_back_an_effect_made_without_the_session(
    uow_factory: UnitOfWorkFactory,
) -> None:
    asked = idempotency.Keyed(caller="citizen:1", key="k", print_of="p")
    with uow_factory.begin() as uow:
        idempotency.keep_answer(uow, asked, 200, "first")
    facts = {"holder": "mark", "fence": 0}
    with pytest.raises(idempotency.AnsweredMeanwhile), uow_factory.begin() as uow:
        run_statement(uow, insert(table_of(Lease)), {"name": "lost", "until": uow.now, **facts})
        idempotency.keep_answer(uow, asked, 200, "second")
    assert marks_of(uow_factory) == 0
    with uow_factory.begin() as uow:
        run_statement(uow, insert(table_of(Lease)), {"name": "kept", "until": uow.now, **facts})
        other = idempotency.Keyed(caller="citizen:1", key="other", print_of="p")
        idempotency.keep_answer(uow, other, 200, "third")
    assert marks_of(uow_factory) == 1
