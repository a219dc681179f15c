"""Forms of the pages about the people of an activity."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

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
from server.base.characters import clean_name, find_web_code
from server.base.texts import FilledKey
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
_LINE_END = re.compile(r"\r\n|\r|\n")
# The lines of a list that are named at once, and the characters shown of each.
_MOST_FAULTS = 10
_GIVEN_SHOWN = 20


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
        """Refuse a list that is too long, or with lines that cannot be read; name the lines."""
        lines = _lines_of(field.data or "")
        if len(lines) > MOST_GUESTS:
            raise ValidationError(
                FilledKey.with_facts("signups.form.people_many", count=len(lines))
            )
        faults = list(_find_line_faults(lines))
        field.errors = [*field.errors, *faults[:_MOST_FAULTS]]
        if len(faults) > _MOST_FAULTS:
            more = len(faults) - _MOST_FAULTS
            raise ValidationError(FilledKey.with_facts("signups.form.people_more", count=more))


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
    lines = _lines_of(form.people.data or "")
    return [Guest(contact=_read_line(text), answers=answers, line=line) for line, text in lines]


def _lines_of(text: str) -> list[tuple[int, str]]:
    """The lines that are not empty, with their numbers from 1 as an editor counts them."""
    numbered = enumerate(_LINE_END.split(text), 1)
    return [(number, line.strip()) for number, line in numbered if line.strip()]


def _read_line(line: str) -> Contact:
    """The name of a line, and the mobile number after it if there is one."""
    parts = [one for one in _BETWEEN.split(line) if one]
    phone = phone_or_none(parts[-1]) if parts else None
    return Contact(name=clean_name(" ".join(parts if phone is None else parts[:-1])), phone=phone)


def _find_line_faults(lines: Sequence[tuple[int, str]]) -> Iterator[FilledKey]:
    seen: dict[Contact, int] = {}
    for number, text in lines:
        contact = _read_line(text)
        name = contact.name or ""
        facts: dict[str, object] = {"line": number, "given": text[:_GIVEN_SHOWN]}
        if not name:
            yield FilledKey.with_facts("signups.form.line_nameless", **facts)
        elif mark := find_web_code(text):
            yield FilledKey.with_facts("signups.form.line_web_code", **facts, mark=mark)
        elif any(letter.isdecimal() for letter in name):
            yield FilledKey.with_facts("signups.form.line_phone", **facts)
        elif len(name) > MOST_NAME:
            yield FilledKey.with_facts("signups.form.line_long", **facts, most=MOST_NAME)
        elif contact in seen:
            yield FilledKey.with_facts("signups.form.line_twice", **facts, other=seen[contact])
        seen.setdefault(contact, number)
