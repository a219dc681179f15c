"""Request id, metrics, log line and common headers of every response.

The API middleware calls the frame directly; Flask calls it from its request hooks.
"""

from __future__ import annotations

import re
from functools import lru_cache
from http import HTTPStatus

from flask import Flask, Response, g, request

from server.base import ids, log
from server.base.clock import BEIJING, Clock
from server.base.errors import NotFound
from server.base.web import metrics
from server.base.web.reply import HttpReply

_GOOD_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
# Clients may invent methods; a metric for each would fill the memory.
_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})
# Load balancers request these every second: counted, not logged.
_UNLOGGED = frozenset({"/healthz", "/readyz", "/metrics"})
_USUAL = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}
_USUAL_PAIRS = tuple(_USUAL.items())


class RequestFrame:
    """Request id, metrics, log line and headers of requests.

    `clock` measures durations; `campaign` gives the campaign's day and time.
    """

    def __init__(self, clock: Clock, campaign: Clock) -> None:
        self.monotonic = clock.monotonic
        self._campaign = campaign

    def begin_request(self, given: str) -> str:
        """The id of a request: the client's if it may be logged, else a new one."""
        made = given if given and _GOOD_ID.fullmatch(given) else ids.new_ref("req")
        log.request_id.set(made)
        return made

    def record_response(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a response and write its log line."""
        method = method if method in _METHODS else "other"
        metrics.requests(method, route, str(status)).inc()
        metrics.seconds(route).observe(seconds)
        if route not in _UNLOGGED:
            log.write_answered(method, route, status, round(seconds * 1000, 1))

    def response_headers(self, rid: str, reply: HttpReply) -> list[tuple[str, str]]:
        """All headers of a response: its own, and common ones that it does not set."""
        made = list(_with_usual_headers(reply.headers))
        if reply.status != HTTPStatus.NO_CONTENT:
            made.append(("Content-Length", str(len(reply.body))))
        made.append(("X-Campaign-Time", self.campaign_time()))
        made.append(("X-Request-Id", rid))
        return made

    def campaign_time(self) -> str:
        """The server's time, from which a client takes days, states and deadlines."""
        return self._campaign.now().astimezone(BEIJING).isoformat(timespec="milliseconds")


@lru_cache(64)
def _with_usual_headers(own: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    """A reply's own headers, and the common ones that it does not set."""
    names = {name for name, _ in own}
    return (*own, *(pair for pair in _USUAL_PAIRS if pair[0] not in names))


def install_request_frame(app: Flask, clock: Clock, campaign: Clock) -> RequestFrame:
    """Add request id, log line, metrics and headers to every response of Flask.

    `X-Campaign-Time` is the server's clock (shifted in the demo), so that a client need not rely on
    the phone's for days, states and deadlines.
    """
    frame = RequestFrame(clock, campaign)

    @app.before_request
    def begin_request() -> None:
        g.request_id = frame.begin_request(request.headers.get("X-Request-Id", ""))
        g.begun = frame.monotonic()
        # Flask's router merges leading slashes; a path that does not match exactly must be 404.
        if request.environ["PATH_INFO"].startswith("//"):
            raise NotFound

    @app.after_request
    def end_request(answer: Response) -> Response:
        route = request.url_rule.rule if request.url_rule else "unknown"
        seconds = frame.monotonic() - g.begun
        frame.record_response(request.method, route, answer.status_code, seconds)
        answer.headers["X-Campaign-Time"] = frame.campaign_time()
        answer.headers["X-Request-Id"] = g.request_id
        for name, value in _USUAL_PAIRS:
            answer.headers.setdefault(name, value)
        return answer

    return frame
