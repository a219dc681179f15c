"""The public page on which anybody verifies a certificate; it needs no log-in and no script.

Only wrong numbers are limited, per address, so that a hall of people who verify their own is not.
"""

from __future__ import annotations

from html import escape

from flask import Blueprint, Response, redirect, request

from server.base.errors import NotFound, TooManyRequests
from server.base.problem import retry_headers
from server.base.rate_limits import VERIFY, counting_failures, network_of
from server.base.texts import Texts
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.certificates import service
from server.certificates.content import campaign_names, issuer_of, say_day
from server.certificates.rules import read_serial
from server.certificates.service import CertificateState, CertificateView

_POLICY = (
    "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'"
)
_PAGE = """<!doctype html><html lang="zh-CN"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex, nofollow"><title>{title}</title>
<link rel="icon" href="data:,"><link rel="stylesheet" href="/verify.css">
</head><body><main><p class="campaign">{campaign}</p><h1>{title}</h1>{body}
<form method="get" action="/verify"><label for="serial">{label}</label>
<input id="serial" name="serial" autocomplete="off" autocapitalize="characters" maxlength="60">
<button>{button}</button></form></main></body></html>
"""
_STYLE = """:root { font: 18px/1.6 system-ui, sans-serif; color: #1c2620; background: #eef2ef; }
body { margin: 0; }
main { max-width: 640px; margin: 0 auto; padding: 20px 16px 48px; }
h1 { margin: 4px 0 16px; font-size: 26px; }
.campaign { margin: 0; color: #44514a; }
.state { margin: 0 0 16px; padding: 16px; border-radius: 12px; background: #fff; }
.state strong { display: block; font-size: 24px; }
.valid { border-left: 8px solid #0b6b45; }
.valid strong { color: #0b6b45; }
.invalid { border-left: 8px solid #b3261e; }
.invalid strong { color: #b3261e; }
dl { margin: 0 0 24px; padding: 4px 16px; border-radius: 12px; background: #fff; }
dt { padding-top: 12px; color: #44514a; }
dd { margin: 0; padding-bottom: 12px; border-bottom: 1px solid #d5dcd7; font-size: 20px;
  overflow-wrap: anywhere; }
dd:last-child { border-bottom: 0; }
form { padding: 16px; border-radius: 12px; background: #fff; }
label { display: block; margin-bottom: 8px; }
input { box-sizing: border-box; width: 100%; min-height: 52px; padding: 8px 12px; font: inherit;
  border: 1px solid #6b7770; border-radius: 8px; }
button { width: 100%; min-height: 60px; margin-top: 12px; border: 0; border-radius: 8px;
  font: inherit; color: #fff; background: #0b6b45; }
input:focus-visible, button:focus-visible { outline: 3px solid #0b57a4; outline-offset: 2px; }
"""


def verify_pages(uow_factory: UnitOfWorkFactory) -> Blueprint:
    """The page of a number, the page that asks for one, and their style."""
    pages = Blueprint("verify", __name__)
    texts = uow_factory.dependencies.texts

    @pages.get("/verify")
    def ask_serial() -> Response:
        typed = request.args.get("serial", "").strip()
        if typed:
            # The page of a wrong number says that it is wrong; the number is never part of a
            # redirect's host.
            known = read_serial(typed) or "-"
            return _without_traces(redirect(f"/verify/{known}", 303))  # type: ignore[arg-type]
        with uow_factory.begin(read_only=True) as uow:
            return _page_reply(uow, _say_plain(texts, "ask"), 200)

    @pages.get("/verify/<serial>")
    def show_certificate(serial: str) -> Response:
        return _answer_serial(uow_factory, serial)

    @pages.get("/verify.css")
    def serve_style() -> Response:
        return Response(_STYLE, content_type="text/css; charset=utf-8")

    return pages


def _answer_serial(uow_factory: UnitOfWorkFactory, serial: str) -> Response:
    dependencies = uow_factory.dependencies
    network = network_of(request.remote_addr)
    try:
        with (
            counting_failures(dependencies, VERIFY, network, NotFound),
            uow_factory.begin(read_only=True) as uow,
        ):
            view = service.find_public(uow, serial)
            return _page_reply(uow, _say_certificate(uow, view), 200)
    except NotFound:
        with uow_factory.begin(read_only=True) as uow:
            return _page_reply(uow, _say_state(dependencies.texts, "unknown"), 404)
    except TooManyRequests as trouble:
        with uow_factory.begin(read_only=True) as uow:
            reply = _page_reply(uow, _say_state(dependencies.texts, "busy"), 429)
        reply.headers.extend(retry_headers(trouble))
        return reply


def _say_certificate(uow: UnitOfWork, view: CertificateView) -> str:
    """The state of a certificate, and its content while it is valid."""
    state = _say_state(uow.texts, view.standing.value)
    return state + _say_rows(_rows_of(uow, view))


def _rows_of(uow: UnitOfWork, view: CertificateView) -> list[tuple[str, str]]:
    """Label and value of each fact; an invalid certificate has only its number and its end."""
    say, row = uow.texts.fill_text, view.row
    rows = [(say("certificates.verify.serial"), row.serial)]
    if row.ended_at is not None:
        rows.append((say("certificates.verify.ended_on"), say_day(uow, row.ended_at)))
    if view.standing is CertificateState.REVOKED:
        rows.append((say("certificates.verify.reason"), row.end_reason))
    if view.standing is not CertificateState.VALID or view.claim is None:
        return rows
    claim = view.claim
    return [
        (say("certificates.verify.heading"), claim.heading),
        (say("certificates.verify.name"), view.masked_name),
        (say("certificates.verify.source"), claim.title),
        *((one.label, one.value) for one in claim.details),
        (say("certificates.verify.day"), say_day(uow, claim.day)),
        (say("certificates.verify.issuer"), issuer_of(uow, row.owner)),
        (say("certificates.verify.issued_on"), say_day(uow, row.issued_at)),
        *rows,
    ]


def _say_rows(rows: list[tuple[str, str]]) -> str:
    told = "".join(f"<dt>{escape(label)}</dt><dd>{escape(value)}</dd>" for label, value in rows)
    return f"<dl>{told}</dl>"


def _say_state(texts: Texts, state: str) -> str:
    look = "valid" if state == CertificateState.VALID.value else "invalid"
    head = escape(texts.fill_text(f"certificates.verify_state.{state}"))
    about = escape(texts.fill_text(f"certificates.verify_about.{state}"))
    return f'<p class="state {look}" role="status"><strong>{head}</strong>{about}</p>'


def _say_plain(texts: Texts, name: str) -> str:
    return f"<p>{escape(texts.fill_text(f'certificates.verify_about.{name}'))}</p>"


def _page_reply(uow: UnitOfWork, body: str, status: int) -> Response:
    say = uow.texts.fill_text
    page = _PAGE.format(
        title=escape(say("certificates.verify.title")),
        campaign=escape(campaign_names(uow)[0]),
        body=body,
        label=escape(say("certificates.verify.label")),
        button=escape(say("certificates.verify.button")),
    )
    reply = Response(page, status=status, content_type="text/html; charset=utf-8")
    reply.headers["Content-Security-Policy"] = _POLICY
    return _without_traces(reply)


def _without_traces(reply: Response) -> Response:
    """Keep the page out of caches, of search engines and of other sites' logs."""
    reply.headers["Cache-Control"] = "no-store"
    reply.headers["X-Robots-Tag"] = "noindex, nofollow"
    reply.headers["Referrer-Policy"] = "no-referrer"
    reply.headers["X-Content-Type-Options"] = "nosniff"
    return reply
