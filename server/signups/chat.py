"""Answers of the official account about lectures, from the same rows as the API.

Writes nothing. Each answer ends with a link to the next page: `[words](page)`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from server.accounts import service as accounts
from server.activities import service as activities
from server.activities.service import (
    ActivityKind,
    ActivityState,
    ActivityStatus,
    ActivityView,
    SignUpPhase,
    WantedActivities,
)
from server.base.uow import UnitOfWork
from server.channel import service as channel
from server.signups import places, service
from server.signups.service import PlaceView
from server.signups.wording import PAGE, spell_moment, spell_place
from server.units import service as units

LIST = "packages/lectures/list/index"
TICKETS = "packages/lectures/ticket/index"
_TEXT = "signups.chat"
# Postponed and cancelled ones are read too, and left out.
_READ, _SHOWN = 30, 4


def say_lectures(uow: UnitOfWork, citizen_id: int | None) -> str:
    """The next lectures of the citizen's city; elsewhere in the region when it has none."""
    return _say_next(uow, citizen_id, "lectures", WantedActivities(kind=ActivityKind.LECTURE))


def say_open(uow: UnitOfWork, citizen_id: int | None) -> str:
    """Activities that are open for sign-up, and how to sign up."""
    return _say_next(uow, citizen_id, "open", WantedActivities(status=ActivityStatus.OPEN))


def say_own(uow: UnitOfWork, citizen_id: int | None) -> str:
    """The citizen's own places, the next first."""
    if citizen_id is None:
        return _say(uow, "own_unlinked", page=TICKETS)
    held = places.read_places(uow, citizen_id)
    ids = {one.activity_id for one in held.held}
    if not ids:
        return f"{_say(uow, 'own_none')}\n{_say(uow, 'to_list', page=LIST)}"
    own = service.read_places_in(uow, citizen_id, ids)
    views = sorted(activities.views_of(uow, ids), key=lambda one: one.activity.starts_at)
    lines = [_say_place(uow, one, own[one.activity.id]) for one in views]
    last = [_say(uow, "to_tickets", page=TICKETS)]
    return channel.fit_lines([_say(uow, "own_heading"), *lines], last)


def say_check_in(uow: UnitOfWork, _citizen_id: int | None) -> str:
    """How to check in at the hall."""
    return _say(uow, "check_in", page=TICKETS)


def _say_next(uow: UnitOfWork, citizen_id: int | None, what: str, wanted: WantedActivities) -> str:
    city = None if citizen_id is None else accounts.place_of(uow, citizen_id).city
    in_city = WantedActivities(**{**vars(wanted), "city": city})
    found = _list_running(uow, in_city)
    last = [_say(uow, f"{what}_how"), _say(uow, "to_list", page=LIST)]
    if found and city is not None:
        heading = _say(uow, f"{what}_in_city", city=units.name_place(city))
        return channel.fit_lines([heading, *_say_each(uow, found)], last)
    found = found or _list_running(uow, wanted)
    if not found:
        return "\n".join([_say(uow, f"{what}_none"), _say(uow, "to_list", page=LIST)])
    heading = _say(uow, f"{what}_in_region")
    if city is not None:
        heading = _say(uow, f"{what}_elsewhere", city=units.name_place(city))
    return channel.fit_lines([heading, *_say_each(uow, found)], last)


def _list_running(uow: UnitOfWork, wanted: WantedActivities) -> list[ActivityView]:
    found = activities.list_activities(uow, wanted, _READ, None)
    return [one for one in found if one.activity.state is ActivityState.PUBLISHED][:_SHOWN]


def _say_each(uow: UnitOfWork, views: Sequence[ActivityView]) -> list[str]:
    return [
        _say(
            uow,
            "line",
            when=spell_moment(uow, one.activity.starts_at),
            title=channel.plain_words(one.activity.title),
            where=_where(uow, one),
            phase=_say_phase(uow, one),
            page=f"{PAGE}?id={one.activity.ref}",
        )
        for one in views
    ]


def _where(uow: UnitOfWork, view: ActivityView) -> str:
    return channel.plain_words(spell_place(uow, view.activity.venue, view.activity.address))


def _say_phase(uow: UnitOfWork, view: ActivityView) -> str:
    """The sentence about the present phase of the sign-up."""
    row, seating = view.activity, view.seating
    phase = activities.phase_at(row, uow.now)
    if phase is SignUpPhase.OPEN:
        left = seating.seats - seating.taken
        if left > 0:
            return _say(uow, "phase_open", left=left)
        waits = row.waitlist_most is None or seating.waiting < row.waitlist_most
        return _say(uow, "phase_waitlist" if waits else "phase_full")
    return _say(uow, f"phase_{phase.value}", opens=spell_moment(uow, row.signup_opens_at))


def _say_place(uow: UnitOfWork, view: ActivityView, placed: PlaceView) -> str:
    row = view.activity
    state = row.state if row.state is not ActivityState.PUBLISHED else placed.state
    until = placed.offer_expires_at
    said = _say(
        uow,
        f"own_{state.value}",
        seats=placed.party_size,
        position=placed.position or 0,
        until="" if until is None else spell_moment(uow, until),
    )
    return _say(
        uow,
        "own_line",
        when=spell_moment(uow, row.starts_at),
        title=channel.plain_words(row.title),
        where=_where(uow, view),
        state=said,
        page=f"{PAGE}?id={row.ref}",
    )


def _say(uow: UnitOfWork, name: str, **facts: Any) -> str:
    return uow.texts.fill_text(f"{_TEXT}.{name}", **facts)


ANSWERS: Mapping[str, Callable[[UnitOfWork, int | None], str]] = {
    "signups.lectures": say_lectures,
    "signups.open": say_open,
    "signups.own": say_own,
    "signups.check_in": say_check_in,
}
