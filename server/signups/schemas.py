"""API types of activities and sign-ups."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import msgspec
from msgspec import Meta

from server.activities.service import ActivityKind, ActivityStatus, SignUpPhase
from server.base.web.schema import In, Instant, Out, PageQuery
from server.signups.kinds import SignUpState

_Text = Annotated[str, Meta(max_length=200)]


class ActivitiesQuery(PageQuery, frozen=True, kw_only=True, rename={"from_day": "from"}):
    """Filters of activities, which compose."""

    kind: ActivityKind | None = None
    city: str | None = None
    programme: str | None = None
    audience: str | None = None
    series: str | None = None
    status: ActivityStatus | None = None
    from_day: date | None = None
    to: date | None = None


class TicketOut(Out, frozen=True, kw_only=True):
    """The code that a scanner reads."""

    code: str


class OwnPlaceOut(Out, frozen=True, kw_only=True):
    """The caller's place; `position` counts from 1 on the waitlist.

    `checked_in` tells that the people have come, so that the place cannot be given up.
    """

    status: SignUpState
    party_size: int
    position: int | None
    offer_expires_at: Instant | None
    ticket: TicketOut | None
    checked_in: bool


class SeriesOut(Out, frozen=True, kw_only=True):
    """The series of an activity."""

    id: str
    title: str


class SignUpQuestionOut(Out, frozen=True, kw_only=True):
    """A question at the sign-up; without options the answer is a text."""

    key: str
    label: str
    options: list[str]
    needed: bool


class LotteryOut(Out, frozen=True, kw_only=True):
    """The lottery of an opening rush.

    `commitment` is the SHA-256 of `seed`, which is published after the draw.
    """

    draw_at: Instant
    drawn_at: Instant | None
    commitment: str | None
    seed: str | None
    entered: int


class ActivityOut(Out, frozen=True, kw_only=True):
    """An activity; coordinates are those of WeChat's map (GCJ-02) in degrees.

    `poster` is the address of its poster, in lists that of a small square of it.
    `no_show_rule` is the published rule about absences as a sentence; null in lists, and where
    absences have no effect.
    """

    id: str
    kind: ActivityKind
    title: str
    state: str
    phase: SignUpPhase
    remark: str | None
    programme: str | None
    series: SeriesOut | None
    series_number: int | None
    speaker: str
    speaker_post: str
    speaker_bio: str
    abstract: str
    audiences: list[str]
    city: str | None
    city_name: str | None
    county: str | None
    county_name: str | None
    venue: str
    address: str
    latitude: float | None
    longitude: float | None
    starts_at: Instant
    ends_at: Instant
    signup_opens_at: Instant
    signup_closes_at: Instant
    seats: int
    seats_left: int
    waitlist_length: int
    waitlist_open: bool
    party_max: int
    offer_minutes: int
    phone_needed: bool
    questions: list[SignUpQuestionOut]
    lottery: LotteryOut | None
    live_link: str | None
    office_phone: str
    notes: str
    poster: str | None
    no_show_rule: str | None
    me: OwnPlaceOut | None


class SignUpIn(In, frozen=True, kw_only=True):
    """A sign-up. Without `phone` the number of the profile is used, if the activity needs one."""

    party_size: Annotated[int, Meta(ge=1, le=100)] = 1
    answers: dict[Annotated[str, Meta(max_length=40)], _Text] = msgspec.field(default_factory=dict)
    name: _Text | None = None
    phone: Annotated[str, Meta(max_length=30)] | None = None
    instead_of: Annotated[str, Meta(max_length=40)] | None = None


class OfferIn(In, frozen=True, kw_only=True):
    """The answer to an offer."""

    accept: bool


class OwnTicketOut(Out, frozen=True, kw_only=True):
    """A place of the caller with what a phone shows without network.

    From `seat_kept_until` on the seat of a person who has not come may go to a walk-in.
    """

    activity: str
    title: str
    venue: str
    address: str
    starts_at: Instant
    ends_at: Instant
    seat_kept_until: Instant
    phase: SignUpPhase
    place: OwnPlaceOut


class AbsencesOut(Out, frozen=True, kw_only=True):
    """The caller's absences in the last `days`; with `most` of them new sign-ups pause.

    `sentence` says the same in words, `rule` is the published rule.
    """

    count: int
    most: int
    days: int
    pause_days: int
    paused_until: Instant | None
    sentence: str
    rule: str


class TicketsOut(Out, frozen=True, kw_only=True):
    """The caller's places in activities that have not ended, the next first.

    `past` are those in which the caller was checked in, for 30 days after the end, the last first.
    `absences` is null where absences have no effect.
    """

    items: list[OwnTicketOut]
    past: list[OwnTicketOut]
    absences: AbsencesOut | None


class CalendarQuery(In, frozen=True, kw_only=True):
    """The key of a calendar feed."""

    key: Annotated[str, Meta(max_length=100)]


class CalendarOut(Out, frozen=True, kw_only=True):
    """The address of the caller's calendar feed, below the address of the server."""

    path: str
