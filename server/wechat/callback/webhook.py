"""The door in front of the web framework through which WeChat's callbacks come.

It bounds, opens, recognises repeats, answers in time and counts. What a message means is the
router's matter; that an effect happens once is the matter of the effect's own transaction.
"""

from __future__ import annotations

import contextvars
import logging
import re
import secrets
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Protocol
from urllib.parse import unquote_plus

import msgspec

from server.base.clock import Clock, stopwatch
from server.base.errors import (
    AppError,
    BodyTooLarge,
    LengthRequired,
    Malformed,
    MethodNotAllowed,
    Unavailable,
)
from server.base.log import request_id
from server.base.redis.replay_cache import ReplayCache
from server.wechat.callback.deadline_runner import Answer, DeadlineRunner
from server.wechat.callback.inbound import LIMIT_BYTES, Envelope, Message
from server.wechat.callback.replies import Reply
from server.wechat.errors import SignatureRefused

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_log = logging.getLogger(__name__)

QUERY_LIMIT = 4096
_REQUEST_ID = re.compile(r"[0-9A-Za-z._-]{1,64}")
_LENGTH = re.compile(r"[0-9]{1,20}")
# What is remembered while a handler is at work: no reply looks like it.
_BEGUN = b"begun"

Observe = Callable[[str, str, float], None]


class CallbackHandler(Protocol):
    """What the webhook needs to know of one app's callback."""

    @property
    def envelope(self) -> Envelope:
        """The locks of this app."""
        ...

    def pure(self, message: Message) -> Reply | None:
        """The reply to a message without effects; None when it has some."""
        ...

    def effects(self, message: Message) -> Reply | None:
        """Do what the message asks for, once for each `message.key`, and the reply to it.

        A repeat returns the reply of the first time: its row is unique by `message.key`.
        """
        ...

    def late(self, message: Message, reply: Reply) -> None:
        """See to it that a reply that came too late is said otherwise, once for each key."""
        ...


class Webhook:
    """A WSGI callable that answers WeChat's callbacks and leaves everything else to the next one.

    Units: `observe` is told path, outcome and seconds of every answer.
    """

    def __init__(
        self,
        next_app: WSGIApplication,
        handlers: Mapping[str, CallbackHandler],
        once: ReplayCache,
        clock: Clock,
        *,
        deadline_runner: DeadlineRunner,
        observe: Observe = lambda _path, _outcome, _seconds: None,
    ) -> None:
        self._next_app = next_app
        self._handlers = dict(handlers)
        self._once = once
        self._clock = clock
        self._deadline_runner = deadline_runner
        self._observe = observe

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        path = environ.get("PATH_INFO", "")
        handler = self._handlers.get(path)
        if handler is None:
            return self._next_app(environ, start_response)
        return contextvars.copy_context().run(self._serve, handler, path, environ, start_response)

    def _serve(
        self,
        handler: CallbackHandler,
        path: str,
        environ: WSGIEnvironment,
        start_response: StartResponse,
    ) -> Iterable[bytes]:
        seconds = stopwatch(self._clock)
        rid = environ.get("HTTP_X_REQUEST_ID", "")
        rid = rid if _REQUEST_ID.fullmatch(rid) else secrets.token_hex(16)
        request_id.set(rid)
        try:
            answer = self._answer(handler, environ, seconds)
        except AppError as refusal:
            answer = _refused(refusal, rid)
        except Exception as trouble:
            # Not a 500 and not a success: WeChat sends it again, so nothing is lost by a mistake.
            _log.exception("a callback failed", extra={"path": path})
            answer = _refused(Unavailable(), rid, outcome=f"failed_{type(trouble).__name__}")
        self._observe(path, answer.outcome, seconds())
        start_response(
            f"{answer.status} {HTTPStatus(answer.status).phrase}",
            [
                ("Content-Type", answer.content_type),
                ("Content-Length", str(len(answer.body))),
                ("X-Content-Type-Options", "nosniff"),
                ("X-Request-Id", rid),
                *answer.headers,
            ],
        )
        return [] if environ.get("REQUEST_METHOD") == "HEAD" else [answer.body]

    def _answer(
        self, handler: CallbackHandler, environ: WSGIEnvironment, seconds: Callable[[], float]
    ) -> Answer:
        method = environ.get("REQUEST_METHOD", "")
        if method not in ("GET", "POST"):
            raise MethodNotAllowed
        query = read_query(environ.get("QUERY_STRING", ""))
        if method == "GET":
            echo = handler.envelope.check_address(query)
            return Answer(echo.encode("utf-8", "replace"), "echo")
        message = handler.envelope.open(query, read_body(environ))
        reply = handler.pure(message)
        if reply is None:
            reply, outcome = self._effects(handler, message, seconds)
        else:
            reply, outcome = self._pure(message, reply)
        body = handler.envelope.seal(message, reply)
        return Answer(body, outcome, content_type=_content_type(body))

    def _pure(self, message: Message, reply: Reply) -> tuple[Reply, str]:
        earlier = self._recall(message, reply.to_bytes())
        if earlier is None:
            return reply, "replied" if reply.says_something else "silent"
        return earlier, "repeat"

    def _effects(
        self, handler: CallbackHandler, message: Message, seconds: Callable[[], float]
    ) -> tuple[Reply, str]:
        earlier = self._recall(message, _BEGUN)
        if earlier is not None:
            return earlier, "repeat"
        # "Begun" elsewhere does not stop us: its process may have been killed. The row decides.
        return self._deadline_runner.run(message, handler.effects, handler.late, seconds)

    def _recall(self, message: Message, reply: bytes) -> Reply | None:
        """The reply remembered for this message, now remembering `reply` if nothing was.

        Raises: SignatureRefused when the signature was used for another content.
        """
        digest = message.digest.encode()
        used_for, earlier = self._once.remember_pair(
            message.replay_key, digest, message.key, reply, self._deadline_runner.remember_seconds
        )
        if used_for is not None and used_for != digest:
            if earlier is None:
                self._once.forget(message.key)
            raise SignatureRefused
        if earlier is None or earlier == _BEGUN:
            return None
        try:
            return Reply.from_bytes(earlier)
        except (ValueError, RecursionError):
            # Not written by us; as if nothing were remembered, the row decides what is done twice.
            _log.error("a foreign reply in Redis is passed over", extra={"count": len(earlier)})
            return None


def read_query(text: str) -> dict[str, str]:
    """The parameters of a callback's address.

    Raises: Malformed when it is too long or names one twice.
    """
    if len(text) > QUERY_LIMIT:
        raise Malformed
    pairs = [piece.partition("=")[::2] for piece in text.split("&") if piece]
    if "%" in text or "+" in text:
        pairs = [(unquote_plus(name), unquote_plus(value)) for name, value in pairs]
    query = dict(pairs)
    if len(query) != len(pairs):
        raise Malformed
    return query


def read_body(environ: WSGIEnvironment) -> bytes:
    """The body of a request, never more than the limit.

    Raises: BodyTooLarge before reading, LengthRequired, Malformed when it breaks off.
    """
    stated = environ.get("CONTENT_LENGTH") or ""
    stream = environ["wsgi.input"]
    if not stated:
        if not environ.get("wsgi.input_terminated"):
            raise LengthRequired
        body = _read(stream, LIMIT_BYTES + 1)
        if len(body) > LIMIT_BYTES:
            raise BodyTooLarge
        return body
    if not _LENGTH.fullmatch(stated):
        raise Malformed
    if int(stated) > LIMIT_BYTES:
        raise BodyTooLarge
    body = _read(stream, int(stated))
    if len(body) != int(stated):
        raise Malformed
    return body


class _Stream(Protocol):
    def read(self, size: int, /) -> bytes: ...


def _read(stream: _Stream, size: int) -> bytes:
    pieces: list[bytes] = []
    try:
        while size > 0 and (piece := stream.read(size)):
            pieces.append(piece)
            size -= len(piece)
    except OSError:
        # The client went away in the middle of its request.
        raise Malformed from None
    return b"".join(pieces)


def _content_type(body: bytes) -> str:
    if body[:1] == b"<":
        return "application/xml; charset=utf-8"
    if body[:1] == b"{":
        return "application/json"
    return "text/plain; charset=utf-8"


def _refused(refusal: AppError, rid: str, outcome: str = "") -> Answer:
    body = msgspec.json.encode(
        {
            "type": f"urn:kepu:problem:{refusal.code}",
            "title": HTTPStatus(refusal.status).phrase,
            "status": refusal.status,
            "detail": refusal.code.replace("_", " "),
            "code": refusal.code,
            "request_id": rid,
        }
    )
    headers: tuple[tuple[str, str], ...] = ()
    if isinstance(refusal, Unavailable):
        headers = (("Retry-After", str(refusal.retry_after_seconds)),)
    if isinstance(refusal, MethodNotAllowed):
        headers = (("Allow", "GET, POST"),)
    return Answer(
        body,
        outcome or refusal.code,
        status=refusal.status,
        content_type="application/problem+json",
        headers=headers,
    )
