"""Attendance of citizens who are erased, exported, or turn out to be one person."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from server.accounts import privacy
from server.accounts import service as accounts
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.checkin import grants, service
from server.programme.models import Participation
from server.signups.kinds import SignUpState
from server.signups.models import SignUp
from tests.kit.accounts import Person, a_citizen
from tests.kit.activities import Lecture, recount, stored_counts
from tests.kit.checkin import (
    EDITOR,
    admissions_of,
    check_hall,
    give_grant,
    open_lecture,
    scan_in,
    scans_of,
    seat_citizen,
    stored_hall,
    ticket_of,
)
from tests.kit.clock import FakeClock


def test_an_erasure_keeps_the_counters_of_the_hall_and_no_name(
    uow_factory: UnitOfWorkFactory,
) -> None:
    with uow_factory.begin() as uow:
        lecture = open_lecture(uow)
        person, scanner = a_citizen(uow), a_citizen(uow)
        signup = seat_citizen(uow, lecture, citizen_id=person.id, name="韦明")
        held = give_grant(uow, lecture, citizen_id=scanner.id)
        code = ticket_of(uow, signup)
        assert scan_in(uow, held, code, "one") == "OK"
    with uow_factory.begin() as uow:
        privacy.erase_citizen(uow, person.id)
        privacy.erase_citizen(uow, scanner.id)
    with uow_factory.begin() as uow:
        assert stored_hall(uow, lecture).admitted == 1
        (row,) = admissions_of(uow, lecture)
        kept = uow.session.get_one(SignUp, row.signup_id)
        # The people have come, so the seat is not given to others.
        assert (kept.state, kept.name) == (SignUpState.CONFIRMED, None)
        assert stored_counts(uow, lecture) == recount(uow, lecture)
        took_part = uow.session.scalars(select(Participation.kind)).all()
        assert took_part == ["attended"]
        # The same scan gets its first answer, and nobody's name.
        other = give_grant(uow, lecture, "西门")
        assert scan_in(uow, other, code, "one") == "OK"
        _, view = service.list_grants(uow, EDITOR, lecture.ref)
        assert "scanner" not in view.holder
        assert view.holder == accounts.names_of(uow, [scanner.id])[scanner.id].shown


def test_the_export_tells_when_somebody_came_and_what_gates_somebody_held(
    uow_factory: UnitOfWorkFactory, clock: FakeClock
) -> None:
    with uow_factory.begin() as uow:
        lecture = open_lecture(uow, title="甘蔗为什么这么甜")
        person, other = a_citizen(uow), a_citizen(uow)
        signup = seat_citizen(uow, lecture, citizen_id=person.id, party_size=2)
        seat_citizen(uow, lecture, citizen_id=other.id)
        held = give_grant(uow, lecture, citizen_id=other.id)
        scan_in(uow, held, ticket_of(uow, signup))
        came_at = uow.now
    clock.advance(1800)
    with uow_factory.begin() as uow:
        service.check_out_by_hand(uow, EDITOR, signup.ref)
        told = privacy.export_citizen(uow, person.id)
        assert told["attendance"] == [
            {
                "activity": "甘蔗为什么这么甜", "counts": True, "way": "scan", "gate": "东门",
                "people": 2, "first_in_at": came_at, "last_out_at": uow.now,
                "stayed_seconds": 1800,
            }
        ]  # fmt: skip
        assert told["scanner_grants"] == []
        scanner = privacy.export_citizen(uow, other.id)
        assert scanner["attendance"] == []
        (grant,) = scanner["scanner_grants"]  # type: ignore[misc]
        assert (grant["gate"], grant["taken_at"]) == ("东门", came_at)  # type: ignore[index]


def two_accounts(uow: UnitOfWork) -> tuple[Person, Person]:
    """Two citizens of one person, who is known as one later."""
    one = a_citizen(uow, openid="o-one", unionid="u-same")
    return one, a_citizen(uow, openid="o-other", app="official_account")


def become_one(uow_factory: UnitOfWorkFactory) -> int:
    with uow_factory.begin() as uow:
        return accounts.learn_unionid(uow, "official_account", "o-other", "u-same")


@pytest.mark.parametrize("came", ["older", "newer", "both", "nobody"])
def test_of_two_places_of_one_person_the_used_one_is_kept(
    uow_factory: UnitOfWorkFactory, came: str
) -> None:
    with uow_factory.begin() as uow:
        lecture = open_lecture(uow)
        older, newer = (
            seat_citizen(uow, lecture, citizen_id=person.id, name="韦明")
            for person in two_accounts(uow)
        )
        for name, signup in (("older", older), ("newer", newer)):
            if came in (name, "both"):
                service.admit_by_hand(uow, EDITOR, signup.ref, "到了")
    keep = become_one(uow_factory)
    with uow_factory.begin() as uow:
        rows = [uow.session.get_one(SignUp, one.id) for one in (older, newer)]
        states = [row.state is SignUpState.CONFIRMED for row in rows]
        assert states == [came != "newer", came in ("newer", "both")]
        assert service.attended_signups(uow, lecture.id) == {
            row.id for row, name in zip(rows, ("older", "newer"), strict=True)
            if came in (name, "both")
        }  # fmt: skip
        owners = [row.citizen_id for row in rows]
        assert owners == [keep, None if came == "both" else keep]
        assert (rows[1].name is None) == (came == "both")
        assert stored_counts(uow, lecture) == recount(uow, lecture)
        assert (keep in _attended(uow, lecture, keep)) == (came != "nobody")


def _attended(uow: UnitOfWork, lecture: Lecture, citizen_id: int) -> set[int]:
    """The citizen, if an attendance is found."""
    found = service.attendance_in(uow, [lecture.id], citizen_id)
    return {citizen_id} if lecture.id in found else set()


def test_a_grant_and_an_attendance_go_to_the_one_who_remains(
    uow_factory: UnitOfWorkFactory,
) -> None:
    with uow_factory.begin() as uow:
        lecture, second = open_lecture(uow), open_lecture(uow)
        one, other = two_accounts(uow)
        for person, hall in ((one, lecture), (other, second)):
            held = give_grant(uow, hall, citizen_id=person.id)
            signup = seat_citizen(uow, hall, citizen_id=person.id)
            assert scan_in(uow, held, ticket_of(uow, signup)) == "OK"
    keep = become_one(uow_factory)
    with uow_factory.begin() as uow:
        assert set(service.attendance_in(uow, [lecture.id, second.id], keep)) == {
            lecture.id, second.id,
        }  # fmt: skip
        assert {one.activity_id for one in grants.valid_grants(uow, keep)} == {
            lecture.id, second.id,
        }  # fmt: skip
        owners = set(uow.session.scalars(select(Participation.citizen_id)))
        assert owners == {keep}
        for hall in (lecture, second):
            check_hall(uow, hall)
            assert len(scans_of(uow, hall)) == 1
