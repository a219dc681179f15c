"""Slow posters are refused to their readers alone: nobody else waits, no transaction is open."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import replace
from typing import Any

import pytest
from werkzeug.test import TestResponse

from server.accounts.api import API as ACCOUNTS
from server.app import Overrides, open_application
from server.base.settings import Database, Settings
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.base.web.auth import Who
from server.base.web.drawings import Drawings, kept_drawings
from server.base.web.endpoint import Api, Picture, endpoint
from server.quiz.sharing import api as share_api
from server.quiz.sharing import service as shares
from server.quiz.sharing.api import SHARE_API
from tests.kit.accounts import a_citizen, a_session
from tests.kit.client import CheckedClient
from tests.kit.edge import edge_client
from tests.kit.gateway import RecordingGateway
from tests.kit.pictures import a_code
from tests.kit.quiz import open_contest, take

READERS, PLACES, CONNECTIONS = 40, 4, 3
FOR_EVER = 60.0


class Slow:
    """Drawings that are not done before the test says so; each reader asks for another picture."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.go_on, self.draws = threading.Event(), share_api.draw_poster
        numbers = itertools.count()
        monkeypatch.setattr(share_api, "draw_poster", self.drawn)
        monkeypatch.setattr(share_api, "content_name", lambda _card: str(next(numbers)))

    def drawn(self, poster: Any) -> bytes:
        assert self.go_on.wait(FOR_EVER)
        return self.draws(poster)


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Iterator[Slow]:
    made = Slow(monkeypatch)
    yield made
    made.go_on.set()


@pytest.fixture
def request_seconds() -> float:
    """How long a request waits for the database: longer than forty short readings may take."""
    return FOR_EVER


@pytest.fixture
def few(
    settings: Settings, overrides: Overrides, request_seconds: float
) -> Iterator[UnitOfWorkFactory]:
    """The application with few connections."""
    small = Database(pool_size=CONNECTIONS, request_seconds=request_seconds)
    opened = open_application(replace(settings, database=small), overrides)
    yield opened.uow_factory
    opened.uow_factory.engine.dispose()


@pytest.fixture
def phone(uow_factory: UnitOfWorkFactory) -> str:
    with uow_factory.begin() as uow:
        return a_session(uow, a_citizen(uow))


@pytest.fixture
def ref(uow_factory: UnitOfWorkFactory, few: UnitOfWorkFactory, phone: str) -> str:
    """A card with its code."""
    with uow_factory.begin() as uow:
        person = a_citizen(uow)
        sharer = a_session(uow, person)
    paper = take(uow_factory, open_contest(uow_factory), person.id).sheet.ref
    gateway = RecordingGateway()
    gateway.answers["mini_program_code"] = a_code()
    body = {"kind": "quiz_result", "attempt_id": paper}
    client = edge_client(few, gateway, SHARE_API)
    return str(client.post("/shares", json=body, citizen=sharer).get_json()["id"])


def client_of(uow_factory: UnitOfWorkFactory, *apis: Api) -> CheckedClient:
    drawings = Drawings(
        kept_drawings(uow_factory.dependencies.settings),
        most_waiting=PLACES,
        patience_seconds=FOR_EVER,
    )
    return edge_client(
        uow_factory, RecordingGateway(), SHARE_API, ACCOUNTS, *apis, drawings=drawings
    )


def readers(pool: ThreadPoolExecutor, client: CheckedClient, path: str) -> list[Future[Any]]:
    def read() -> TestResponse:
        return client.app.test_client().get(path)

    return [pool.submit(read) for _ in range(READERS)]


def others(client: CheckedClient, phone: str) -> list[int]:
    """What a reader of something else and a writer are answered."""
    return [
        client.get("/me", citizen=phone).status_code,
        client.post("/visits", json={"scene": "x"}, citizen=phone).status_code,
    ]


@pytest.mark.race
def test_forty_readers_of_slow_posters_harm_nobody_else(
    few: UnitOfWorkFactory, slow: Slow, phone: str, ref: str
) -> None:
    client = client_of(few)
    with ThreadPoolExecutor(READERS) as pool:
        asked = readers(pool, client, f"/api/v1/shares/{ref}/image.png")
        done = itertools.islice(as_completed(asked), READERS - PLACES)
        refused = [one.result() for one in done]
        assert {(r.status_code, r.get_json()["code"]) for r in refused} == {(503, "picture_busy")}
        assert all(int(answer.headers["Retry-After"]) > 0 for answer in refused)
        assert others(client, phone) == [200, 204]
        slow.go_on.set()
        answers = [one.result() for one in asked]
    shown = [answer for answer in answers if answer.status_code == 200]
    assert len(shown) == PLACES
    assert all(answer.data.startswith(b"\x89PNG") for answer in shown)


@pytest.mark.race
@pytest.mark.parametrize("request_seconds", [0.2])
def test_the_harm_is_seen_when_posters_are_drawn_inside_the_transaction(
    few: UnitOfWorkFactory, slow: Slow, phone: str, ref: str
) -> None:
    inside = Api("inside")

    @endpoint(inside, "GET", "/inside/<ref>", who=Who.ANYONE, media="image/png")
    def show(uow: UnitOfWork, ref: str) -> Picture:
        """Draw as it was done before."""
        return Picture(content=slow.drawn(shares.read_poster(uow, ref)), keep_seconds=1)

    client = client_of(few, inside)
    with ThreadPoolExecutor(READERS) as pool:
        asked = readers(pool, client, f"/api/v1/inside/{ref}")
        done = itertools.islice(as_completed(asked), READERS - CONNECTIONS)
        refused = [one.result() for one in done]
        assert {answer.get_json()["code"] for answer in refused} == {"database_away"}
        assert others(client, phone) == [503, 503]
        slow.go_on.set()
        assert sum(one.result().status_code == 200 for one in asked) == CONNECTIONS


def test_a_poster_is_drawn_once_and_no_transaction_is_open_meanwhile(
    uow_factory: UnitOfWorkFactory,
    few: UnitOfWorkFactory,
    phone: str,
    ref: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    drawn_at: list[int] = []
    draws = share_api.draw_poster

    def drawn(poster: Any) -> bytes:
        drawn_at.append(few.engine.pool.checkedout())  # type: ignore[attr-defined]
        return draws(poster)

    monkeypatch.setattr(share_api, "draw_poster", drawn)
    client = client_of(few)
    first, second = (client.get(f"/shares/{ref}/image.png") for _ in range(2))
    assert (first.status_code, first.data) == (200, second.data)
    assert drawn_at == [0]
