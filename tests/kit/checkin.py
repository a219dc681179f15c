"""Halls of tests: open lectures with seated people, and scanners with their grants."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from server.activities import service as activities
from server.activities.models import Seating
from server.base.access import REGION, Organizer, Role
from server.base.uow import UnitOfWork
from server.checkin import grants
from server.checkin.kinds import AdmissionWay, ScanDirection
from server.checkin.models import Admission, HallTally, ScanRecord
from server.checkin.scanning import GivenScan, take_scans
from server.checkin.store import HeldGrant
from server.programme.models import Participation
from server.signups import service as signups
from server.signups.kinds import SignUpState
from server.signups.models import SignUp
from tests.kit.accounts import a_citizen
from tests.kit.activities import Lecture, a_lecture
from tests.kit.signup_probes import seat_guest

_count = itertools.count(1)
EDITOR = Organizer(id=1, name="韦编辑", role=Role.EDITOR, scope=REGION, place="广西")


def open_lecture(uow: UnitOfWork, *, seats: int = 5, **columns: Any) -> Lecture:
    """A lecture that starts in half an hour, so that its check-in is open."""
    return a_lecture(uow, seats=seats, starts_in=timedelta(minutes=30), **columns)


def seat_citizen(uow: UnitOfWork, lecture: Lecture, **columns: Any) -> SignUp:
    """A citizen with a seat, counted."""
    citizen = columns.pop("citizen_id", None) or a_citizen(uow).id
    return seat_guest(uow, lecture, citizen_id=citizen, entered_by=None, **columns)


def add_unseated(uow: UnitOfWork, lecture: Lecture, state: SignUpState, **columns: Any) -> SignUp:
    """A sign-up without a seat; one on the waitlist is counted there."""
    citizen = columns.pop("citizen_id", None) or a_citizen(uow).id
    row = SignUp(
        **{
            "ref": uow.new_ref("sgn"), "activity_id": lecture.id, "citizen_id": citizen,
            "state": state, "party_size": 1, "sequence": 1, "answers": {}, "made_at": uow.now,
            "changed_at": uow.now, **columns,
        }
    )  # fmt: skip
    uow.session.add(row)
    seating = uow.session.get_one(Seating, lecture.id, populate_existing=True)
    seating.waiting += state is SignUpState.WAITLISTED
    seating.entered += state is SignUpState.ENTERED
    uow.session.flush()
    return row


def ticket_of(uow: UnitOfWork, signup: SignUp) -> str:
    """The ticket's code of a sign-up."""
    return signups.spell_ticket(uow.keys, signup.id)


def give_grant(
    uow: UnitOfWork, lecture: Lecture, gate: str = "东门", citizen_id: int | None = None
) -> HeldGrant:
    """A grant that a citizen has redeemed."""
    made = grants.make_grant(uow, EDITOR, lecture.ref, gate)
    holder = a_citizen(uow).id if citizen_id is None else citizen_id
    return grants.redeem_grant(uow, holder, made.code)[0]


def scan_in(
    uow: UnitOfWork, held: HeldGrant, code: str, nonce: str | None = None, **given: Any
) -> str:
    """Scan one ticket; return the result's word."""
    scan = GivenScan(
        nonce=nonce or f"n{next(_count)}", ticket=code,
        **{"scanned_at": uow.now, "direction": ScanDirection.IN, **given},
    )  # fmt: skip
    (answer,) = take_scans(uow, held, [scan]).answers
    return answer.result.value


@dataclass(frozen=True, kw_only=True)
class Hall:
    """The counters of a hall, as stored or counted from the rows."""

    admitted: int
    inside: int
    walk_ins: int


def stored_hall(uow: UnitOfWork, lecture: Lecture) -> Hall:
    """The counters of a hall."""
    row = uow.session.get_one(HallTally, lecture.id, populate_existing=True)
    return Hall(admitted=row.admitted, inside=row.inside, walk_ins=row.walk_ins)


def recount_hall(uow: UnitOfWork, lecture: Lecture) -> Hall:
    """The counters as they must be, from the attendance."""
    rows = admissions_of(uow, lecture)
    return Hall(
        admitted=sum(row.people for row in rows),
        inside=sum(row.people for row in rows if row.inside_since is not None),
        walk_ins=sum(row.people for row in rows if row.way is AdmissionWay.WALK_IN),
    )


def admissions_of(uow: UnitOfWork, lecture: Lecture) -> list[Admission]:
    """The attendance of a lecture that holds."""
    asked = select(Admission).where(Admission.activity_id == lecture.id, Admission.holds)
    fresh = {"populate_existing": True}
    return list(uow.session.scalars(asked.order_by(Admission.id), execution_options=fresh))


def scans_of(uow: UnitOfWork, lecture: Lecture) -> list[ScanRecord]:
    """The scans of a lecture, in the order in which they arrived."""
    asked = select(ScanRecord).where(ScanRecord.activity_id == lecture.id)
    fresh = {"populate_existing": True}
    return list(uow.session.scalars(asked.order_by(ScanRecord.id), execution_options=fresh))


def participations_of(uow: UnitOfWork, signup: SignUp) -> int:
    """How many participations a sign-up led to."""
    asked = select(Participation.id).where(Participation.source_ref == signup.ref)
    return len(uow.session.scalars(asked).all())


def check_hall(uow: UnitOfWork, lecture: Lecture) -> Hall:
    """The counters, after comparing them with the rows, the participations and the seats."""
    stored = stored_hall(uow, lecture)
    assert stored == recount_hall(uow, lecture)
    for row in admissions_of(uow, lecture):
        signup = uow.session.get_one(SignUp, row.signup_id)
        assert participations_of(uow, signup) == (signup.citizen_id is not None)
    seated = uow.session.scalars(
        select(SignUp.party_size).where(
            SignUp.activity_id == lecture.id,
            SignUp.state.in_((SignUpState.CONFIRMED, SignUpState.OFFERED)),
        )
    )
    (view,) = activities.views_of(uow, [lecture.id])
    uow.session.refresh(view.seating)
    assert view.seating.taken == sum(seated)
    return stored
