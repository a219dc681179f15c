"""The WSGI middleware that handles WeChat's callbacks.

It limits, decrypts, detects repeats, responds within the deadline and counts. Handlers interpret
messages; a unique row in the handler's transaction makes effects happen once.
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

from server.base.clock import Clock, start_stopwatch
from server.base.errors import (
    AppError,
    BodyTooLarge,
    LengthRequired,
    Malformed,
    MethodNotAllowed,
    Unavailable,
)
from server.base.log import request_id
from server.base.problem import MEDIA, problem_body, retry_headers
from server.base.redis.replay_cache import ReplayCache
from server.wechat.callback.deadline_runner import DeadlineRunner, RunAnswer
from server.wechat.callback.inbound import LIMIT_BYTES, Envelope, Message
from server.wechat.callback.replies import Reply
from server.wechat.errors import SignatureRefused

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_log = logging.getLogger(__name__)

QUERY_LIMIT = 4096
_REQUEST_ID = re.compile(r"[0-9A-Za-z._-]{1,64}")
_LENGTH = re.compile(r"[0-9]{1,20}")
# Cached while a handler runs; different from every serialised reply.
_BEGUN = b"begun"

Observe = Callable[[str, str, float], None]


class WebhookHandler(Protocol):
    """The interface between the webhook and one app's callback."""

    @property
    def envelope(self) -> Envelope:
        """The callback protocol of this app."""
        ...

    def reply_without_effects(self, message: Message) -> Reply | None:
        """The reply to a message without effects; None when it has some."""
        ...

    def apply_effects(self, message: Message) -> Reply | None:
        """Apply a message's effects, once per `message.key`, and return the reply.

        A repeat returns the first reply: the row is unique by `message.key`.
        """
        ...

    def deliver_late(self, message: Message, reply: Reply) -> None:
        """Deliver a late reply another way, once per key."""
        ...


class Webhook:
    """WSGI middleware that answers WeChat's callbacks and passes other requests on.

    `observe` receives path, outcome and seconds of every response.
    """

    def __init__(
        self,
        next_app: WSGIApplication,
        handlers: Mapping[str, WebhookHandler],
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
        """Handle one request."""
        path = environ.get("PATH_INFO", "")
        handler = self._handlers.get(path)
        if handler is None:
            return self._next_app(environ, start_response)
        return contextvars.copy_context().run(
            self._serve_request, handler, path, environ, start_response
        )

    def _serve_request(
        self,
        handler: WebhookHandler,
        path: str,
        environ: WSGIEnvironment,
        start_response: StartResponse,
    ) -> Iterable[bytes]:
        seconds = start_stopwatch(self._clock)
        rid = environ.get("HTTP_X_REQUEST_ID", "")
        rid = rid if _REQUEST_ID.fullmatch(rid) else secrets.token_hex(16)
        request_id.set(rid)
        try:
            answer = self._answer_request(handler, environ, seconds)
        except AppError as refusal:
            answer = _refusal_answer(refusal, rid)
        except Exception as trouble:
            # A 503, so that WeChat repeats the message and nothing is lost by a bug.
            _log.exception("a callback failed", extra={"path": path})
            answer = _refusal_answer(Unavailable(), rid, outcome=f"failed_{type(trouble).__name__}")
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

    def _answer_request(
        self, handler: WebhookHandler, environ: WSGIEnvironment, seconds: Callable[[], float]
    ) -> RunAnswer:
        method = environ.get("REQUEST_METHOD", "")
        if method not in ("GET", "POST"):
            raise MethodNotAllowed
        query = read_query(environ.get("QUERY_STRING", ""))
        if method == "GET":
            echo = handler.envelope.check_address(query)
            return RunAnswer(echo.encode("utf-8", "replace"), "echo")
        message = handler.envelope.open_message(query, read_body(environ))
        reply = handler.reply_without_effects(message)
        if reply is None:
            reply, outcome = self._run_effects(handler, message, seconds)
        else:
            reply, outcome = self._repeat_or_reply(message, reply)
        body = handler.envelope.seal_reply(message, reply)
        return RunAnswer(body, outcome, content_type=_content_type(body))

    def _repeat_or_reply(self, message: Message, reply: Reply) -> tuple[Reply, str]:
        earlier = self._recall_reply(message, reply.to_bytes())
        if earlier is None:
            return reply, "replied" if reply.says_something else "silent"
        return earlier, "repeat"

    def _run_effects(
        self, handler: WebhookHandler, message: Message, seconds: Callable[[], float]
    ) -> tuple[Reply, str]:
        earlier = self._recall_reply(message, _BEGUN)
        if earlier is not None:
            return earlier, "repeat"
        # Another process may have begun and been killed, so run it anyway; the unique row decides.
        return self._deadline_runner.run_effects(
            message, handler.apply_effects, handler.deliver_late, seconds
        )

    def _recall_reply(self, message: Message, reply: bytes) -> Reply | None:
        """The cached reply of this message; stores `reply` if there was none.

        Raises: SignatureRefused when the signature was used with another content.
        """
        digest = message.digest.encode()
        used_for, earlier = self._once.remember_pair(
            message.replay_key, digest, message.key, reply, self._deadline_runner.remember_seconds
        )
        if used_for is not None and used_for != digest:
            if earlier is None:
                self._once.delete_entry(message.key)
            raise SignatureRefused
        if earlier is None or earlier == _BEGUN:
            return None
        try:
            return Reply.from_bytes(earlier)
        except (ValueError, RecursionError):
            # A foreign value is treated as missing; the unique row still prevents duplicates.
            _log.error("foreign reply in redis ignored", extra={"count": len(earlier)})
            return None


def read_query(text: str) -> dict[str, str]:
    """Parse the query string of a callback.

    Raises: Malformed when it is too long or names a parameter twice.
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
    """Read the body of a request, up to the limit.

    Raises: BodyTooLarge before reading, LengthRequired, Malformed when it is incomplete.
    """
    stated = environ.get("CONTENT_LENGTH") or ""
    stream = environ["wsgi.input"]
    if not stated:
        if not environ.get("wsgi.input_terminated"):
            raise LengthRequired
        body = _read_pieces(stream, LIMIT_BYTES + 1)
        if len(body) > LIMIT_BYTES:
            raise BodyTooLarge
        return body
    if not _LENGTH.fullmatch(stated):
        raise Malformed
    if int(stated) > LIMIT_BYTES:
        raise BodyTooLarge
    body = _read_pieces(stream, int(stated))
    if len(body) != int(stated):
        raise Malformed
    return body


class _Stream(Protocol):
    def read(self, size: int, /) -> bytes: ...


def _read_pieces(stream: _Stream, size: int) -> bytes:
    pieces: list[bytes] = []
    try:
        while size > 0 and (piece := stream.read(size)):
            pieces.append(piece)
            size -= len(piece)
    except OSError:
        # The client disconnected during its request.
        raise Malformed from None
    return b"".join(pieces)


def _content_type(body: bytes) -> str:
    if body[:1] == b"<":
        return "application/xml; charset=utf-8"
    if body[:1] == b"{":
        return "application/json"
    return "text/plain; charset=utf-8"


def _refusal_answer(refusal: AppError, rid: str, outcome: str = "") -> RunAnswer:
    body = problem_body(refusal, refusal.code.replace("_", " "), rid)
    headers = retry_headers(refusal)
    if isinstance(refusal, MethodNotAllowed):
        headers = (*headers, ("Allow", "GET, POST"))
    return RunAnswer(
        body,
        outcome or refusal.code,
        status=refusal.status,
        content_type=MEDIA,
        headers=headers,
    )
