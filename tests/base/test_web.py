"""The JSON edge: callers, shapes, refusals, idempotency, the document."""

from __future__ import annotations

import io
import threading
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from flask import Flask
from flask.testing import FlaskClient

from server.base.access import Citizen
from server.base.errors import Conflict
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.base.web.api_middleware import ApiMiddleware
from server.base.web.auth import Who
from server.base.web.drawings import Drawings, kept_drawings
from server.base.web.endpoint import Answer, Api, Edge, PreflightContext, endpoint
from server.base.web.errors import install_error_handlers
from server.base.web.flask_app import new_flask
from server.base.web.health import Probes, health_pages
from server.base.web.openapi import build_document, docs_pages
from server.base.web.request_frame import install_request_frame
from server.base.web.schema import In, Out, PageQuery
from tests.kit.clock import FakeClock


class NoLuck(Conflict):
    code = "conflict"


class Wish(In, frozen=True, kw_only=True):
    words: str
    count: int = 1


class Granted(Out, frozen=True, kw_only=True):
    words: str
    number: int


class Bench:
    """A few endpoints that exist only here, and how often they ran."""

    def __init__(self) -> None:
        self.api = Api("bench")
        self.runs = 0
        self.pause: threading.Event | None = None
        self.inside = threading.Event()
        self._declare()

    def _declare(self) -> None:
        api = self.api

        @endpoint(
            api, "POST", "/wishes", who=Who.CITIZEN, body=Wish, out=Granted, status=(201, 200)
        )
        def make_wish(uow: UnitOfWork, body: Wish) -> Any:
            self.runs += 1
            self.inside.set()
            if self.pause is not None:
                self.pause.wait(60)
            if body.words == "refused":
                raise NoLuck
            if body.words == "crash":
                raise RuntimeError("secret in the message")
            made = Granted(words=body.words, number=self.runs)
            return Answer(value=made, status=200) if body.count > 1 else made

        @endpoint(api, "GET", "/wishes", who=Who.MAYBE_CITIZEN, query=PageQuery, out=Granted)
        def wishes(uow: UnitOfWork, query: PageQuery) -> Granted:
            return Granted(
                words="nobody" if uow.maybe_caller_id is None else "citizen", number=query.limit
            )

        @endpoint(api, "POST", "/asked", who=Who.ANYONE, body=Wish, out=Granted, ask=self._ask)
        def asked(uow: UnitOfWork, body: Wish, asked: str) -> Granted:
            return Granted(words=asked, number=body.count)

        @endpoint(api, "PUT", "/agreed", who=Who.CITIZEN, consent=True, status=(204,))
        def agreed(uow: UnitOfWork) -> None:
            return None

    def _ask(self, preflight: PreflightContext, body: Wish) -> str:
        assert preflight.uow_factory.depth == 0
        return body.words.upper()


def resolve(uow: UnitOfWork, token: str) -> Citizen | None:
    people = {"ann": 1, "bo": 2}
    return Citizen(id=people[token], consented=token == "bo") if token in people else None


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.fixture(params=["middleware", "flask"])
def http(
    request: pytest.FixtureRequest, uow_factory: UnitOfWorkFactory, bench: Bench, clock: FakeClock
) -> FlaskClient:
    """The same endpoints behind the API middleware, and in Flask alone."""
    app: Flask = new_flask()
    frame = install_request_frame(app, clock, clock)
    install_error_handlers(app, uow_factory.dependencies.texts)
    drawings = Drawings(kept_drawings(uow_factory.dependencies.settings))
    edge = Edge(uow_factory=uow_factory, gateway=None, resolve=resolve, drawings=drawings)
    app.register_blueprint(edge.build_blueprint((bench.api,)))
    if request.param == "middleware":
        middleware = ApiMiddleware(
            app.wsgi_app, edge.build_runners((bench.api,)), frame, uow_factory.dependencies.texts
        )
        app.wsgi_app = middleware  # type: ignore[method-assign]
    app.register_blueprint(
        docs_pages(lambda: build_document((bench.api,), title="bench", version="1"))
    )
    app.register_blueprint(
        health_pages(
            Probes(
                uow_factory=uow_factory, migrated=lambda: True, degraded={"redis": lambda: False}
            )
        )
    )
    return app.test_client()


def ann(**more: str) -> dict[str, str]:
    return {"Authorization": "Bearer ann", **more}


JSON = {"content_type": "application/json"}
ME = {"headers": {"Authorization": "Bearer ann"}}
WISHES = "/api/v1/wishes"


def posted(raw: bytes) -> dict[str, Any]:
    return {"data": raw, **JSON, **ME}


def wished(words: object) -> dict[str, Any]:
    return {"json": {"words": words}, **ME}


REFUSED: list[tuple[str, str, dict[str, Any], int, str]] = [
    ("post", WISHES, {"json": {"words": "x"}}, 401, "not_authenticated"),
    ("post", WISHES, posted(b"{"), 400, "malformed"),
    ("post", WISHES, posted(b"[" * 30000), 400, "malformed"),
    ("post", WISHES, posted(b'{"words":"\xff"}'), 400, "malformed"),
    ("post", WISHES, posted(b'{"words":"\\u0000"}'), 422, "invalid"),
    (
        "post",
        WISHES,
        {"data": b"words=x", "content_type": "text/plain", **ME},
        415,
        "unsupported_media_type",
    ),
    ("post", WISHES, {"json": {"words": "x", "score": 9}, **ME}, 422, "invalid"),
    ("post", WISHES, wished(5), 422, "invalid"),
    ("post", WISHES, {"json": {}, **ME}, 422, "invalid"),
    ("post", WISHES, wished("refused"), 409, "conflict"),
    ("post", WISHES, wished("crash"), 500, "internal"),
    ("post", WISHES, wished("x" * 70000), 413, "body_too_large"),
    ("post", WISHES, {"headers": {"Authorization": "Basic x"}}, 401, "not_authenticated"),
    (
        "post",
        WISHES,
        {"json": {"words": "x"}, "headers": {**ME["headers"], "Idempotency-Key": "a b"}},
        422,
        "invalid",
    ),
    ("get", WISHES + "?limit=0", {}, 422, "invalid"),
    ("get", WISHES + "?limit=abc", {}, 422, "invalid"),
    ("get", WISHES, {"headers": {"Authorization": "Bearer dead"}}, 401, "not_authenticated"),
    ("put", "/api/v1/agreed", ME, 409, "consent_required"),
    ("delete", WISHES, {}, 405, "method_not_allowed"),
    ("get", WISHES + "?after=%00", {}, 422, "invalid"),
    ("get", "/nowhere", {}, 404, "not_found"),
]


@pytest.mark.parametrize(("method", "path", "given", "status", "code"), REFUSED)
def test_every_refusal_is_problem_json_with_its_code(
    http: FlaskClient, method: str, path: str, given: dict[str, Any], status: int, code: str
) -> None:
    answer = http.open(path, method=method.upper(), **given)
    assert answer.status_code == status
    assert answer.content_type == "application/problem+json"
    body = answer.get_json(force=True)
    assert (body["code"], body["status"]) == (code, status)
    assert body["detail"]
    assert body["request_id"] == answer.headers["X-Request-Id"]
    assert "Traceback" not in answer.text
    assert "secret" not in answer.text


def test_a_wrong_method_is_told_the_right_ones(http: FlaskClient) -> None:
    allowed = http.delete(WISHES).headers["Allow"].split(", ")
    assert allowed == ["GET", "HEAD", "OPTIONS", "POST"]


@pytest.mark.parametrize(("size", "status"), [(60_000, 201), (70_000, 413)])
def test_a_body_without_a_stated_length_has_the_same_limit(
    http: FlaskClient, size: int, status: int
) -> None:
    answer = http.post(
        WISHES,
        input_stream=io.BytesIO(b'{"words":"' + b"x" * size + b'"}'),
        environ_overrides={"wsgi.input_terminated": True},
        headers=ann(**{"Transfer-Encoding": "chunked", "Content-Type": "application/json"}),
    )
    assert answer.status_code == status


def test_a_wrong_field_is_named(http: FlaskClient) -> None:
    body = http.post("/api/v1/wishes", json={"words": 5}, headers=ann()).get_json(force=True)
    assert body["errors"][0]["loc"] == ["body", "words"]
    missing = http.post("/api/v1/wishes", json={}, headers=ann()).get_json(force=True)
    assert missing["errors"][0]["loc"] == ["body", "words"]


def test_a_given_request_id_is_kept_and_a_bad_one_replaced(http: FlaskClient) -> None:
    assert (
        http.get("/healthz", headers={"X-Request-Id": "given-1234"}).headers["X-Request-Id"]
        == "given-1234"
    )
    assert http.get("/healthz", headers={"X-Request-Id": "x y"}).headers["X-Request-Id"] != "x y"


def test_every_answer_tells_the_servers_time(http: FlaskClient, clock: FakeClock) -> None:
    clock.set(datetime(2026, 4, 30, 16, 0, 1, 250_000, tzinfo=UTC))
    for path in ("/healthz", "/nowhere"):
        told = http.get(path).headers["X-Campaign-Time"]
        assert told == "2026-05-01T00:00:01.250+08:00"


def test_the_same_key_replays_the_first_answer(http: FlaskClient, bench: Bench) -> None:
    keyed = ann(**{"Idempotency-Key": "k1"})
    first = http.post("/api/v1/wishes", json={"words": "x"}, headers=keyed)
    second = http.post("/api/v1/wishes", json={"words": "x"}, headers=keyed)
    assert (first.status_code, first.text) == (second.status_code, second.text)
    assert bench.runs == 1
    other = http.post("/api/v1/wishes", json={"words": "y"}, headers=keyed)
    assert other.get_json(force=True)["code"] == "idempotency_key_reused"
    somebody_else = {**keyed, "Authorization": "Bearer bo"}
    assert (
        http.post("/api/v1/wishes", json={"words": "y"}, headers=somebody_else).status_code == 201
    )


def test_a_refused_request_leaves_its_key_free(http: FlaskClient, bench: Bench) -> None:
    keyed = ann(**{"Idempotency-Key": "k1"})
    assert http.post("/api/v1/wishes", json={"words": "refused"}, headers=keyed).status_code == 409
    assert http.post("/api/v1/wishes", json={"words": "refused"}, headers=keyed).status_code == 409
    assert bench.runs == 2


@pytest.mark.race
def test_a_twin_of_a_running_request_is_told_so(
    http: FlaskClient, bench: Bench, uow_factory: UnitOfWorkFactory
) -> None:
    keyed = ann(**{"Idempotency-Key": "k1"})
    bench.pause = threading.Event()
    answers: list[int] = []
    app = http.application

    def first() -> None:
        answers.append(
            app.test_client().post("/api/v1/wishes", json={"words": "x"}, headers=keyed).status_code
        )

    runner = threading.Thread(target=first)
    runner.start()
    assert bench.inside.wait(60)
    if (
        uow_factory.engine.dialect.name != "sqlite"
    ):  # there the twin waits for the write lock instead
        twin = http.post("/api/v1/wishes", json={"words": "x"}, headers=keyed)
        assert twin.get_json(force=True)["code"] == "idempotency_in_flight"
    bench.pause.set()
    runner.join()
    assert answers == [201]
    assert http.post("/api/v1/wishes", json={"words": "x"}, headers=keyed).status_code == 201
    assert bench.runs == 1


def test_a_key_whose_process_died_is_free_after_a_minute(
    http: FlaskClient, bench: Bench, clock: FakeClock, uow_factory: UnitOfWorkFactory
) -> None:
    from server.base.web import idempotency

    print_of = idempotency.fingerprint_request("POST", "/api/v1/wishes", b'{"words": "x"}')
    idempotency.claim_key(uow_factory, "citizen:1", "k1", print_of)
    keyed = ann(**{"Idempotency-Key": "k1"})
    call = {"data": b'{"words": "x"}', "content_type": "application/json", "headers": keyed}
    assert http.post("/api/v1/wishes", **call).status_code == 409
    clock.advance(61)
    assert http.post("/api/v1/wishes", **call).status_code == 201


def test_an_answer_is_kept_under_its_own_key_alone(uow_factory: UnitOfWorkFactory) -> None:
    """SQLite gives the number of the erased caller's row to the next one."""
    from server.base.web import idempotency

    gone = idempotency.claim_key(uow_factory, "citizen:1", "k1", "print-1")
    with uow_factory.begin() as uow:
        idempotency.drop_answers_of(uow, 1)
    taken = idempotency.claim_key(uow_factory, "citizen:2", "k2", "print-2")
    with uow_factory.begin() as uow:
        idempotency.keep_claimed_answer(uow, gone, 201, "the words of citizen 1")
    idempotency.release_key(uow_factory, gone)
    with pytest.raises(idempotency.IdempotencyInFlight):
        idempotency.claim_key(uow_factory, "citizen:2", "k2", "print-2")
    with uow_factory.begin() as uow:
        idempotency.keep_claimed_answer(uow, taken, 201, "the words of citizen 2")
    assert (
        idempotency.claim_key(uow_factory, "citizen:2", "k2", "print-2").body
        == "the words of citizen 2"
    )
    assert idempotency.claim_key(uow_factory, "citizen:1", "k1", "print-1").status is None


def test_asking_happens_outside_the_transaction(http: FlaskClient) -> None:
    assert http.post("/api/v1/asked", json={"words": "up"}).get_json()["words"] == "UP"


def test_the_document_tells_statuses_codes_and_shapes(http: FlaskClient) -> None:
    made = msgspec.json.decode(http.get("/openapi.json").data)
    post = made["paths"]["/api/v1/wishes"]["post"]
    assert {"200", "201", "401", "409", "413", "415", "422", "429", "503"} <= set(post["responses"])
    assert "idempotency_in_flight" in post["responses"]["409"]["description"]
    assert made["components"]["schemas"]["Granted"]["additionalProperties"] is False
    page = http.get("/docs")
    assert "http://" not in page.text
    assert "https://" not in page.text
    with http.get("/docs/files/swagger-ui-bundle.js") as script:
        assert script.status_code == 200


def test_readiness_is_the_database_and_redis_only_degrades_it(
    http: FlaskClient, uow_factory: UnitOfWorkFactory
) -> None:
    answer = http.get("/readyz")
    assert answer.status_code == 200
    assert answer.get_json()["checks"]["redis"] == "degraded"
    (uow_factory.dependencies.settings.var / "draining").touch()
    assert http.get("/readyz").status_code == 503


def test_figures_are_prometheus_text(http: FlaskClient) -> None:
    http.get("/healthz")
    answer = http.get("/metrics")
    assert answer.content_type.startswith("text/plain")
    assert 'kepu_http_requests_total{method="GET",route="/healthz",status="200"}' in answer.text


def test_an_invented_method_makes_no_figure_of_its_own(http: FlaskClient) -> None:
    http.open("/healthz", method="INVENTED")
    text = http.get("/metrics").text
    assert "INVENTED" not in text
    assert 'kepu_http_requests_total{method="other"' in text
