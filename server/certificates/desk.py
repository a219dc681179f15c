"""Certificates for organizers: the list of their place, one certificate, and its revocation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import Select, select

from server.audit.service import Subject, record_change
from server.base.access import Organizer
from server.base.errors import NotFound
from server.base.ownership import scope_of, serving_found_row, visible_to, writable_by
from server.base.uow import UnitOfWork
from server.certificates.errors import AlreadyEnded
from server.certificates.models import Certificate, CertificateEnd
from server.certificates.rules import read_serial
from server.certificates.service import (
    CertificateView,
    read_masked_name,
    read_view,
    verify_address,
)


def find_certificates(
    organizer: Organizer, *, typed: str | None, kind: str | None, ended: CertificateEnd | None
) -> Select[Any]:
    """The certificates of the organizer's place: of a number, or of these filters."""
    rows = visible_to(select(Certificate), organizer, Certificate)
    if typed and typed.strip():
        # A wrong number finds nothing, also not by a part of it.
        rows = rows.where(Certificate.serial == (read_serial(typed) or ""))
    if kind:
        rows = rows.where(Certificate.kind == kind)
    return rows if ended is None else rows.where(Certificate.ended == ended)


class CertificateLine(NamedTuple):
    """A row of the list, with the masked name."""

    row: Certificate
    name: str


def add_names(uow: UnitOfWork, rows: Sequence[Certificate]) -> Sequence[CertificateLine]:
    """The rows of a list with their names; reads no sources, because exports have many rows."""
    return [CertificateLine(row, read_masked_name(uow, row)) for row in rows]


def find_certificate(
    uow: UnitOfWork, organizer: Organizer, serial: str
) -> tuple[CertificateView, str]:
    """One certificate of the organizer's place, and the address of its public page.

    Raises: NotFound (404).
    """
    asked = select(Certificate).where(Certificate.serial == serial)
    row = uow.session.scalar(visible_to(asked, organizer, Certificate))
    if row is None:
        raise NotFound
    with serving_found_row(uow.session):
        return read_view(uow, row), verify_address(uow, row.serial)


def revoke_certificate(
    uow: UnitOfWork, organizer: Organizer, serial: str, *, reason: str, may_reissue: bool
) -> None:
    """Revoke a valid certificate; its page says so, with the reason.

    Raises: NotFound (404), AlreadyEnded (409).
    Locks: the certificate.
    """
    asked = select(Certificate).where(Certificate.serial == serial).with_for_update()
    row = uow.session.scalar(writable_by(asked, organizer, Certificate))
    if row is None:
        raise NotFound
    if row.ended is not None:
        raise AlreadyEnded(path=f"/certificates/{serial}")
    row.ended, row.ended_at = CertificateEnd.REVOKED, uow.now
    row.end_reason, row.may_reissue = reason, may_reissue
    record_change(
        uow,
        organizer,
        "certificates.revoke_certificate",
        Subject("certificate", serial, scope_of(row)),
        before={"standing": "valid"},
        after={"standing": "revoked", "may_reissue": may_reissue},
        reason=reason,
    )
