"""The list of the people at an entrance, for its page and its exports."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, false, func, literal

from server.activities import service as activities
from server.base.access import Organizer
from server.base.sql.tables import UtcDateTime
from server.base.uow import UnitOfWork
from server.checkin import desk
from server.checkin.desk import PartyFilter, PartyState
from server.checkin.models import Admission
from server.console.tables import Column, ColumnKind, Filter, FilterKind, ListQuery, Table
from server.signups import service as signups
from server.signups.service import SignUp

# Sort key of people who have not come: after everybody who has.
_NEVER = literal(datetime(2000, 1, 1, tzinfo=UTC), UtcDateTime())


class PartyQuery(ListQuery, frozen=True, kw_only=True):
    """Filters of the list; names are searched for within one activity."""

    activity: str | None = None
    state: PartyFilter | None = None
    words: str | None = None


BADGES = {PartyState.CAME: "good", PartyState.LEFT: "plain", PartyState.UNDONE: "mind"}


def _find_parties(uow: UnitOfWork, organizer: Organizer, query: PartyQuery) -> Select[Any]:
    words = "".join((query.words or "").split())
    if words and query.state is None:
        # People on the waitlist may come to the entrance too, so the search includes them.
        rows = desk.select_signups(organizer)
    else:
        rows = desk.select_parties(organizer, query.state)
    if query.activity is not None:
        rows = rows.where(activities.has_ref(query.activity))
    return rows.where(_has_words(uow, organizer, query, words)) if words else rows


def _has_words(
    uow: UnitOfWork, organizer: Organizer, query: PartyQuery, words: str
) -> ColumnElement[bool]:
    """The condition that a sign-up has this number, these last digits, or this name."""
    number = signups.phone_or_none(words)
    if number is not None:
        return SignUp.phone_blind == signups.blind_phone(uow, number)
    if words.isdecimal():
        return SignUp.phone_tail == words
    if query.activity is None:
        return false()
    return SignUp.id.in_(desk.find_named(uow, organizer, query.activity, words))


PARTIES = Table(
    name="attendances",
    path="/attendances",
    title="checkin.desk.list",
    empty="checkin.desk.none",
    query=PartyQuery,
    select=_find_parties,
    prepare=desk.describe_parties,
    key=SignUp.id,
    sort="-arrived",
    persons=True,
    columns=(
        Column(
            name="name", title="checkin.desk.name",
            value=lambda line: line.name or "—",
            address=lambda line: f"/console/attendances/{line.row.ref}",
        ),
        Column(
            name="state", title="checkin.desk.state", value=lambda line: line.state.value,
            words="checkin.desk_state", badge=lambda line: BADGES.get(line.state, "plain"),
        ),
        Column(
            name="people", title="checkin.desk.people", kind=ColumnKind.NUMBER,
            value=lambda line: line.row.party_size, sort=SignUp.party_size,
        ),
        Column(name="phone", title="checkin.desk.phone", value=lambda line: line.phone),
        Column(
            name="group", title="checkin.desk.group", value=lambda line: line.row.group_label,
        ),
        Column(
            name="arrived", title="checkin.desk.arrived", kind=ColumnKind.DATE,
            value=lambda line: line.first_in_at,
            sort=func.coalesce(Admission.first_in_at, _NEVER),
        ),
        Column(
            name="way", title="checkin.desk.way", words="checkin.way",
            value=lambda line: line.admission.way.value if line.is_admitted else None,
        ),
        Column(
            name="gate", title="checkin.desk.gate",
            value=lambda line: line.admission.gate if line.is_admitted else None,
        ),
        Column(
            name="out", title="checkin.desk.out", kind=ColumnKind.DATE, shown=False,
            value=lambda line: line.admission.last_out_at if line.is_admitted else None,
        ),
        Column(
            name="stayed", title="checkin.desk.stayed", kind=ColumnKind.NUMBER, shown=False,
            value=lambda line: line.admission.stayed_seconds // 60 if line.is_admitted else None,
        ),
        Column(
            name="activity", title="checkin.desk.activity",
            value=lambda line: line.activity,
            when=lambda _uow, _organizer, query: query.activity is None,
        ),
    ),
    filters=(
        Filter(
            name="words", title="checkin.desk.words", kind=FilterKind.SEARCH,
            hint="checkin.desk.words_hint",
        ),
        Filter(name="activity", title="checkin.desk.activity", options=activities.own_titles),
        Filter(
            name="state", title="checkin.desk.state",
            choices=[(one.value, f"checkin.desk_filter.{one.value}") for one in PartyFilter],
        ),
    ),
)  # fmt: skip
