"""Pages without a session: log-in, log-out, and the page of a one-time link."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from msgspec import Meta
from wtforms import HiddenField, PasswordField, StringField
from wtforms.validators import InputRequired, Length

from server.base.web.page import (
    Page,
    Pages,
    Redirect,
    SetCookie,
    Visit,
    VisitReply,
    open_page,
)
from server.base.web.schema import Query
from server.console.form_session import SESSION_COOKIE
from server.console.forms import ConsoleForm
from server.organizers import codes, links, log_in, rules, service
from server.organizers.errors import BadLogin, LoginBarred
from server.organizers.passwords import HASHES

PAGES = Pages("log_in", Path(__file__).with_name("pages"))
BROWSER_COOKIE = "kepu_console_browser"


class LoginForm(ConsoleForm):
    """Form for the log-in; `totp` takes a recovery code too."""

    username = StringField(
        "organizers.form.username",
        validators=[
            InputRequired("organizers.form.username_missing"),
            Length(max=64, message="organizers.form.username_wrong"),
        ],
        render_kw={"autocomplete": "username", "autofocus": True, "autocapitalize": "none"},
    )
    password = PasswordField(
        "organizers.form.password",
        validators=[InputRequired("organizers.form.password_missing")],
        render_kw={"autocomplete": "current-password"},
    )
    totp = StringField(
        "organizers.form.totp",
        render_kw={"autocomplete": "one-time-code", "inputmode": "text", "maxlength": "20"},
    )
    next = HiddenField("organizers.form.next")


class LinkForm(ConsoleForm):
    """Form for a new password, entered twice, with the first code of the authenticator app."""

    password = PasswordField(
        "organizers.form.new_password",
        validators=[InputRequired("organizers.form.password_missing")],
        render_kw={"autocomplete": "new-password"},
    )
    again = PasswordField(
        "organizers.form.again",
        validators=[InputRequired("organizers.form.password_missing")],
        render_kw={"autocomplete": "new-password"},
    )
    totp = StringField(
        "organizers.form.first_code",
        render_kw={"autocomplete": "one-time-code", "inputmode": "numeric", "maxlength": "6"},
    )


class LoginQuery(Query, frozen=True, kw_only=True):
    """The console path to open after the log-in."""

    next: Annotated[str, Meta(max_length=500)] = ""


@open_page(PAGES, "GET", "/login", form=LoginForm, query=LoginQuery)
def show_login(visit: Visit, form: LoginForm, query: LoginQuery) -> Page:
    """Show the log-in form; a browser whose session has ended is shown the reason."""
    form.next.data = query.next
    over = service.explain_end(visit.uow_factory, visit.cookies.get(SESSION_COOKIE, ""))
    return Page("log_in/login.html", form=form, refused=None, facts={}, over=over)


@open_page(PAGES, "POST", "/login", form=LoginForm)
def submit_login(visit: Visit, form: LoginForm) -> VisitReply:
    """Log in; a refusal shows the form again without saying what was wrong."""
    if not form.validate():
        page = Page("log_in/login.html", form=form, refused=None, facts={}, over=None)
        return VisitReply(shown=page, status=422)
    given = log_in.TypedLogin(
        username=form.username.data or "",
        password=form.password.data or "",
        code=form.totp.data or "",
        network=visit.network,
        known_browser=visit.cookies.get(BROWSER_COOKIE, ""),
        browser=visit.browser,
    )
    try:
        made = service.log_in_organizer(visit.uow_factory, given)
    except (BadLogin, LoginBarred) as refusal:
        page = Page(
            "log_in/login.html", form=form, refused=refusal.code, facts=refusal.facts, over=None
        )
        return VisitReply(shown=page, status=refusal.status)
    return VisitReply(
        shown=Redirect(rules.path_after_login(form.next.data or "")),
        cookies=(
            SetCookie(name=SESSION_COOKIE, value=made.session),
            SetCookie(
                name=BROWSER_COOKIE,
                value=made.known_browser,
                keep_seconds=int(rules.KEEP_BROWSER.total_seconds()),
            ),
        ),
        renewed=True,
    )


@open_page(PAGES, "POST", "/logout")
def log_out(visit: Visit) -> VisitReply:
    """End the session, here and in the database."""
    service.log_out_organizer(visit.uow_factory, visit.cookies.get(SESSION_COOKIE, ""))
    return VisitReply(
        shown=Redirect("/login", said="organizers.login.logged_out"),
        cookies=(SetCookie(name=SESSION_COOKIE, keep_seconds=0),),
    )


@open_page(PAGES, "GET", "/links/<token>", form=LinkForm)
def show_link(visit: Visit, token: str, form: LinkForm) -> Page:
    """Show the page of an invitation or a recovery: choose a password, set up the second factor."""
    return _link_page(visit, token, form)


@open_page(PAGES, "POST", "/links/<token>", form=LinkForm)
def take_link(visit: Visit, token: str, form: LinkForm) -> VisitReply:
    """Use the link; the recovery codes are shown once."""
    if not _check_link_form(visit, token, form):
        return VisitReply(shown=_link_page(visit, token, form), status=422)
    password_hash = HASHES.hash_password(form.password.data)
    taken = service.take_link(
        visit.uow_factory, token, password_hash, (form.totp.data or "").strip()
    )
    if taken is None:
        form.totp.errors = ["organizers.form.code_wrong"]
        return VisitReply(shown=_link_page(visit, token, form), status=422)
    return VisitReply(shown=Page("log_in/link_taken.html", codes=taken.recovery_codes))


def _check_link_form(visit: Visit, token: str, form: LinkForm) -> bool:
    with visit.uow_factory.begin(read_only=True) as uow:
        link = links.read_link(uow, token)
    form.validate()
    fault = rules.password_fault(form.password.data or "", link.username)
    if fault is not None and not form.password.errors:
        form.password.errors = [fault]
    if form.password.data != form.again.data:
        form.again.errors = ["organizers.form.again_wrong"]
    if not (form.totp.data or "").strip() and not _may_omit_code(visit):
        form.totp.errors = ["organizers.form.code_missing"]
    return not form.errors


def _link_page(visit: Visit, token: str, form: LinkForm) -> Page:
    with visit.uow_factory.begin(read_only=True) as uow:
        link = links.read_link(uow, token)
    return Page(
        "log_in/link.html",
        form=form,
        link=link,
        token=token,
        picture=codes.qr_picture(codes.app_address(link.secret, link.username)),
        optional=_may_omit_code(visit),
    )


def _may_omit_code(visit: Visit) -> bool:
    return service.may_omit_code(visit.uow_factory.dependencies.settings.environment)
