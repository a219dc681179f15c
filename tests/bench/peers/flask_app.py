"""Peer (a): Flask, SQLAlchemy's ORM and redis-py, as under gunicorn's gthread."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import threading
import time
from collections.abc import Callable
from typing import Any

from flask import Flask, Response, g, jsonify, request
from prometheus_client import CONTENT_TYPE_LATEST, Counter, Histogram, generate_latest
from pydantic import BaseModel, ValidationError
from sqlalchemy import create_engine, event, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, sessionmaker

from tests.bench.peers import rules
from tests.bench.peers.flask_board import Board
from tests.bench.peers.flask_quiz import Quiz
from tests.bench.peers.rules import Refused
from tests.bench.peers.tables import Citizen, Consent, KeptAnswer, SessionToken

REQUESTS = Counter("flask_requests", "Answers", ["method", "route", "status"])
SECONDS = Histogram("flask_request_seconds", "Time to answer", ["route"])
log = logging.getLogger("peer.access")


class AnswersIn(BaseModel):
    """Answers by question."""

    answers: dict[str, list[str]] = {}


class JsonLine(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as a line."""
        line = {"at": record.created, "level": record.levelname, "event": record.getMessage()}
        return json.dumps(line | getattr(record, "facts", {}))


def create_app() -> Flask:
    """The application, with the database and the Redis that its environment names."""
    app = Flask("peer")
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    _set_up_log()
    engine = create_engine(os.environ["PEER_DATABASE"], pool_size=8, max_overflow=0)
    if engine.dialect.name == "sqlite":
        _prepare_sqlite(engine)
    sessions = sessionmaker(engine, expire_on_commit=False)
    quiz = Quiz(os.environ["PEER_REDIS"], _insert(engine.dialect.name))
    _install_frame(app)
    _install_routes(app, sessions, quiz)
    return app


def _insert(dialect: str) -> Any:
    return sqlite.insert if dialect == "sqlite" else postgresql.insert


def _prepare_sqlite(engine: Any) -> None:
    @event.listens_for(engine, "connect")
    def connect(raw: Any, _record: object) -> None:
        raw.isolation_level = None
        for pragma in ("busy_timeout = 5000", "journal_mode = WAL", "foreign_keys = ON",
                       "synchronous = FULL"):  # fmt: skip
            raw.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Any) -> None:
        reading = connection.get_execution_options().get("reading")
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


def _set_up_log() -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLine())
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    log.propagate = False


def _install_frame(app: Flask) -> None:
    @app.before_request
    def begin() -> None:
        g.begun = time.perf_counter()
        g.request_id = request.headers.get("X-Request-Id") or rules.new_ref("req")

    @app.after_request
    def end(answer: Response) -> Response:
        seconds = time.perf_counter() - g.begun
        route = request.url_rule.rule if request.url_rule else "unknown"
        REQUESTS.labels(request.method, route, answer.status_code).inc()
        SECONDS.labels(route).observe(seconds)
        facts = {"method": request.method, "path": route, "status": answer.status_code,
                 "ms": round(seconds * 1000, 1), "request_id": g.request_id}  # fmt: skip
        log.info("answered", extra={"facts": facts})
        answer.headers["X-Request-Id"] = g.request_id
        answer.headers["Cache-Control"] = "no-store"
        answer.headers["X-Content-Type-Options"] = "nosniff"
        return answer

    @app.errorhandler(Refused)
    def refused(refusal: Refused) -> Response:
        answer = jsonify(refusal.body)
        answer.status_code = refusal.status
        answer.content_type = "application/problem+json"
        return answer

    @app.get("/")
    def home() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/metrics")
    def metrics() -> Response:
        return Response(generate_latest(), content_type=CONTENT_TYPE_LATEST)


def caller(session: Session, *, consent: bool = False) -> Citizen:
    """The citizen behind the request's bearer token.

    Raises: Refused (401, 409).
    """
    latest = (
        select(Consent.policy_version)
        .where(Consent.citizen_id == Citizen.id)
        .order_by(Consent.given_at.desc(), Consent.id.desc())
        .limit(1)
        .correlate(Citizen)
        .scalar_subquery()
    )
    found = session.execute(
        select(Citizen, latest)
        .join(SessionToken, SessionToken.citizen_id == Citizen.id)
        .where(
            SessionToken.token_hash == rules.token_hash(request.headers.get("Authorization")),
            SessionToken.revoked_at.is_(None),
            SessionToken.expires_at > rules.now(),
            Citizen.erased_at.is_(None),
            Citizen.merged_into.is_(None),
        )
    ).one_or_none()
    if found is None:
        raise Refused(401, "not_authenticated")
    if consent and found[1] != os.environ["PEER_POLICY"]:
        raise Refused(409, "consent_required")
    return found[0]


def once(
    session: Session, quiz: Quiz, citizen: Citizen, act: Callable[[], tuple[Any, int]]
) -> Response:
    """Run a request once under its key, or tell again what it was answered.

    The key's row is written in the transaction of the request itself: a twin waits for it.
    Raises: Refused (409) when the key came with another request.
    """
    key = rules.checked_key(request.headers.get("Idempotency-Key"))
    if key is None:
        return _answer(*act())
    mark = rules.fingerprint(request.method, request.path, request.get_data())
    whose = f"citizen:{citizen.id}"
    claimed = session.scalar(
        quiz.insert(KeptAnswer)
        .values(caller=whose, key=key, fingerprint=mark, claimed_at=rules.now())
        .on_conflict_do_nothing(index_elements=["caller", "key"])
        .returning(KeptAnswer)
    )
    if claimed is not None:
        answer = _answer(*act())
        claimed.status, claimed.body = answer.status_code, answer.get_data(as_text=True)
        return answer
    known = session.scalars(
        select(KeptAnswer).where(KeptAnswer.caller == whose, KeptAnswer.key == key)
    ).one()
    if known.fingerprint != mark:
        raise Refused(409, "idempotency_key_reused")
    return Response(known.body, status=known.status, content_type="application/json")


def _answer(body: Any, status: int) -> Response:
    if body is None:
        return Response(status=status)
    answer = jsonify(body)
    answer.status_code = status
    return answer


def _answers() -> dict[str, list[str]]:
    try:
        return AnswersIn.model_validate_json(request.get_data() or b"{}").answers
    except ValidationError as wrong:
        raise Refused(422, "invalid") from wrong


def _install_routes(app: Flask, sessions: sessionmaker[Session], quiz: Quiz) -> None:
    board = Board(quiz)
    # SQLite has one writer; those who wait for it here wait without asking it again and again.
    turn = threading.Lock() if quiz.insert is sqlite.insert else contextlib.nullcontext()

    def write(limit: str, act: Callable[[Session, Citizen], tuple[Any, int]],
              *, consent: bool = False) -> Response:  # fmt: skip
        try:
            with turn, sessions.begin() as session:
                citizen = caller(session, consent=consent)
                quiz.take(citizen.id, limit)
                answer = once(session, quiz, citizen, lambda: act(session, citizen))
                after = session.info.pop("after_commit", None)
        except IntegrityError as twin:
            raise Refused(409, "conflict") from twin
        if after is not None:
            after()
        return answer

    @app.post("/api/v1/contests/<ref>/attempts")
    def start(ref: str) -> Response:
        return write("repeat", lambda s, who: quiz.start(s, who, ref), consent=True)

    @app.put("/api/v1/attempts/<ref>/answers")
    def save(ref: str) -> Response:
        given = _answers()
        return write("answers", lambda s, who: quiz.save(s, who, ref, given))

    @app.post("/api/v1/attempts/<ref>/submission")
    def submit(ref: str) -> Response:
        given = _answers()
        return write("repeat", lambda s, who: quiz.submit(s, who, ref, given))

    @app.get("/api/v1/contests/<ref>/leaderboard")
    def leaderboard(ref: str) -> Response:
        limit = min(max(request.args.get("limit", 20, int), 1), 100)
        with sessions() as session:
            session.connection(execution_options={"reading": True})
            return jsonify(board.read(session, caller(session), ref, limit))
