"""Views of activities and places as API types."""

from __future__ import annotations

from datetime import datetime, timedelta

from server.activities import service as activities
from server.activities.service import ActivityView
from server.base.uow import UnitOfWork
from server.base.web.schema import fill_from
from server.signups import limits
from server.signups.kinds import SEATED
from server.signups.schemas import (
    AbsencesOut,
    ActivityOut,
    LotteryOut,
    OwnPlaceOut,
    OwnTicketOut,
    SeriesOut,
    SignUpQuestionOut,
    TicketOut,
)
from server.signups.service import PlaceView
from server.signups.tickets import spell_ticket
from server.signups.wishes import read_questions
from server.units import service as units

_DEGREE = 1_000_000


def activity_out(
    view: ActivityView, now: datetime, mine: OwnPlaceOut | None, rule: str | None = None
) -> ActivityOut:
    """An activity with the caller's place in it, and the rule about absences."""
    poster = activities.poster_path(view.activity.poster)
    return _activity_out(view, now, mine, poster=poster, no_show_rule=rule)


def listed_activity(view: ActivityView, now: datetime, mine: OwnPlaceOut | None) -> ActivityOut:
    """An activity in a list: with the small square of its poster, and without the rule."""
    poster = activities.small_poster_path(view.activity.poster)
    return _activity_out(view, now, mine, poster=poster, no_show_rule=None)


def _activity_out(
    view: ActivityView, now: datetime, mine: OwnPlaceOut | None, **shown: str | None
) -> ActivityOut:
    row, seating, series = view.activity, view.seating, view.series
    most = row.waitlist_most
    return fill_from(
        row,
        ActivityOut,
        id=row.ref,
        state=row.state.value,
        phase=activities.phase_at(row, now),
        programme=row.programme_slug,
        series=None if series is None else SeriesOut(id=series.ref, title=series.title),
        audiences=list(activities.read_audiences(row.audiences)),
        city_name=None if row.city is None else units.name_place(row.city),
        county_name=None if row.county is None else units.name_place(row.county),
        latitude=None if row.latitude is None else row.latitude / _DEGREE,
        longitude=None if row.longitude is None else row.longitude / _DEGREE,
        seats=seating.seats,
        seats_left=seating.seats - seating.taken,
        waitlist_length=seating.waiting,
        waitlist_open=most is None or seating.waiting < most,
        questions=[
            fill_from(one, SignUpQuestionOut, options=list(one.options))
            for one in read_questions(row.questions)
        ],
        lottery=_lottery_out(view),
        **shown,
        me=mine,
    )


def _lottery_out(view: ActivityView) -> LotteryOut | None:
    row = view.activity
    if row.draw_at is None:
        return None
    return LotteryOut(
        draw_at=row.draw_at,
        drawn_at=row.drawn_at,
        commitment=row.draw_commitment,
        seed=None if row.drawn_at is None else row.draw_seed,
        entered=view.seating.entered,
    )


def place_out(uow: UnitOfWork, placed: PlaceView) -> OwnPlaceOut:
    """A place with its ticket, if it has seats."""
    ticket = None
    if placed.state in SEATED:
        ticket = TicketOut(code=spell_ticket(uow.keys, placed.id))
    asks = uow.dependencies.hooks.has_come if ticket is not None and not placed.fresh else ()
    come = any(has_come(uow, placed.id) for has_come in asks)
    return fill_from(placed, OwnPlaceOut, status=placed.state, ticket=ticket, checked_in=come)


def ticket_out(uow: UnitOfWork, view: ActivityView, placed: PlaceView) -> OwnTicketOut:
    """A place with what a phone shows of its activity."""
    row = view.activity
    return fill_from(
        row,
        OwnTicketOut,
        activity=row.ref,
        seat_kept_until=row.starts_at + timedelta(minutes=uow.settings.checkin.absent_minutes),
        phase=activities.phase_at(row, uow.now),
        place=place_out(uow, placed),
    )


def absences_out(uow: UnitOfWork, citizen_id: int) -> AbsencesOut | None:
    """The citizen's absences with the rule; None where absences have no effect."""
    found, said = limits.read_absences(uow, citizen_id), limits.say_rule(uow)
    if found is None or said is None:
        return None
    rule = uow.settings.signups
    return AbsencesOut(
        count=found.count,
        most=rule.absences_most,
        days=rule.absences_days,
        pause_days=rule.pause_days,
        paused_until=found.paused_until,
        sentence=limits.say_absences(uow, found),
        rule=said,
    )
