"""The content of an activity: checked as a whole, stored, and read back for a form."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import select

from server.activities.kinds import ActivityKind, ActivityState
from server.activities.models import Activity, Seating
from server.activities.rules import MOST_PARTY, MOST_SEATS, read_audiences, spell_audiences
from server.base.access import Scope
from server.base.compliance import Clause, find_in_fields
from server.base.ownership import owned_by
from server.base.uow import UnitOfWork
from server.programme import service as programme
from server.units import service as units

# Columns that a draft and its row have under the same name.
_COPIED = (
    "kind", "title", "speaker", "speaker_post", "speaker_bio", "abstract", "city", "county",
    "venue", "address", "latitude", "longitude", "starts_at", "ends_at", "live_link",
    "office_phone", "notes", "signup_opens_at", "signup_closes_at", "party_max", "waitlist_most",
    "offer_minutes", "phone_needed", "draw_at", "room_limit", "checkout_needed", "series_id",
    "series_number", "poster",
)  # fmt: skip
MOST_OFFER_MINUTES = 7 * 24 * 60
_DEGREE = 1_000_000
# Millionths of a degree around the region; a point outside is a typing error.
_LATITUDES = (20 * _DEGREE, 27 * _DEGREE)
_LONGITUDES = (104 * _DEGREE, 113 * _DEGREE)


class DraftFault(NamedTuple):
    """A fault of a draft: the field, and the reason as the end of a text key."""

    field: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class ActivityDraft:
    """The content of an activity, before it is checked; coordinates in millionths of a degree.

    `poster` is the name of a stored poster.
    """

    kind: ActivityKind
    title: str
    venue: str
    starts_at: datetime
    ends_at: datetime
    signup_opens_at: datetime
    signup_closes_at: datetime
    seats: int
    programme: str | None = None
    series_id: int | None = None
    series_number: int | None = None
    speaker: str = ""
    speaker_post: str = ""
    speaker_bio: str = ""
    abstract: str = ""
    audiences: tuple[str, ...] = ()
    city: str | None = None
    county: str | None = None
    address: str = ""
    latitude: int | None = None
    longitude: int | None = None
    live_link: str | None = None
    office_phone: str = ""
    notes: str = ""
    party_max: int = 1
    waitlist_most: int | None = None
    offer_minutes: int = 0
    phone_needed: bool = False
    questions: tuple[Mapping[str, Any], ...] = field(default=())
    draw_at: datetime | None = None
    room_limit: int | None = None
    checkout_needed: bool = False
    poster: str | None = None


def check_draft(uow: UnitOfWork, draft: ActivityDraft) -> list[DraftFault]:
    """Every fault of a draft, in the order of its fields; empty when it can be stored."""
    return [
        *_text_faults(draft),
        *breach_faults({name: getattr(draft, name) for name in PUBLISHED_TEXTS}),
        *_place_faults(draft),
        *_programme_faults(uow, draft),
        *_time_faults(draft),
        *_seat_faults(draft),
    ]


# The texts in which an organizer could promise something.
PUBLISHED_TEXTS = ("title", "abstract", "notes")
_CLAUSES = frozenset(Clause)
LONGEST = {
    "title": 80, "speaker": 60, "speaker_post": 100, "speaker_bio": 2000, "abstract": 4000,
    "venue": 60, "address": 120, "office_phone": 40, "notes": 500, "live_link": 300,
}  # fmt: skip


def _text_faults(draft: ActivityDraft) -> Iterator[DraftFault]:
    for name in ("title", "venue"):
        if not getattr(draft, name).strip():
            yield DraftFault(name, "missing")
    for name, most in LONGEST.items():
        if len(getattr(draft, name) or "") > most:
            yield DraftFault(name, "too_long")
    if draft.live_link is not None and not draft.live_link.startswith("https://"):
        yield DraftFault("live_link", "not_https")


def breach_faults(texts: Mapping[str, str]) -> Iterator[DraftFault]:
    """The first operating rule that each text breaks, by the name of its field."""
    for name, breach in find_in_fields(texts):
        yield DraftFault(name, breach.clause)


def fault_key(name: str, reason: str) -> str:
    """The text key of a fault."""
    return f"base.breach.{reason}" if reason in _CLAUSES else f"activities.fault.{name}.{reason}"


def _place_faults(draft: ActivityDraft) -> Iterator[DraftFault]:
    counties = {
        city.code: {county.code for county in city.counties} for city in units.load_regions().cities
    }
    if draft.city is not None and draft.city not in counties:
        yield DraftFault("city", "unknown")
    elif draft.county is not None and draft.county not in counties.get(draft.city or "", set()):
        yield DraftFault("county", "not_in_city")
    point = (draft.latitude, draft.longitude)
    if (draft.latitude is None) != (draft.longitude is None):
        yield DraftFault("latitude", "half_point")
    elif None not in point and not _is_near(*point):
        yield DraftFault("latitude", "far_away")


def _is_near(latitude: int | None, longitude: int | None) -> bool:
    low, high = _LATITUDES
    left, right = _LONGITUDES
    return low <= (latitude or 0) <= high and left <= (longitude or 0) <= right


def _programme_faults(uow: UnitOfWork, draft: ActivityDraft) -> Iterator[DraftFault]:
    if draft.programme is not None and programme.programme_by_slug(uow, draft.programme) is None:
        yield DraftFault("programme", "unknown")


def _time_faults(draft: ActivityDraft) -> Iterator[DraftFault]:
    if draft.starts_at >= draft.ends_at:
        yield DraftFault("ends_at", "before_start")
    if draft.signup_opens_at >= draft.signup_closes_at:
        yield DraftFault("signup_closes_at", "before_opening")
    if draft.signup_closes_at > draft.ends_at:
        yield DraftFault("signup_closes_at", "after_end")
    if draft.draw_at is not None and not (
        draft.signup_opens_at < draft.draw_at <= draft.signup_closes_at
    ):
        yield DraftFault("draw_at", "outside_window")
    elif draft.draw_at is not None and draft.draw_at >= draft.starts_at:
        yield DraftFault("draw_at", "after_start")


def _seat_faults(draft: ActivityDraft) -> Iterator[DraftFault]:
    if not 1 <= draft.seats <= MOST_SEATS:
        yield DraftFault("seats", "out_of_range")
    if not 1 <= draft.party_max <= MOST_PARTY or 1 <= draft.seats < draft.party_max:
        yield DraftFault("party_max", "out_of_range")
    if draft.waitlist_most is not None and draft.waitlist_most < 0:
        yield DraftFault("waitlist_most", "out_of_range")
    if not 0 <= draft.offer_minutes <= MOST_OFFER_MINUTES:
        yield DraftFault("offer_minutes", "out_of_range")
    if draft.room_limit is not None and draft.room_limit < draft.seats:
        yield DraftFault("room_limit", "below_seats")


def add_activity(
    uow: UnitOfWork, owner: Scope, draft: ActivityDraft, ref: str | None = None, **columns: Any
) -> Activity:
    """Insert a checked draft with its seats; `columns` are further columns of the row."""
    row = Activity(
        ref=ref or uow.new_ref("act"),
        state=ActivityState.DRAFT,
        made_at=uow.now,
        changed_at=uow.now,
        **owned_by(owner),
        **_values_of(draft),
    )
    for name, value in columns.items():
        setattr(row, name, value)
    uow.session.add(row)
    uow.session.flush()
    uow.session.add(Seating(activity_id=row.id, seats=draft.seats))
    uow.session.flush()
    return row


def store_draft(uow: UnitOfWork, row: Activity, draft: ActivityDraft) -> None:
    """Change the content of a draft, and its seats, which nobody has taken yet."""
    for name, value in _values_of(draft).items():
        setattr(row, name, value)
    row.changed_at = uow.now
    seating = uow.session.get_one(Seating, row.id)
    seating.seats = draft.seats


def _values_of(draft: ActivityDraft) -> dict[str, Any]:
    return {
        **{name: getattr(draft, name) for name in _COPIED},
        "programme_slug": draft.programme,
        "audiences": spell_audiences(draft.audiences),
        "questions": [dict(one) for one in draft.questions],
    }


def read_draft(uow: UnitOfWork, row: Activity) -> ActivityDraft:
    """The content of a row."""
    seats = uow.session.scalars(select(Seating.seats).where(Seating.activity_id == row.id)).one()
    return ActivityDraft(
        **{name: getattr(row, name) for name in _COPIED},
        programme=row.programme_slug,
        audiences=read_audiences(row.audiences),
        questions=tuple(row.questions),
        seats=seats,
    )
