"""Fields of a form for the rule of an audience, and their conversion."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from wtforms import BooleanField, DateField, IntegerField, SelectField, StringField, ValidationError
from wtforms.validators import Length, NumberRange, Optional

from server.announcements.audience.rule import (
    AudienceRule,
    CameBy,
    ContestResult,
    SignedUp,
    SignUpBand,
    TookPartIn,
    read_rule,
    rule_content,
)
from server.announcements.errors import WrongAudienceRule
from server.base.topics import announcement_topics
from server.base.uow import UnitOfWork
from server.console.forms import ConsoleForm
from server.units import service as units

_BETWEEN = re.compile(r"[\s,，、;；]+")
_MOST_TEXT = 400
_MOST_RANK = 10_000_000
# The field that shows a fault of each part of a rule.
_FIELDS = {
    "cities": "audience_places",
    "counties": "audience_places",
    "units": "audience_units",
    "topics": "audience_topic",
    "took_part": "audience_programme",
    "contest": "audience_contest",
    "signups": "audience_activity",
    "came_by": "audience_scenes",
}


def _text_field(name: str) -> StringField:
    return StringField(
        f"announcements.audience.{name}",
        validators=[Length(max=_MOST_TEXT, message="announcements.audience.too_long")],
        description=f"announcements.audience.{name}_hint",
    )


def _choice_field(name: str) -> SelectField:
    # A stored choice may have left the list; the rule is checked as a whole.
    return SelectField(f"announcements.audience.{name}", validate_choice=False, default="")


def _day_field(name: str) -> DateField:
    return DateField(f"announcements.audience.{name}", validators=[Optional()])


def _number_field(name: str, least: int) -> IntegerField:
    said = "announcements.audience.out_of_range"
    checks = [Optional(), NumberRange(least, _MOST_RANK, message=said)]
    return IntegerField(f"announcements.audience.{name}", validators=checks)


class AudienceForm(ConsoleForm):
    """Form with the conditions of an audience; the form of an announcement inherits it."""

    audience_places = _text_field("places")
    audience_units = _text_field("units")
    audience_topic = _choice_field("topic")
    audience_programme = _choice_field("programme")
    audience_contest = _choice_field("contest")
    audience_completed = BooleanField("announcements.audience.completed")
    audience_score = _number_field("score", 0)
    audience_best_rank = _number_field("best_rank", 1)
    audience_last_rank = _number_field("last_rank", 1)
    audience_activity = _choice_field("activity")
    audience_signup_state = _choice_field("signup_state")
    audience_first_day = _day_field("first_day")
    audience_last_day = _day_field("last_day")
    audience_scenes = _text_field("scenes")

    def validate_audience_places(self, field: StringField) -> None:
        """Refuse an unknown name of a city or county."""
        if any(code is None for _, code in _read_places(field.data or "")):
            raise ValidationError("announcements.audience.places_unknown")

    def validate(self, *given: Any, **named: Any) -> bool:
        """Check each field, then the rule as a whole."""
        if not super().validate(*given, **named):
            return False
        try:
            read_audience(self)
        except WrongAudienceRule as wrong:
            field = self[_FIELDS.get(wrong.part, "audience_places")]
            field.errors = [*field.errors, "announcements.audience.wrong"]
            return False
        return True


def offer_audience(
    uow: UnitOfWork, form: AudienceForm, choices: Mapping[str, Sequence[tuple[str, str]]]
) -> None:
    """Set the choices of an audience's form; `choices` has programmes, contests and activities."""
    say = uow.texts.fill_text
    anybody = ("", say("announcements.audience.any"))
    form.audience_topic.choices = [anybody, *((o.slug, o.name) for o in announcement_topics())]
    form.audience_programme.choices = [anybody, *choices["programmes"]]
    form.audience_contest.choices = [anybody, *choices["contests"]]
    form.audience_activity.choices = [anybody, *choices["activities"]]
    form.audience_signup_state.choices = [
        ("", say("announcements.audience.state.live")),
        *((one.value, say(f"announcements.audience.state.{one.value}")) for one in SignUpBand),
    ]


def read_audience(form: AudienceForm) -> AudienceRule:
    """The rule of a valid form.

    Raises: WrongAudienceRule (422).
    """
    codes = [code for _, code in _read_places(form.audience_places.data or "") if code]
    cities = tuple(one for one in codes if one.endswith("00"))
    days = {"first_day": form.audience_first_day.data, "last_day": form.audience_last_day.data}
    rule = AudienceRule(
        cities=cities,
        counties=tuple(one for one in codes if one not in cities),
        units=_split(form.audience_units.data),
        topics=_one_or_none(form.audience_topic.data),
        took_part=_read_participation(form, days),
        contest=_read_result(form),
        signups=_read_signups(form, days),
        came_by=_read_scenes(form, days),
    )
    return read_rule(rule_content(rule))


def fill_audience(form: AudienceForm, rule: AudienceRule) -> None:
    """Show a stored rule in a form."""
    regions = units.load_regions()
    found = [regions.find_city(code) for code in rule.cities]
    counties = [regions.find_county(code) for code in rule.counties]
    form.audience_places.data = "、".join(one.name for one in (*found, *counties) if one)
    form.audience_units.data = "、".join(rule.units)
    form.audience_topic.data = rule.topics[0] if rule.topics else ""
    form.audience_scenes.data = "、".join(rule.came_by.scenes if rule.came_by else ())
    if rule.took_part is not None:
        form.audience_programme.data = rule.took_part.programme or ""
    if rule.contest is not None:
        form.audience_contest.data = rule.contest.contest
        form.audience_completed.data = rule.contest.completed
        form.audience_score.data = rule.contest.minimum_score
        form.audience_best_rank.data = rule.contest.best_rank
        form.audience_last_rank.data = rule.contest.last_rank
    if rule.signups is not None:
        form.audience_activity.data = (*rule.signups.activities, "")[0]
        form.audience_signup_state.data = (*rule.signups.states, "")[0]
    dated = rule.signups or rule.took_part or rule.came_by
    if dated is not None:
        form.audience_first_day.data = dated.first_day
        form.audience_last_day.data = dated.last_day


def _read_participation(form: AudienceForm, days: dict[str, Any]) -> TookPartIn | None:
    programme = form.audience_programme.data
    return TookPartIn(programme=programme, **days) if programme else None


def _read_result(form: AudienceForm) -> ContestResult | None:
    if not form.audience_contest.data:
        return None
    return ContestResult(
        contest=form.audience_contest.data,
        completed=form.audience_completed.data,
        minimum_score=form.audience_score.data,
        best_rank=form.audience_best_rank.data,
        last_rank=form.audience_last_rank.data,
    )


def _read_signups(form: AudienceForm, days: dict[str, Any]) -> SignedUp | None:
    """Days alone select the activities of these days; with another dated condition they do not."""
    activity, state = form.audience_activity.data, form.audience_signup_state.data
    dated = any(days.values()) and not (form.audience_programme.data or form.audience_scenes.data)
    if not (activity or state or dated):
        return None
    try:
        states = (SignUpBand(state),) if state else ()
    except ValueError:
        raise WrongAudienceRule("signups") from None
    return SignedUp(activities=_one_or_none(activity), states=states, **days)


def _read_scenes(form: AudienceForm, days: dict[str, Any]) -> CameBy | None:
    scenes = _split(form.audience_scenes.data)
    return CameBy(scenes=scenes, **days) if scenes else None


def _one_or_none(value: str | None) -> tuple[str, ...]:
    return (value,) if value else ()


def _split(text: str | None) -> tuple[str, ...]:
    return tuple(dict.fromkeys(word for word in _BETWEEN.split(text or "") if word))


def _read_places(text: str) -> list[tuple[str, str | None]]:
    """Each name with its code, None for an unknown one."""
    regions = units.load_regions()
    codes = {county.name: county.code for city in regions.cities for county in city.counties}
    codes |= {city.name: city.code for city in regions.cities}
    return [(name, codes.get(name)) for name in _split(text)]
