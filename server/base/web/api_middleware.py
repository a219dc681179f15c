"""WSGI middleware that runs declared endpoints without Flask.

Flask's routing, contexts and responses cost more CPU than the statements of a request. Requests
that match no declared route (other paths and methods, uploads, non-ASCII paths) are passed on to
Flask, where the same runners are registered as a blueprint.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from server.base.texts import Texts
from server.base.web.endpoint import PREFIX, Route, Runner
from server.base.web.errors import error_reply
from server.base.web.incoming import Incoming
from server.base.web.reply import STATUS_LINES
from server.base.web.request_frame import RequestFrame

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class _Known(NamedTuple):
    """A route with its path split at slashes; None stands for a path variable.

    `endings` has what must follow a variable in its segment (`.ics` of `<ref>.ics`). `rule` is
    Flask's spelling, used in metrics and log.
    """

    steps: tuple[str | None, ...]
    places: tuple[tuple[int, str], ...]
    rule: str
    run: Runner
    endings: tuple[tuple[str, str], ...] = ()

    def match_path(self, steps: list[str]) -> dict[str, str] | None:
        """The path variables of a matching path; None when the path does not match."""
        for wanted, given in zip(self.steps, steps, strict=True):
            if not given if wanted is None else wanted != given:
                return None
        call = {name: steps[at] for at, name in self.places}
        for name, ending in self.endings:
            if not call[name].endswith(ending) or call[name] == ending:
                return None
            call[name] = call[name].removesuffix(ending)
        return call


class ApiMiddleware:
    """Runs declared endpoints; passes every other request to the next WSGI app."""

    def __init__(
        self,
        next_app: WSGIApplication,
        runners: Iterable[tuple[Route, Runner]],
        frame: RequestFrame,
        texts: Texts,
    ) -> None:
        self._next_app = next_app
        self._frame = frame
        self._texts = texts
        self._known: dict[tuple[str, int], list[_Known]] = {}
        for route, run in runners:
            if not route.upload:
                known = _compile_route(route, run)
                self._known.setdefault((route.method, len(known.steps)), []).append(known)
        for routes in self._known.values():
            # Fixed path segments before variables, variables with an ending before others, as in
            # Flask.
            routes.sort(key=lambda one: ([step is None for step in one.steps], not one.endings))

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        path = environ.get("PATH_INFO", "")
        if not path.startswith(PREFIX) or not path.isascii() or environ.get("SCRIPT_NAME"):
            return self._next_app(environ, start_response)
        method, steps = environ["REQUEST_METHOD"], path.split("/")
        for known in self._known.get((method, len(steps)), ()):
            call = known.match_path(steps)
            if call is not None:
                return self._answer_call(known, call, Incoming(environ, path), start_response)
        return self._next_app(environ, start_response)

    def _answer_call(
        self, known: _Known, call: dict[str, str], sent: Incoming, start_response: StartResponse
    ) -> Iterable[bytes]:
        frame, environ = self._frame, sent.environ
        begun = frame.monotonic()
        rid = frame.begin_request(environ.get("HTTP_X_REQUEST_ID", ""))
        try:
            reply = known.run(sent, **call)
        except Exception as trouble:
            reply = error_reply(trouble, self._texts, known.rule)
        seconds = frame.monotonic() - begun
        frame.record_response(environ["REQUEST_METHOD"], known.rule, reply.status, seconds)
        start_response(STATUS_LINES[reply.status], frame.response_headers(rid, reply))
        return (reply.body,)


def _compile_route(route: Route, run: Runner) -> _Known:
    rule = f"{PREFIX}{route.path}"
    words = rule.split("/")
    steps = tuple(None if word.startswith("<") else word for word in words)
    variables = [(at, word[1:].split(">")) for at, word in enumerate(words) if word.startswith("<")]
    places = tuple((at, name) for at, (name, _) in variables)
    endings = tuple((name, ending) for _, (name, ending) in variables if ending)
    return _Known(steps, places, rule, run, endings)
