"""Forms of the pages about the people of an activity."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from wtforms import (
    FieldList,
    IntegerField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
    ValidationError,
)
from wtforms.validators import InputRequired, Length, NumberRange
from wtforms.widgets import CheckboxInput, ListWidget

from server.activities.service import MOST_PARTY, MOST_SEATS
from server.base.characters import clean_name
from server.console.forms import ConsoleForm, NameField, WatchedForm, reason_field
from server.signups.contacts import Contact
from server.signups.people import Guest
from server.signups.wishes import (
    MOST_NAME,
    MOST_TEXT,
    SignUpQuestion,
    is_wrong_phone,
    phone_or_none,
)

MOST_GUESTS = 200
_LONGEST_LABEL = 60
_BETWEEN = re.compile(r"[\s,，;；、]+")


class ShowForm(ConsoleForm):
    """Form with the reason for showing a name and a number in full."""

    reason = reason_field("signups.form.show_reason", "signups.form.show_reason_hint")


class RemoveForm(ConsoleForm):
    """Form for removing a sign-up: the reason."""

    reason = reason_field("signups.form.remove_reason", "signups.form.remove_reason_hint")


class SeatsForm(WatchedForm):
    """Form for the new number of seats, and the people who lose theirs."""

    seats = IntegerField(
        "signups.form.seats",
        validators=[
            InputRequired("signups.form.seats_wrong"),
            NumberRange(1, MOST_SEATS, message="signups.form.seats_wrong"),
        ],
        description="signups.form.seats_hint",
    )
    put_back = SelectMultipleField(
        "signups.form.put_back",
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
        choices=[],
        validate_choice=False,
        description="signups.form.put_back_hint",
    )


class AnswersForm(ConsoleForm):
    """Form with the questions of an activity, one field each; see `offer_questions`."""

    answers = FieldList(
        StringField(
            "signups.form.answer",
            validators=[Length(max=MOST_TEXT, message="signups.form.answer_long")],
        ),
        "signups.form.answers",
    )


class GuestForm(AnswersForm):
    """Form for a person who telephoned."""

    name = NameField(
        "signups.form.name",
        validators=[
            InputRequired("signups.form.name_missing"),
            Length(max=MOST_NAME, message="signups.form.name_long"),
        ],
    )
    phone = StringField("signups.form.phone", description="signups.form.phone_hint")
    party_size = IntegerField(
        "signups.form.party_size",
        default=1,
        validators=[NumberRange(1, MOST_PARTY, message="signups.form.party_wrong")],
    )

    def validate_phone(self, field: StringField) -> None:
        """Refuse a text that is no mobile number."""
        if is_wrong_phone(field.data):
            raise ValidationError("signups.form.phone_wrong")


class GroupForm(AnswersForm):
    """Form for a class or unit that comes together, one person a line."""

    label = NameField(
        "signups.form.label",
        validators=[
            InputRequired("signups.form.label_missing"),
            Length(max=_LONGEST_LABEL, message="signups.form.label_long"),
        ],
        description="signups.form.label_hint",
    )
    people = TextAreaField(
        "signups.form.people",
        validators=[InputRequired("signups.form.people_missing")],
        description="signups.form.people_hint",
        render_kw={"rows": 12},
    )

    def validate_people(self, field: TextAreaField) -> None:
        """Refuse a list that is too long, or with a line that cannot be read."""
        lines = _lines_of(field.data or "")
        if len(lines) > MOST_GUESTS:
            raise ValidationError("signups.form.people_many")
        if any(_read_line(line) is None for line in lines):
            raise ValidationError("signups.form.people_wrong")


class TicketsForm(ConsoleForm):
    """Form for printing tickets: the group and the purpose; the page sets the groups."""

    group = SelectField(
        "signups.form.ticket_group",
        choices=[],
        validate_choice=False,
        description="signups.form.ticket_group_hint",
    )
    reason = reason_field("signups.form.print_reason", "signups.form.print_reason_hint")


def offer_questions(form: AnswersForm, questions: Sequence[SignUpQuestion]) -> None:
    """Give a form a field for each question."""
    while len(form.answers) < len(questions):
        form.answers.append_entry()


def _read_answers(form: AnswersForm, questions: Sequence[SignUpQuestion]) -> Mapping[str, str]:
    given = [text or "" for text in form.answers.data]
    return {one.key: text for one, text in zip(questions, given, strict=False)}


def read_guest(form: GuestForm, questions: Sequence[SignUpQuestion]) -> Guest:
    """The guest of a valid form."""
    contact = Contact(name=form.name.data, phone=phone_or_none(form.phone.data or ""))
    answers = _read_answers(form, questions)
    return Guest(contact=contact, party_size=form.party_size.data, answers=answers)


def read_group(form: GroupForm, questions: Sequence[SignUpQuestion]) -> list[Guest]:
    """The guests of a valid form, in the order of its lines; all with the same answers."""
    answers = _read_answers(form, questions)
    contacts = (_read_line(line) for line in _lines_of(form.people.data or ""))
    return [Guest(contact=one, answers=answers) for one in contacts if one is not None]


def _lines_of(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _read_line(line: str) -> Contact | None:
    """A name, and after it a mobile number if there is one; None for anything else."""
    parts = [one for one in _BETWEEN.split(line) if one]
    phone = phone_or_none(parts[-1]) if len(parts) > 1 else None
    name = clean_name(" ".join(parts[:-1] if phone is not None else parts))
    digits = any(letter.isdecimal() for letter in name)
    return None if not name or digits or len(name) > MOST_NAME else Contact(name=name, phone=phone)
