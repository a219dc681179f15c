"""The form that every page inherits: its labels and messages are keys of `texts.toml`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_wtf import FlaskForm

# What WTForms says by itself when a value cannot be read; a validator names its key as `message`.
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
    """Gives WTForms a key of ours in the place of its English sentence."""

    def gettext(self, message: str) -> str:
        """The key of a message; a key stays as it is."""
        return _UNREADABLE.get(message, message)

    def ngettext(self, singular: str, plural: str, n: int) -> str:
        """The key of a message about a number of things."""
        return self.gettext(singular if n == 1 else plural)


class ConsoleForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    """A form whose labels and messages are text keys; the frame checks the token of all forms."""

    class Meta(FlaskForm.Meta):  # type: ignore[misc]  # Flask-WTF is untyped
        """Our own messages, and no token of its own."""

        csrf = False

        def get_translations(self, _form: Any) -> _Keys:
            """Keys instead of English sentences."""
            return _Keys()
