"""The list of people who signed up, for its page and its exports."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, or_, select

from server.activities import service as activities
from server.base.access import Organizer
from server.base.uow import UnitOfWork
from server.console.tables import Column, ColumnKind, Filter, FilterKind, ListQuery, Table
from server.signups import people
from server.signups.contacts import blind_phone
from server.signups.kinds import SignUpState
from server.signups.models import SignUp
from server.signups.wishes import phone_or_none


class PeopleQuery(ListQuery, frozen=True, kw_only=True):
    """Filters of the list."""

    activity: str | None = None
    state: SignUpState | None = None
    words: str | None = None


BADGES = {
    SignUpState.CONFIRMED: "good",
    SignUpState.OFFERED: "mind",
    SignUpState.WAITLISTED: "mind",
    SignUpState.ENTERED: "mind",
}


def _find_people(uow: UnitOfWork, organizer: Organizer, query: PeopleQuery) -> Select[Any]:
    rows = activities.restrict_to_own(_filter_people(uow, query), organizer, SignUp.activity_id)
    if query.activity is None:
        return rows
    return rows.where(activities.has_ref(query.activity))


def _filter_people(uow: UnitOfWork, query: PeopleQuery) -> Select[Any]:
    rows = select(SignUp)
    if query.state is not None:
        rows = rows.where(SignUp.state == query.state)
    if query.words is not None:
        phone = phone_or_none(query.words)
        found = SignUp.phone_blind == blind_phone(uow, phone) if phone else None
        tail = or_(SignUp.phone_tail == query.words, SignUp.group_label == query.words)
        rows = rows.where(tail if found is None else found)
    return rows


PEOPLE = Table(
    name="signups",
    path="/signups",
    title="signups.people.menu",
    empty="signups.people.none",
    query=PeopleQuery,
    select=_find_people,
    prepare=people.describe_people,
    key=SignUp.id,
    sort="-made_at",
    persons=True,
    columns=(
        Column(
            name="name", title="signups.people.name",
            value=lambda line: line.name,
            address=lambda line: f"/console/signups/{line.row.ref}",
        ),
        Column(name="activity", title="signups.people.activity", value=lambda line: line.activity),
        Column(
            name="state", title="signups.people.state", value=lambda line: line.row.state.value,
            words="signups.state", badge=lambda line: BADGES.get(line.row.state, "plain"),
        ),
        Column(
            name="position", title="signups.people.position", kind=ColumnKind.NUMBER,
            value=lambda line: line.position,
        ),
        Column(
            name="party", title="signups.people.party", kind=ColumnKind.NUMBER,
            value=lambda line: line.row.party_size, sort=SignUp.party_size,
        ),
        Column(name="phone", title="signups.people.phone", value=lambda line: line.phone),
        Column(
            name="group", title="signups.people.group", value=lambda line: line.row.group_label,
        ),
        Column(
            name="made_at", title="signups.people.made_at", kind=ColumnKind.DATE,
            value=lambda line: line.row.made_at, sort=SignUp.made_at,
        ),
    ),
    filters=(
        Filter(
            name="words", title="signups.people.words", kind=FilterKind.SEARCH,
            hint="signups.people.words_hint",
        ),
        Filter(
            name="activity", title="signups.people.activity", options=activities.own_titles,
        ),
        Filter(
            name="state", title="signups.people.state",
            choices=[(one.value, f"signups.state.{one.value}") for one in SignUpState],
        ),
    ),
)  # fmt: skip
