"""The interface of the slice: issuing certificates, and reading them for their holders."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import select

from server.accounts import service as accounts
from server.base.errors import NotFound
from server.base.lettering import Face, drawable_text
from server.base.ownership import owned_by
from server.base.sql.tables import insert_for
from server.base.uow import UnitOfWork
from server.certificates.errors import (
    NameFixed,
    NameNeeded,
    NameUnprintable,
    NotEarned,
    RevokedBefore,
)
from server.certificates.kinds import Attestation as Attestation
from server.certificates.kinds import CertificateKind as CertificateKind
from server.certificates.kinds import Detail as Detail
from server.certificates.kinds import Right as Right
from server.certificates.kinds import Withheld as Withheld
from server.certificates.kinds import declared_kinds, kind_named, load_claim, store_claim
from server.certificates.models import Certificate, CertificateEnd
from server.certificates.rules import RANDOM_BITS, read_serial, spell_serial

# The latest sources of each kind for which a certificate is offered.
_OFFERED = 20


class CertificateState(StrEnum):
    """State of a certificate: only `valid` verifies; `withheld` while the holder has no right."""

    VALID = "valid"
    WITHHELD = "withheld"
    REVOKED = "revoked"
    DOUBLED = "doubled"
    ERASED = "erased"


@dataclass(frozen=True, kw_only=True)
class CertificateView:
    """A certificate with its present content; `claim` is None when its holder was erased."""

    row: Certificate
    standing: CertificateState
    claim: Attestation | None
    name: str | None
    fresh: bool = False

    @property
    def masked_name(self) -> str:
        """The name as the public sees it."""
        return accounts.mask_name(self.name or "")


@dataclass(frozen=True, kw_only=True)
class Offer:
    """A certificate that a citizen may ask for, and the name that it would have.

    `named` is False where that is the number of a citizen without a name.
    """

    kind: str
    claim: Attestation
    name: str
    named: bool


def issue_certificate(
    uow: UnitOfWork, citizen_id: int, kind_name: str, source: str, name: str | None
) -> CertificateView:
    """Issue the certificate of a citizen for a source, or return the existing one.

    `name` is a checked name; without it the name of `suggest_name` is used, but not the number of
    a citizen without a name, which attests nothing about a person.
    Raises: NotFound (404), NotEarned, RevokedBefore, NameNeeded, NameFixed, NameUnprintable (409).
    Locks: the citizen, so that two requests at once issue one certificate.
    """
    accounts.lock_citizen(uow, citizen_id)
    kind, source_id = _find_source(uow, citizen_id, kind_name, source)
    row = _find_live(uow, citizen_id, kind.name, source_id)
    claim = _claim_of(uow, kind, citizen_id, source_id, row)
    if row is not None:
        return _repeat_issue(uow, row, claim, name)
    _refuse_revoked(uow, citizen_id, kind.name, source_id)
    chosen = _printable_name(name or suggest_name(uow, citizen_id, claim))
    if name is None and chosen == accounts.unnamed_name_of(uow, citizen_id):
        raise NameNeeded
    return _insert_certificate(uow, citizen_id, (kind.name, source_id), claim, chosen)


def _find_source(
    uow: UnitOfWork, citizen_id: int, kind_name: str, source: str
) -> tuple[CertificateKind, int]:
    kind = kind_named(uow, kind_name)
    source_id = None if kind is None else kind.find_source(uow, citizen_id, source)
    if kind is None or source_id is None:
        raise NotFound
    return kind, source_id


def _claim_of(
    uow: UnitOfWork,
    kind: CertificateKind,
    citizen_id: int,
    source_id: int,
    row: Certificate | None,
) -> Attestation:
    """The content of the certificate.

    Raises: NotEarned (409).
    """
    right = kind.read_right(uow, citizen_id, source_id)
    if isinstance(right, Attestation):
        return right
    if right.never and row is not None:
        return load_claim(row.claim)
    raise NotEarned(reason=right.reason, why=right.why)


def _repeat_issue(
    uow: UnitOfWork, row: Certificate, claim: Attestation, name: str | None
) -> CertificateView:
    if name is not None and name != _read_name(uow, row):
        raise NameFixed
    row.claim, row.title = store_claim(claim), claim.title
    return CertificateView(
        row=row, standing=CertificateState.VALID, claim=claim, name=_read_name(uow, row)
    )


def _refuse_revoked(uow: UnitOfWork, citizen_id: int, kind: str, source_id: int) -> None:
    """Refuse another certificate after the last one was revoked permanently."""
    last = uow.session.scalars(
        select(Certificate)
        .where(
            Certificate.citizen_id == citizen_id,
            Certificate.kind == kind,
            Certificate.source_id == source_id,
            Certificate.ended == CertificateEnd.REVOKED,
        )
        .order_by(Certificate.id.desc())
        .limit(1)
    ).one_or_none()
    if last is not None and not last.may_reissue:
        raise RevokedBefore(why=last.end_reason)


def _insert_certificate(
    uow: UnitOfWork, citizen_id: int, source: tuple[str, int], claim: Attestation, name: str
) -> CertificateView:
    kind, source_id = source
    serial = spell_serial(uow.random.getrandbits(RANDOM_BITS))
    uow.session.execute(
        insert_for(uow.session, Certificate)
        .values(
            serial=serial,
            kind=kind,
            source_id=source_id,
            citizen_id=citizen_id,
            name=uow.keys.seal_text(name, f"certificate.name:{serial}"),
            title=claim.title,
            claim=store_claim(claim),
            issued_at=uow.now,
            **owned_by(claim.owner),
        )
        .on_conflict_do_nothing()
    )
    row = _find_live(uow, citizen_id, kind, source_id)
    if row is None:
        raise LookupError(f"certificate {kind} {source_id} was not inserted")
    return CertificateView(
        row=row,
        standing=CertificateState.VALID,
        claim=claim,
        name=_read_name(uow, row),
        fresh=row.serial == serial,
    )


@dataclass(frozen=True, kw_only=True)
class PlannedName:
    """The name of a certificate that is asked for, and whether WeChat has to check it."""

    name: str
    unchecked: bool
    openid: str | None


def plan_name(
    uow: UnitOfWork, citizen_id: int, kind_name: str, source: str, typed: str | None
) -> PlannedName | None:
    """The name for a new certificate; None when none will be issued.

    Raises: NotFound (404).
    """
    kind, source_id = _find_source(uow, citizen_id, kind_name, source)
    right = kind.read_right(uow, citizen_id, source_id)
    if _find_live(uow, citizen_id, kind.name, source_id) or not isinstance(right, Attestation):
        return None
    name = typed or suggest_name(uow, citizen_id, right)
    checked = drawable_text(accounts.own_name_of(uow, citizen_id), Face.SERIF)
    return PlannedName(
        name=name,
        unchecked=name not in (checked, accounts.unnamed_name_of(uow, citizen_id)),
        openid=accounts.openid_of(uow, citizen_id, "mini_program"),
    )


def suggest_name(uow: UnitOfWork, citizen_id: int, claim: Attestation) -> str:
    """The name that a citizen gave for the source, else the nickname as far as it can be drawn."""
    given = claim.name or accounts.own_name_of(uow, citizen_id)
    return drawable_text(given, Face.SERIF) or accounts.unnamed_name_of(uow, citizen_id)


def _printable_name(name: str) -> str:
    """The name, if the font has all its characters: a certificate never shows a part of a name.

    Raises: NameUnprintable (409).
    """
    drawn = drawable_text(name, Face.SERIF)
    if drawn != name:
        missing = "".join(dict.fromkeys(one for one in name if one not in drawn))
        raise NameUnprintable(characters=missing)
    return name


def list_own(uow: UnitOfWork, citizen_id: int) -> list[CertificateView]:
    """The certificates of a citizen, the latest first."""
    rows = uow.session.scalars(
        select(Certificate)
        .where(Certificate.citizen_id == citizen_id)
        .order_by(Certificate.id.desc())
    )
    return [read_view(uow, row) for row in rows]


def list_offers(uow: UnitOfWork, citizen_id: int) -> list[Offer]:
    """The certificates that a citizen may ask for and does not have."""
    rows = uow.session.execute(
        select(Certificate.kind, Certificate.source_id).where(
            Certificate.citizen_id == citizen_id,
            Certificate.ended.is_(None) | Certificate.may_reissue.is_(False),
        )
    )
    had = {(row.kind, row.source_id) for row in rows}
    found = []
    for kind in declared_kinds(uow):
        for source_id in list(kind.list_sources(uow, citizen_id))[:_OFFERED]:
            right = None
            if (kind.name, source_id) not in had:
                right = kind.read_right(uow, citizen_id, source_id)
            if isinstance(right, Attestation):
                name = suggest_name(uow, citizen_id, right)
                named = name != accounts.unnamed_name_of(uow, citizen_id)
                found.append(Offer(kind=kind.name, claim=right, name=name, named=named))
    return found


def find_own(uow: UnitOfWork, citizen_id: int, serial: str) -> CertificateView:
    """A citizen's own certificate that can be shown.

    Raises: NotFound (404), also for one that does not verify.
    """
    row = _find_row(uow, serial)
    if row is None or row.citizen_id != citizen_id:
        raise NotFound
    view = read_view(uow, row)
    if view.standing is not CertificateState.VALID:
        raise NotFound
    return view


def find_public(uow: UnitOfWork, serial: str) -> CertificateView:
    """A certificate by its number, for anybody who has it.

    Raises: NotFound (404).
    """
    row = _find_row(uow, serial)
    if row is None:
        raise NotFound
    return read_view(uow, row)


def _find_row(uow: UnitOfWork, serial: str) -> Certificate | None:
    known = read_serial(serial)
    if known is None:
        return None
    return uow.session.scalar(select(Certificate).where(Certificate.serial == known))


def _find_live(uow: UnitOfWork, citizen_id: int, kind: str, source_id: int) -> Certificate | None:
    return uow.session.scalar(
        select(Certificate).where(
            Certificate.citizen_id == citizen_id,
            Certificate.kind == kind,
            Certificate.source_id == source_id,
            Certificate.ended.is_(None),
        )
    )


def read_view(uow: UnitOfWork, row: Certificate) -> CertificateView:
    """A certificate with its present right."""
    if row.ended is CertificateEnd.ERASED:
        return CertificateView(row=row, standing=CertificateState.ERASED, claim=None, name=None)
    name, before = _read_name(uow, row), load_claim(row.claim)
    if row.ended is not None:
        return CertificateView(
            row=row, standing=CertificateState(row.ended.value), claim=before, name=name
        )
    kind = kind_named(uow, row.kind)
    right = None if kind is None else kind.read_right(uow, row.citizen_id, row.source_id)
    is_withheld = isinstance(right, Withheld) and not right.never
    standing = CertificateState.WITHHELD if is_withheld else CertificateState.VALID
    claim = right if isinstance(right, Attestation) else before
    return CertificateView(row=row, standing=standing, claim=claim, name=name)


def _read_name(uow: UnitOfWork, row: Certificate) -> str:
    if row.name is None:
        return ""
    return uow.keys.unseal_text(row.name, f"certificate.name:{row.serial}")


def verify_address(uow: UnitOfWork, serial: str) -> str:
    """The public address where a certificate is verified; never made of a Host header."""
    return f"{uow.settings.own_address}/verify/{serial}"


def read_masked_name(uow: UnitOfWork, row: Certificate) -> str:
    """The name on a certificate as the public sees it; empty after an erasure."""
    return accounts.mask_name(_read_name(uow, row)) if row.name else ""
