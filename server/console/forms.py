"""Base class of forms: labels and messages are keys of `texts.toml`."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from flask_wtf import FlaskForm
from wtforms import FileField, HiddenField, PasswordField, RadioField, StringField, TextAreaField
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired, Length, ValidationError

from server.base.characters import clean_name
from server.base.compliance import PROMISES, find_breaches
from server.base.errors import AlreadyDone
from server.console.exports import ExportFormat

# Greatest number of characters of a reason.
MOST_REASON = 300
# WTForms' own messages for unreadable values; a validator names its key as `message`.
_UNREADABLE: Mapping[str, str] = {
    "Not a valid integer value.": "console.form.no_number",
    "Not a valid decimal value.": "console.form.no_number",
    "Not a valid float value.": "console.form.no_number",
    "Not a valid date value.": "console.form.no_date",
    "Not a valid datetime value.": "console.form.no_date",
    "Not a valid time value.": "console.form.no_date",
    "Not a valid week value.": "console.form.no_date",
    "Not a valid choice.": "console.form.no_choice",
    "Invalid Choice: could not coerce.": "console.form.no_choice",
    "Invalid choice(s): one or more data inputs could not be coerced.": "console.form.no_choice",
    "'%(value)s' is not a valid choice for this field.": "console.form.no_choice",
    "'%(value)s' are not valid choices for this field.": "console.form.no_choice",
}


class _Keys:
    """Replaces the English messages of WTForms by text keys."""

    def gettext(self, message: str) -> str:
        """The key of a message; a key is unchanged."""
        return _UNREADABLE.get(message, message)

    def ngettext(self, singular: str, plural: str, n: int) -> str:
        """The key of a message with a number."""
        return self.gettext(singular if n == 1 else plural)


class ConsoleForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    """A form with text keys as labels and messages; the frame checks its CSRF token."""

    class Meta(FlaskForm.Meta):  # type: ignore[misc]  # Flask-WTF is untyped
        """WTForms options: no CSRF field, because the frame checks the token."""

        csrf = False

        def get_translations(self, _form: Any) -> _Keys:
            """Text keys instead of English messages."""
            return _Keys()

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        for one in self:
            # WTForms makes the attribute `maxlength` of a length limit, by which a browser cuts a
            # pasted text silently. A text that is too long is refused with a sentence.
            vars(one.flags).pop("maxlength", None)

    def process(self, *given: Any, **named: Any) -> None:
        """Read the fields; a text of white space alone counts as missing."""
        super().process(*given, **named)
        for one in self:
            typed = isinstance(one, StringField) and not isinstance(one, PasswordField)
            if typed and one.raw_data and not str(one.raw_data[0]).strip():
                one.raw_data, one.data = [""], ""


class NameField(StringField):  # type: ignore[misc]  # WTForms is untyped
    """A field for the name of a person, group, unit or channel, without invisible characters.

    A name of invisible characters alone counts as missing.
    """

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read the name as it is shown."""
        if valuelist:
            self.data = clean_name(valuelist[0])
            self.raw_data = [self.data]


class ChangedMeanwhile(AlreadyDone):
    """Somebody has changed the object after the page with the form was opened."""

    code = "changed_meanwhile"


class WatchedForm(ConsoleForm):
    """A form that its page fills from a stored object, and that tells whether that has changed.

    The page sends a digest of the values that it showed. A change by somebody else after the page
    was opened would be overwritten by the values of before, so it is refused.
    """

    seen = HiddenField(validators=[Length(max=64, message="console.form.no_choice")])

    def __init__(self, *given: Any, **named: Any) -> None:
        self._filled_by_page = "formdata" in named and named["formdata"] is None
        super().__init__(*given, **named)

    def is_submitted(self) -> bool:
        """Whether the browser sent this form; False for one that the page is to fill."""
        return not self._filled_by_page and bool(super().is_submitted())

    def digest_shown(self) -> str:
        """The digest that the page sends: as it was sent, or of the values that are shown now."""
        return self.seen.data or self._digest_values()

    def refuse_overtaken(self, stored: WatchedForm) -> None:
        """Refuse the form when the stored values are not those that its page showed.

        Raises: ChangedMeanwhile (409).
        """
        if self.seen.data != stored._digest_values():
            raise ChangedMeanwhile

    def _digest_values(self) -> str:
        values = [
            (one.name, str(one.data))
            for one in self
            if not isinstance(one, HiddenField | FileField | PasswordField)
        ]
        return sha256(repr(values).encode()).hexdigest()


def reason_field(
    label: str, hint: str = "", *, required: bool = True, public: bool = False
) -> TextAreaField:
    """A reason, purpose or answer in the organizer's own words, without the blanks around it.

    `label` and `hint` are text keys. Without `required`, the page decides when it is needed. Words
    that citizens read are `public`: what WeChat's rules forbid to promise is refused.
    """
    checks: list[Any] = [Length(max=MOST_REASON, message="console.form.reason_long")]
    if public:
        checks.append(_refuse_promises)
    if required:
        checks.insert(0, InputRequired("console.form.reason_missing"))
    return TextAreaField(
        label,
        description=hint,
        validators=checks,
        filters=[_strip_text],
        render_kw={"rows": 3},
    )


def format_field(*formats: ExportFormat) -> RadioField:
    """The format of an exported file; the first one is chosen until the organizer takes another."""
    names = {ExportFormat.XLSX: "Excel (.xlsx)", ExportFormat.CSV: "CSV", ExportFormat.ZIP: "ZIP"}
    return RadioField(
        "console.export.format",
        choices=[SelectChoice(one.value, names[one]) for one in formats],
        default=formats[0].value,
    )


def _refuse_promises(_form: Any, field: TextAreaField) -> None:
    """Refuse rewards for sharing or following; a reason is too short for the rules of a draw."""
    for breach in find_breaches(field.data or ""):
        if breach.clause in PROMISES:
            raise ValidationError(f"base.breach.{breach.clause.value}")


def _strip_text(given: str | None) -> str:
    return (given or "").strip()


def takes_file(form: type[Any]) -> bool:
    """Whether a form has a field for a file, its own or an inherited one."""
    declared = (one for kind in form.__mro__ for one in vars(kind).values())
    fields = (getattr(one, "field_class", None) for one in declared)
    return any(isinstance(one, type) and issubclass(one, FileField) for one in fields)
