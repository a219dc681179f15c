"""Certificates as personal data: an erasure leaves the number, so that it verifies as erased."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import select, update

from server.base.personal_data import Erase, Keep, Personal
from server.base.uow import UnitOfWork
from server.certificates.models import Certificate, CertificateEnd
from server.certificates.service import list_own

# As long as the evidence of awards.
KEPT = timedelta(days=3 * 365)


def merge_certificates(uow: UnitOfWork, keep: int, gone: int) -> None:
    """Move the certificates of `gone` to `keep`; of two valid ones for a source the older stays."""
    live = select(Certificate).where(
        Certificate.citizen_id.in_((keep, gone)), Certificate.ended.is_(None)
    )
    known: set[tuple[str, int]] = set()
    for row in uow.session.scalars(live.order_by(Certificate.id).with_for_update()):
        if (row.kind, row.source_id) in known:
            row.ended, row.ended_at = CertificateEnd.DOUBLED, uow.now
        known.add((row.kind, row.source_id))
    uow.session.flush()
    uow.session.execute(
        update(Certificate)
        .where(Certificate.citizen_id == gone)
        .values(citizen_id=keep)
        .execution_options(synchronize_session=False)
    )


def export_certificates(uow: UnitOfWork, citizen_id: int) -> list[dict[str, object]]:
    """A citizen's certificates, the latest first."""
    return [
        {
            "serial": view.row.serial,
            "kind": view.row.kind,
            "title": view.row.title,
            "name": view.name,
            "sentence": None if view.claim is None else view.claim.sentence,
            "state": view.standing.value,
            "issued_at": view.row.issued_at,
            "ended_at": view.row.ended_at,
            "end_reason": view.row.end_reason,
        }
        for view in list_own(uow, citizen_id)
    ]


def _instant_of_erasure(uow: UnitOfWork) -> Any:
    return uow.now


CERTIFICATES = Personal(
    Certificate,
    "citizen_id",
    erase=Erase.BLANK,
    blank={
        "name": None, "title": "", "claim": {}, "ended": CertificateEnd.ERASED,
        "ended_at": _instant_of_erasure, "end_reason": "",
    },
    stays=(
        "id", "serial", "kind", "source_id", "issued_at", "may_reissue", "owner", "owner_city",
        "owner_county",
    ),
    merge=merge_certificates,
    export={"certificates": export_certificates},
    keep=Keep(since="issued_at", longest=KEPT),
)  # fmt: skip
PERSONAL = (CERTIFICATES,)
