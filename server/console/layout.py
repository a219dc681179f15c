"""The layout of every page: menu, own account, messages; and the page of a refusal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from flask import Response, request

from server.base.access import Organizer
from server.base.errors import AlreadyDone, AppError, NotAuthenticated
from server.base.log import request_id
from server.base.problem import retry_headers
from server.base.texts import Texts
from server.base.web.page import Page, PageRoute, Pages
from server.console.audit import LatestChange
from server.console.form_session import PREFIX
from server.console.menu import build_menu, entry_of, find_power_pages
from server.console.refusals import fill_path, find_parent, list_typed, say_refusal
from server.console.responses import flashed_messages, html_response, send_to_login
from server.console.templates import Templates


@dataclass(frozen=True, kw_only=True)
class Account:
    """Addresses of the organizer's own account, which a higher layer provides.

    `login` gets a parameter `next` with the path to return to; `logout` is posted to; `settings` is
    the page of the account.
    """

    login: str
    logout: str
    settings: str


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Renders pages inside the console's layout."""

    tables: tuple[Pages, ...]
    templates: Templates
    texts: Texts
    # None: the page explains how to get an invitation, instead of a redirect to the log-in.
    account: Account | None

    def render_page(
        self,
        page: Page,
        organizer: Organizer | None,
        status: int = HTTPStatus.OK,
        *,
        refused: str = "",
    ) -> Response:
        """Render a page with the messages for it; `refused` is the sentence of a refused button."""
        said = [self.texts.fill_text(key, **facts) for key, facts in flashed_messages()]
        frame = {**self._frame_of(organizer, said=said), "refused_sentence": refused}
        return html_response(
            self.templates.render_page(page.template, {**page.shown, **frame}), status
        )

    def render_refusal(
        self, refusal: AppError, organizer: Organizer | None, back: str = ""
    ) -> Response:
        """Render the page of a refusal, with the organizer's menu, and a link to another page."""
        if isinstance(refusal, NotAuthenticated) and self.account is not None:
            return send_to_login(self.account.login)
        shown = self._frame_of(organizer, said=[])
        if isinstance(refusal, NotAuthenticated):
            template = "console/signed_out.html"
        else:
            template = "console/refused.html"
            shown["sentence"] = say_refusal(self.texts, refusal)
            shown["request_id"] = request_id.get()
            shown["back"] = back
        answer = html_response(self.templates.render_page(template, shown), refusal.status)
        answer.headers.extend(retry_headers(refusal))
        if refusal.status == HTTPStatus.UNAUTHORIZED:
            answer.headers["WWW-Authenticate"] = 'Session realm="console"'
        return answer

    def render_overtaken(
        self,
        route: PageRoute,
        organizer: Organizer,
        refusal: AlreadyDone,
        call: Mapping[str, Any],
        latest: LatestChange | None,
    ) -> Response:
        """Render the page of an act that was done already: author and time, if known, a link."""
        shown = {
            "sentence": say_refusal(self.texts, refusal),
            "latest": latest,
            "address": f"{PREFIX}{refusal.path}"
            if refusal.path
            else self.address_above(route, call),
            "typed": list(list_typed(call.get("form"))),
        }
        return self.render_page(Page("console/overtaken.html", **shown), organizer, refusal.status)

    def address_above(self, route: PageRoute, call: Mapping[str, Any]) -> str:
        """The address of the nearest page above a route."""
        parent = find_parent(self.tables, route)
        if parent is None:
            return PREFIX
        return fill_path(parent.path, {name: call[name] for name in parent.places})

    def _frame_of(self, organizer: Organizer | None, *, said: list[str]) -> dict[str, Any]:
        """The variables of the layout."""
        menu = [] if organizer is None else build_menu(self.tables, organizer)
        here = request.path.rstrip("/")
        return {
            "organizer": organizer,
            "menu": menu,
            "power_pages": (
                {}
                if organizer is None or here != PREFIX
                else find_power_pages(self.tables, organizer, menu)
            ),
            "said": said,
            "refused_sentence": "",
            "here": here,
            "here_in_menu": entry_of(menu, here),
            "account_address": self.account and self.account.settings,
            "logout_address": self.account and self.account.logout,
        }
