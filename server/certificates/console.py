"""Pages of certificates: find one by its number, and revoke it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import Select
from wtforms import BooleanField

from server.base.access import Organizer, Permission
from server.base.clock import say_instant
from server.base.uow import UnitOfWork
from server.base.web.page import Page, Pages, Redirect, Section, page
from server.certificates import desk
from server.certificates.kinds import declared_kinds
from server.certificates.models import Certificate, CertificateEnd
from server.certificates.service import CertificateState
from server.console.forms import ConsoleForm, reason_field
from server.console.list_pages import declare_list_pages
from server.console.list_views import read_table
from server.console.tables import Column, ColumnKind, Filter, FilterKind, ListQuery, Table

PAGES = Pages("certificates", Path(__file__).with_name("pages"))
_BADGES = {CertificateState.VALID: "good", CertificateState.WITHHELD: "mind"}


class CertificateQuery(ListQuery, frozen=True, kw_only=True):
    """Filters of the list: a number, a kind, the way they ended."""

    q: str | None = None
    kind: str | None = None
    ended: CertificateEnd | None = None


def _find_certificates(
    _uow: UnitOfWork, organizer: Organizer, query: CertificateQuery
) -> Select[Any]:
    return desk.find_certificates(organizer, typed=query.q, kind=query.kind, ended=query.ended)


def _name_kinds(uow: UnitOfWork, _organizer: Organizer) -> list[tuple[str, str]]:
    say = uow.texts.fill_text
    return [(one.name, say(f"certificates.kind.{one.name}")) for one in declared_kinds(uow)]


CERTIFICATES = Table(
    name="certificates.certificates",
    path="/certificates",
    title="certificates.console.title",
    empty="certificates.console.none",
    query=CertificateQuery,
    select=_find_certificates,
    prepare=desk.add_names,
    persons=True,
    key=Certificate.id,
    sort="-issued_at",
    columns=(
        Column(
            name="serial",
            title="certificates.console.serial",
            value=lambda line: line.row.serial,
            address=lambda line: f"/console/certificates/{line.row.serial}",
        ),
        Column(
            name="kind",
            title="certificates.console.kind",
            value=lambda line: line.row.kind,
            words="certificates.kind",
        ),
        Column(
            name="title",
            title="certificates.console.source",
            value=lambda line: line.row.title,
            kind=ColumnKind.LONG,
        ),
        Column(name="name", title="certificates.console.name", value=lambda line: line.name),
        Column(
            name="ended",
            title="certificates.console.ended",
            value=lambda line: None if line.row.ended is None else line.row.ended.value,
            words="certificates.standing",
            badge=lambda _line: "bad",
        ),
        Column(
            name="issued_at",
            title="certificates.console.issued_at",
            value=lambda line: line.row.issued_at,
            kind=ColumnKind.DATE,
            sort=Certificate.issued_at,
        ),
    ),
    filters=(
        Filter(
            name="q",
            title="certificates.console.search",
            kind=FilterKind.SEARCH,
            hint="certificates.console.search_hint",
        ),
        Filter(name="kind", title="certificates.console.kind", options=_name_kinds),
        Filter(
            name="ended",
            title="certificates.console.ended",
            choices=[(one.value, f"certificates.standing.{one.value}") for one in CertificateEnd],
        ),
    ),
)


class RevokeForm(ConsoleForm):
    """Form for a revocation: the reason, and whether the holder may ask for another certificate."""

    reason = reason_field("certificates.form.reason", "certificates.form.reason_about", public=True)
    may_reissue = BooleanField("certificates.form.may_reissue")


@page(
    PAGES,
    "GET",
    "/certificates",
    needs=Permission.CERTIFICATE_READ,
    query=CertificateQuery,
    menu="certificates.console.title",
    section=Section.CONTENT,
)
def list_certificates(uow: UnitOfWork, organizer: Organizer, query: CertificateQuery) -> Page:
    """The certificates of the organizer's place."""
    return Page(
        "certificates/certificates.html", shown=read_table(uow, organizer, CERTIFICATES, query)
    )


@page(PAGES, "GET", "/certificates/<serial>", needs=Permission.CERTIFICATE_READ, form=RevokeForm)
def show_certificate(uow: UnitOfWork, organizer: Organizer, serial: str, form: RevokeForm) -> Page:
    """Show one certificate, with the form that revokes it."""
    view, address = desk.find_certificate(uow, organizer, serial)
    may_revoke = organizer.has_permission(Permission.CERTIFICATE_WRITE) and view.row.ended is None
    return Page(
        "certificates/certificate.html",
        view=view,
        badge=_BADGES.get(view.standing, "bad"),
        issued_at=say_instant(view.row.issued_at),
        ended_at=None if view.row.ended_at is None else say_instant(view.row.ended_at),
        verify_url=address,
        form=form if may_revoke else None,
    )


@page(PAGES, "POST", "/certificates/<serial>", needs=Permission.CERTIFICATE_WRITE, form=RevokeForm)
def revoke_certificate(
    uow: UnitOfWork, organizer: Organizer, serial: str, form: RevokeForm
) -> Redirect:
    """Revoke the certificate."""
    desk.revoke_certificate(
        uow,
        organizer,
        serial,
        reason=form.reason.data,
        may_reissue=bool(form.may_reissue.data),
    )
    return Redirect(f"/certificates/{serial}", said="certificates.console.revoked")


declare_list_pages(PAGES, CERTIFICATES, needs=Permission.CERTIFICATE_READ)
