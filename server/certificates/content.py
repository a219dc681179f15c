"""The words on a certificate, read inside a transaction and drawn after it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from server.base.clock import beijing_day
from server.base.errors import NotFound
from server.base.lettering import Face, drawable_text
from server.base.uow import UnitOfWork
from server.certificates.kinds import Attestation, Detail
from server.certificates.service import CertificateView, verify_address
from server.programme import service as programmes
from server.units import service as units


@dataclass(frozen=True, kw_only=True)
class CertificateContent:
    """Everything that is drawn; equal contents give equal pictures and documents."""

    campaign: tuple[str, ...]
    heading: str
    name: str
    sentence: str
    details: tuple[Detail, ...]
    issuer: str
    issued_on: str
    issued_at: datetime
    serial_line: str
    serial: str
    address: str
    how_to_verify: str


def read_content(uow: UnitOfWork, view: CertificateView, claim: Attestation) -> CertificateContent:
    """The words of a certificate that verifies."""
    say, serial = uow.texts.fill_text, view.row.serial
    return CertificateContent(
        campaign=tuple(drawable_text(one, Face.SERIF) for one in campaign_names(uow)),
        heading=claim.heading,
        name=view.name or "",
        sentence=claim.sentence,
        details=claim.details,
        issuer=say("certificates.sheet.issuer", issuer=issuer_of(uow, view.row.owner)),
        issued_on=say("certificates.sheet.issued_on", day=say_day(uow, view.row.issued_at)),
        issued_at=view.row.issued_at,
        serial_line=say("certificates.sheet.serial", serial=serial),
        serial=serial,
        address=verify_address(uow, serial),
        how_to_verify=say("certificates.sheet.how"),
    )


def campaign_names(uow: UnitOfWork) -> tuple[str, ...]:
    """The campaign's name in both languages, as far as loaded."""
    try:
        found = programmes.find_campaign(uow)
    except NotFound:
        return (uow.texts.fill_text("certificates.campaign"),)
    return tuple(title for title in (found.title, found.title_za) if title)


def issuer_of(uow: UnitOfWork, owner: str) -> str:
    """The body that issues the certificates of a place.

    A unit by its name; for the region, a city or a county the operator of the service, or the
    first organiser of the campaign, with the place.
    """
    scope, place = units.resolve_scope(uow, owner)
    if scope.unit_id is not None:
        return place
    named = uow.settings.operator.name.strip() or _first_organiser(uow)
    if scope.city is None:
        return named
    return uow.texts.fill_text("certificates.sheet.issuer_in", issuer=named, place=place)


def _first_organiser(uow: UnitOfWork) -> str:
    try:
        organisers = programmes.find_campaign(uow).organisers
    except NotFound:
        organisers = []
    return organisers[0].name if organisers else uow.texts.fill_text("certificates.campaign")


def say_day(uow: UnitOfWork, at: datetime | date) -> str:
    """A day of Beijing in words."""
    day = beijing_day(at) if isinstance(at, datetime) else at
    return uow.texts.fill_text(
        "certificates.sheet.day", year=day.year, month=day.month, day=day.day
    )
