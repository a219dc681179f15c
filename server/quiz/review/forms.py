"""Forms of the review desk."""

from __future__ import annotations

from wtforms import DateField, RadioField, SelectMultipleField, widgets
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired, Optional

from server.base.texts import Texts
from server.console.forms import ConsoleForm, reason_field


class _ContestBoxes(SelectMultipleField):  # type: ignore[misc]  # WTForms is untyped
    widget = widgets.ListWidget(prefix_label=False)
    option_widget = widgets.CheckboxInput()


class ReportAnswerForm(ConsoleForm):
    """Form for the decision about the reports, with the message to the citizens."""

    decision = RadioField(
        "quiz.review.decision",
        choices=[SelectChoice("no_fault"), SelectChoice("mended")],
        validators=[InputRequired("quiz.review.decision_missing")],
    )
    answer = reason_field("quiz.review.answer", "quiz.review.answer_hint", public=True)


class VoidForm(ConsoleForm):
    """Form for a proposed void: its contests, its beginning and its reason."""

    contests = _ContestBoxes("quiz.review.contests", validate_choice=False)
    since = DateField(
        "quiz.review.since", validators=[Optional()], description="quiz.review.since_hint"
    )
    reason = reason_field("quiz.review.void_reason", "quiz.review.void_reason_hint")


class VoidDecisionForm(ConsoleForm):
    """Form for the decision about a proposed void, with its reason."""

    decision = RadioField(
        "quiz.review.void_decision",
        choices=[SelectChoice("approve"), SelectChoice("refuse")],
        validators=[InputRequired("quiz.review.decision_missing")],
    )
    reason = reason_field(
        "quiz.review.decision_reason", "quiz.review.decision_reason_hint", public=True
    )


class LiftForm(ConsoleForm):
    """Form for lifting a void: the reason."""

    reason = reason_field("quiz.review.lift_reason", "quiz.review.lift_reason_hint", public=True)


def label_choices(texts: Texts, field: RadioField, *keys: str) -> None:
    """Set the labels of a field's choices."""
    field.choices = [
        SelectChoice(choice.value, texts.fill_text(key))
        for choice, key in zip(field.choices, keys, strict=True)
    ]
