"""Forms of the review desk."""

from __future__ import annotations

from wtforms import DateField, RadioField, SelectMultipleField, TextAreaField, widgets
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired, Length, Optional

from server.base.texts import Texts
from server.console.forms import ConsoleForm


class _ContestBoxes(SelectMultipleField):  # type: ignore[misc]  # WTForms is untyped
    widget = widgets.ListWidget(prefix_label=False)
    option_widget = widgets.CheckboxInput()


def _reason(name: str) -> TextAreaField:
    return TextAreaField(
        f"quiz.review.{name}",
        description=f"quiz.review.{name}_hint",
        validators=[
            InputRequired("quiz.review.reason_missing"),
            Length(max=300, message="quiz.review.reason_long"),
        ],
    )


class ReportAnswerForm(ConsoleForm):
    """The decision about the reports, and the message to the citizens."""

    decision = RadioField(
        "quiz.review.decision",
        choices=[SelectChoice("no_fault"), SelectChoice("mended")],
        validators=[InputRequired("quiz.review.decision_missing")],
    )
    answer = _reason("answer")


class VoidForm(ConsoleForm):
    """In which contests a version is void, since when, and why."""

    contests = _ContestBoxes("quiz.review.contests", validate_choice=False)
    since = DateField(
        "quiz.review.since", validators=[Optional()], description="quiz.review.since_hint"
    )
    reason = _reason("void_reason")


class VoidDecisionForm(ConsoleForm):
    """Approve or refuse a proposed void, and why."""

    decision = RadioField(
        "quiz.review.void_decision",
        choices=[SelectChoice("approve"), SelectChoice("refuse")],
        validators=[InputRequired("quiz.review.decision_missing")],
    )
    reason = _reason("decision_reason")


class LiftForm(ConsoleForm):
    """Why a void is lifted."""

    reason = _reason("lift_reason")


def label_choices(texts: Texts, field: RadioField, *keys: str) -> None:
    """Set the labels of a field's choices."""
    field.choices = [
        SelectChoice(choice.value, texts.fill_text(key))
        for choice, key in zip(field.choices, keys, strict=True)
    ]
