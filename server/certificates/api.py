"""Certificates of the calling citizen."""

from __future__ import annotations

from collections.abc import Callable

from server.accounts import service as accounts
from server.base.errors import Invalid, NotFound
from server.base.rate_limits import CHANGE, OWN_WORDS, spend_token
from server.base.uow import UnitOfWork
from server.base.web.auth import Who
from server.base.web.drawings import Drawing, PictureBusy
from server.base.web.endpoint import PREFIX, Answer, Api, PreflightContext, endpoint
from server.base.web.schema import fill_from
from server.certificates import service
from server.certificates.content import CertificateContent, read_content
from server.certificates.drawing import draw_picture, name_content, write_document
from server.certificates.errors import (
    NameFixed,
    NameNeeded,
    NameRefused,
    NameUnchecked,
    NameUnprintable,
    NotEarned,
    RevokedBefore,
)
from server.certificates.schemas import (
    CertificateIn,
    CertificateOut,
    CertificatesOut,
    DetailOut,
    OfferOut,
)
from server.certificates.service import CertificateState, CertificateView
from server.wechat.gateway import TextPlace, Verdict
from server.wechat.text_check import verdict_or_none

API = Api("certificates")
# Short, because a certificate can be withheld at any time.
_KEEP_SECONDS = 60


def _check_name(preflight: PreflightContext, body: CertificateIn) -> str | None:
    """The name for a certificate, after WeChat's content check unless it was checked before."""
    typed, caller = (
        None if body.name is None else accounts.checked_name(body.name),
        preflight.caller,
    )
    with preflight.uow_factory.begin(read_only=True) as uow:
        planned = service.plan_name(uow, caller.id, body.kind, body.source, typed)
    if planned is None or not planned.unchecked:
        return typed
    spend_token(preflight.uow_factory.dependencies, OWN_WORDS, caller.person)
    verdict = verdict_or_none(preflight.gateway, planned.openid, planned.name, TextPlace.PROFILE)
    if verdict is None:
        raise NameUnchecked
    if verdict is not Verdict.PASS:
        raise NameRefused
    return planned.name


@endpoint(
    API,
    "POST",
    "/certificates",
    who=Who.CITIZEN,
    body=CertificateIn,
    out=CertificateOut,
    status=(201, 200),
    errors=(
        NotFound, Invalid, NotEarned, RevokedBefore, NameNeeded, NameFixed, NameRefused,
        NameUnprintable, NameUnchecked,
    ),
    consent=True,
    ask=_check_name,
    pace=CHANGE,
)  # fmt: skip
def issue_certificate(uow: UnitOfWork, body: CertificateIn, asked: str | None) -> Answer:
    """Issue a certificate with a number; a repeat returns the same one."""
    view = service.issue_certificate(uow, uow.caller_id, body.kind, body.source, asked)
    return Answer(value=_certificate_out(uow, view), status=201 if view.fresh else 200)


@endpoint(API, "GET", "/me/certificates", who=Who.CITIZEN, out=CertificatesOut)
def list_certificates(uow: UnitOfWork) -> CertificatesOut:
    """The caller's certificates, the latest first, and those that the caller may ask for."""
    offers = service.list_offers(uow, uow.caller_id)
    return CertificatesOut(
        items=[_certificate_out(uow, one) for one in service.list_own(uow, uow.caller_id)],
        available=[
            fill_from(one.claim, OfferOut, kind=one.kind, name=one.name, named=one.named)
            for one in offers
        ],
    )


@endpoint(
    API,
    "GET",
    "/certificates/<serial>.png",
    who=Who.CITIZEN,
    errors=(NotFound, PictureBusy),
    media="image/png",
)
def show_picture(uow: UnitOfWork, serial: str) -> Drawing:
    """Show the caller's certificate as a picture, with a QR code of the page that verifies it."""
    return _drawing_of(uow, serial, "png", draw_picture)


@endpoint(
    API,
    "GET",
    "/certificates/<serial>.pdf",
    who=Who.CITIZEN,
    errors=(NotFound, PictureBusy),
    media="application/pdf",
)
def show_document(uow: UnitOfWork, serial: str) -> Drawing:
    """Show the caller's certificate as a PDF for printing, A4 landscape."""
    return _drawing_of(uow, serial, "pdf", write_document)


def _drawing_of(
    uow: UnitOfWork, serial: str, form: str, draw: Callable[[CertificateContent], bytes]
) -> Drawing:
    view = service.find_own(uow, uow.caller_id, serial)
    if view.claim is None:
        raise NotFound
    content = read_content(uow, view, view.claim)
    return Drawing(
        content_name=name_content(form, content),
        draw=lambda: draw(content),
        keep_seconds=_KEEP_SECONDS,
    )


def _certificate_out(uow: UnitOfWork, view: CertificateView) -> CertificateOut:
    row, claim = view.row, view.claim
    if claim is None:
        raise NotFound
    path = f"{PREFIX}/certificates/{row.serial}"
    shown = view.standing is CertificateState.VALID
    return CertificateOut(
        serial=row.serial,
        kind=row.kind,
        source=claim.source,
        heading=claim.heading,
        title=claim.title,
        sentence=claim.sentence,
        name=view.name or "",
        details=[DetailOut(label=one.label, value=one.value) for one in claim.details],
        state=view.standing.value,
        state_text=uow.texts.fill_text(f"certificates.standing.{view.standing.value}"),
        remark=row.end_reason,
        issued_at=row.issued_at,
        image_url=f"{path}.png" if shown else "",
        pdf_url=f"{path}.pdf" if shown else "",
        verify_url=service.verify_address(uow, row.serial),
    )
