"""Forms of the activity pages, and their conversion to a draft. Times are Beijing time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any

from wtforms import (
    BooleanField,
    DateTimeLocalField,
    HiddenField,
    IntegerField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
    ValidationError,
)
from wtforms.validators import AnyOf, InputRequired, Length, NumberRange, Optional
from wtforms.widgets import CheckboxInput, ListWidget

from server.activities import questions
from server.activities.desk import Descriptions
from server.activities.drafts import LONGEST, MOST_OFFER_MINUTES, ActivityDraft, fault_key
from server.activities.kinds import ActivityKind
from server.activities.moving import Move
from server.activities.rules import MOST_PARTY, MOST_SEATS
from server.base.clock import BEIJING, beijing_day
from server.console.forms import ConsoleForm, NameField, WatchedForm, reason_field
from server.console.picture_fields import picture_field

# Slugs of the campaign's groups, as accounts and boards have them.
AUDIENCES = ("youth", "farmer", "worker", "official", "elder")
_AT = "%Y-%m-%dT%H:%M"
_YEARS = range(2020, 2100)
_DEGREE = 1_000_000
# A room may hold people who stand, and a waitlist may be longer than the hall.
_MOST_PEOPLE = 100_000


def _text_field(name: str, *, needed: bool = False, hint: bool = False) -> NameField:
    return NameField(
        f"activities.form.{name}",
        validators=_text_checks(name, needed=needed),
        description=f"activities.form.{name}_hint" if hint else "",
    )


def _area_field(name: str, rows: int, *, hint: bool = False) -> TextAreaField:
    return TextAreaField(
        f"activities.form.{name}",
        validators=_text_checks(name, needed=False),
        description=f"activities.form.{name}_hint" if hint else "",
        render_kw={"rows": rows},
    )


def _text_checks(name: str, *, needed: bool) -> list[Any]:
    checks: list[Any] = [Length(max=LONGEST[name], message=f"activities.fault.{name}.too_long")]
    return [InputRequired(f"activities.fault.{name}.missing"), *checks] if needed else checks


def _number_field(name: str, least: int, most: int, *, needed: bool = True) -> IntegerField:
    said = f"activities.fault.{name}.out_of_range"
    return IntegerField(
        f"activities.form.{name}",
        validators=[
            InputRequired(said) if needed else Optional(),
            NumberRange(least, most, message=said),
        ],
        description=f"activities.form.{name}_hint",
    )


def _instant_field(name: str, *, needed: bool = True, hint: str = "time") -> DateTimeLocalField:
    return DateTimeLocalField(
        f"activities.form.{name}",
        format=[_AT, "%Y-%m-%d %H:%M"],
        validators=[
            InputRequired("activities.form.time_missing") if needed else Optional(),
            _check_year,
        ],
        description=f"activities.form.{hint}_hint",
    )


def _check_year(_form: object, field: DateTimeLocalField) -> None:
    if field.data is not None and field.data.year not in _YEARS:
        raise ValidationError("activities.form.year_wrong")


class DescriptionForm(WatchedForm):
    """Form with the fields that may be corrected after the publication."""

    speaker = _text_field("speaker")
    speaker_post = _text_field("speaker_post")
    speaker_bio = _area_field("speaker_bio", 5)
    abstract = _area_field("abstract", 8)
    notes = _area_field("notes", 3, hint=True)
    live_link = _text_field("live_link", hint=True)
    office_phone = _text_field("office_phone")
    poster = picture_field("activities.form.poster", "activities.form.poster_hint")
    poster_gone = BooleanField("activities.form.poster_gone")


class MoveForm(WatchedForm):
    """Date and place of a published activity; the page of the change adds its reason."""

    starts_at = _instant_field("starts_at")
    ends_at = _instant_field("ends_at")
    venue = _text_field("venue", needed=True)
    address = _text_field("address")
    point = StringField(
        "activities.form.point",
        validators=[Length(max=40, message="activities.fault.point.wrong")],
        description="activities.form.point_hint",
    )

    def validate_point(self, field: StringField) -> None:
        """Refuse a map point that is not two numbers."""
        _read_point(field.data)


class ActivityForm(DescriptionForm):
    """Form with the whole content of an activity."""

    form_key = HiddenField(validators=[Length(max=40, message="console.form.no_choice")])
    kind = SelectField(
        "activities.form.kind",
        validate_choice=False,
        validators=[AnyOf([one.value for one in ActivityKind], message="console.form.no_choice")],
    )
    title = _text_field("title", needed=True)
    programme = SelectField("activities.form.programme", validate_choice=False)
    audiences = SelectMultipleField(
        "activities.form.audiences",
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
        choices=[],
        validate_choice=False,
        description="activities.form.audiences_hint",
    )
    place = SelectField("activities.form.place", validate_choice=False)
    venue = _text_field("venue", needed=True)
    address = _text_field("address")
    point = StringField(
        "activities.form.point",
        validators=[Length(max=40, message="activities.fault.point.wrong")],
        description="activities.form.point_hint",
    )
    starts_at = _instant_field("starts_at")
    ends_at = _instant_field("ends_at")
    seats = _number_field("seats", 1, MOST_SEATS)
    room_limit = _number_field("room_limit", 1, _MOST_PEOPLE, needed=False)
    signup_opens_at = _instant_field("signup_opens_at")
    signup_closes_at = _instant_field("signup_closes_at")
    party_max = _number_field("party_max", 1, MOST_PARTY)
    waitlist_most = _number_field("waitlist_most", 0, _MOST_PEOPLE, needed=False)
    offer_minutes = _number_field("offer_minutes", 0, MOST_OFFER_MINUTES)
    draw_at = _instant_field("draw_at", needed=False, hint="draw_at")
    phone_needed = BooleanField("activities.form.phone_needed")
    questions = TextAreaField(
        "activities.form.questions",
        validators=[Length(max=1000, message="activities.fault.questions.too_long")],
        description="activities.form.questions_hint",
        render_kw={"rows": 4},
    )
    checkout_needed = BooleanField("activities.form.checkout_needed")

    def validate_point(self, field: StringField) -> None:
        """Refuse a map point that is not two numbers."""
        _read_point(field.data)

    def validate_questions(self, field: TextAreaField) -> None:
        """Refuse questions that cannot be read."""
        fault = questions.find_fault(field.data or "")
        if fault is not None:
            raise ValidationError(f"activities.fault.questions.{fault}")


class ReturnForm(ConsoleForm):
    """Form for returning an activity to its author: the reason."""

    reason = reason_field("activities.form.return_reason", "activities.form.return_reason_hint")


def read_descriptions(form: DescriptionForm, poster: str | None) -> Descriptions:
    """The corrected fields of a valid form, with the name of its poster."""
    return Descriptions(
        speaker=_text_of(form.speaker),
        speaker_post=_text_of(form.speaker_post),
        speaker_bio=_text_of(form.speaker_bio),
        abstract=_text_of(form.abstract),
        notes=_text_of(form.notes),
        live_link=_text_of(form.live_link) or None,
        office_phone=_text_of(form.office_phone),
        poster=poster,
    )


def read_content(
    form: ActivityForm, poster: str | None, base: ActivityDraft | None = None
) -> ActivityDraft:
    """The draft that a valid form describes, with the name of its poster.

    `base` has what the form does not show.
    """
    city, _, county = (form.place.data or "").partition("/")
    latitude, longitude = _read_point(form.point.data) or (None, None)
    draft = ActivityDraft(
        kind=ActivityKind(form.kind.data),
        title=_text_of(form.title),
        programme=form.programme.data or None,
        audiences=tuple(one for one in AUDIENCES if one in (form.audiences.data or ())),
        city=city or None,
        county=county or None,
        venue=_text_of(form.venue),
        address=_text_of(form.address),
        latitude=latitude,
        longitude=longitude,
        starts_at=_to_utc(form.starts_at.data),
        ends_at=_to_utc(form.ends_at.data),
        seats=form.seats.data,
        room_limit=form.room_limit.data,
        signup_opens_at=_to_utc(form.signup_opens_at.data),
        signup_closes_at=_to_utc(form.signup_closes_at.data),
        party_max=form.party_max.data,
        waitlist_most=form.waitlist_most.data,
        offer_minutes=form.offer_minutes.data,
        draw_at=None if form.draw_at.data is None else _to_utc(form.draw_at.data),
        phone_needed=bool(form.phone_needed.data),
        questions=questions.read_lines(form.questions.data or ""),
        checkout_needed=bool(form.checkout_needed.data),
        **vars(read_descriptions(form, poster)),
    )
    if base is None:
        return draft
    return replace(draft, series_id=base.series_id, series_number=base.series_number)


_SAME = (
    "title", "venue", "address", "seats", "room_limit", "party_max", "waitlist_most",
    "offer_minutes", "phone_needed", "checkout_needed",
)  # fmt: skip
_INSTANTS = ("starts_at", "ends_at", "signup_opens_at", "signup_closes_at", "draw_at")


def fill_descriptions(form: DescriptionForm, draft: ActivityDraft) -> None:
    """Show the describing fields of an activity in an empty form."""
    for name in Descriptions.__dataclass_fields__.keys() - {"poster"}:
        getattr(form, name).data = getattr(draft, name) or ""


def fill_content(form: ActivityForm, draft: ActivityDraft) -> None:
    """Show an activity in an empty form."""
    fill_descriptions(form, draft)
    for name in _SAME:
        getattr(form, name).data = getattr(draft, name)
    for name in _INSTANTS:
        at: datetime | None = getattr(draft, name)
        getattr(form, name).data = None if at is None else at.astimezone(BEIJING)
    form.kind.data, form.programme.data = draft.kind.value, draft.programme or ""
    form.audiences.data = list(draft.audiences)
    form.place.data = spell_place(draft.city, draft.county)
    form.point.data = _spell_point(draft)
    form.questions.data = questions.spell_lines(draft.questions)


def fill_proposals(form: ActivityForm, now: datetime) -> None:
    """Propose an afternoon in two weeks, so that only what differs has to be typed."""
    today = beijing_day(now)
    day = today + timedelta(days=14)
    form.kind.data = ActivityKind.LECTURE.value
    form.starts_at.data = datetime.combine(day, time(15))
    form.ends_at.data = datetime.combine(day, time(17))
    form.signup_opens_at.data = datetime.combine(today + timedelta(days=1), time(9))
    form.signup_closes_at.data = datetime.combine(day, time(12))
    form.party_max.data, form.offer_minutes.data = 1, 0


def fill_move(form: MoveForm, draft: ActivityDraft, *, dated: bool) -> None:
    """Show the place of an activity in an empty form, and its date unless that is unknown."""
    form.venue.data, form.address.data = draft.venue, draft.address
    form.point.data = _spell_point(draft)
    if dated:
        form.starts_at.data = draft.starts_at.astimezone(BEIJING)
        form.ends_at.data = draft.ends_at.astimezone(BEIJING)


def read_move(form: MoveForm, reason: str) -> Move:
    """The date and the place of a valid form."""
    latitude, longitude = _read_point(form.point.data) or (None, None)
    return Move(
        starts_at=_to_utc(form.starts_at.data),
        ends_at=_to_utc(form.ends_at.data),
        venue=_text_of(form.venue),
        address=_text_of(form.address),
        latitude=latitude,
        longitude=longitude,
        reason=reason,
    )


def place_move_faults(faults: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """The field of a `MoveForm` and the text key of each fault that a new date or place has.

    Times of the sign-up are not in that form; their faults stand at the start, which causes them.
    """
    return [_place_move_fault(name, reason) for name, reason in faults]


def _place_move_fault(name: str, reason: str) -> tuple[str, str]:
    shown_as = _SHOWN_AS.get(name, name)
    if shown_as in vars(MoveForm):
        return shown_as, f"activities.fault.{name}.{reason}"
    if name in _MOVED_WITH:
        return "starts_at", f"activities.move_fault.{name}.{reason}"
    return "starts_at", "activities.move_fault.other"


def spell_place(city: str | None, county: str | None) -> str:
    """The choice of a place in the form: `450100`, `450100/450103`, or empty."""
    return "/".join(one for one in (city, county) if one)


# Times that follow the start of an activity, or that a new start can contradict.
_MOVED_WITH = ("signup_closes_at", "draw_at")
# Fields of a draft that the form shows under another name.
_SHOWN_AS: Mapping[str, str] = {"latitude": "point", "city": "place", "county": "place"}


def place_faults(faults: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """The form field and the text key of each fault of a draft."""
    return [(_SHOWN_AS.get(name, name), fault_key(name, reason)) for name, reason in faults]


def _text_of(field: StringField) -> str:
    return (field.data or "").strip()


def _read_point(typed: str | None) -> tuple[int, int] | None:
    """Latitude and longitude in millionths of a degree; None for an empty field.

    Raises: ValidationError for a text that is not two numbers.
    """
    parts = (typed or "").replace("，", ",").split(",")
    if parts == [""] or not "".join(parts).strip():
        return None
    try:
        latitude, longitude = (round(float(one) * _DEGREE) for one in parts)
    except (ValueError, OverflowError):
        raise ValidationError("activities.fault.point.wrong") from None
    if max(abs(latitude), abs(longitude)) > 180 * _DEGREE:
        raise ValidationError("activities.fault.point.wrong")
    return latitude, longitude


def _spell_point(draft: ActivityDraft) -> str:
    if draft.latitude is None or draft.longitude is None:
        return ""
    return f"{draft.latitude / _DEGREE:.6f},{draft.longitude / _DEGREE:.6f}"


def _to_utc(local: datetime) -> datetime:
    return local.replace(tzinfo=BEIJING).astimezone(UTC)
