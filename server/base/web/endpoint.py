"""`endpoint` declares a route: its callers, transaction, API types and errors.

The OpenAPI document is generated from the resulting table of routes.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import msgspec
from flask import Blueprint, Response, request

from server.base.access import Citizen
from server.base.errors import (
    AppError,
    BodyTooLarge,
    Invalid,
    NotAuthenticated,
    NotFound,
    UnsupportedMedia,
)
from server.base.rate_limits import DEAD_TOKEN, Pace, network_of, spend
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.base.web import idempotency
from server.base.web.auth import Resolver, Who, admitted, bearer_token
from server.base.web.drawings import Drawing, Drawings
from server.base.web.schema import decode_body, decode_query, prepare
from server.base.web.uploads import one_file

View = TypeVar("View", bound=Callable[..., Any])
_PLACE = re.compile(r"<(\w+)>")


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A view's response with another status than the route's first one."""

    value: Any
    status: int


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A response of a route with `media`.

    Units: `keep_seconds` is how long a client may cache it; 0 for never.
    """

    content: bytes
    keep_seconds: int


@dataclass(frozen=True, kw_only=True)
class PreflightContext:
    """Context of a step outside the transaction: WeChat, and short read-only transactions."""

    uow_factory: UnitOfWorkFactory
    gateway: Any
    actor: Citizen | None
    network: str

    @property
    def caller(self) -> Citizen:
        """The caller.

        Raises: NotAuthenticated (401).
        """
        if self.actor is None:
            raise NotAuthenticated
        return self.actor


@dataclass(frozen=True, kw_only=True)
class Route:
    """One endpoint as declared."""

    method: str
    path: str
    view: Callable[..., Any]
    who: Who
    body: type[Any] | None = None
    query: type[Any] | None = None
    out: Any = None
    status: tuple[int, ...] = (200,)
    errors: tuple[type[AppError], ...] = ()
    consent: bool = False
    ask: Callable[..., Any] | None = None
    upload: bool = False
    media: str | None = None
    pace: Pace | None = None
    tag: str = ""

    def __post_init__(self) -> None:
        prepare(self.body)
        prepare(self.query)

    @property
    def name(self) -> str:
        """A unique name for the router and the document."""
        return f"{self.tag}_{self.view.__name__}"

    @property
    def places(self) -> list[str]:
        """The variable parts of the path."""
        return _PLACE.findall(self.path)


@dataclass(frozen=True, eq=False)
class Api:
    """The endpoints of one slice; compares by identity, so that it can be a cache key."""

    tag: str
    routes: list[Route] = field(default_factory=list)


def endpoint(  # noqa: PLR0913 - one declaration per fact of the contract, all by name
    api: Api,
    method: str,
    path: str,
    *,
    who: Who,
    body: type[Any] | None = None,
    query: type[Any] | None = None,
    out: Any = None,
    status: tuple[int, ...] = (200,),
    errors: tuple[type[AppError], ...] = (),
    consent: bool = False,
    ask: Callable[..., Any] | None = None,
    upload: bool = False,
    media: str | None = None,
    pace: Pace | None = None,
) -> Callable[[View], View]:
    """Declare a view `view(uow, <path variables>, body=, query=, asked=)` under /api/v1.

    GET gets a read-only UnitOfWork. `ask(preflight, <path variables>, body=)` runs before the
    UnitOfWork is opened; the view gets its result as `asked=`. The first of `status` is the
    default; another is returned with `Answer`. `upload` takes one file as a form, which `ask` and
    the view get as `upload=`; `media` is the type of a response that is a `Picture`. `pace` is the
    rate limit per person; every route that is not a GET has one.
    """

    def declare(view: View) -> View:
        facts = {"who": who, "body": body, "query": query, "out": out, "status": status}
        more = {"errors": errors, "consent": consent, "ask": ask, "tag": api.tag}
        more |= {"upload": upload, "media": media, "pace": pace}
        api.routes.append(Route(method=method, path=path, view=view, **facts, **more))  # type: ignore[arg-type]
        return view

    return declare


@dataclass(kw_only=True)
class _Sent:
    """The input of a write besides its path."""

    raw: bytes
    token: str | None
    key: str | None


@dataclass(frozen=True, kw_only=True)
class Edge:
    """Runs declared routes with the dependencies chosen in `create_app`."""

    uow_factory: UnitOfWorkFactory
    gateway: Any
    resolve: Resolver
    drawings: Drawings

    def blueprint(self, apis: tuple[Api, ...]) -> Blueprint:
        """All routes as one Flask blueprint under /api/v1."""
        made = Blueprint("api", __name__, url_prefix="/api/v1")
        for api in apis:
            for route in api.routes:
                made.add_url_rule(
                    route.path, route.name, self._runner(route), methods=[route.method]
                )
        return made

    def _runner(self, route: Route) -> Callable[..., Response]:
        return self._reader(route) if route.method == "GET" else self._writer(route)

    def _reader(self, route: Route) -> Callable[..., Response]:
        def run(**call: Any) -> Response:
            _refuse_nul(route)
            token = bearer_token(request.headers.get("Authorization"))
            if route.query is not None:
                call["query"] = decode_query(request.args.to_dict(), route.query)

            def admit(uow: UnitOfWork) -> Citizen | None:
                return self._caller(uow, route, token)

            with self.uow_factory.begin(read_only=True, admit=admit) as uow:
                made = route.view(uow, **call)
            if isinstance(made, Drawing):
                content = self.drawings.picture(made)
                made = Picture(content=content, keep_seconds=made.keep_seconds)
            return _answer(route, made)

        return run

    def _writer(self, route: Route) -> Callable[..., Response]:
        carry_out = self._write if route.ask is None else self._ask_and_write

        def run(**call: Any) -> Response:
            _refuse_nul(route)
            raw = b"" if route.upload else _whole_body()
            token = bearer_token(request.headers.get("Authorization"))
            key = idempotency.checked_key(request.headers.get("Idempotency-Key"))
            return carry_out(route, call, _Sent(raw=raw, token=token, key=key))

        return run

    def _write(self, route: Route, call: dict[str, Any], sent: _Sent) -> Response:
        """Authenticate, check the key, run the view and store its answer in one transaction."""

        def admit(uow: UnitOfWork) -> Citizen | None:
            actor = None
            if route.who is not Who.ANYONE:
                actor = self._caller(uow, route, sent.token)
            _take_body(route, call, sent)
            return actor

        try:
            return self._write_once(route, call, sent, admit)
        except idempotency.AnsweredMeanwhile:
            # A concurrent request with the same key committed first, so its answer exists now.
            return self._write_once(route, call, sent, admit)

    def _write_once(
        self,
        route: Route,
        call: dict[str, Any],
        sent: _Sent,
        admit: Callable[[UnitOfWork], Citizen | None],
    ) -> Response:
        with self.uow_factory.begin(admit=admit) as uow:
            asked = _keyed(route, uow.maybe_caller_id, sent)
            if asked is None:
                return _answer(route, route.view(uow, **call))
            kept = idempotency.find_answer(uow, asked)
            if kept is not None:
                return _response(kept[0], kept[1].encode())
            answer = _answer(route, route.view(uow, **call))
            body = answer.get_data(as_text=True)
            idempotency.keep_answer(uow, asked, answer.status_code, body)
            return answer

    def _ask_and_write(self, route: Route, call: dict[str, Any], sent: _Sent) -> Response:
        """Authenticate, claim the key, call WeChat with no transaction open, then run the view."""
        actor: Citizen | None = None
        if route.who is not Who.ANYONE:
            with self.uow_factory.begin(read_only=True) as reading:
                actor = self._caller(reading, route, sent.token)
        _take_body(route, call, sent)
        asked = _keyed(route, None if actor is None else actor.id, sent)
        if asked is None:
            call = self._asked(route, actor, call)
            with self.uow_factory.begin(actor) as uow:
                return _answer(route, route.view(uow, **call))
        taken = idempotency.claim(self.uow_factory, asked.caller, asked.key, asked.print_of)
        if taken.status is not None:
            return _response(taken.status, (taken.body or "").encode())
        try:
            call = self._asked(route, actor, call)
            with self.uow_factory.begin(actor) as uow:
                answer = _answer(route, route.view(uow, **call))
                idempotency.keep(uow, taken, answer.status_code, answer.get_data(as_text=True))
                return answer
        except BaseException:
            idempotency.release(self.uow_factory, taken)
            raise

    def _asked(self, route: Route, actor: Citizen | None, call: dict[str, Any]) -> dict[str, Any]:
        if route.ask is None:
            return call
        network = network_of(request.remote_addr)
        preflight = PreflightContext(
            uow_factory=self.uow_factory, gateway=self.gateway, actor=actor, network=network
        )
        return {**call, "asked": route.ask(preflight, **call)}

    def _caller(self, uow: UnitOfWork, route: Route, token: str | None) -> Citizen | None:
        actor = None
        if token is not None and route.who is not Who.ANYONE:
            actor = self.resolve(uow, token)
            if actor is None:
                spend(uow.dependencies, DEAD_TOKEN, network_of(request.remote_addr))
                return admitted(Who.CITIZEN, None, consent=False)
        if actor is not None and route.pace is not None and route.pace.by_edge:
            spend(uow.dependencies, route.pace, actor.person)
        return admitted(route.who, actor, consent=route.consent)


def _refuse_nul(route: Route) -> None:
    # PostgreSQL refuses NUL in a text, which would become a 500.
    if "\0" in request.path:
        raise NotFound
    if route.query is not None and b"%00" in request.query_string:
        raise Invalid((("query",), "NUL is not allowed"))


def _whole_body() -> bytes:
    raw: bytes = request.get_data(cache=False)
    limit = request.max_content_length
    if request.content_length is None and limit is not None and len(raw) >= limit:
        # Without Content-Length it was read up to the limit and cut there.
        raise BodyTooLarge
    return raw


def _take_body(route: Route, call: dict[str, Any], sent: _Sent) -> None:
    """Add the body to the call, as the route declares it."""
    if route.body is not None:
        _check_type(sent.raw)
        call["body"] = decode_body(sent.raw, route.body)
    if route.upload:
        call["upload"] = sent.raw = one_file()


def _keyed(route: Route, citizen_id: int | None, sent: _Sent) -> idempotency.Keyed | None:
    """The request with its key; None without a key, or without a caller who owns it."""
    if sent.key is None or citizen_id is None:
        return None
    print_of = idempotency.fingerprint(route.method, request.path, sent.raw)
    return idempotency.Keyed(caller=f"citizen:{citizen_id}", key=sent.key, print_of=print_of)


def _check_type(raw: bytes) -> None:
    if raw and request.mimetype != "application/json":
        raise UnsupportedMedia


_encode = msgspec.json.Encoder().encode


def _answer(route: Route, made: Any) -> Response:
    status = route.status[0]
    if isinstance(made, Answer):
        made, status = made.value, made.status
    if isinstance(made, Picture):
        return picture_response(made, route.media or "application/octet-stream")
    return _response(status, b"" if made is None else _encode(made))


def _response(status: int, body: bytes) -> Response:
    if not body:
        return Response(status=status)
    return Response(body, status=status, content_type="application/json")


def picture_response(picture: Picture, media: str) -> Response:
    """A picture response that browsers never interpret as another type."""
    answer = Response(picture.content, content_type=media)
    kept = f"private, max-age={picture.keep_seconds}" if picture.keep_seconds else "no-store"
    answer.headers["Cache-Control"] = kept
    answer.headers["X-Content-Type-Options"] = "nosniff"
    answer.headers["Content-Security-Policy"] = "default-src 'none'"
    return answer
