"""Forms of the contest pages, and what they mean as a plan."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from wtforms import (
    BooleanField,
    DateTimeLocalField,
    HiddenField,
    IntegerField,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.validators import AnyOf, InputRequired, Length, NumberRange, Optional

from server.base.clock import BEIJING
from server.console.forms import ConsoleForm, WatchedForm, reason_field
from server.quiz.contests.editing import ContestDraft, EditableContest
from server.quiz.contests.rule_form import RuleFields, read_fields, write_body
from server.quiz.enums import Season, Timer

_NUMBER = "quiz.contest.form.number"
_AT = "%Y-%m-%dT%H:%M"


def _number_field(name: str, least: int, most: int, *, needed: bool = True) -> IntegerField:
    """A whole number from `least` to `most`."""
    first = InputRequired(f"{_NUMBER}_missing") if needed else Optional()
    return IntegerField(
        f"quiz.contest.form.{name}",
        validators=[first, NumberRange(least, most, message=f"{_NUMBER}_{least}_{most}")],
        description=f"quiz.contest.form.{name}_hint",
    )


def _instant_field(name: str) -> DateTimeLocalField:
    return DateTimeLocalField(
        f"quiz.contest.form.{name}",
        format=_AT,
        validators=[InputRequired("quiz.contest.form.time_missing")],
        description="quiz.contest.form.time_hint",
    )


class ContestForm(WatchedForm):
    """Form for a contest with its rules; `base` is the preset or contest that it was made from."""

    base = HiddenField()
    form_key = HiddenField(validators=[Length(max=40, message="console.form.no_choice")])
    title = StringField(
        "quiz.contest.form.title",
        validators=[
            InputRequired("quiz.contest.form.title_missing"),
            Length(max=60, message="quiz.contest.form.title_long"),
        ],
    )
    programme = SelectField("quiz.contest.form.programme", validate_choice=False)
    bank = SelectField(
        "quiz.contest.form.bank",
        validate_choice=False,
        description="quiz.contest.form.bank_hint",
    )
    opens_at = _instant_field("opens_at")
    closes_at = _instant_field("closes_at")
    papers_per_day = _number_field("papers_per_day", 1, 50)
    papers_total = _number_field("papers_total", 1, 5000, needed=False)
    single = _number_field("single", 0, 100)
    multiple = _number_field("multiple", 0, 100)
    judge = _number_field("judge", 0, 100)
    any_kind = _number_field("any_kind", 0, 100)
    cover_topics = BooleanField("quiz.contest.form.cover_topics")
    points_per_question = _number_field("points_per_question", 1, 100)
    timer = SelectField(
        "quiz.contest.form.timer",
        validate_choice=False,
        validators=[AnyOf([one.value for one in Timer], message="console.form.no_choice")],
    )
    paper_seconds = _number_field("paper_seconds", 10, 7200)
    seconds_per_question = _number_field("seconds_per_question", 5, 600, needed=False)
    season = SelectField(
        "quiz.contest.form.season",
        validate_choice=False,
        validators=[AnyOf([one.value for one in Season], message="console.form.no_choice")],
    )
    divisions = TextAreaField(
        "quiz.contest.form.divisions",
        validators=[Length(max=400, message="quiz.contest.form.divisions_long")],
        description="quiz.contest.form.divisions_hint",
        render_kw={"rows": 4},
    )
    warm_up_questions = _number_field("warm_up_questions", 0, 200)


class ChangeForm(ContestForm):
    """Form for a change of a contest; for a published one with a reason for the audit trail."""

    reason = reason_field("quiz.contest.form.reason", required=False)


class ReasonForm(ConsoleForm):
    """Form with the reason for a pause or for an early end."""

    reason = reason_field("quiz.contest.form.reason")


def read_plan(form: ContestForm, base: Mapping[str, Any]) -> ContestDraft:
    """The plan that a valid form describes; instants are Beijing time."""
    fields = RuleFields(
        papers_per_day=form.papers_per_day.data,
        papers_total=form.papers_total.data,
        counts=(form.single.data, form.multiple.data, form.judge.data),
        any_kind=form.any_kind.data,
        cover_topics=bool(form.cover_topics.data),
        points_per_question=form.points_per_question.data,
        timer=Timer(form.timer.data),
        paper_seconds=form.paper_seconds.data,
        seconds_per_question=form.seconds_per_question.data,
        season=Season(form.season.data),
        divisions=form.divisions.data or "",
        warm_up_questions=form.warm_up_questions.data,
    )
    return ContestDraft(
        title=form.title.data.strip(),
        programme_slug=form.programme.data or None,
        bank=form.bank.data,
        opens_at=_to_utc(form.opens_at.data),
        closes_at=_to_utc(form.closes_at.data),
        body=write_body(fields, base),
        form_key=form.form_key.data or "",
    )


def fill_window(form: ContestForm, today: date) -> None:
    """Propose a month from tomorrow on, so that only what differs has to be typed."""
    form.opens_at.data = datetime.combine(today + timedelta(days=1), time())
    form.closes_at.data = datetime.combine(today + timedelta(days=31), time())


def fill_rules(form: ContestForm, body: Mapping[str, Any]) -> None:
    """Show a rule set in an empty form."""
    fields = read_fields(body)
    form.single.data, form.multiple.data, form.judge.data = fields.counts
    form.timer.data, form.season.data = fields.timer.value, fields.season.value
    for name in (
        "papers_per_day",
        "papers_total",
        "any_kind",
        "cover_topics",
        "points_per_question",
        "paper_seconds",
        "seconds_per_question",
        "divisions",
        "warm_up_questions",
    ):
        getattr(form, name).data = getattr(fields, name)


def fill_contest(form: ContestForm, shown: EditableContest) -> None:
    """Show a contest in an empty form."""
    fill_rules(form, shown.body)
    form.title.data, form.bank.data = shown.view.title, shown.view.bank
    form.programme.data = shown.view.programme_slug or ""
    form.opens_at.data = shown.view.opens_at.astimezone(BEIJING)
    form.closes_at.data = shown.view.closes_at.astimezone(BEIJING)


def _to_utc(local: datetime) -> datetime:
    return local.replace(tzinfo=BEIJING).astimezone(UTC)
