"""Scans of tickets by the gate's staff, live or saved offline, in batches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from server.activities import service as activities
from server.activities.service import ActivityGate
from server.base.uow import UnitOfWork
from server.checkin.book import HallBook, ScanAnswer, close_book, enter_scan, open_book
from server.checkin.kinds import GatePhase, ScanDirection, ScanResult
from server.checkin.rules import LIVE_WITHIN, DeviceClock, Passage, phase_of_gate
from server.checkin.store import HeldGrant
from server.signups import service as signups
from server.signups.service import GateTicket, SignUpState

_WAITS = (SignUpState.WAITLISTED, SignUpState.OFFERED, SignUpState.ENTERED)
# Refusals that are conflicts when an offline scanner has admitted the person.
_REFUSED = (ScanResult.CANCELLED, ScanResult.WAITLISTED)


@dataclass(frozen=True, kw_only=True)
class GivenScan:
    """One scan as a device sends it."""

    nonce: str
    ticket: str
    scanned_at: datetime
    direction: ScanDirection = ScanDirection.IN
    admitted: bool = False


@dataclass(frozen=True, kw_only=True)
class TakenScans:
    """The answers of a batch in their order, and the people admitted and inside after it."""

    answers: list[ScanAnswer]
    admitted: int
    inside: int


def opening_of_gate(uow: UnitOfWork, gate: ActivityGate) -> datetime:
    """The instant from which an activity admits people."""
    return gate.starts_at - timedelta(minutes=uow.settings.checkin.opens_minutes)


def phase_of(uow: UnitOfWork, gate: ActivityGate) -> GatePhase:
    """Whether an activity admits people now."""
    return phase_of_gate(gate.state, opening_of_gate(uow, gate), gate.ends_at, uow.now)


def take_scans(
    uow: UnitOfWork,
    held: HeldGrant,
    scans: Sequence[GivenScan],
    sent_at: datetime | None = None,
) -> TakenScans:
    """Store a batch of scans under a valid grant; return the answer of each, in their order.

    Each scan is judged by itself. A nonce that was answered before gets the same answer. Scans of
    an ended activity are stored too, because they may have been saved offline; `sent_at` is the
    device's time when it sent the batch, and corrects its clock.
    Locks: the activity, shared, for several tickets; their sign-ups; the hall.
    Raises: NotFound (404).
    """
    gate = activities.gate_of(uow, held.activity_id)
    numbers = {one.ticket: signups.read_ticket(uow.keys, one.ticket) for one in scans}
    ids = {number for number in numbers.values() if number is not None}
    book = open_book(uow, gate, ids, [one.nonce for one in scans])
    elsewhere = signups.existing_signups(uow, ids - book.tickets.keys())
    phase = phase_of(uow, gate)
    clock = DeviceClock(
        sent_at=sent_at, now=uow.now, earliest=max(opening_of_gate(uow, gate), held.taken_at)
    )
    answers = []
    for one in scans:
        answer = book.answers.get(one.nonce)
        if answer is None:
            number = numbers[one.ticket]
            refusal = _refuse_scan(book, phase, number, elsewhere)
            answer = _judge_scan(uow, book, _passage_of(held, clock, one), number, refusal)
        answers.append(answer)
    close_book(uow, book)
    return TakenScans(answers=answers, admitted=book.hall.admitted, inside=book.hall.inside)


def _passage_of(held: HeldGrant, clock: DeviceClock, scan: GivenScan) -> Passage:
    return Passage(
        nonce=scan.nonce,
        at=clock.correct_time(scan.scanned_at),
        device_at=scan.scanned_at,
        inward=scan.direction is ScanDirection.IN,
        admitted=scan.admitted,
        grant_id=held.id,
        gate=held.gate,
    )


def _judge_scan(
    uow: UnitOfWork,
    book: HallBook,
    passage: Passage,
    number: int | None,
    refusal: ScanResult | None,
) -> ScanAnswer:
    ticket = None if number is None else book.tickets.get(number)
    if refusal is None and ticket is not None:
        return pass_ticket(uow, book, passage, ticket)
    return _note_refusal(uow, book, passage, ticket, refusal)


def _refuse_scan(
    book: HallBook, phase: GatePhase, number: int | None, elsewhere: set[int]
) -> ScanResult | None:
    """The refusal of a ticket in either direction; None when it may pass."""
    if number is None:
        return ScanResult.BAD_SIGNATURE
    ticket = book.tickets.get(number)
    if ticket is None:
        return ScanResult.WRONG_SESSION if number in elsewhere else ScanResult.NOT_FOUND
    if phase is GatePhase.CANCELLED:
        return ScanResult.CANCELLED
    refusal = refuse_state(ticket.state)
    if refusal is None and phase is GatePhase.EARLY:
        return ScanResult.TOO_EARLY
    return refusal


def refuse_state(state: SignUpState) -> ScanResult | None:
    """The refusal of a sign-up in this state; None for one with a seat."""
    if state is SignUpState.CONFIRMED:
        return None
    return ScanResult.WAITLISTED if state in _WAITS else ScanResult.CANCELLED


def pass_ticket(
    uow: UnitOfWork, book: HallBook, passage: Passage, ticket: GateTicket
) -> ScanAnswer:
    """Let a valid ticket pass, or answer that its people have passed already."""
    if book.is_before_undo(ticket.id, passage.at):
        # The person was admitted by this scan's device, and the admission is undone.
        answer = ScanAnswer(nonce=passage.nonce, result=ScanResult.ALREADY, ticket=ticket)
        return enter_scan(uow, book, passage, answer, counts=False, conflict=True)
    presence = book.presence_of(ticket.id)
    inside = presence.entered
    result = ScanResult.OK if passage.inward == (inside is None) else ScanResult.ALREADY
    at: datetime | None = passage.at
    gate = passage.gate
    if result is ScanResult.ALREADY:
        at = presence.last_out_at if inside is None else inside.at
        gate = "" if inside is None else inside.gate
    answer = ScanAnswer(nonce=passage.nonce, result=result, at=at, gate=gate, ticket=ticket)
    return enter_scan(uow, book, passage, answer, counts=True)


def _note_refusal(
    uow: UnitOfWork,
    book: HallBook,
    passage: Passage,
    ticket: GateTicket | None,
    refusal: ScanResult | None,
) -> ScanAnswer:
    """Store a refused scan; the answer for an ended sign-up has the instant of its end."""
    result = refusal or ScanResult.NOT_FOUND
    ended = ticket.changed_at if ticket and result is ScanResult.CANCELLED else None
    answer = ScanAnswer(nonce=passage.nonce, result=result, at=ended, ticket=ticket)
    # Nobody was asked before these people were let in, or nobody can tell.
    unasked = passage.admitted or uow.now - passage.at > LIVE_WITHIN
    conflict = unasked and passage.inward and result in _REFUSED
    return enter_scan(uow, book, passage, answer, counts=False, conflict=conflict)
