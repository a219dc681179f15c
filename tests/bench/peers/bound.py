"""Peer (c), the hand-written bound: plain WSGI, the driver and Redis, nothing between."""

from __future__ import annotations

import os
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qs

import msgspec

from tests.bench.peers import boards, rules
from tests.bench.peers.bound_board import Board
from tests.bench.peers.bound_drivers import Redis, open_database
from tests.bench.peers.bound_quiz import Quiz
from tests.bench.peers.rules import Refused

_encode = msgspec.json.Encoder().encode
_WORDS = {200: "200 OK", 201: "201 Created", 204: "204 No Content", 401: "401 Unauthorized",
          404: "404 Not Found", 409: "409 Conflict", 422: "422 Unprocessable Content",
          429: "429 Too Many Requests", 503: "503 Service Unavailable"}  # fmt: skip
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)
Environ = dict[str, Any]
StartResponse = Callable[[str, list[tuple[str, str]]], Any]


class AnswersIn(msgspec.Struct):
    """Answers by question."""

    answers: dict[str, list[str]] = {}


_decode = msgspec.json.Decoder(AnswersIn).decode


class Metrics:
    """Counts of answers and their times by route."""

    def __init__(self) -> None:
        self.requests: defaultdict[tuple[str, str, int], int] = defaultdict(int)
        self.buckets: defaultdict[tuple[str, float], int] = defaultdict(int)

    def count(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one answer."""
        self.requests[method, route, status] += 1
        bound = next((bound for bound in _BUCKETS if seconds <= bound), float("inf"))
        self.buckets[route, bound] += 1

    def text(self) -> bytes:
        """All counts as Prometheus reads them."""
        lines = [
            f'bound_requests_total{{method="{method}",route="{route}",status="{status}"}} {count}'
            for (method, route, status), count in list(self.requests.items())
        ]
        for route in sorted({route for route, _ in list(self.buckets)}):
            reached = 0
            for bound in (*_BUCKETS, float("inf")):
                reached += self.buckets[route, bound]
                lines.append(
                    f'bound_request_seconds_bucket{{route="{route}",le="{bound}"}} {reached}'
                )
        return "\n".join([*lines, ""]).encode()


class Application:
    """The WSGI callable."""

    def __init__(self) -> None:
        self._database = open_database(os.environ["PEER_DATABASE"])
        scripts = (boards.APPLY, boards.AHEAD, boards.TAKE, boards.VIEW)
        redis = Redis(os.environ["PEER_REDIS"], scripts)
        self._quiz = Quiz(self._database, redis, os.environ["PEER_POLICY"])
        self._board = Board(self._quiz)
        self._metrics = Metrics()

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """One request."""
        begun = time.perf_counter()
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        route, kind = path, "application/json"
        try:
            route, status, body = self._answered(environ, method, path)
        except Refused as refusal:
            status, body, kind = refusal.status, _encode(refusal.body), "application/problem+json"
        seconds = time.perf_counter() - begun
        request_id = environ.get("HTTP_X_REQUEST_ID") or rules.new_ref("req")
        self._metrics.count(method, route, status, seconds)
        line = {"at": time.time(), "level": "INFO", "event": "answered", "method": method,
                "path": route, "status": status, "ms": round(seconds * 1000, 1),
                "request_id": request_id}  # fmt: skip
        os.write(2, _encode(line) + b"\n")
        headers = [("X-Request-Id", request_id), ("Cache-Control", "no-store"),
                   ("X-Content-Type-Options", "nosniff")]  # fmt: skip
        if body:
            headers += [("Content-Type", kind), ("Content-Length", str(len(body)))]
        start_response(_WORDS[status], headers)
        return (body,)

    def _answered(self, environ: Environ, method: str, path: str) -> tuple[str, int, bytes]:
        """Route, status and body."""
        match method, path.split("/")[1:]:
            case "POST", ["api", "v1", "contests", ref, "attempts"]:
                act = self._quiz.starting(ref)
                return "contests/attempts", *self._write(environ, method, path, b"{}", act)
            case "PUT", ["api", "v1", "attempts", ref, "answers"]:
                raw = _body(environ)
                act = self._quiz.saving(ref, _answers(raw))
                return "attempts/answers", *self._write(environ, method, path, raw, act)
            case "POST", ["api", "v1", "attempts", ref, "submission"]:
                raw = _body(environ)
                act = self._quiz.submitting(ref, _answers(raw))
                return "attempts/submission", *self._write(environ, method, path, raw, act)
            case "GET", ["api", "v1", "contests", ref, "leaderboard"]:
                return "contests/leaderboard", 200, self._look(environ, ref)
            case "GET", ["metrics"]:
                return "metrics", 200, self._metrics.text()
            case "GET", [""]:
                return "home", 200, b'{"status":"ok"}'
        raise Refused(404, "not_found")

    def _look(self, environ: Environ, ref: str) -> bytes:
        asked = parse_qs(environ["QUERY_STRING"]).get("limit", ["20"])[0]
        limit = min(max(int(asked), 1), 100) if asked.isdigit() else 20
        token = rules.token_hash(environ.get("HTTP_AUTHORIZATION"))
        return _encode(self._board.read(token, ref, limit))

    def _write(
        self, environ: Environ, method: str, path: str, raw: bytes, act: Any
    ) -> tuple[int, bytes]:
        """Run a request in one transaction, once under its key; what follows comes after it."""
        key = rules.checked_key(environ.get("HTTP_IDEMPOTENCY_KEY"))
        token = rules.token_hash(environ.get("HTTP_AUTHORIZATION"))
        sql, now = self._quiz.sql, self._database.stored_instant(rules.now())
        after = None
        with self._database.writing() as execute:
            citizen = self._quiz.caller(execute, token, now, consent=act.consent)
            whose = {"caller": f"citizen:{citizen[0]}", "key": key}
            if key is not None:
                mark = rules.fingerprint(method, path, raw)
                claimed = execute(sql.claim, {**whose, "mark": mark, "now": now})
                if claimed.rowcount != 1:
                    self._quiz.take(citizen[0], act.limit)
                    return _kept(execute(sql.known, whose).fetchone(), mark)
            told, status, after = act.run(execute, citizen)
            body = b"" if told is None else _encode(told)
            if key is not None:
                execute(sql.keep, {**whose, "status": status, "body": body.decode()})
        if after is not None:
            after()
        return status, body


def _kept(row: Any, mark: str) -> tuple[int, bytes]:
    if row[0] != mark:
        raise Refused(409, "idempotency_key_reused")
    return row[1], row[2].encode()


def _body(environ: Environ) -> bytes:
    raw: bytes = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    return raw


def _answers(raw: bytes) -> dict[str, list[str]]:
    try:
        return _decode(raw or b"{}").answers
    except msgspec.DecodeError as wrong:
        raise Refused(422, "invalid") from wrong


def create_app() -> Application:
    """The application, with the database and the Redis that its environment names."""
    return Application()
