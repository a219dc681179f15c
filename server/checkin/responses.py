"""Grants, scans and people at a gate as API types."""

from __future__ import annotations

from server.activities.service import ActivityGate, ActivityView
from server.base.uow import UnitOfWork
from server.base.web.schema import fill_from
from server.checkin import grants, reading
from server.checkin.admitting import Admitted
from server.checkin.book import ScanAnswer
from server.checkin.roster import FoundPerson, SignedRoster
from server.checkin.scanning import opening_of_gate, phase_of
from server.checkin.schemas import (
    AdmittedOut,
    CheckInOut,
    CountersOut,
    GrantOut,
    PersonOut,
    RosterEntryOut,
    RosterOut,
    ScanOut,
    SessionOut,
    StaffSessionOut,
)
from server.checkin.store import HeldGrant


def session_out(gate: ActivityGate) -> SessionOut:
    """The id and title of an activity."""
    return SessionOut(id=gate.ref, title=gate.title)


def check_in_out(gate: ActivityGate, admitted: Admitted) -> CheckInOut:
    """A self check-in."""
    return CheckInOut(
        result="ok" if admitted.fresh else "already",
        activity=session_out(gate),
        at=admitted.at,
        people=admitted.ticket.party_size,
    )


def grant_out(uow: UnitOfWork, held: HeldGrant, gate: ActivityGate) -> GrantOut:
    """A grant with the key of its rosters."""
    return GrantOut(
        session=session_out(gate), gate=held.gate, expires_at=held.expires_at,
        roster_key=grants.roster_key(uow, held),
    )  # fmt: skip


def counters_out(uow: UnitOfWork, activity_id: int) -> CountersOut:
    """The counters of a session."""
    return fill_from(reading.read_counters(uow, activity_id), CountersOut)


def staff_session_out(
    uow: UnitOfWork, held: HeldGrant, gate: ActivityGate, view: ActivityView
) -> StaffSessionOut:
    """A session as a scanner's page shows it."""
    return StaffSessionOut(
        session=session_out(gate),
        gate=held.gate,
        expires_at=held.expires_at,
        roster_key=grants.roster_key(uow, held),
        venue=view.activity.venue,
        opens_at=opening_of_gate(uow, gate),
        starts_at=gate.starts_at,
        ends_at=gate.ends_at,
        phase=phase_of(uow, gate),
        checkout_needed=gate.checkout_needed,
        counters=counters_out(uow, gate.id),
    )


def roster_out(gate: ActivityGate, made: SignedRoster) -> RosterOut:
    """A roster with its signature."""
    return RosterOut(
        session=session_out(gate),
        made_at=made.made_at,
        entries=[fill_from(one, RosterEntryOut) for one in made.entries],
        signature=made.signature,
    )


def scan_out(answer: ScanAnswer) -> ScanOut:
    """The answer of one scan."""
    ticket = answer.ticket
    return ScanOut(
        nonce=answer.nonce,
        result=answer.result,
        at=answer.at,
        by=answer.gate or None,
        name=None if ticket is None else ticket.name,
        people=None if ticket is None else ticket.party_size,
        group=None if ticket is None else ticket.group_label,
        state=None if ticket is None else ticket.state.value,
    )


def person_out(found: FoundPerson) -> PersonOut:
    """A sign-up found at a gate."""
    ticket = found.ticket
    return PersonOut(
        id=ticket.ref,
        name=ticket.name,
        phone_tail=ticket.phone_tail,
        group=ticket.group_label,
        people=ticket.party_size,
        result=found.result,
        state=ticket.state.value,
        came_at=found.came_at,
        inside=found.inside,
    )


def admitted_out(uow: UnitOfWork, gate: ActivityGate, admitted: Admitted) -> AdmittedOut:
    """An admission by hand, with the counters after it."""
    return AdmittedOut(
        person=admitted.ticket.ref,
        name=admitted.ticket.name,
        people=admitted.ticket.party_size,
        at=admitted.at,
        counters=counters_out(uow, gate.id),
    )
