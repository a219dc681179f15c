"""Runs declared pages: session, permission, scope, form, transaction, audit, HTML errors."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from http import HTTPStatus
from typing import Any

from flask import Blueprint, Response, request
from werkzeug.exceptions import HTTPException

from server.base import errors
from server.base.access import Organizer
from server.base.errors import (
    AlreadyDone,
    AppError,
    Forbidden,
    Malformed,
    NotAuthenticated,
    NotFound,
)
from server.base.ownership import guard_session
from server.base.problem import retry_headers
from server.base.rate_limits import network_of
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.base.web.page import (
    Download,
    Note,
    Page,
    PagePreflight,
    PageRoute,
    Pages,
    Redirect,
)
from server.base.web.schema import decode_query, list_fields
from server.base.web.uploads import BODY_LIMIT_BYTES
from server.console.audit import AuditEntry, AuditWriter, LatestChange, LatestReader
from server.console.form_session import PREFIX, SESSION_COOKIE
from server.console.forms import WatchedForm, takes_file
from server.console.layout import Account, Layout
from server.console.refusals import (
    belongs_in_form,
    find_parent,
    place_refusal,
    say_refusal,
)
from server.console.responses import (
    OTHER_METHOD,
    UNKNOWN_PAGE,
    check_token,
    file_response,
    see_other,
)
from server.console.routing import add_converter, refuse_address, refuse_method
from server.console.templates import Templates
from server.console.visitors import Visitors

# Refusals of an organizer's request; their page has the menu, that of other errors has none.
_WITH_MENU = frozenset(
    {
        HTTPStatus.FORBIDDEN,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.CONFLICT,
        HTTPStatus.UNPROCESSABLE_ENTITY,
    }
)
_log = logging.getLogger(__name__)
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": POLICY,
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Vary": "HX-Request, Cookie",
}
_EVERY_METHOD = {"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
_BY_STATUS: Mapping[int, type[AppError]] = {400: Malformed, 404: NotFound, 413: errors.BodyTooLarge}

# Resolves a session cookie to its organizer; None when it is invalid.
SessionResolver = Callable[[UnitOfWork, str], Organizer | None]


class ApprovalsPaused(Forbidden):
    """The account was recovered less than a day ago, and approves nothing yet."""

    code = "approvals_paused"


@dataclass(frozen=True, kw_only=True)
class Console:
    """The pages of all slices and their runner; session and audit are injected by higher layers."""

    uow_factory: UnitOfWorkFactory
    tables: tuple[Pages, ...]
    templates: Templates
    resolve: SessionResolver
    audit: AuditWriter
    account: Account | None
    # Reads the last change of an object, to explain why another organizer's change is refused.
    latest: LatestReader | None = None
    gateway: Any = None
    # Names of the tables with personal data, which a view may read only within its scope.
    personal: frozenset[str] = frozenset()

    def build_blueprint(self) -> Blueprint:
        """Build a Flask blueprint of all pages under /console."""
        made = Blueprint("console", __name__, url_prefix=PREFIX)
        made.record(add_converter)
        declared: dict[str, set[str]] = {}
        for pages in self.tables:
            for route in pages.routes:
                run = (
                    self._build_reader(route)
                    if route.method == "GET"
                    else self._build_writer(pages, route)
                )
                path = "" if route.path == "/" else route.path
                declared.setdefault(path, set()).add(route.method)
                self._add_rule(made, path, route.name, run, [route.method])
        visitors = Visitors(uow_factory=self.uow_factory, templates=self.templates)
        for pages in self.tables:
            for opened in pages.open_routes:
                run_open = visitors.build_runner(opened)
                self._add_rule(made, opened.path, opened.name, run_open, [opened.method])
        for number, (path, methods) in enumerate(declared.items()):
            others = sorted(_EVERY_METHOD - methods)
            self._add_rule(made, path, f"{OTHER_METHOD}_{number}", refuse_method, others)
        self._add_rule(made, "/<rest:unknown>", UNKNOWN_PAGE, refuse_address, sorted(_EVERY_METHOD))
        return made

    def _add_rule(
        self,
        blueprint: Blueprint,
        path: str,
        name: str,
        run: Callable[..., Response],
        methods: list[str],
    ) -> None:
        # Flask would build a redirect for a missing last slash from the Host header.
        blueprint.add_url_rule(
            path,
            name,
            self._answer_errors(run),
            methods=methods,
            strict_slashes=False,
            provide_automatic_options=False,
        )

    def _answer_errors(self, run: Callable[..., Response]) -> Callable[..., Response]:
        """Wrap a view so that every error becomes an HTML page."""

        def answer_page(**places: str) -> Response:
            try:
                answer = run(**places)
            except AppError as refusal:
                answer = self._refuse_page(refusal)
            except HTTPException as trouble:
                answer = self._refuse_page(_BY_STATUS.get(trouble.code or 500, Malformed)())
            except Exception as trouble:  # an error page must not be JSON
                rule = request.url_rule.rule if request.url_rule else "unknown"
                _log.error("unhandled error", exc_info=trouble, extra={"path": rule})
                answer = self._refuse_page(AppError())
            answer.headers.update(_HEADERS)
            return answer

        return answer_page

    def _build_reader(self, route: PageRoute) -> Callable[..., Response]:
        def submit_form(**places: str) -> Response:
            call = self._read_address(route, places)
            if route.form is not None:
                call["form"] = route.form(formdata=None)
            organizer, shown = self._read_page(route, call)
            return self._send_answer(shown, organizer)

        return submit_form

    def _build_writer(self, pages: Pages, route: PageRoute) -> Callable[..., Response]:
        def run(**places: str) -> Response:
            call = self._read_address(route, places)
            with self.uow_factory.begin(read_only=True) as reading:
                organizer = self._admit_organizer(reading, route)
            if route.form is not None and takes_file(route.form):
                request.max_content_length = BODY_LIMIT_BYTES
            form = None if route.form is None else route.form()
            if form is not None:
                call["form"] = form
            try:
                check_token()
                if form is not None and not form.validate():
                    return self._shown_again(pages, route, call)
                self._refuse_overtaken(pages, route, call)
                answer = self._run_change(route, organizer, call, places)
            except AlreadyDone as refusal:
                latest = self._latest_change(route, organizer, refusal, call)
                return self._layout.render_overtaken(route, organizer, refusal, call, latest)
            except AppError as refusal:
                if not belongs_in_form(refusal):
                    raise
                return self._refused_in_place(pages, route, call, refusal)
            return self._send_answer(answer, organizer)

        return run

    def _refuse_overtaken(self, pages: Pages, route: PageRoute, call: Mapping[str, Any]) -> None:
        """Refuse a form whose object was changed after its page was opened.

        Raises: ChangedMeanwhile (409).
        """
        form = call.get("form")
        if isinstance(form, WatchedForm) and form.seen.data and route.places:
            stored = type(form)(formdata=None)
            self._read_again(pages, route, call, stored)
            form.refuse_overtaken(stored)

    def _send_answer(self, answer: Page | Redirect | Download, organizer: Organizer) -> Response:
        if isinstance(answer, Page):
            return self._layout.render_page(answer, organizer)
        return file_response(answer) if isinstance(answer, Download) else see_other(answer)

    def _run_change(
        self,
        route: PageRoute,
        organizer: Organizer,
        call: Mapping[str, Any],
        places: Mapping[str, str],
    ) -> Page | Redirect | Download:
        """Run the view of a POST in its transaction, with its audit entry."""
        asked = dict(call)
        if route.ask is not None:
            preflight = PagePreflight(
                uow_factory=self.uow_factory, organizer=organizer, gateway=self.gateway
            )
            asked["asked"] = route.ask(preflight, **call)
        with self.uow_factory.begin(organizer) as uow:
            guard_session(uow.session, organizer, self.personal)
            answer: Page | Redirect | Download = route.view(uow, organizer, **asked)
            note = None if isinstance(answer, Page) else answer.note
            entry = _audit_entry(route, organizer, uow, places)
            self.audit(uow, entry if note is None else _add_note(entry, note))
            return answer

    def _shown_again(self, pages: Pages, route: PageRoute, call: Mapping[str, Any]) -> Response:
        organizer, page = self._read_again(pages, route, call, call["form"])
        answer = self._send_answer(page, organizer)
        answer.status_code = HTTPStatus.UNPROCESSABLE_ENTITY
        return answer

    def _refused_in_place(
        self, pages: Pages, route: PageRoute, call: Mapping[str, Any], refusal: AppError
    ) -> Response:
        """Show the form again with the refusal, or without a form the page of the object."""
        form, texts = call.get("form"), self.uow_factory.dependencies.texts
        try:
            if form is not None:
                place_refusal(texts, form, refusal)
                answer = self._shown_again(pages, route, call)
            else:
                parent = find_parent(self.tables, route)
                if parent is None or parent.form is not None:
                    return self._refuse_page(refusal, self._layout.address_above(route, call))
                places = {name: call[name] for name in parent.places}
                organizer, page = self._read_page(parent, self._read_address(parent, places))
                if not isinstance(page, Page):
                    raise refusal
                answer = self._layout.render_page(
                    page, organizer, refused=say_refusal(texts, refusal)
                )
        except NotFound:
            # There is no page to show it on; the status stays that of the refusal.
            raise refusal from None
        answer.status_code = refusal.status
        answer.headers.extend(retry_headers(refusal))
        return answer

    def _read_again(
        self, pages: Pages, route: PageRoute, call: Mapping[str, Any], form: Any
    ) -> tuple[Organizer, Page | Download]:
        """Run the page that shows the form of a POST."""
        shown = pages.find_page("GET", route.path)
        if shown is None:
            raise NotFound
        # That page takes its own query, which the POST need not have.
        places = {name: call[name] for name in route.places}
        return self._read_page(shown, {**self._read_address(shown, places), "form": form})

    def _read_page(
        self, route: PageRoute, call: Mapping[str, Any]
    ) -> tuple[Organizer, Page | Download]:
        with self.uow_factory.begin(read_only=True) as uow:
            organizer = self._admit_organizer(uow, route)
            guard_session(uow.session, organizer, self.personal)
            answer: Page | Download = route.view(uow, organizer, **call)
            return organizer, answer

    def _read_address(self, route: PageRoute, places: Mapping[str, str]) -> dict[str, Any]:
        # PostgreSQL refuses NUL in a text, which would become a 500.
        if "\0" in request.path or b"%00" in request.query_string:
            raise NotFound
        call: dict[str, Any] = dict(places)
        if route.query is not None:
            # An empty field of a filter form is no filter.
            given: dict[str, str | list[str]] = {
                name: value for name, value in request.args.items() if value != ""
            }
            lists = list_fields(route.query)  # type: ignore[arg-type]  # a class is hashable
            given |= {name: request.args.getlist(name) for name in lists & set(given)}
            call["query"] = decode_query(given, route.query)
        return call

    def _admit_organizer(self, uow: UnitOfWork, route: PageRoute) -> Organizer:
        """The organizer of this session, if the role has the page's permission.

        Raises: NotAuthenticated (401), Forbidden (403).
        """
        organizer = self._signed_in(uow)
        if organizer is None:
            raise NotAuthenticated
        if route.needs in organizer.withheld:
            raise ApprovalsPaused
        if not organizer.has_permission(route.needs):
            raise Forbidden
        return organizer

    def _signed_in(self, uow: UnitOfWork) -> Organizer | None:
        cookie = request.cookies.get(SESSION_COOKIE)
        organizer = None if not cookie else self.resolve(uow, cookie)
        if organizer is None:
            return None
        return replace(organizer, network=network_of(request.remote_addr))

    @cached_property
    def _layout(self) -> Layout:
        return Layout(
            tables=self.tables,
            templates=self.templates,
            texts=self.uow_factory.dependencies.texts,
            account=self.account,
        )

    def _refuse_page(self, refusal: AppError, back: str = "") -> Response:
        return self._layout.render_refusal(refusal, self._organizer_of(refusal), back)

    def _latest_change(
        self,
        route: PageRoute,
        organizer: Organizer,
        refusal: AlreadyDone,
        call: Mapping[str, Any],
    ) -> LatestChange | None:
        """The newest change of the page's object, which is the reason for this refusal."""
        if self.latest is None:
            return None
        refs = [refusal.about, *(call[name] for name in route.places)]
        with self.uow_factory.begin(read_only=True) as uow:
            guard_session(uow.session, organizer, self.personal)
            return self.latest(uow, organizer, [ref for ref in refs if ref])

    def _organizer_of(self, refusal: AppError) -> Organizer | None:
        """The organizer to whom a refusal is shown with the menu; None for a visitor.

        Errors of the server are shown without a further read.
        """
        if refusal.status not in _WITH_MENU:
            return None
        with self.uow_factory.begin(read_only=True) as uow:
            return self._signed_in(uow)


def _audit_entry(
    route: PageRoute, organizer: Organizer, uow: UnitOfWork, places: Mapping[str, str]
) -> AuditEntry:
    return AuditEntry(
        organizer=organizer,
        at=uow.now,
        network=network_of(request.remote_addr),
        page=route.spelled,
        places=places,
    )


def _add_note(entry: AuditEntry, note: Note) -> AuditEntry:
    return replace(entry, act=note.act, facts=note.facts, reason=note.reason)
