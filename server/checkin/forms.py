"""Forms of the console's pages of check-in."""

from __future__ import annotations

from wtforms import IntegerField, RadioField, SelectField, StringField, ValidationError
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired, Length, NumberRange

from server.activities.service import MOST_PARTY
from server.checkin.kinds import GATE_LENGTH
from server.console.forms import ConsoleForm, NameField, reason_field
from server.signups.service import MOST_NAME, Contact, Wish, is_wrong_phone, phone_or_none

# Reasons for admitting a person without a scan; the last one needs words.
ADMIT_REASONS = ("battery", "ticket", "elder", "other")
_OTHER = ADMIT_REASONS[-1]
_MOST_MORE = 100
GRANT_HOURS = (0, 2, 4, 8, 24)


class AdmitForm(ConsoleForm):
    """Form for admitting a person by hand; the page sets the words of the reasons."""

    why = RadioField(
        "checkin.desk.admit_why",
        choices=[SelectChoice(one) for one in ADMIT_REASONS],
        default=ADMIT_REASONS[0],
    )
    more = StringField(
        "checkin.desk.admit_more",
        validators=[Length(max=_MOST_MORE, message="checkin.desk.admit_more_long")],
        description="checkin.desk.admit_more_hint",
    )

    def validate_more(self, field: StringField) -> None:
        """Refuse another reason without words."""
        if self.why.data == _OTHER and not field.data:
            raise ValidationError("checkin.desk.admit_more_missing")


class UndoForm(ConsoleForm):
    """Form for undoing an admission: the reason."""

    reason = reason_field("checkin.desk.undo_reason", "checkin.desk.undo_reason_hint")


class WalkInForm(ConsoleForm):
    """Form for people who came without having signed up."""

    name = NameField(
        "checkin.walk_in.name",
        validators=[
            InputRequired("checkin.walk_in.name_missing"),
            Length(max=MOST_NAME, message="checkin.walk_in.name_long"),
        ],
    )
    phone = StringField("checkin.walk_in.phone", description="checkin.walk_in.phone_hint")
    party_size = IntegerField(
        "checkin.walk_in.party_size",
        default=1,
        validators=[NumberRange(1, MOST_PARTY, message="checkin.walk_in.party_wrong")],
    )

    def validate_phone(self, field: StringField) -> None:
        """Refuse a text that is no mobile number."""
        if is_wrong_phone(field.data):
            raise ValidationError("checkin.walk_in.phone_wrong")


class GrantForm(ConsoleForm):
    """Form for a grant: its gate and its hours; 0 is until some time after the activity."""

    gate = StringField(
        "checkin.grants.gate",
        validators=[
            InputRequired("checkin.grants.gate_missing"),
            Length(max=GATE_LENGTH, message="checkin.grants.gate_long"),
        ],
        description="checkin.grants.gate_hint",
    )
    hours = SelectField(
        "checkin.grants.hours",
        choices=[SelectChoice(str(one)) for one in GRANT_HOURS],
        default=str(GRANT_HOURS[0]),
    )


class SheetForm(ConsoleForm):
    """Form with the purpose of the printed list."""

    reason = reason_field("checkin.sheet.reason", "checkin.sheet.reason_hint")


def read_walk_in(form: WalkInForm) -> Wish:
    """The walk-in that a valid form describes."""
    contact = Contact(name=form.name.data, phone=phone_or_none(form.phone.data or ""))
    return Wish(party_size=form.party_size.data, contact=contact)
