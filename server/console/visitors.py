"""Runs open pages: the log-in and one-time links, for people without a session."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Response, request, session

from server.base.errors import NotFound
from server.base.rate_limits import network_of
from server.base.uow import UnitOfWorkFactory
from server.base.web.page import OpenRoute, Page, SetCookie, Visit, VisitReply
from server.base.web.schema import decode_query
from server.console.form_session import PREFIX
from server.console.responses import check_token, flashed_messages, html_response, see_other
from server.console.templates import Templates

_LONGEST_BROWSER = 300


@dataclass(frozen=True, kw_only=True)
class Visitors:
    """Runs the views of open pages, with forms, CSRF tokens and cookies."""

    uow_factory: UnitOfWorkFactory
    templates: Templates

    def build_runner(self, route: OpenRoute) -> Callable[..., Response]:
        """Build the function that answers a request to this page."""

        def answer_visitor(**places: str) -> Response:
            if "\0" in request.path or b"%00" in request.query_string:
                raise NotFound
            call: dict[str, Any] = dict(places)
            if route.query is not None:
                call["query"] = decode_query(request.args.to_dict(), route.query)
            if route.form is not None:
                call["form"] = route.form() if route.method == "POST" else route.form(formdata=None)
            if route.method == "POST":
                check_token()
            return self._answer_visit(_begin_visit(self.uow_factory), route, call)

        return answer_visitor

    def _answer_visit(self, visit: Visit, route: OpenRoute, call: dict[str, Any]) -> Response:
        made = route.view(visit, **call)
        reply = made if isinstance(made, VisitReply) else VisitReply(shown=made)
        if reply.renewed:
            # A form token from before the log-in must not be valid after it.
            session.clear()
        answer = self._response_of(reply)
        for cookie in reply.cookies:
            _add_cookie(answer, cookie, secure=self._secure)
        return answer

    def _response_of(self, reply: VisitReply) -> Response:
        if not isinstance(reply.shown, Page):
            return see_other(reply.shown)
        say = self.uow_factory.dependencies.texts.fill_text
        frame = {
            "organizer": None,
            "menu": [],
            "said": [say(key, **facts) for key, facts in flashed_messages()],
            "refused_sentence": "",
            "here": request.path,
        }
        html = self.templates.render_page(reply.shown.template, {**reply.shown.shown, **frame})
        return html_response(html, reply.status)

    @property
    def _secure(self) -> bool:
        return self.uow_factory.dependencies.settings.environment != "demo"


def _begin_visit(uow_factory: UnitOfWorkFactory) -> Visit:
    return Visit(
        uow_factory=uow_factory,
        network=network_of(request.remote_addr),
        cookies=dict(request.cookies),
        browser=request.headers.get("User-Agent", "")[:_LONGEST_BROWSER],
    )


def _add_cookie(answer: Response, cookie: SetCookie, *, secure: bool) -> None:
    answer.set_cookie(
        cookie.name,
        cookie.value,
        max_age=cookie.keep_seconds,
        path=PREFIX,
        secure=secure,
        httponly=True,
        samesite="Lax",
    )
