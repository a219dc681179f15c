"""What organizers do with a hall: each in the own place alone, and each change in the trail."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from server.activities.kinds import ActivityState
from server.audit.models import AuditRecord
from server.base.access import Organizer, Scope
from server.base.errors import NotFound
from server.base.ownership import owned_by
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.checkin import admitting, grants, service
from server.checkin.errors import NoPlaceToAdmit, TooEarly, TooLate
from server.checkin.models import Admission, ScannerGrant
from server.signups import changes
from server.signups import service as signups
from server.signups.contacts import Contact
from server.signups.kinds import SignUpState
from server.signups.models import SignUp
from server.signups.service import Wish
from tests.kit.accounts import a_citizen
from tests.kit.activities import Lecture, a_lecture
from tests.kit.checkin import (
    EDITOR,
    add_unseated,
    admissions_of,
    check_hall,
    give_grant,
    open_lecture,
    participations_of,
    scan_in,
    scans_of,
    seat_citizen,
    ticket_of,
)
from tests.kit.clock import FakeClock
from tests.kit.console import LIUZHOU, NANNING, PEOPLE
from tests.kit.signup_probes import seat_guest

CITY, COUNTY, OTHER = (PEOPLE[f"editor-{one}"] for one in ("city", "county", "other"))


def hall_of(uow: UnitOfWork, owner: Scope) -> tuple[Lecture, SignUp]:
    """An open lecture of a place, with one person who has a seat."""
    columns: dict[str, Any] = dict(owned_by(owner))
    lecture = open_lecture(uow, **columns)
    return lecture, seat_citizen(uow, lecture)


Act = Callable[[UnitOfWork, Organizer, Lecture, SignUp], Any]
ACTS: dict[str, Act] = {
    "make_grant": lambda uow, who, hall, _: service.make_grant(uow, who, hall.ref, "东门"),
    "list_grants": lambda uow, who, hall, _: service.list_grants(uow, who, hall.ref),
    "list_conflicts": lambda uow, who, hall, _: service.list_conflicts(uow, who, hall.ref),
    "admit_by_hand": lambda uow, who, _, one: service.admit_by_hand(uow, who, one.ref, "到了"),
    "check_out": lambda uow, who, _, one: service.check_out_by_hand(uow, who, one.ref),
    "undo": lambda uow, who, _, one: service.undo_admission(uow, who, one.ref, "错了"),
    "walk_in": lambda uow, who, hall, _: service.admit_walk_in(uow, who, hall.ref, Wish()),
}


@pytest.mark.parametrize("act", ACTS)
def test_a_hall_of_another_place_does_not_exist(uow_factory: UnitOfWorkFactory, act: str) -> None:
    for owner, strangers in ((NANNING, (COUNTY, OTHER)), (LIUZHOU, (CITY, COUNTY))):
        with uow_factory.begin() as uow:
            lecture, signup = hall_of(uow, owner)
        for who in strangers:
            with uow_factory.begin() as uow, pytest.raises(NotFound):
                ACTS[act](uow, who, lecture, signup)
        with uow_factory.begin() as uow:
            assert uow.session.scalars(select(Admission.id)).all() == []
            assert uow.session.scalars(select(ScannerGrant.id)).all() == []


def test_the_own_place_and_those_above_may_do_everything(uow_factory: UnitOfWorkFactory) -> None:
    with uow_factory.begin() as uow:
        lecture, signup = hall_of(uow, NANNING)
    for who in (CITY, EDITOR):
        for act in ACTS.values():
            with uow_factory.begin() as uow:
                act(uow, who, lecture, signup)
    with uow_factory.begin() as uow:
        assert check_hall(uow, lecture).walk_ins == 2


def test_a_grant_of_another_place_cannot_be_revoked(uow_factory: UnitOfWorkFactory) -> None:
    with uow_factory.begin() as uow:
        lecture, _ = hall_of(uow, NANNING)
        made = service.make_grant(uow, CITY, lecture.ref, "东门")
        for who in (COUNTY, OTHER):
            with pytest.raises(NotFound):
                service.revoke_grant(uow, who, made.ref)
        service.revoke_grant(uow, EDITOR, made.ref)


def entries_of(uow: UnitOfWork) -> list[tuple[str, str, dict[str, Any], str]]:
    """Act, author, what was before and after, and reason of each entry."""
    return [
        (row.act, row.organizer_name, json.loads(row.after or row.before or "{}"), row.reason)
        for row in uow.session.scalars(select(AuditRecord).order_by(AuditRecord.number))
    ]


def test_each_act_stands_in_the_trail_at_the_place_of_the_activity(
    uow_factory: UnitOfWorkFactory,
) -> None:
    with uow_factory.begin() as uow:
        lecture, signup = hall_of(uow, NANNING)
        guest = seat_guest(uow, lecture)
        made = service.make_grant(uow, EDITOR, lecture.ref, "东门")
        held, gate = grants.redeem_grant(uow, a_citizen(uow).id, made.code)
        keeper = admitting.keeper_at_gate(held)
        admitting.admit_signup(uow, keeper, gate, guest.id, "手机没电")
        service.admit_by_hand(uow, EDITOR, signup.ref, "忘带手机")
        service.check_out_by_hand(uow, EDITOR, signup.ref)
        service.undo_admission(uow, EDITOR, signup.ref, "认错了人")
        wish = Wish(contact=Contact(name="黄强", phone="+8613900139000"))
        service.admit_walk_in(uow, EDITOR, lecture.ref, wish)
        service.revoke_grant(uow, EDITOR, made.ref)
        began = uow.now.isoformat()
    with uow_factory.begin() as uow:
        hand = {"gate": "后台补签", "people": 1}
        assert entries_of(uow) == [
            ("checkin.make_grant", "韦编辑", {"activity": lecture.ref, "gate": "东门"}, ""),
            ("checkin.admit_by_hand", "scanner", {"gate": "东门", "people": 1}, "手机没电"),
            ("checkin.admit_by_hand", "韦编辑", hand, "忘带手机"),
            ("checkin.check_out", "韦编辑", {"gate": "后台补签"}, ""),
            ("checkin.undo_admission", "韦编辑", {"first_in_at": began, "people": 1}, "认错了人"),
            ("checkin.admit_walk_in", "韦编辑", {**hand, "given_away": 0, "seats": 5}, ""),
            ("checkin.revoke_grant", "韦编辑", {"activity": lecture.ref, "gate": "东门"}, ""),
        ]
        rows = uow.session.scalars(select(AuditRecord)).all()
        assert {row.owner for row in rows} == {"city:450100"}
        assert not [row for row in rows if "黄" in row.after or "139001" in row.after]


def test_acts_by_hand_have_their_organizer_and_scans_their_grant(
    uow_factory: UnitOfWorkFactory,
) -> None:
    with uow_factory.begin() as uow:
        lecture = open_lecture(uow)
        held = give_grant(uow, lecture)
        signup = seat_citizen(uow, lecture)
        scan_in(uow, held, ticket_of(uow, signup))
        service.check_out_by_hand(uow, EDITOR, signup.ref)
        scanned, by_hand = scans_of(uow, lecture)
        assert (scanned.grant_id, scanned.organizer_id, scanned.gate) == (held.id, None, "东门")
        assert (by_hand.grant_id, by_hand.organizer_id) == (None, EDITOR.id)


@pytest.mark.parametrize("state", [SignUpState.WAITLISTED, SignUpState.ENTERED])
def test_somebody_who_waits_gets_a_free_seat_at_the_gate_after_the_start(
    uow_factory: UnitOfWorkFactory, clock: FakeClock, state: SignUpState
) -> None:
    with uow_factory.begin() as uow:
        lecture = open_lecture(uow, seats=2)
        signup = add_unseated(uow, lecture, state, party_size=2)
    clock.advance(1801)
    with uow_factory.begin() as uow:
        service.admit_by_hand(uow, EDITOR, signup.ref, "在门口等")
        assert uow.session.get_one(SignUp, signup.id, populate_existing=True).state is (
            SignUpState.CONFIRMED
        )
        assert check_hall(uow, lecture).admitted == 2


def test_an_ended_place_of_somebody_who_signed_up_again_admits_nobody(
    uow_factory: UnitOfWorkFactory,
) -> None:
    with uow_factory.begin() as uow:
        lecture = open_lecture(uow)
        citizen = a_citizen(uow).id
        old = add_unseated(uow, lecture, SignUpState.EXPIRED, citizen_id=citizen)
        signups.sign_up(uow, citizen, lecture.ref, Wish())
        with pytest.raises(NoPlaceToAdmit):
            service.admit_by_hand(uow, EDITOR, old.ref, "在门口")


def test_an_organizer_corrects_the_list_after_the_end_and_the_absence_goes(
    uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    with uow_factory.begin() as uow:
        lecture = open_lecture(uow)
        held = give_grant(uow, lecture)
        missed, offline, absent = (seat_citizen(uow, lecture) for _ in range(3))
        code, scanned_at = ticket_of(uow, offline), uow.now
        with pytest.raises(TooEarly):
            later = a_lecture(uow)
            service.admit_by_hand(uow, EDITOR, seat_citizen(uow, later).ref, "太早")
    clock.advance(10 * 3600)
    with uow_factory.begin() as uow:
        attended = service.select_attended(lecture.id)
        assert changes.note_absences(uow, lecture.id, attended) == 3
    with uow_factory.begin() as uow:
        service.admit_by_hand(uow, EDITOR, missed.ref, "签到表上有")
        assert scan_in(uow, held, code, scanned_at=scanned_at) == "OK"
        with pytest.raises(TooLate):
            service.admit_walk_in(uow, EDITOR, lecture.ref, Wish())
    with uow_factory.begin() as uow:
        marks = [uow.session.get_one(SignUp, one.id).absent_at for one in (missed, offline, absent)]
        assert [mark is None for mark in marks] == [True, True, False]
        first, second = admissions_of(uow, lecture)
        # A correction has the time at which it was made, a saved scan its own.
        assert (first.first_in_at, second.first_in_at) == (uow.now, scanned_at)
        assert service.was_recorded(uow, lecture.id)
        assert not service.was_recorded(uow, later.id)


def test_a_cancelled_activity_admits_nobody_by_hand(uow_factory: UnitOfWorkFactory) -> None:
    with uow_factory.begin() as uow:
        lecture = open_lecture(uow, state=ActivityState.CANCELLED)
        signup = seat_citizen(uow, lecture)
        with pytest.raises(TooLate):
            service.admit_by_hand(uow, EDITOR, signup.ref, "到了")


def test_a_scan_that_was_saved_earlier_moves_the_participation_to_its_day(
    uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    """The fact has the day and the gate of the first admission, whichever arrives first."""
    with uow_factory.begin() as uow:
        lecture = a_lecture(
            uow, seats=2, starts_in=timedelta(minutes=30), ends_at=uow.now + timedelta(days=2)
        )
        held, other = give_grant(uow, lecture, "东门"), give_grant(uow, lecture, "西门")
        signup = seat_citizen(uow, lecture)
        code, early = ticket_of(uow, signup), uow.now
    clock.advance(20 * 3600)
    with uow_factory.begin() as uow:
        assert scan_in(uow, other, code) == "OK"
        assert scan_in(uow, held, code, scanned_at=early) == "ALREADY"
        (row,) = admissions_of(uow, lecture)
        assert (row.first_in_at, row.gate) == (early, "东门")
        assert participations_of(uow, signup) == 1
        (conflict,) = service.list_conflicts(uow, EDITOR, lecture.ref)
        assert (conflict.gate, conflict.at) == ("西门", uow.now)
