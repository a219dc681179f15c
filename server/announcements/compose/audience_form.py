"""The form of the audience, and its conversion to a rule."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from wtforms import BooleanField, DateField, IntegerField, SelectField, StringField, TextAreaField
from wtforms.fields import SelectChoice
from wtforms.validators import Length, NumberRange, Optional

from server.announcements.audience.rule import (
    AudienceRule,
    CameBy,
    ContestResult,
    SignedUp,
    SignUpBand,
    TookPartIn,
)
from server.announcements.compose.forms import CheckBoxes
from server.announcements.errors import UnknownUnit
from server.base.access import Scope
from server.base.topics import announcement_topics
from server.base.uow import UnitOfWork
from server.console.forms import WatchedForm
from server.units import service as units
from server.units.service import UnitView

# Names that are offered when a unit is not found.
_NEAR = 3
_MOST_ALIKE = 100


class AudienceForm(WatchedForm):
    """Form with the rule of the audience; all conditions that are filled in must hold."""

    cities = CheckBoxes(
        "announcements.form.cities",
        choices=[],
        validate_choice=False,
        description="announcements.form.cities_hint",
    )
    counties = CheckBoxes("announcements.form.counties", choices=[], validate_choice=False)
    unit_names = TextAreaField(
        "announcements.form.units",
        description="announcements.form.units_hint",
        validators=[Length(max=8000, message="announcements.fault.audience.other")],
        render_kw={"rows": 3},
    )
    topics = CheckBoxes(
        "announcements.form.topics",
        choices=[SelectChoice(one.slug) for one in announcement_topics()],
    )
    programme = SelectField("announcements.form.programme", choices=[], validate_choice=False)
    took_part_from = DateField("announcements.form.first_day", validators=[Optional()])
    took_part_to = DateField("announcements.form.last_day", validators=[Optional()])
    contest = SelectField("announcements.form.contest", choices=[], validate_choice=False)
    completed = BooleanField("announcements.form.completed")
    minimum_score = IntegerField(
        "announcements.form.minimum_score",
        validators=[
            Optional(),
            NumberRange(0, 1_000_000_000, message="announcements.fault.audience.contest"),
        ],
    )
    best_rank = IntegerField(
        "announcements.form.best_rank",
        validators=[
            Optional(),
            NumberRange(1, 10_000_000, message="announcements.fault.audience.contest"),
        ],
    )
    last_rank = IntegerField(
        "announcements.form.last_rank",
        validators=[
            Optional(),
            NumberRange(1, 10_000_000, message="announcements.fault.audience.contest"),
        ],
    )
    activities = CheckBoxes("announcements.form.activities", choices=[], validate_choice=False)
    states = CheckBoxes(
        "announcements.form.states", choices=[SelectChoice(one.value) for one in SignUpBand]
    )
    activity_from = DateField("announcements.form.first_day", validators=[Optional()])
    activity_to = DateField("announcements.form.last_day", validators=[Optional()])
    scenes = StringField(
        "announcements.form.scenes",
        description="announcements.form.scenes_hint",
        validators=[Length(max=500, message="announcements.fault.audience.came_by")],
    )
    came_from = DateField("announcements.form.first_day", validators=[Optional()])
    came_to = DateField("announcements.form.last_day", validators=[Optional()])


@dataclass(frozen=True, kw_only=True)
class PlaceChoices:
    """A city with its counties for the form, as (code, name); `city` is None inside one city."""

    city: tuple[str, str] | None
    counties: Sequence[tuple[str, str]]


def list_place_choices(uow: UnitOfWork, scope: Scope) -> list[PlaceChoices]:
    """The places inside the place of an announcement; none inside a county or a unit."""
    if scope.county is not None or scope.unit_id is not None:
        return []
    return [
        PlaceChoices(
            city=None if scope.city else (city.code, city.name),
            counties=[(one.code, one.name) for one in counties],
        )
        for city, counties in units.cities_today(uow)
        if scope.city in (None, city.code)
    ]


def spell_units(uow: UnitOfWork, rule: AudienceRule) -> str:
    """The units of a rule, one a line, as the form shows them; those that are gone are left out."""
    found = (units.unit_by_ref(uow, ref) for ref in rule.units)
    return "\n".join(_spell_unit(one) for one in found if one is not None)


def find_units(uow: UnitOfWork, scope: Scope, lines: str) -> tuple[str, ...]:
    """The refs of the units that are named, one a line, inside the place of an announcement.

    Raises: UnknownUnit (422) for a name that no unit has, or several.
    """
    names = [one.strip() for one in lines.splitlines() if one.strip()]
    return tuple(dict.fromkeys(_find_unit(uow, scope, name).ref for name in names))


def _find_unit(uow: UnitOfWork, scope: Scope, line: str) -> UnitView:
    name = line.partition("（")[0].strip()
    region = scope.county or scope.city
    alike, _ = units.list_units(uow, region=region, q=name, limit=_MOST_ALIKE, after=None)
    exact = [one for one in alike if line in (one.name, _spell_unit(one))]
    if len(exact) != 1:
        near = exact or alike
        raise UnknownUnit(line, [_spell_unit(one) for one in near[:_NEAR]])
    return exact[0]


def _spell_unit(unit: UnitView) -> str:
    place = unit.county or unit.city
    return unit.name if place is None else f"{unit.name}（{units.name_place(place)}）"


def read_form_audience(form: AudienceForm, found: tuple[str, ...]) -> AudienceRule:
    """The rule of the form for the found units."""
    result = None
    if form.contest.data:
        result = ContestResult(
            contest=form.contest.data,
            completed=bool(form.completed.data),
            minimum_score=form.minimum_score.data,
            best_rank=form.best_rank.data,
            last_rank=form.last_rank.data,
        )
    scenes = tuple(
        one for one in (form.scenes.data or "").replace("，", ",").split(",") if one.strip()
    )
    return AudienceRule(
        cities=tuple(form.cities.data or ()),
        counties=tuple(form.counties.data or ()),
        units=found,
        topics=tuple(form.topics.data or ()),
        took_part=_read_took_part(form),
        contest=result,
        signups=_read_signups(form),
        came_by=None
        if not scenes
        else CameBy(
            scenes=tuple(one.strip() for one in scenes),
            first_day=form.came_from.data,
            last_day=form.came_to.data,
        ),
    )


def _read_took_part(form: AudienceForm) -> TookPartIn | None:
    first, last = form.took_part_from.data, form.took_part_to.data
    if not form.programme.data and first is None and last is None:
        return None
    return TookPartIn(programme=form.programme.data or None, first_day=first, last_day=last)


def _read_signups(form: AudienceForm) -> SignedUp | None:
    first, last = form.activity_from.data, form.activity_to.data
    if not form.activities.data and not form.states.data and first is None and last is None:
        return None
    return SignedUp(
        activities=tuple(form.activities.data or ()),
        states=tuple(SignUpBand(one) for one in form.states.data or ()),
        first_day=first,
        last_day=last,
    )


def fill_audience(form: AudienceForm, rule: AudienceRule) -> None:
    """Show a rule in the form."""
    form.cities.data, form.counties.data = list(rule.cities), list(rule.counties)
    form.topics.data = list(rule.topics)
    part = rule.took_part
    if part is not None:
        form.programme.data = part.programme or ""
        form.took_part_from.data, form.took_part_to.data = part.first_day, part.last_day
    if rule.contest is not None:
        form.contest.data = rule.contest.contest
        for name in ("completed", "minimum_score", "best_rank", "last_rank"):
            form[name].data = getattr(rule.contest, name)
    if rule.signups is not None:
        form.activities.data = list(rule.signups.activities)
        form.states.data = [one.value for one in rule.signups.states]
        form.activity_from.data = rule.signups.first_day
        form.activity_to.data = rule.signups.last_day
    if rule.came_by is not None:
        form.scenes.data = ",".join(rule.came_by.scenes)
        form.came_from.data, form.came_to.data = rule.came_by.first_day, rule.came_by.last_day
