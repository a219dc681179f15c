"""The interface of the slice of check-in.

Organizers' functions take the organizer and the public id of an activity or a sign-up of the
organizer's place; any other is NotFound. Scans and self check-in are in the API.
"""

from __future__ import annotations

from server.activities import service as activities
from server.activities.service import ActivityGate
from server.base.access import Organizer
from server.base.ownership import serving_found_row
from server.base.uow import UnitOfWork
from server.checkin import admitting
from server.checkin.admitting import Admitted as Admitted
from server.checkin.admitting import check_in_by_code as check_in_by_code
from server.checkin.bulk import PastAdmission as PastAdmission
from server.checkin.bulk import PastFeedback as PastFeedback
from server.checkin.bulk import add_admissions as add_admissions
from server.checkin.bulk import add_feedback as add_feedback
from server.checkin.closing import note_attendance as note_attendance
from server.checkin.codes import VENUE_SECONDS as VENUE_SECONDS
from server.checkin.codes import venue_code_at as venue_code_at
from server.checkin.grants import GrantMade as GrantMade
from server.checkin.grants import GrantView as GrantView
from server.checkin.grants import list_grants as list_grants
from server.checkin.grants import make_grant as make_grant
from server.checkin.grants import revoke_grant as revoke_grant
from server.checkin.grants import select_grants as select_grants
from server.checkin.kinds import GATE_LENGTH as GATE_LENGTH
from server.checkin.kinds import AdmissionWay as AdmissionWay
from server.checkin.models import Admission as Admission
from server.checkin.reading import Attendance as Attendance
from server.checkin.reading import HallCounters as HallCounters
from server.checkin.reading import attendance_in as attendance_in
from server.checkin.reading import attended_signups as attended_signups
from server.checkin.reading import citizens_attended as citizens_attended
from server.checkin.reading import list_conflicts as list_conflicts
from server.checkin.reading import read_counters as read_counters
from server.checkin.reading import select_attended as select_attended
from server.checkin.reading import was_recorded as was_recorded
from server.signups import service as signups
from server.signups.service import Wish as Wish


def admit_by_hand(uow: UnitOfWork, organizer: Organizer, ref: str, reason: str) -> Admitted:
    """Admit the people of a sign-up; also after the end of the activity, as a correction.

    People on the waitlist, and those whose seat was given away, get a free seat, as walk-ins do.
    Locks: the activity, the sign-up, the hall.
    Raises: NotFound (404), AlreadyAdmitted, NoPlaceToAdmit, HallFull, TooEarly, TooLate (409).
    """
    signup_id, gate = _find_own(uow, organizer, ref)
    keeper = admitting.keeper_in_console(uow, organizer)
    with serving_found_row(uow.session):
        return admitting.admit_signup(uow, keeper, gate, signup_id, reason)


def undo_admission(uow: UnitOfWork, organizer: Organizer, ref: str, reason: str) -> None:
    """Undo an admission, its counters and its participation; a walk-in loses the seat.

    Locks: the activity, the sign-up, the hall.
    Raises: NotFound (404), NotAdmitted (409).
    """
    signup_id, gate = _find_own(uow, organizer, ref)
    keeper = admitting.keeper_in_console(uow, organizer)
    with serving_found_row(uow.session):
        admitting.undo_attendance(uow, keeper, gate, signup_id, reason)


def check_out_by_hand(uow: UnitOfWork, organizer: Organizer, ref: str) -> None:
    """Record that the people of a sign-up leave.

    Locks: the sign-up, the hall.
    Raises: NotFound (404), NotAdmitted (409).
    """
    signup_id, gate = _find_own(uow, organizer, ref)
    keeper = admitting.keeper_in_console(uow, organizer)
    with serving_found_row(uow.session):
        admitting.check_out_signup(uow, keeper, gate, signup_id)


def admit_walk_in(uow: UnitOfWork, organizer: Organizer, ref: str, wish: Wish) -> Admitted:
    """Admit people who came without a sign-up to an activity of the organizer's place.

    Locks: the activity, the sign-ups whose seats are given away, the hall.
    Raises: NotFound (404), HallFull, TooEarly, TooLate (409), Invalid (422).
    """
    activity = activities.own_activity(uow, organizer, ref)
    keeper = admitting.keeper_in_console(uow, organizer)
    with serving_found_row(uow.session):
        gate = activities.gate_of(uow, activity.id)
        return admitting.admit_guest(uow, keeper, gate, wish)


def _find_own(uow: UnitOfWork, organizer: Organizer, ref: str) -> tuple[int, ActivityGate]:
    signup_id, activity_id = signups.id_of_own(uow, organizer, ref)
    with serving_found_row(uow.session):
        return signup_id, activities.gate_of(uow, activity_id)
