"""The attendance of a locked hall: adding passages to sign-ups and writing what follows.

A passage is a scan, a self check-in or an act by hand that was accepted. The attendance of a
sign-up is computed from all its passages (`rules.follow_passages`), so that scans of offline
scanners lead to the same rows in whatever order they are uploaded.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from server.accounts import service as accounts
from server.activities import service as activities
from server.activities.service import ActivityGate
from server.base.clock import beijing_day, beijing_hour
from server.base.uow import UnitOfWork
from server.checkin import store
from server.checkin.kinds import AdmissionWay, ScanDirection, ScanResult
from server.checkin.rules import Passage, Presence, follow_passages
from server.checkin.store import KeptAdmission, LockedHall
from server.programme import service as programmes
from server.programme.service import Fact
from server.signups import service as signups
from server.signups.service import GateTicket


@dataclass(frozen=True, kw_only=True, slots=True)
class Origin:
    """Origin of a passage: the way, and the grant or the organizer, if any."""

    way: AdmissionWay
    gate: str = ""
    grant_id: int | None = None
    organizer_id: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ScanAnswer:
    """The answer to a scan; `at` and `gate` are the instant and the gate of the ticket's use."""

    nonce: str
    result: ScanResult
    at: datetime | None = None
    gate: str = ""
    ticket: GateTicket | None = None


@dataclass(kw_only=True)
class HallBook:
    """A locked hall with the sign-ups of a transaction, and their passages and attendance."""

    gate: ActivityGate
    hall: LockedHall
    tickets: dict[int, GateTicket]
    admissions: dict[int, KeptAdmission]
    passages: dict[int, list[Passage]]
    # Answers by nonce, and the nonces of passages that are listed as conflicts.
    answers: dict[str, ScanAnswer]
    flagged: set[str]
    touched: set[int] = field(default_factory=set)
    added: list[dict[str, Any]] = field(default_factory=list)

    def presence_of(self, signup_id: int) -> Presence:
        """The presence that follows from the passages of a sign-up so far."""
        return follow_passages(self.passages.get(signup_id, ()))

    def is_before_undo(self, signup_id: int, at: datetime) -> bool:
        """Whether a scan was made before an undo and arrived after it; it admits nobody."""
        kept = self.admissions.get(signup_id)
        return kept is not None and kept.undone_at is not None and at < kept.undone_at


def open_book(
    uow: UnitOfWork,
    gate: ActivityGate,
    signup_ids: Collection[int],
    nonces: Collection[str] = (),
) -> HallBook:
    """Lock sign-ups and the hall of an activity, and read their passages and attendance.

    Locks: the activity, shared, for several sign-ups; those sign-ups; the hall.
    """
    if len(signup_ids) > 1:
        activities.hold_activity(uow, gate.id)
    tickets = signups.lock_tickets(uow, gate.id, signup_ids)
    hall = store.lock_hall(uow, gate.id)
    passages: dict[int, list[Passage]] = {}
    answers: dict[str, ScanAnswer] = {}
    flagged: set[str] = set()
    for row in store.read_scans(uow, gate.id, nonces, list(tickets)):
        answers[row.nonce] = ScanAnswer(
            nonce=row.nonce, result=row.result, at=row.said_at, gate=row.said_gate,
            ticket=tickets.get(row.signup_id),
        )  # fmt: skip
        if row.is_passage and row.signup_id in tickets:
            passages.setdefault(row.signup_id, []).append(store.passage_of(row))
            if row.is_conflict:
                flagged.add(row.nonce)
    return HallBook(
        gate=gate, hall=hall, tickets=tickets, answers=answers, passages=passages,
        admissions=store.read_admissions(uow, list(tickets)), flagged=flagged,
    )  # fmt: skip


def enter_scan(
    uow: UnitOfWork,
    book: HallBook,
    passage: Passage,
    answer: ScanAnswer,
    *,
    counts: bool,
    conflict: bool = False,
) -> ScanAnswer:
    """Add a scan with its answer; one that `counts` is a passage of the answer's ticket."""
    signup_id = None if answer.ticket is None else answer.ticket.id
    book.added.append(
        {
            "activity_id": book.gate.id,
            "nonce": passage.nonce,
            "signup_id": signup_id,
            "grant_id": passage.grant_id,
            "organizer_id": passage.organizer_id,
            "gate": passage.gate,
            "way": passage.way,
            "direction": ScanDirection.IN if passage.inward else ScanDirection.OUT,
            "result": answer.result,
            "said_at": answer.at,
            "said_gate": answer.gate,
            "at": passage.at,
            "device_at": passage.device_at,
            "arrived_at": uow.now,
            "is_passage": counts,
            "is_conflict": conflict,
        }
    )
    book.answers[passage.nonce] = answer
    if counts and signup_id is not None:
        book.passages.setdefault(signup_id, []).append(passage)
        book.touched.add(signup_id)
    return answer


def close_book(uow: UnitOfWork, book: HallBook) -> None:
    """Write the scans, the attendance that follows from them, and the counters."""
    doubles = _settle_touched(uow, book)
    fresh = {row["nonce"] for row in book.added}
    for row in book.added:
        row["is_conflict"] = row["is_conflict"] or row["nonce"] in doubles
        store.add_scan(uow, row)
    _store_flags(uow, book, doubles, fresh)
    store.store_hall(uow, book.hall)


def _settle_touched(uow: UnitOfWork, book: HallBook) -> set[str]:
    """Write the attendance of the sign-ups with new passages; return their double admissions."""
    presences = {one: book.presence_of(one) for one in book.touched}
    admitted = [one for one, presence in presences.items() if presence.first is not None]
    people = {book.tickets[one].citizen_id for one in admitted}
    places = accounts.places_of(uow, {one for one in people if one is not None})
    for signup_id in admitted:
        _settle_attendance(uow, book, signup_id, presences[signup_id])
        _record_fact(uow, book, signup_id, presences[signup_id], places)
    came = [one for one in admitted if book.tickets[one].absent_at is not None]
    if came:
        signups.clear_absences(uow, came)
    return {nonce for presence in presences.values() for nonce in presence.doubles}


def _settle_attendance(uow: UnitOfWork, book: HallBook, signup_id: int, presence: Presence) -> None:
    first, kept = presence.first, book.admissions.get(signup_id)
    if first is None:
        raise ValueError("nobody was admitted")
    walked_in = kept is not None and kept.way is AdmissionWay.WALK_IN
    values = {
        "people": book.tickets[signup_id].party_size,
        "holds": True,
        "way": AdmissionWay.WALK_IN if walked_in else first.way,
        "gate": first.gate,
        "first_in_at": first.at,
        "device_at": first.device_at,
        "inside_since": None if presence.entered is None else presence.entered.at,
        "last_out_at": presence.last_out_at,
        "stayed_seconds": round(presence.stayed.total_seconds()),
    }
    _count_difference(book.hall, kept, values)
    if kept is not None:
        store.store_admission(uow, kept.id, values)
        return
    added = {"signup_id": signup_id, "activity_id": book.gate.id, **values}
    store.add_admission(uow, {**added, "undone_at": None, "undo_reason": None})


def _count_difference(hall: LockedHall, kept: KeptAdmission | None, values: dict[str, Any]) -> None:
    """Change the counters of the hall from a stored attendance to a new one."""
    if kept is not None and kept.holds:
        uncount_admission(hall, kept)
    people = int(values["people"])
    hall.admitted += people
    hall.inside += people if values["inside_since"] is not None else 0
    hall.walk_ins += people if values["way"] is AdmissionWay.WALK_IN else 0


def uncount_admission(hall: LockedHall, kept: KeptAdmission) -> None:
    """Subtract a valid attendance from the counters of its locked hall."""
    hall.admitted -= kept.people
    hall.inside -= kept.people if kept.inside_since is not None else 0
    hall.walk_ins -= kept.people if kept.way is AdmissionWay.WALK_IN else 0


def _record_fact(
    uow: UnitOfWork,
    book: HallBook,
    signup_id: int,
    presence: Presence,
    places: dict[int, accounts.Place],
) -> None:
    """Record the participation of a citizen, on the day and in the hour of the first admission."""
    ticket, kept, first = book.tickets[signup_id], book.admissions.get(signup_id), presence.first
    if ticket.citizen_id is None or first is None:
        return
    if kept is not None and kept.holds:
        if kept.first_in_at == first.at:
            return
        programmes.withdraw_participation(uow, programmes.ATTENDED, [ticket.ref])
    place = places[ticket.citizen_id]
    fact = Fact(
        citizen_id=ticket.citizen_id,
        kind=programmes.ATTENDED,
        source_ref=ticket.ref,
        programme=book.gate.programme_slug,
        city=place.city,
        county=place.county,
        unit_id=place.unit_id,
        on_day=beijing_day(first.at),
        audience=place.audience,
        hour=beijing_hour(first.at),
    )
    programmes.record_participation(uow, fact)


def _store_flags(
    uow: UnitOfWork, book: HallBook, doubles: Iterable[str], fresh: Collection[str]
) -> None:
    """Correct the flags of earlier passages of the touched sign-ups."""
    wanted = set(doubles)
    for signup_id in book.touched:
        for one in book.passages[signup_id]:
            is_flagged = one.nonce in book.flagged
            if one.nonce not in fresh and is_flagged != (one.nonce in wanted):
                store.flag_scan(uow, book.gate.id, one.nonce, flag=not is_flagged)


def passage_now(uow: UnitOfWork, origin: Origin, *, inward: bool) -> Passage:
    """A passage at this instant, by hand or by self check-in."""
    return Passage(
        nonce=uow.new_ref("scn"),
        at=uow.now,
        device_at=uow.now,
        inward=inward,
        way=origin.way,
        grant_id=origin.grant_id,
        organizer_id=origin.organizer_id,
        gate=origin.gate,
    )
