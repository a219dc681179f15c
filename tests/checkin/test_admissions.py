"""Admissions by scan, by hand, by code and without a sign-up, with counters and participation."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest

from server.activities.kinds import ActivityState
from server.activities.models import Seating
from server.audit.models import AuditRecord
from server.base.errors import AppError, NotFound
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.checkin import commands, grants, service
from server.checkin.errors import (
    AlreadyAdmitted,
    CodeExpired,
    HallFull,
    NoPlaceToAdmit,
    NotAdmitted,
    NotSignedUp,
    TooEarly,
    TooLate,
    WaitlistedOnly,
)
from server.checkin.kinds import AdmissionWay, ScanDirection
from server.signups import capacity, people
from server.signups import service as signups
from server.signups.contacts import Contact
from server.signups.errors import AlreadyCheckedIn
from server.signups.kinds import SignUpState
from server.signups.models import SignUp
from server.signups.personal_data import give_up_places
from server.signups.service import Wish
from tests.kit.accounts import a_citizen
from tests.kit.activities import a_lecture
from tests.kit.checkin import (
    EDITOR,
    add_unseated,
    admissions_of,
    check_hall,
    give_grant,
    open_lecture,
    participations_of,
    scan_in,
    seat_citizen,
    stored_hall,
    ticket_of,
)
from tests.kit.clock import FakeClock

OUT = ScanDirection.OUT


def test_a_party_is_admitted_once_with_all_its_people(uow_factory: UnitOfWorkFactory) -> None:
    with uow_factory.begin() as uow:
        lecture = open_lecture(uow)
        held = give_grant(uow, lecture)
        signup = seat_citizen(uow, lecture, party_size=3)
        code = ticket_of(uow, signup)
        assert scan_in(uow, held, code) == "OK"
        assert scan_in(uow, held, code) == "ALREADY"
        assert check_hall(uow, lecture).admitted == 3
        assert service.read_counters(uow, lecture.id) == service.HallCounters(
            admitted=3, inside=3, walk_ins=0, expected=3
        )
        assert service.attended_signups(uow, lecture.id) == {signup.id}
        (row,) = admissions_of(uow, lecture)
        assert (row.way, row.gate, row.people) == (AdmissionWay.SCAN, "东门", 3)
        assert signup.citizen_id is not None
        own = service.attendance_in(uow, [lecture.id], signup.citizen_id)[lecture.id]
        assert (own.signup_id, own.first_in_at, own.people) == (signup.id, uow.now, 3)


def test_in_out_and_in_again_adds_both_stays(
    uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    with uow_factory.begin() as uow:
        lecture = open_lecture(uow)
        held, signup = give_grant(uow, lecture), seat_citizen(uow, lecture)
        code = ticket_of(uow, signup)
    for direction, result in (
        ("out", "ALREADY"), ("in", "OK"), ("out", "OK"), ("out", "ALREADY"), ("in", "OK"),
        ("in", "ALREADY"), ("out", "OK"),
    ):  # fmt: skip
        clock.advance(600)
        with uow_factory.begin() as uow:
            assert scan_in(uow, held, code, direction=ScanDirection(direction)) == result
            check_hall(uow, lecture)
    with uow_factory.begin() as uow:
        (row,) = admissions_of(uow, lecture)
        assert (row.stayed_seconds, row.last_out_at) == (600 + 1200, uow.now)
        assert stored_hall(uow, lecture).inside == 0


def test_an_undo_takes_back_attendance_counters_and_participation_and_stands_in_the_trail(
    uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    with uow_factory.begin() as uow:
        lecture = open_lecture(uow)
        held, signup = give_grant(uow, lecture), seat_citizen(uow, lecture, party_size=2)
        code = ticket_of(uow, signup)
        before = uow.now
        scan_in(uow, held, code)
        assert participations_of(uow, signup) == 1
    clock.advance(600)
    with uow_factory.begin() as uow:
        service.undo_admission(uow, EDITOR, signup.ref, "扫错了人")
    with uow_factory.begin() as uow:
        assert check_hall(uow, lecture).admitted == 0
        assert participations_of(uow, signup) == 0
        assert service.attended_signups(uow, lecture.id) == set()
        assert signup.citizen_id is not None
        assert service.attendance_in(uow, [lecture.id], signup.citizen_id) == {}
        with pytest.raises(NotAdmitted):
            service.undo_admission(uow, EDITOR, signup.ref, "再撤一次")
    with uow_factory.begin() as uow:
        # The scan of an offline scanner from before the undo arrives late, and admits nobody.
        assert scan_in(uow, held, code, scanned_at=before) == "ALREADY"
        assert check_hall(uow, lecture).admitted == 0
        (conflict,) = service.list_conflicts(uow, EDITOR, lecture.ref)
        assert conflict.at == before
    with uow_factory.begin() as uow:
        assert scan_in(uow, held, code) == "OK"
        assert check_hall(uow, lecture).admitted == 2
    with uow_factory.begin() as uow:
        acts = [row.act for row in uow.session.query(AuditRecord).order_by(AuditRecord.number)]
    assert acts == ["checkin.make_grant", "checkin.undo_admission"]


def test_somebody_found_in_the_list_is_admitted_by_hand_once(
    uow_factory: UnitOfWorkFactory,
) -> None:
    with uow_factory.begin() as uow:
        lecture = open_lecture(uow)
        signup = seat_citizen(uow, lecture)
        admitted = service.admit_by_hand(uow, EDITOR, signup.ref, "手机没电")
        assert (admitted.ticket.id, admitted.gate) == (signup.id, "后台补签")
        assert check_hall(uow, lecture).admitted == 1
        (row,) = admissions_of(uow, lecture)
        assert row.way is AdmissionWay.MANUAL
        with pytest.raises(AlreadyAdmitted):
            service.admit_by_hand(uow, EDITOR, signup.ref, "再补一次")
        service.check_out_by_hand(uow, EDITOR, signup.ref)
        assert stored_hall(uow, lecture).inside == 0
        with pytest.raises(NotAdmitted):
            service.check_out_by_hand(uow, EDITOR, signup.ref)


def test_the_venue_s_code_admits_the_own_party_alone(
    uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    with uow_factory.begin() as uow:
        lecture = open_lecture(uow)
        mine, other = seat_citizen(uow, lecture), seat_citizen(uow, lecture)
        assert mine.citizen_id is not None
        code = service.venue_code_at(uow.keys, lecture.id, uow.now)
        for fresh in (True, False):
            gate, admitted = service.check_in_by_code(uow, mine.citizen_id, code)
            assert (gate.ref, admitted.ticket.id, admitted.fresh) == (lecture.ref, mine.id, fresh)
        assert check_hall(uow, lecture).admitted == 1
        assert service.attended_signups(uow, lecture.id) == {mine.id}
        with pytest.raises(NotSignedUp):
            service.check_in_by_code(uow, a_citizen(uow).id, code)
    clock.advance(31)
    with uow_factory.begin() as uow:
        assert other.citizen_id is not None
        with pytest.raises(CodeExpired):
            service.check_in_by_code(uow, other.citizen_id, code)


@pytest.mark.parametrize(
    ("columns", "refusal"),
    [
        ({"starts_in": timedelta(hours=2)}, TooEarly),
        ({"starts_in": -timedelta(hours=3)}, TooLate),
        ({"starts_in": timedelta(minutes=5), "state": ActivityState.POSTPONED}, TooEarly),
        ({"starts_in": timedelta(minutes=5), "signup": SignUpState.OFFERED}, WaitlistedOnly),
    ],
)
def test_a_self_check_in_outside_its_time_is_refused(
    uow_factory: UnitOfWorkFactory, columns: dict[str, object], refusal: type[AppError]
) -> None:
    columns = dict(columns)
    state = columns.pop("signup", SignUpState.CONFIRMED)
    with uow_factory.begin() as uow:
        opened = uow.now - timedelta(days=9)
        lecture = a_lecture(uow, signup_opens_at=opened, **columns)  # type: ignore[arg-type]
        until = uow.now if state is SignUpState.OFFERED else None
        signup = seat_citizen(uow, lecture, state=state, offer_expires_at=until)
        assert signup.citizen_id is not None
        code = service.venue_code_at(uow.keys, lecture.id, uow.now)
        with pytest.raises(refusal):
            service.check_in_by_code(uow, signup.citizen_id, code)
        assert service.attended_signups(uow, lecture.id) == set()


def walk_in(uow: UnitOfWork, ref: str, people: int = 1) -> SignUp:
    wish = Wish(party_size=people, contact=Contact(name="黄强"))
    admitted = service.admit_walk_in(uow, EDITOR, ref, wish)
    return uow.session.get_one(SignUp, admitted.ticket.id)


def test_walk_ins_take_free_seats_then_the_room_s_then_those_of_absent_people(
    uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    with uow_factory.begin() as uow:
        lecture = open_lecture(uow, seats=4, room_limit=5, party_max=3)
        came, absent = seat_citizen(uow, lecture), seat_citizen(uow, lecture, party_size=2)
        walk_in(uow, lecture.ref)
        service.admit_by_hand(uow, EDITOR, came.ref, "到了")
        walk_in(uow, lecture.ref)
        assert uow.session.get_one(Seating, lecture.id, populate_existing=True).seats == 5
        with pytest.raises(HallFull):
            walk_in(uow, lecture.ref)
    clock.advance(30 * 60 + 15 * 60 - 1)
    with pytest.raises(HallFull), uow_factory.begin() as uow:
        walk_in(uow, lecture.ref)
    clock.advance(1)
    with uow_factory.begin() as uow:
        guest = walk_in(uow, lecture.ref)
        lost = uow.session.get_one(SignUp, absent.id, populate_existing=True)
        assert (lost.state, lost.absent_at) == (SignUpState.EXPIRED, uow.now)
        assert guest.state is SignUpState.CONFIRMED
        # The party of two lost both seats, so one more is free.
        walk_in(uow, lecture.ref)
        with pytest.raises(HallFull):
            walk_in(uow, lecture.ref)
        hall = check_hall(uow, lecture)
        assert (hall.admitted, hall.walk_ins) == (5, 4)


def test_an_absent_person_who_comes_late_gets_a_seat_while_there_is_one(
    uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    with uow_factory.begin() as uow:
        lecture = open_lecture(uow, seats=1)
        late, held = seat_citizen(uow, lecture), give_grant(uow, lecture)
        code = ticket_of(uow, late)
    clock.advance(46 * 60)
    with uow_factory.begin() as uow:
        guest = walk_in(uow, lecture.ref)
        assert scan_in(uow, held, code) == "CANCELLED"
        with pytest.raises(HallFull):
            service.admit_by_hand(uow, EDITOR, late.ref, "来晚了")
    with uow_factory.begin() as uow:
        service.undo_admission(uow, EDITOR, guest.ref, "走了")
        assert uow.session.get_one(SignUp, guest.id, populate_existing=True).state is (
            SignUpState.REMOVED
        )
        service.admit_by_hand(uow, EDITOR, late.ref, "来晚了")
        again = uow.session.get_one(SignUp, late.id, populate_existing=True)
        assert (again.state, again.absent_at) == (SignUpState.CONFIRMED, None)
        hall = check_hall(uow, lecture)
        assert (hall.admitted, hall.walk_ins) == (1, 0)


def test_a_walk_in_passes_nobody_who_waits_before_the_start(
    uow_factory: UnitOfWorkFactory,
) -> None:
    with uow_factory.begin() as uow:
        lecture = open_lecture(uow, seats=2, party_max=3)
        seat_citizen(uow, lecture)
        waiting = add_unseated(uow, lecture, SignUpState.WAITLISTED, party_size=2)
        removed = add_unseated(uow, lecture, SignUpState.REMOVED)
        # A party of two has no room, so one person gets the free seat; two would pass it.
        with pytest.raises(HallFull):
            walk_in(uow, lecture.ref, people=2)
        walk_in(uow, lecture.ref)
        assert uow.session.get_one(SignUp, waiting.id, populate_existing=True).passed == 1
        with pytest.raises(HallFull):
            walk_in(uow, lecture.ref)
        with pytest.raises(HallFull):
            service.admit_by_hand(uow, EDITOR, waiting.ref, "在门口")
        with pytest.raises(NoPlaceToAdmit):
            service.admit_by_hand(uow, EDITOR, removed.ref, "没有座位")


def test_a_grant_ends_at_once_and_its_code_is_for_one_citizen(
    uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    with uow_factory.begin() as uow:
        lecture = open_lecture(uow)
        made = service.make_grant(uow, EDITOR, lecture.ref, "西门")
        holder, other = a_citizen(uow).id, a_citizen(uow).id
        for _ in range(2):
            held, gate = grants.redeem_grant(uow, holder, made.code)
            assert (held.gate, gate.ref) == ("西门", lecture.ref)
        with pytest.raises(grants.GrantTaken):
            grants.redeem_grant(uow, other, made.code)
        (view,) = service.list_grants(uow, EDITOR, lecture.ref)
        assert (view.is_valid, view.row.taken_by) == (True, holder)
        assert grants.held_grant(uow, holder).id == held.id
        service.revoke_grant(uow, EDITOR, made.ref)
        for call in (
            lambda: grants.held_grant(uow, holder),
            lambda: grants.redeem_grant(uow, holder, made.code),
        ):
            with pytest.raises(grants.GrantEnded):
                call()
        with pytest.raises(grants.GrantOver):
            service.revoke_grant(uow, EDITOR, made.ref)
        second = give_grant(uow, lecture, citizen_id=holder)
        assert grants.held_grant(uow, holder, lecture.ref).id == second.id
    clock.advance(15 * 3600)
    with uow_factory.begin() as uow, pytest.raises(grants.GrantEnded):
        grants.held_grant(uow, holder)


def test_the_commands_give_a_grant_and_the_code_of_the_moment(
    uow_factory: UnitOfWorkFactory,
) -> None:
    with uow_factory.begin() as uow:
        lecture = open_lecture(uow)
    code = commands.grant_scanner(uow_factory, lecture.ref, "北门")
    with uow_factory.begin() as uow:
        held, _ = grants.redeem_grant(uow, a_citizen(uow).id, code)
        assert (held.activity_id, held.gate) == (lecture.id, "北门")
        expected = service.venue_code_at(uow.keys, lecture.id, uow.now)
    assert commands.venue_code(uow_factory, lecture.ref) == expected
    for call in (commands.venue_code, partial(commands.grant_scanner, gate="北门")):
        with pytest.raises(NotFound):
            call(uow_factory, "act_unknown")


def test_people_who_came_keep_their_place_until_the_admission_is_taken_back(
    uow_factory: UnitOfWorkFactory,
) -> None:
    with uow_factory.begin() as uow:
        lecture = open_lecture(uow, seats=3)
        signup = seat_citizen(uow, lecture)
        citizen = signup.citizen_id
        assert citizen is not None
        service.admit_by_hand(uow, EDITOR, signup.ref, "到了")
    calls = (
        lambda uow: signups.withdraw(uow, citizen, lecture.ref),
        lambda uow: people.remove_person(uow, EDITOR, signup.ref, "不来了"),
        lambda uow: capacity.change_seats(uow, lecture.id, 3, [signup.ref]),
    )
    for call in calls:
        with uow_factory.begin() as uow, pytest.raises(AlreadyCheckedIn):
            call(uow)
    with uow_factory.begin() as uow:
        give_up_places(uow, citizen)
        assert check_hall(uow, lecture).admitted == 1
        service.undo_admission(uow, EDITOR, signup.ref, "扫错了人")
        assert signups.withdraw(uow, citizen, lecture.ref)
        assert check_hall(uow, lecture).admitted == 0
