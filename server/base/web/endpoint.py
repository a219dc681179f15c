"""`endpoint` declares a route: its callers, transaction, API types and errors.

The OpenAPI document is generated from the resulting table of routes.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import msgspec
from flask import Blueprint, Response, request

from server.base.access import Citizen
from server.base.errors import (
    AppError,
    Invalid,
    NotAuthenticated,
    NotFound,
    UnsupportedMedia,
)
from server.base.rate_limits import DEAD_TOKEN, Pace, network_of, spend_token
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.base.web import idempotency
from server.base.web.auth import Resolver, Who, admit_actor, bearer_token
from server.base.web.drawings import Drawing, Drawings
from server.base.web.incoming import Incoming
from server.base.web.reply import HttpReply, flask_response, json_reply
from server.base.web.schema import decode_body, decode_query, prepare_decoder
from server.base.web.uploads import one_file

View = TypeVar("View", bound=Callable[..., Any])
# Called with an Incoming and the path variables by name.
Runner = Callable[..., HttpReply]
PREFIX = "/api/v1"
_PLACE = re.compile(r"<(\w+)>")
DEVICE_ID = re.compile(r"[A-Za-z0-9_-]{16,64}")


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A view's response with another status than the route's first one."""

    value: Any
    status: int


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A response of a route with `media`.

    Units: `keep_seconds` is how long a client may cache it; 0 for never. `shared`: caches between
    client and server may keep it too.
    """

    content: bytes
    keep_seconds: int
    shared: bool = False


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
    device: bool = False
    tag: str = ""

    def __post_init__(self) -> None:
        prepare_decoder(self.body)
        prepare_decoder(self.query)

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
    device: bool = False,
) -> Callable[[View], View]:
    """Declare a view `view(uow, <path variables>, body=, query=, asked=)` under /api/v1.

    GET gets a read-only UnitOfWork. `ask(preflight, <path variables>, body=)` runs before the
    UnitOfWork is opened; the view gets its result as `asked=`. The first of `status` is the
    default; another is returned with `Answer`. `upload` takes one file as a form, which `ask` and
    the view get as `upload=`; `media` is the type of a response that is a `Picture`. `pace` is the
    rate limit per person; every route that is not a GET has one. `device` documents that the view
    uses the X-Device-Id header.
    """

    def declare_view(view: View) -> View:
        facts = {"who": who, "body": body, "query": query, "out": out, "status": status}
        more = {"errors": errors, "consent": consent, "ask": ask, "tag": api.tag}
        more |= {"upload": upload, "media": media, "pace": pace, "device": device}
        api.routes.append(Route(method=method, path=path, view=view, **facts, **more))  # type: ignore[arg-type]
        return view

    return declare_view


@dataclass(kw_only=True, slots=True)
class _Write:
    """The input of a write besides its path."""

    sent: Incoming
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

    def build_blueprint(self, apis: tuple[Api, ...]) -> Blueprint:
        """Build a Flask blueprint of all routes under /api/v1."""
        made = Blueprint("api", __name__, url_prefix=PREFIX)
        for route, run in self.build_runners(apis):
            made.add_url_rule(route.path, route.name, _flask_view(run), methods=[route.method])
        return made

    def build_runners(self, apis: tuple[Api, ...]) -> list[tuple[Route, Runner]]:
        """Build the runners of all routes."""
        return [
            (
                route,
                self._build_reader(route) if route.method == "GET" else self._build_writer(route),
            )
            for api in apis
            for route in api.routes
        ]

    def _build_reader(self, route: Route) -> Runner:
        def run_read(sent: Incoming, **call: Any) -> HttpReply:
            _refuse_nul(route, sent)
            token = bearer_token(sent.authorization)
            if route.query is not None:
                call["query"] = decode_query(sent.query_arguments(), route.query)

            def admit_caller(uow: UnitOfWork) -> Citizen | None:
                return self._find_caller(uow, route, sent, token)

            with self.uow_factory.begin(read_only=True, admit=admit_caller) as uow:
                made = route.view(uow, **call)
            if isinstance(made, Drawing):
                content = self.drawings.get_picture(made)
                made = Picture(content=content, keep_seconds=made.keep_seconds)
            return _encode_answer(route, made)

        return run_read

    def _build_writer(self, route: Route) -> Runner:
        carry_out = self._write_with_retry if route.ask is None else self._ask_and_write

        def run_write(sent: Incoming, **call: Any) -> HttpReply:
            _refuse_nul(route, sent)
            raw = b"" if route.upload else sent.read_body()
            token = bearer_token(sent.authorization)
            key = idempotency.checked_key(sent.idempotency_key)
            return carry_out(route, call, _Write(sent=sent, raw=raw, token=token, key=key))

        return run_write

    def _write_with_retry(self, route: Route, call: dict[str, Any], write: _Write) -> HttpReply:
        """Authenticate, check the key, run the view and store its answer in one transaction."""

        def admit_caller(uow: UnitOfWork) -> Citizen | None:
            actor = None
            if route.who is not Who.ANYONE:
                actor = self._find_caller(uow, route, write.sent, write.token)
            _take_body(route, call, write)
            return actor

        try:
            return self._write_once(route, call, write, admit_caller)
        except idempotency.AnsweredMeanwhile:
            # A concurrent request with the same key committed first, so its answer exists now.
            return self._write_once(route, call, write, admit_caller)

    def _write_once(
        self,
        route: Route,
        call: dict[str, Any],
        write: _Write,
        admit: Callable[[UnitOfWork], Citizen | None],
    ) -> HttpReply:
        with self.uow_factory.begin(admit=admit) as uow:
            asked = _key_request(route, uow.maybe_caller_id, write)
            if asked is None:
                return _encode_answer(route, route.view(uow, **call))
            kept = idempotency.find_answer(uow, asked)
            if kept is not None:
                return json_reply(kept[0], kept[1].encode())
            answer = _encode_answer(route, route.view(uow, **call))
            idempotency.keep_answer(uow, asked, answer.status, answer.body.decode())
            return answer

    def _ask_and_write(self, route: Route, call: dict[str, Any], write: _Write) -> HttpReply:
        """Authenticate, claim the key, call WeChat with no transaction open, then run the view."""
        actor: Citizen | None = None
        if route.who is not Who.ANYONE:
            with self.uow_factory.begin(read_only=True) as reading:
                actor = self._find_caller(reading, route, write.sent, write.token)
        _take_body(route, call, write)
        asked = _key_request(route, None if actor is None else actor.id, write)
        if asked is None:
            call = self._ask_before(route, actor, call, write.sent)
            with self.uow_factory.begin(actor) as uow:
                return _encode_answer(route, route.view(uow, **call))
        taken = idempotency.claim_key(self.uow_factory, asked.caller, asked.key, asked.print_of)
        if taken.status is not None:
            return json_reply(taken.status, (taken.body or "").encode())
        try:
            call = self._ask_before(route, actor, call, write.sent)
            with self.uow_factory.begin(actor) as uow:
                answer = _encode_answer(route, route.view(uow, **call))
                idempotency.keep_claimed_answer(uow, taken, answer.status, answer.body.decode())
                return answer
        except BaseException:
            idempotency.release_key(self.uow_factory, taken)
            raise

    def _ask_before(
        self, route: Route, actor: Citizen | None, call: dict[str, Any], sent: Incoming
    ) -> dict[str, Any]:
        if route.ask is None:
            return call
        network = network_of(sent.address)
        preflight = PreflightContext(
            uow_factory=self.uow_factory, gateway=self.gateway, actor=actor, network=network
        )
        return {**call, "asked": route.ask(preflight, **call)}

    def _find_caller(
        self, uow: UnitOfWork, route: Route, sent: Incoming, token: str | None
    ) -> Citizen | None:
        actor = None
        if token is not None and route.who is not Who.ANYONE:
            actor = self.resolve(uow, token)
            if actor is None:
                spend_token(uow.dependencies, DEAD_TOKEN, network_of(sent.address))
                return admit_actor(Who.CITIZEN, None, consent=False)
            if route.device and sent.device is not None:
                actor = replace(actor, device=_hash_device(uow, sent.device))
        if actor is not None and route.pace is not None and route.pace.by_edge:
            spend_token(uow.dependencies, route.pace, actor.person)
        return admit_actor(route.who, actor, consent=route.consent)


def _hash_device(uow: UnitOfWork, device: str) -> str:
    """The keyed hash of a device's id; empty for an id in another format."""
    return uow.keys.blind_hash(device, "device") if DEVICE_ID.fullmatch(device) else ""


def _flask_view(run: Runner) -> Callable[..., Response]:
    def answer_flask(**call: Any) -> Response:
        return flask_response(run(Incoming(request.environ, request.path), **call))

    return answer_flask


def _refuse_nul(route: Route, sent: Incoming) -> None:
    # PostgreSQL refuses NUL in a text, which would become a 500.
    if "\0" in sent.path:
        raise NotFound
    if route.query is not None and "%00" in sent.query:
        raise Invalid((("query",), "NUL is not allowed"))


def _take_body(route: Route, call: dict[str, Any], write: _Write) -> None:
    """Add the body to the call, as the route declares it."""
    if route.body is not None:
        if write.raw and write.sent.media_type != "application/json":
            raise UnsupportedMedia
        call["body"] = decode_body(write.raw, route.body)
    if route.upload:
        call["upload"] = write.raw = one_file()


def _key_request(route: Route, citizen_id: int | None, write: _Write) -> idempotency.Keyed | None:
    """The request with its key; None without a key, or without a caller who owns it."""
    if write.key is None or citizen_id is None:
        return None
    print_of = idempotency.fingerprint_request(route.method, write.sent.path, write.raw)
    return idempotency.Keyed(caller=f"citizen:{citizen_id}", key=write.key, print_of=print_of)


_encode = msgspec.json.Encoder().encode


def _encode_answer(route: Route, made: Any) -> HttpReply:
    status = route.status[0]
    if isinstance(made, Answer):
        made, status = made.value, made.status
    if isinstance(made, Picture):
        return _picture_reply(made, route.media or "application/octet-stream")
    return json_reply(status, b"" if made is None else _encode(made))


def _picture_reply(picture: Picture, media: str) -> HttpReply:
    kept = "public" if picture.shared else "private"
    kept = f"{kept}, max-age={picture.keep_seconds}" if picture.keep_seconds else "no-store"
    headers = (
        ("Content-Type", media),
        ("Cache-Control", kept),
        ("X-Content-Type-Options", "nosniff"),
        ("Content-Security-Policy", "default-src 'none'"),
    )
    return HttpReply(200, picture.content, headers)


def picture_response(picture: Picture, media: str) -> Response:
    """A picture response that browsers never interpret as another type."""
    return flask_response(_picture_reply(picture, media))
