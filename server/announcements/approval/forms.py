"""Forms of the pages of review."""

from __future__ import annotations

from wtforms import HiddenField, IntegerField, SelectField
from wtforms.validators import InputRequired, Length, NumberRange

from server.console.forms import ConsoleForm, reason_field


class ApprovalForm(ConsoleForm):
    """Form of an approval: the hash that was shown, and the count typed by the approver."""

    content_hash = HiddenField(validators=[Length(max=64, message="console.form.no_choice")])
    counted = IntegerField(
        "announcements.form.counted",
        validators=[
            InputRequired("announcements.form.counted_missing"),
            NumberRange(0, 100_000_000, message="announcements.form.counted_missing"),
        ],
        description="announcements.form.counted_hint",
    )


class ReturnAnnouncementForm(ConsoleForm):
    """Form with the reason for which an announcement is returned."""

    reason = reason_field("announcements.form.return_reason", "announcements.form.return_hint")


class TestSendForm(ConsoleForm):
    """Form with the channel of a test send."""

    channel = SelectField("announcements.form.test_channel", choices=[], validate_choice=False)
