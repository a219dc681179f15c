"""Actions of organizers on the people of an activity of their place.

Everything that changes seats or sign-ups locks the activity, and finally serves its waitlist, as a
citizen's own sign-up does. Rows about people are read only for activities of the organizer's place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from server.accounts import service as accounts
from server.activities import service as activities
from server.audit.service import Subject, record_change, was_recorded
from server.base.access import Organizer, Scope
from server.base.errors import NotFound
from server.base.ownership import scope_of, serving_found_row
from server.base.uow import UnitOfWork
from server.signups import capacity, service, store, waitlist
from server.signups.contacts import Contact, blind_phone, mask_name, unseal_name, unseal_phone
from server.signups.errors import (
    AnswerNeeded,
    GroupGuestKnown,
    GroupPhoneNeeded,
    GuestKnown,
    SignUpOver,
)
from server.signups.kinds import LIVE, SEATED, Hindrance, NoticeKind, SignUpState
from server.signups.models import SignUp
from server.signups.rules import Hall, Party, explain_waiting
from server.signups.service import Wish
from server.signups.used_places import refuse_used
from server.signups.wishes import SignUpQuestion, read_questions

SHOW_ACT = "signups.show_contact"
# How long a name and a number stay readable after the reason was recorded.
SHOWN_MINUTES = 10


@dataclass(frozen=True, kw_only=True)
class Guest:
    """A person without an account, entered by an organizer.

    `line` is the number of the line in a list; 0 without a list.
    """

    contact: Contact
    party_size: int = 1
    answers: Mapping[str, str] = field(default_factory=dict)
    line: int = 0


@dataclass(frozen=True, kw_only=True)
class PersonLine:
    """A sign-up as organizers see it: name and number masked; `position` on the waitlist."""

    row: SignUp
    activity: str
    activity_ref: str
    name: str
    phone: str
    position: int | None = None
    hindrance: Hindrance | None = None


@dataclass(frozen=True, kw_only=True)
class PersonView:
    """One sign-up; `contact` has the full name and number, if the organizer gave a reason."""

    line: PersonLine
    contact: Contact | None
    questions: Sequence[tuple[str, str]]


@dataclass(frozen=True, kw_only=True)
class Entered:
    """The numbers of entered guests with seats, on the waitlist and in the lottery."""

    confirmed: int
    waiting: int
    entered: int


def describe_people(uow: UnitOfWork, rows: Sequence[SignUp]) -> list[PersonLine]:
    """Sign-ups with masked names, in their order."""
    with serving_found_row(uow.session):
        ids = [row.citizen_id for row in rows if row.citizen_id is not None]
        names = accounts.names_of(uow, ids)
        titles = {one: activities.name_of(uow, one) for one in {row.activity_id for row in rows}}
        return [
            PersonLine(
                row=row,
                activity=titles[row.activity_id].title,
                activity_ref=titles[row.activity_id].ref,
                name=mask_name(unseal_name(uow, row.ref, row.name))
                or (names[row.citizen_id].shown if row.citizen_id is not None else ""),
                phone="" if row.phone_tail is None else f"*******{row.phone_tail}",
                position=_position_of(uow, row),
            )
            for row in rows
        ]


def read_waitlist(uow: UnitOfWork, organizer: Organizer, ref: str, most: int) -> list[PersonLine]:
    """The first people on the waitlist, each with the rule that holds the person back.

    Raises: NotFound (404).
    """
    activity = activities.own_activity(uow, organizer, ref)
    with serving_found_row(uow.session):
        return _explain_waitlist(uow, activity.id, most)


def _explain_waitlist(uow: UnitOfWork, activity_id: int, most: int) -> list[PersonLine]:
    rows = _waiting_rows(uow, activity_id)
    times = activities.times_of(uow, [activity_id])[activity_id]
    (view,) = activities.views_of(uow, [activity_id])
    people = {row.citizen_id for row in rows if row.citizen_id is not None}
    clashing = store.clashing_people(uow, times, people)
    hall = Hall(
        running=activities.may_promote_at(times, uow.now),
        seats=view.seating.seats,
        free=view.seating.seats - view.seating.taken,
    )
    reasons = explain_waiting(
        hall,
        (Party(key=row.id, size=row.party_size, passed=row.passed) for row in rows),
        [row.id for row in rows if row.citizen_id in clashing],
    )
    return [
        PersonLine(**{**vars(line), "position": place, "hindrance": reasons[line.row.id]})
        for place, line in enumerate(describe_people(uow, rows[:most]), 1)
    ]


def read_seated(uow: UnitOfWork, organizer: Organizer, ref: str) -> list[PersonLine]:
    """The people with seats, the last sign-up first.

    Raises: NotFound (404).
    """
    activity = activities.own_activity(uow, organizer, ref)
    with serving_found_row(uow.session):
        return describe_people(uow, _seated_rows(uow, activity.id))


def questions_of(uow: UnitOfWork, organizer: Organizer, ref: str) -> tuple[SignUpQuestion, ...]:
    """The questions of an activity of the organizer's place.

    Raises: NotFound (404).
    """
    return read_questions(activities.own_activity(uow, organizer, ref).questions)


def show_person(uow: UnitOfWork, organizer: Organizer, ref: str) -> PersonView:
    """Return one sign-up in an activity of the organizer's place.

    Raises: NotFound (404).
    """
    row = _own_signup(uow, organizer, ref)
    since = uow.now - timedelta(minutes=SHOWN_MINUTES)
    shown = was_recorded(uow, organizer, SHOW_ACT, ref, since)
    with serving_found_row(uow.session):
        (line,) = describe_people(uow, [row])
        return PersonView(
            line=line,
            contact=_contact_of(uow, row) if shown else None,
            questions=_answers_of(uow, row),
        )


def record_showing(uow: UnitOfWork, organizer: Organizer, ref: str, reason: str) -> None:
    """Record the reason for reading a name and a number, which are then shown for some minutes.

    Raises: NotFound (404).
    """
    row = _own_signup(uow, organizer, ref)
    subject = _subject_of(uow, organizer, row)
    record_change(uow, organizer, "signups.show_contact", subject, reason=reason)


def remove_person(uow: UnitOfWork, organizer: Organizer, ref: str, reason: str) -> None:
    """End a sign-up; its seats go to the waitlist at once, and the person is informed.

    Locks: the activity.
    Raises: NotFound (404), SignUpOver, AlreadyCheckedIn (409).
    """
    row = _own_signup(uow, organizer, ref)
    subject = _subject_of(uow, organizer, row)
    with serving_found_row(uow.session):
        locked = activities.lock_seats(uow, [row.activity_id])[row.activity_id]
        uow.session.refresh(row)
        if row.state not in LIVE or uow.now >= locked.ends_at:
            raise SignUpOver(about=ref, path=f"/signups/{ref}")
        refuse_used(uow, locked, row.id)
        before = row.state
        waitlist.uncount_place(locked, row.state, row.party_size)
        store.settle_signup(uow, row.id, SignUpState.REMOVED)
        store.note_message(uow, row.id, NoticeKind.REMOVED)
        store.free_person(uow)
        waitlist.serve_waitlist(uow, locked)
        activities.store_counts(uow, locked)
    record_change(
        uow,
        organizer,
        "signups.remove_person",
        subject,
        before={"state": before.value},
        after={"state": SignUpState.REMOVED.value},
        reason=reason,
    )


def change_seats(
    uow: UnitOfWork, organizer: Organizer, ref: str, seats: int, put_back: Sequence[str]
) -> None:
    """Change the number of seats; `put_back` names the sign-ups to put at the head of the waitlist.

    Locks: the activity.
    Raises: NotFound (404), SeatsTaken, AboveRoomLimit (409).
    """
    activity = activities.own_activity(uow, organizer, ref)
    _require_public(activity.state)
    subject = Subject("activity", ref, scope_of(activity))
    with serving_found_row(uow.session):
        (view,) = activities.views_of(uow, [activity.id])
        before = view.seating.seats
        capacity.change_seats(uow, activity.id, seats, put_back)
    record_change(
        uow,
        organizer,
        "signups.change_seats",
        subject,
        before={"seats": before},
        after={"seats": seats, "put_back": len(put_back)},
    )


def enter_guests(
    uow: UnitOfWork, organizer: Organizer, ref: str, guests: Sequence[Guest], label: str = ""
) -> Entered:
    """Enter people without an account, by the rules that hold for everybody's sign-up.

    Locks: the activity.
    Raises: NotFound (404), GuestKnown, GroupGuestKnown, GroupPhoneNeeded, SignUpNotOpen,
    SignUpClosed, DrawInProgress, PhoneNeeded, AnswerNeeded, ActivityFull (409), Invalid (422).
    """
    activity = activities.own_activity(uow, organizer, ref)
    subject = Subject("activity", ref, scope_of(activity))
    with serving_found_row(uow.session):
        locked = activities.lock_seats(uow, [activity.id])[activity.id]
        _require_public(locked.state)
        service.require_phase(uow, locked)
        known = _known_guests(uow, activity.id)
        person = {
            "citizen_id": None, "entered_by": organizer.id, "group_label": label or None,
        }  # fmt: skip
        states = [_enter_guest(uow, locked, one, known, person) for one in guests]
    counted = Entered(
        confirmed=states.count(SignUpState.CONFIRMED),
        waiting=states.count(SignUpState.WAITLISTED),
        entered=states.count(SignUpState.ENTERED),
    )
    record_change(uow, organizer, "signups.enter_guests", subject, after=vars(counted))
    return counted


def _require_public(state: activities.ActivityState) -> None:
    """Refuse a draft: its seats are changed with its content, and nobody can sign up for it.

    Raises: NotFound (404).
    """
    if state not in activities.PUBLIC:
        raise NotFound


def _enter_guest(
    uow: UnitOfWork,
    locked: activities.LockedSeats,
    guest: Guest,
    known: set[tuple[str | None, str | None]],
    person: Mapping[str, Any],
) -> SignUpState:
    contact = guest.contact
    blind = None if contact.phone is None else blind_phone(uow, contact.phone)
    if (contact.name, blind) in known:
        if guest.line:
            raise GroupGuestKnown(line=guest.line, name=contact.name)
        raise GuestKnown(name=contact.name)
    if guest.line and locked.phone_needed and contact.phone is None:
        raise GroupPhoneNeeded(line=guest.line, name=contact.name)
    known.add((contact.name, blind))
    wish = Wish(party_size=guest.party_size, contact=contact, answers=guest.answers)
    service.check_wish(locked, wish)
    for one in read_questions(locked.questions):
        if one.needed and not guest.answers.get(one.key, "").strip():
            raise AnswerNeeded(question=one.label)
    return service.take_place(uow, locked, wish, person).state


def _known_guests(uow: UnitOfWork, activity_id: int) -> set[tuple[str | None, str | None]]:
    rows = uow.session.scalars(
        select(SignUp).where(
            SignUp.activity_id == activity_id,
            SignUp.citizen_id.is_(None),
            SignUp.entered_by.is_not(None),
            SignUp.state.in_(LIVE),
        )
    )
    return {(unseal_name(uow, row.ref, row.name), row.phone_blind) for row in rows}


def _own_signup(uow: UnitOfWork, organizer: Organizer, ref: str) -> SignUp:
    asked = activities.restrict_to_own(_signup_of(ref), organizer, SignUp.activity_id)
    row: SignUp | None = uow.session.scalar(asked)
    if row is None:
        raise NotFound
    return row


def _signup_of(ref: str) -> Any:
    return select(SignUp).where(SignUp.ref == ref)


def _subject_of(uow: UnitOfWork, organizer: Organizer, row: SignUp) -> Subject:
    """A sign-up as the subject of an entry of the trail, at the place of its activity."""
    with serving_found_row(uow.session):
        ref = activities.name_of(uow, row.activity_id).ref
    owner: Scope = scope_of(activities.own_activity(uow, organizer, ref))
    return Subject("signup", row.ref, owner)


def _contact_of(uow: UnitOfWork, row: SignUp) -> Contact:
    return Contact(
        name=unseal_name(uow, row.ref, row.name), phone=unseal_phone(uow, row.ref, row.phone)
    )


def _answers_of(uow: UnitOfWork, row: SignUp) -> list[tuple[str, str]]:
    """The answers beside the questions of the activity."""
    (view,) = activities.views_of(uow, [row.activity_id])
    labels = {str(one["key"]): str(one["label"]) for one in view.activity.questions}
    return [(labels.get(key, key), str(text)) for key, text in row.answers.items()]


def _waiting_rows(uow: UnitOfWork, activity_id: int) -> list[SignUp]:
    return list(
        uow.session.scalars(
            select(SignUp)
            .where(SignUp.activity_id == activity_id, SignUp.state == SignUpState.WAITLISTED)
            .order_by(SignUp.sequence)
        )
    )


def _seated_rows(uow: UnitOfWork, activity_id: int) -> list[SignUp]:
    return list(
        uow.session.scalars(
            select(SignUp)
            .where(SignUp.activity_id == activity_id, SignUp.state.in_(SEATED))
            .order_by(SignUp.id.desc())
        )
    )


def _position_of(uow: UnitOfWork, row: SignUp) -> int | None:
    if row.state is not SignUpState.WAITLISTED or row.sequence is None:
        return None
    return store.count_before(uow, row.activity_id, row.sequence) + 1
