"""The people of an activity at its entrance, as organizers see them.

Counters and lists speak of people: one sign-up is a party of one or more. Names and numbers are
masked as everywhere in the console.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, or_, select

from server.accounts import service as accounts
from server.activities import service as activities
from server.base.access import Organizer
from server.base.errors import NotFound
from server.base.ownership import serving_found_row
from server.base.uow import UnitOfWork
from server.checkin import reading
from server.checkin.kinds import AdmissionWay
from server.checkin.models import Admission
from server.checkin.reading import HallCounters, read_counters
from server.signups import service as signups
from server.signups.service import SignUp, SignUpState

MOST_CONFLICTS = 50
# States without a seat so far; people who missed an offer may come to the entrance too.
_HOPEFUL = (SignUpState.WAITLISTED, SignUpState.OFFERED, SignUpState.ENTERED, SignUpState.EXPIRED)


class PartyState(StrEnum):
    """State of a party at the entrance.

    `hopeful` has no seat yet, `ended` has lost it; `waiting` has one and has not come.
    """

    HOPEFUL = "hopeful"
    ENDED = "ended"
    WAITING = "waiting"
    CAME = "came"
    LEFT = "left"
    UNDONE = "undone"


class PartyFilter(StrEnum):
    """Filter of the list by state; `came` has everybody who was admitted."""

    CAME = "came"
    WAITING = "waiting"
    WALK_IN = "walk_in"
    LEFT = "left"
    UNDONE = "undone"


@dataclass(frozen=True, kw_only=True)
class PartyLine:
    """One sign-up at the entrance; name and number are masked."""

    row: SignUp
    activity: str
    activity_ref: str
    name: str
    phone: str
    admission: Admission | None

    @property
    def state(self) -> PartyState:
        """The state of the party."""
        kept = self.admission
        if kept is None and self.row.state is SignUpState.CONFIRMED:
            return PartyState.WAITING
        if kept is None:
            return PartyState.HOPEFUL if self.row.state in _HOPEFUL else PartyState.ENDED
        if not kept.holds:
            return PartyState.UNDONE
        gone = kept.inside_since is None and kept.last_out_at is not None
        return PartyState.LEFT if gone else PartyState.CAME

    @property
    def first_in_at(self) -> datetime | None:
        """The instant of the party's admission."""
        return self.admission.first_in_at if self.admission and self.admission.holds else None

    @property
    def is_admitted(self) -> bool:
        """Whether the admission is valid, that is, not undone."""
        return self.admission is not None and self.admission.holds

    @property
    def may_enter(self) -> bool:
        """Whether the party can be admitted by hand; without a seat only while there is room."""
        return self.row.state in (SignUpState.CONFIRMED, *_HOPEFUL)


@dataclass(frozen=True, kw_only=True)
class ConflictLine:
    """A scan that a person should check: its sign-up, time, gate and result."""

    ref: str
    name: str
    at: datetime
    gate: str
    ended: bool


def select_parties(organizer: Organizer, wanted: PartyFilter | None = None) -> Select[Any]:
    """Sign-ups with a seat or an admission, in activities of the organizer's place."""
    rows = select_signups(organizer).where(
        or_(SignUp.state == SignUpState.CONFIRMED, Admission.id.is_not(None))
    )
    return rows if wanted is None else rows.where(_CONDITIONS[wanted])


def select_signups(organizer: Organizer) -> Select[Any]:
    """All sign-ups in activities of the organizer's place, also without a seat, for the search."""
    return activities.restrict_to_own(_with_admissions(), organizer, SignUp.activity_id)


def _with_admissions() -> Select[Any]:
    return select(SignUp).outerjoin(Admission, Admission.signup_id == SignUp.id)


_GONE = and_(Admission.inside_since.is_(None), Admission.last_out_at.is_not(None))
_CONDITIONS: dict[PartyFilter, ColumnElement[bool]] = {
    PartyFilter.CAME: Admission.holds.is_(True),
    PartyFilter.WAITING: Admission.id.is_(None),
    PartyFilter.WALK_IN: and_(Admission.holds, Admission.way == AdmissionWay.WALK_IN),
    PartyFilter.LEFT: and_(Admission.holds, _GONE),
    PartyFilter.UNDONE: and_(Admission.id.is_not(None), ~Admission.holds),
}


def find_named(uow: UnitOfWork, organizer: Organizer, ref: str, name: str) -> list[int]:
    """The ids of the parties of one activity with this whole name, or this first character.

    Other parts of a name find nothing, so that masked names cannot be revealed letter by letter;
    the first character is shown anyway.
    """
    rows = select_signups(organizer).where(activities.has_ref(ref))
    with serving_found_row(uow.session):
        found = list(uow.session.scalars(rows))
        people = accounts.names_of(uow, {one.citizen_id for one in found if one.citizen_id})
    names = {
        one.id: signups.name_on_signup(uow, one)
        or (people[one.citizen_id].shown if one.citizen_id is not None else "")
        for one in found
    }
    return [key for key, known in names.items() if name in (known, known[:1]) and known]


def describe_parties(uow: UnitOfWork, rows: Sequence[SignUp]) -> list[PartyLine]:
    """Sign-ups with masked names and their admissions, in their order."""
    with serving_found_row(uow.session):
        ids = [row.citizen_id for row in rows if row.citizen_id is not None]
        people = accounts.names_of(uow, ids)
        titles = {one: activities.name_of(uow, one) for one in {row.activity_id for row in rows}}
        asked = select(Admission).where(Admission.signup_id.in_([row.id for row in rows]))
        kept = {one.signup_id: one for one in uow.session.scalars(asked)}
        return [
            PartyLine(
                row=row,
                activity=titles[row.activity_id].title,
                activity_ref=titles[row.activity_id].ref,
                name=signups.mask_name(signups.name_on_signup(uow, row))
                or (people[row.citizen_id].shown if row.citizen_id is not None else ""),
                phone="" if row.phone_tail is None else f"*******{row.phone_tail}",
                admission=kept.get(row.id),
            )
            for row in rows
        ]


def show_party(uow: UnitOfWork, organizer: Organizer, ref: str) -> PartyLine:
    """Return one sign-up in an activity of the organizer's place, with its admission.

    Raises: NotFound (404).
    """
    row = uow.session.scalar(select_signups(organizer).where(SignUp.ref == ref))
    if row is None:
        raise NotFound
    (line,) = describe_parties(uow, [row])
    return line


def count_people(uow: UnitOfWork, organizer: Organizer, ref: str) -> HallCounters:
    """The counters of an activity of the organizer's place, in people.

    Raises: NotFound (404).
    """
    activity = activities.own_activity(uow, organizer, ref)
    with serving_found_row(uow.session):
        return read_counters(uow, activity.id)


def list_conflicts(uow: UnitOfWork, organizer: Organizer, ref: str) -> list[ConflictLine]:
    """The newest scans of an activity of the organizer's place that a person should check.

    Raises: NotFound (404).
    """
    scans = reading.list_conflicts(uow, organizer, ref)[:MOST_CONFLICTS]
    with serving_found_row(uow.session):
        lines = _describe_ids(uow, [one.signup_id for one in scans if one.signup_id is not None])
    named = {line.row.id: line for line in lines}
    return [
        ConflictLine(
            ref=named[one.signup_id].row.ref,
            name=named[one.signup_id].name,
            at=one.at,
            gate=one.gate,
            ended=named[one.signup_id].row.state is not SignUpState.CONFIRMED,
        )
        for one in scans
        if one.signup_id is not None
    ]


def _describe_ids(uow: UnitOfWork, ids: Sequence[int]) -> list[PartyLine]:
    asked = select(SignUp).where(SignUp.id.in_(ids))
    return describe_parties(uow, list(uow.session.scalars(asked)))
