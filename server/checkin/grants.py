"""Grants of scanners: made by organizers, redeemed once by a citizen, ended at any moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, select

from server.accounts import service as accounts
from server.activities import service as activities
from server.activities.service import ActivityGate
from server.audit.service import Subject, record_change
from server.base.access import Organizer, System
from server.base.errors import NotFound
from server.base.ownership import serving_found_row
from server.base.uow import UnitOfWork
from server.checkin import codes, store
from server.checkin.errors import GrantEnded, GrantOver, GrantTaken
from server.checkin.models import ScannerGrant
from server.checkin.store import HeldGrant


@dataclass(frozen=True, kw_only=True)
class GrantMade:
    """A new grant; its code is stored nowhere, so its QR can be shown only now."""

    ref: str
    code: str
    gate: str
    expires_at: datetime


@dataclass(frozen=True, kw_only=True)
class GrantView:
    """A grant as organizers see it; `holder` is the public name of the citizen who redeemed it."""

    row: ScannerGrant
    holder: str
    is_valid: bool


def make_grant(
    uow: UnitOfWork,
    organizer: Organizer,
    ref: str,
    gate: str,
    ends_at: datetime | None = None,
) -> GrantMade:
    """Make a grant for one scanner of an activity of the organizer's place.

    It ends some hours after the activity, or earlier at `ends_at`.

    Locks: the activity, shared.
    Raises: NotFound (404).
    """
    activity = activities.own_activity(uow, organizer, ref)
    with serving_found_row(uow.session):
        found = activities.gate_of(uow, activity.id)
        return add_grant(uow, organizer, found, gate, ends_at)


def add_grant(
    uow: UnitOfWork,
    author: Organizer | System,
    gate: ActivityGate,
    label: str,
    ends_at: datetime | None = None,
) -> GrantMade:
    """Add a grant for an activity, and the hall of the activity; record it in the audit trail.

    It ends some hours after the activity, or earlier at `ends_at`.
    Locks: the activity, shared.
    """
    store.open_hall(uow, gate.id)
    code = codes.make_grant_code()
    latest = gate.ends_at + timedelta(hours=uow.settings.checkin.grant_hours)
    row = ScannerGrant(
        ref=uow.new_ref("grt"),
        activity_id=gate.id,
        code_hash=codes.hash_grant_code(code),
        gate=label,
        made_by=author.id if isinstance(author, Organizer) else None,
        made_at=uow.now,
        expires_at=latest if ends_at is None else min(latest, ends_at),
    )
    uow.session.add(row)
    uow.session.flush()
    subject = Subject("scanner_grant", row.ref, activities.scope_of_gate(gate))
    after = {"gate": label, "activity": gate.ref}
    record_change(uow, author, "checkin.make_grant", subject, after=after)
    return GrantMade(ref=row.ref, code=code, gate=label, expires_at=row.expires_at)


def revoke_grant(uow: UnitOfWork, organizer: Organizer, ref: str) -> str:
    """End a grant of an activity of the organizer's place at once; return the activity's public id.

    Raises: NotFound (404), GrantOver (409).
    """
    asked = select_grants(organizer).where(ScannerGrant.ref == ref).with_for_update(of=ScannerGrant)
    row: ScannerGrant | None = uow.session.scalar(asked)
    if row is None:
        raise NotFound
    if row.revoked_at is not None:
        raise GrantOver(about=ref)
    row.revoked_at, row.revoked_by = uow.now, organizer.id
    with serving_found_row(uow.session):
        gate = activities.gate_of(uow, row.activity_id)
        uow.session.flush()
    subject = Subject("scanner_grant", ref, activities.scope_of_gate(gate))
    before = {"gate": row.gate, "activity": gate.ref}
    record_change(uow, organizer, "checkin.revoke_grant", subject, before=before)
    return gate.ref


def select_grants(organizer: Organizer) -> Select[Any]:
    """The grants for activities of the organizer's place, for lists."""
    return activities.restrict_to_own(_all_grants(), organizer, ScannerGrant.activity_id)


def _all_grants() -> Select[Any]:
    return select(ScannerGrant)


def list_grants(uow: UnitOfWork, organizer: Organizer, ref: str) -> list[GrantView]:
    """The grants for an activity of the organizer's place, the newest first.

    Raises: NotFound (404).
    """
    activities.own_activity(uow, organizer, ref)
    asked = select_grants(organizer).where(activities.has_ref(ref))
    rows = list(uow.session.scalars(asked.order_by(ScannerGrant.id.desc())))
    return describe_grants(uow, rows)


def describe_grants(uow: UnitOfWork, rows: Sequence[ScannerGrant]) -> list[GrantView]:
    """Grants with the public names of their holders, in their order."""
    with serving_found_row(uow.session):
        names = accounts.names_of(uow, [row.taken_by for row in rows if row.taken_by is not None])
    return [
        GrantView(
            row=row,
            holder="" if row.taken_by is None else names[row.taken_by].shown,
            is_valid=row.revoked_at is None and uow.now < row.expires_at,
        )
        for row in rows
    ]


def require_code(uow: UnitOfWork, code: str) -> None:
    """Refuse a code that belongs to no grant.

    Raises: NotFound (404).
    """
    known = select(ScannerGrant.id).where(ScannerGrant.code_hash == codes.hash_grant_code(code))
    if uow.session.scalar(known) is None:
        raise NotFound


def redeem_grant(uow: UnitOfWork, citizen_id: int, code: str) -> tuple[HeldGrant, ActivityGate]:
    """Give a grant to the first citizen who scans its QR; that citizen may scan it again.

    Locks: the citizen, then the grant.
    Raises: NotFound (404) for an unknown code, GrantEnded (403), GrantTaken (409).
    """
    accounts.lock_citizen(uow, citizen_id)
    row = uow.session.scalar(
        select(ScannerGrant)
        .where(ScannerGrant.code_hash == codes.hash_grant_code(code))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if row is None:
        raise NotFound
    if row.revoked_at is not None or uow.now >= row.expires_at:
        raise GrantEnded
    if row.taken_by is None:
        row.taken_by, row.taken_at = citizen_id, uow.now
        uow.session.flush()
    elif row.taken_by != citizen_id:
        raise GrantTaken
    held = next(one for one in store.grants_of(uow, citizen_id) if one.id == row.id)
    return held, activities.gate_of(uow, held.activity_id)


def held_grant(uow: UnitOfWork, citizen_id: int, ref: str | None = None) -> HeldGrant:
    """The valid grant of a citizen for an activity, or for the one redeemed last.

    Raises: NotFound (404) without a grant for it, GrantEnded (403) when none is valid any more.
    """
    held = store.grants_of(uow, citizen_id)
    if not held:
        raise NotFound
    wanted = held[0].activity_id if ref is None else activities.times_of_ref(uow, ref).id
    held = [one for one in held if one.activity_id == wanted]
    if not held:
        raise NotFound
    valid = next((one for one in held if is_valid_grant(uow, one)), None)
    if valid is None:
        raise GrantEnded
    return valid


def valid_grants(uow: UnitOfWork, citizen_id: int) -> list[HeldGrant]:
    """The grants of a citizen that are valid now, the newest first; one for each activity."""
    found: dict[int, HeldGrant] = {}
    for one in store.grants_of(uow, citizen_id):
        if is_valid_grant(uow, one):
            found.setdefault(one.activity_id, one)
    return list(found.values())


def is_valid_grant(uow: UnitOfWork, held: HeldGrant) -> bool:
    """Whether a grant is valid now."""
    return held.revoked_at is None and uow.now < held.expires_at


def roster_key(uow: UnitOfWork, held: HeldGrant) -> str:
    """The key under which a roster for this grant is signed."""
    return uow.keys.blind_hash(held.ref, "roster")
