"""Forms of freezing and sealing."""

from __future__ import annotations

from wtforms import BooleanField, DateTimeLocalField, StringField
from wtforms.validators import InputRequired, Length

from server.console.forms import ConsoleForm


def _reason_field() -> StringField:
    return StringField(
        "quiz.final.form.reason",
        validators=[
            InputRequired("quiz.final.form.reason_missing"),
            Length(max=200, message="quiz.final.form.reason_long"),
        ],
    )


class FreezeForm(ConsoleForm):
    """From when on the public boards are frozen, in Beijing time, and why."""

    freezes_at = DateTimeLocalField(
        "quiz.final.form.freezes_at",
        description="quiz.final.form.freezes_at_hint",
        format="%Y-%m-%dT%H:%M",
        validators=[InputRequired("quiz.final.form.freezes_at_missing")],
    )
    reason = _reason_field()


class FinalReasonForm(ConsoleForm):
    """The reason of lifting a freeze, or of dropping a draft."""

    reason = _reason_field()


class SealForm(ConsoleForm):
    """The reason of a sealing; `accept_open` seals although holds are undecided."""

    reason = _reason_field()
    accept_open = BooleanField("quiz.final.form.accept_open")
