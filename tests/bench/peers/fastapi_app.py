"""Peer (b): FastAPI, SQLAlchemy Core over asyncpg or aiosqlite, redis.asyncio, under uvicorn."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import FastAPI, Query, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, Counter, Histogram, generate_latest
from pydantic import BaseModel
from sqlalchemy import event, select, update
from sqlalchemy.engine import make_url
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tests.bench.peers import rules
from tests.bench.peers.fastapi_board import Board
from tests.bench.peers.fastapi_quiz import Quiz
from tests.bench.peers.rules import Refused
from tests.bench.peers.tables import Citizen, Consent, KeptAnswer, SessionToken

REQUESTS = Counter("fastapi_requests", "Answers", ["method", "route", "status"])
SECONDS = Histogram("fastapi_request_seconds", "Time to answer", ["route"])
log = logging.getLogger("peer.access")
citizens, consents, tokens, kept = (
    model.__table__ for model in (Citizen, Consent, SessionToken, KeptAnswer)
)
# What a request does in its transaction: the answer, its status, and what follows the commit.
Done = tuple[BaseModel | None, int, Callable[[], Awaitable[Any]] | None]


class AnswersIn(BaseModel):
    """Answers by question."""

    answers: dict[str, list[str]] = {}


class Frame:
    """Gives every answer its request id, its log line and its metrics; plain ASGI."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun, status = time.perf_counter(), 500
        given = dict(scope["headers"]).get(b"x-request-id", b"").decode("latin-1")
        request_id = given or rules.new_ref("req")

        async def framed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] += [
                    (b"x-request-id", request_id.encode()), (b"cache-control", b"no-store"),
                    (b"x-content-type-options", b"nosniff"),
                ]  # fmt: skip
            await send(message)

        try:
            await self._app(scope, receive, framed)
        finally:
            seconds = time.perf_counter() - begun
            route = getattr(scope.get("route"), "path", "unknown")
            REQUESTS.labels(scope["method"], route, status).inc()
            SECONDS.labels(route).observe(seconds)
            facts = {"method": scope["method"], "path": route, "status": status,
                     "ms": round(seconds * 1000, 1), "request_id": request_id}  # fmt: skip
            log.info("answered", extra={"facts": facts})


class JsonLine(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as a line."""
        line = {"at": record.created, "level": record.levelname, "event": record.getMessage()}
        return json.dumps(line | getattr(record, "facts", {}))


def open_engine(address: str) -> AsyncEngine:
    """The engine of the asynchronous driver for the product's database."""
    url = make_url(address)
    if url.get_backend_name() == "postgresql":
        url = url.set(drivername="postgresql+asyncpg")
        return create_async_engine(url, pool_size=8, max_overflow=0)
    engine = create_async_engine(url.set(drivername="sqlite+aiosqlite"), pool_size=8)

    @event.listens_for(engine.sync_engine, "connect")
    def connect(raw: Any, _record: object) -> None:
        raw.isolation_level = None
        cursor = raw.cursor()
        for pragma in ("busy_timeout = 5000", "journal_mode = WAL", "foreign_keys = ON",
                       "synchronous = FULL"):  # fmt: skip
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Any) -> None:
        reading = connection.get_execution_options().get("reading")
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")

    return engine


async def caller(connection: AsyncConnection, request: Request, *, consent: bool = False) -> Any:
    """The citizen behind the request's bearer token.

    Raises: Refused (401, 409).
    """
    latest = (
        select(consents.c.policy_version)
        .where(consents.c.citizen_id == citizens.c.id)
        .order_by(consents.c.given_at.desc(), consents.c.id.desc())
        .limit(1)
        .correlate(citizens)
        .scalar_subquery()
    )
    asked = (
        select(citizens.c.id, latest.label("version"))
        .join(tokens, tokens.c.citizen_id == citizens.c.id)
        .where(
            tokens.c.token_hash == rules.token_hash(request.headers.get("Authorization")),
            tokens.c.revoked_at.is_(None),
            tokens.c.expires_at > rules.now(),
            citizens.c.erased_at.is_(None),
            citizens.c.merged_into.is_(None),
        )
    )
    found = (await connection.execute(asked)).one_or_none()
    if found is None:
        raise Refused(401, "not_authenticated")
    if consent and found.version != os.environ["PEER_POLICY"]:
        raise Refused(409, "consent_required")
    return found.id


class KeyedRequest:
    """A request that may come again under its Idempotency-Key, inside its transaction."""

    def __init__(self, connection: AsyncConnection, insert: Any, citizen_id: int) -> None:
        self._connection, self._insert = connection, insert
        self._whose = f"citizen:{citizen_id}"

    async def known(self, request: Request, key: str) -> Response | None:
        """What the request was answered before; None when this one is the first.

        Raises: Refused (409) when the key came with another request.
        """
        mark = rules.fingerprint(request.method, request.url.path, await request.body())
        claimed = await self._connection.execute(
            self._insert(kept)
            .values(caller=self._whose, key=key, fingerprint=mark, claimed_at=rules.now())
            .on_conflict_do_nothing(index_elements=["caller", "key"])
        )
        if claimed.rowcount == 1:
            return None
        asked = select(kept.c.fingerprint, kept.c.status, kept.c.body).where(
            kept.c.caller == self._whose, kept.c.key == key
        )
        found = (await self._connection.execute(asked)).one()
        if found.fingerprint != mark:
            raise Refused(409, "idempotency_key_reused")
        return Response(found.body, found.status, media_type="application/json")

    async def keep(self, key: str, answer: Response) -> None:
        """Keep the answer for a repeat."""
        await self._connection.execute(
            update(kept)
            .where(kept.c.caller == self._whose, kept.c.key == key)
            .values(status=answer.status_code, body=bytes(answer.body).decode())
        )


def create_app() -> FastAPI:
    """The application, with the database and the Redis that its environment names."""
    engine = open_engine(os.environ["PEER_DATABASE"])
    quiz = Quiz(os.environ["PEER_REDIS"], engine.dialect.name)
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLine())
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    log.propagate = False

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        await engine.dispose()
        await quiz.redis.aclose()

    app = FastAPI(lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(Frame)

    @app.exception_handler(Refused)
    async def refused(_request: Request, refusal: Refused) -> Response:
        return Response(json.dumps(refusal.body), refusal.status,
                        media_type="application/problem+json")  # fmt: skip

    _install_routes(app, engine, quiz)
    return app


def _writer(engine: AsyncEngine, quiz: Quiz) -> Callable[..., Awaitable[Response]]:
    # SQLite has one writer; those who wait for it here wait without asking it again and again.
    turn = asyncio.Lock() if engine.dialect.name == "sqlite" else contextlib.nullcontext()

    async def write(
        request: Request, limit: str, act: Callable[[AsyncConnection, int], Awaitable[Done]],
        *, consent: bool = False,
    ) -> Response:  # fmt: skip
        key = rules.checked_key(request.headers.get("Idempotency-Key"))
        try:
            async with turn, engine.begin() as connection:
                citizen_id = await caller(connection, request, consent=consent)
                await quiz.take(citizen_id, limit)
                keyed = KeyedRequest(connection, quiz.insert, citizen_id)
                if key is not None and (known := await keyed.known(request, key)):
                    return known
                body, status, after = await act(connection, citizen_id)
                content = None if body is None else body.model_dump_json(exclude_unset=True)
                answer = Response(content, status, media_type="application/json")
                if key is not None:
                    await keyed.keep(key, answer)
        except IntegrityError as twin:
            raise Refused(409, "conflict") from twin
        if after is not None:
            await after()
        return answer

    return write


def _install_routes(app: FastAPI, engine: AsyncEngine, quiz: Quiz) -> None:
    write, board = _writer(engine, quiz), Board(quiz)
    reading = engine.execution_options(reading=True)

    @app.get("/")
    async def home() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/metrics")
    async def metrics() -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    @app.post("/api/v1/contests/{ref}/attempts", status_code=201)
    async def start(ref: str, request: Request) -> Response:
        return await write(
            request, "repeat", lambda c, who: quiz.start(c, who, ref), consent=True
        )  # fmt: skip

    @app.put("/api/v1/attempts/{ref}/answers", status_code=204)
    async def save(ref: str, given: AnswersIn, request: Request) -> Response:
        return await write(
            request, "answers", lambda c, who: quiz.save(c, who, ref, given.answers)
        )  # fmt: skip

    @app.post("/api/v1/attempts/{ref}/submission")
    async def submit(ref: str, given: AnswersIn, request: Request) -> Response:
        return await write(
            request, "repeat", lambda c, who: quiz.submit(c, who, ref, given.answers)
        )  # fmt: skip

    @app.get("/api/v1/contests/{ref}/leaderboard")
    async def leaderboard(
        ref: str, request: Request, limit: Annotated[int, Query(ge=1, le=100)] = 20
    ) -> Response:
        async with reading.connect() as connection:
            citizen_id = await caller(connection, request)
            found = await board.read(connection, citizen_id, ref, limit)
        return Response(found.model_dump_json(), media_type="application/json")
