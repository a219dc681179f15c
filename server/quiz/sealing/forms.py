"""Forms of freezing and sealing."""

from __future__ import annotations

from wtforms import BooleanField, DateTimeLocalField
from wtforms.validators import InputRequired

from server.console.forms import ConsoleForm, reason_field


class FreezeForm(ConsoleForm):
    """Form for a freeze: its instant in Beijing time and its reason."""

    freezes_at = DateTimeLocalField(
        "quiz.final.form.freezes_at",
        description="quiz.final.form.freezes_at_hint",
        format="%Y-%m-%dT%H:%M",
        validators=[InputRequired("quiz.final.form.freezes_at_missing")],
    )
    reason = reason_field("quiz.final.form.reason")


class FinalReasonForm(ConsoleForm):
    """Form with the reason for lifting a freeze, or for dropping a draft."""

    reason = reason_field("quiz.final.form.reason")


class SealForm(ConsoleForm):
    """Form with the reason for a sealing; `accept_open` seals although holds are undecided."""

    reason = reason_field("quiz.final.form.reason")
    accept_open = BooleanField("quiz.final.form.accept_open")
