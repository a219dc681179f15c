"""Rosters for scanners without network, and people found at a gate.

A roster has the hash of each ticket's code and no secret: a code cannot be made from its hash,
because it has 80 random-looking bits. It is signed under a key of the grant, so that the phone can
tell a complete roster from a cut or changed one.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from server.activities.service import ActivityGate
from server.base.uow import UnitOfWork
from server.checkin import grants
from server.checkin.kinds import GatePhase, ScanResult
from server.checkin.models import Admission
from server.checkin.scanning import phase_of, refuse_state
from server.checkin.store import HeldGrant
from server.signups import service as signups
from server.signups.service import GateTicket

MOST_FOUND = 20


@dataclass(frozen=True, kw_only=True)
class RosterEntry:
    """One sign-up of a roster; see `RosterEntryOut`."""

    ticket: str
    result: ScanResult
    people: int
    in_at: str | None
    name: str

    @property
    def line(self) -> str:
        """The entry as the signature covers it."""
        return f"{self.ticket} {self.result} {self.people} {self.in_at or '-'} {self.name}"


@dataclass(frozen=True, kw_only=True)
class SignedRoster:
    """All sign-ups of an activity with a signature; see `RosterOut`."""

    made_at: str
    entries: list[RosterEntry]
    signature: str


@dataclass(frozen=True, kw_only=True)
class FoundPerson:
    """A sign-up found at a gate, the answer to a scan of its ticket, and its valid attendance."""

    ticket: GateTicket
    result: ScanResult
    came_at: datetime | None
    inside: bool


def build_roster(uow: UnitOfWork, held: HeldGrant, gate: ActivityGate) -> SignedRoster:
    """Build the roster of an activity for the holder of a grant."""
    inside = {one.signup_id: one.inside_since for one in _read_admissions(uow, gate.id)}
    cancelled = phase_of(uow, gate) is GatePhase.CANCELLED
    entries = [
        RosterEntry(
            ticket=_hash_ticket(uow, one.id),
            result=ScanResult.CANCELLED if cancelled else judge_ticket(one),
            people=one.party_size,
            in_at=_spell_instant(inside.get(one.id)),
            name=one.name,
        )
        for one in signups.tickets_of(uow, gate.id)
    ]
    made_at = uow.now.isoformat(timespec="seconds")
    text = "\n".join([gate.ref, made_at, *(one.line for one in entries)])
    key = grants.roster_key(uow, held).encode()
    signature = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    return SignedRoster(made_at=made_at, entries=entries, signature=signature)


def judge_ticket(ticket: GateTicket) -> ScanResult:
    """The answer to a scan of a ticket during the check-in, if its people are outside."""
    return refuse_state(ticket.state) or ScanResult.OK


def find_people(uow: UnitOfWork, gate: ActivityGate, words: str) -> list[FoundPerson]:
    """Sign-ups of an activity by the end of a number or a part of a name, at most twenty."""
    found = signups.search_tickets(uow, gate.id, words, MOST_FOUND) if words else []
    kept = {one.signup_id: one for one in _read_admissions(uow, gate.id)} if found else {}
    return [
        FoundPerson(
            ticket=one,
            result=judge_ticket(one),
            came_at=kept[one.id].first_in_at if one.id in kept else None,
            inside=one.id in kept and kept[one.id].inside_since is not None,
        )
        for one in found
    ]


def _read_admissions(uow: UnitOfWork, activity_id: int) -> list[Admission]:
    asked = select(Admission).where(Admission.activity_id == activity_id, Admission.holds)
    return list(uow.session.scalars(asked))


def _hash_ticket(uow: UnitOfWork, signup_id: int) -> str:
    return hashlib.sha256(signups.spell_ticket(uow.keys, signup_id).encode()).hexdigest()


def _spell_instant(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat(timespec="seconds")
