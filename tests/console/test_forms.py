"""Forms say keys of ours, never the English sentences of the library."""

from __future__ import annotations

import re
from pathlib import Path

import wtforms
from flask import Flask
from werkzeug.datastructures import MultiDict
from wtforms import (
    IntegerField,
    PasswordField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.fields.choices import SelectFieldBase
from wtforms.validators import Length

from server import slices
from server.console.forms import _UNREADABLE, MOST_REASON, ConsoleForm

# A mistake in the code of a form, which its first page would show.
OUR_MISTAKE = {"Choices cannot be None."}


def test_every_sentence_that_a_field_says_by_itself_has_a_key() -> None:
    fields = sorted((Path(wtforms.__file__).parent / "fields").glob("*.py"))
    said = {
        sentence
        for path in fields
        for call in re.findall(r"gettext\((.*?)\)\n", path.read_text(encoding="utf-8"), re.S)
        for sentence in re.findall(r'"([A-Z\'][^"]+\.)"', call)
    }
    assert "Not a valid integer value." in said
    assert said - set(_UNREADABLE) <= OUR_MISTAKE


class Sample(ConsoleForm):
    number = IntegerField("console.home.name")
    several = SelectMultipleField("console.home.name", choices=["a", "b"])


def test_a_value_that_cannot_be_read_is_told_by_a_key() -> None:
    with Flask("tests").test_request_context("/console"):
        form = Sample(formdata=MultiDict([("number", "x"), ("several", "c")]))
        assert not form.validate()
        assert "csrf_token" not in form
    assert form.errors == {
        "number": ["console.form.no_number"],
        "several": ["console.form.no_choice"],
    }


def every_form() -> list[type[ConsoleForm]]:
    routes = [route for pages in slices.PAGES for route in (*pages.routes, *pages.open_routes)]
    return sorted({one.form for one in routes if one.form}, key=lambda form: form.__name__)


def test_no_browser_cuts_what_is_pasted_and_every_limit_says_its_sentence() -> None:
    faults = []
    with Flask("tests").test_request_context("/console"):
        for made in every_form():
            for one in made(formdata=None):
                # A code from a device has a fixed length, and is no text of a person.
                code = (one.render_kw or {}).get("autocomplete") == "one-time-code"
                limits = [check for check in one.validators if isinstance(check, Length)]
                if any("." not in (check.message or "") for check in limits):
                    faults.append(f"{made.__name__}.{one.name}: a limit without a sentence")
                if "maxlength" in str(one.widget(one)) and not code:
                    faults.append(f"{made.__name__}.{one.name}: cut by the browser")
    assert faults == []


def test_blanks_are_no_answer_to_a_required_question() -> None:
    taken = []
    with Flask("tests").test_request_context("/console"):
        for made in every_form():
            names = list(made(formdata=None)._fields)
            form = made(formdata=MultiDict([(name, " \n ") for name in names]))
            for one in form:
                if isinstance(one, SelectFieldBase) and not one.choices:
                    one.choices = []
            form.validate()
            for one in form:
                required = isinstance(one, StringField) and one.flags.required
                if required and not isinstance(one, PasswordField) and not one.errors:
                    taken.append(f"{made.__name__}.{one.name}")
    assert taken == []


# Fields for an organizer's reason, remark or answer, by the names that forms give them.
REASONS = ("reason", "remark", "answer", "sentence")


def test_every_reason_has_the_same_bound_and_loses_the_blanks_around_it() -> None:
    found, faults = 0, []
    with Flask("tests").test_request_context("/console"):
        for made in every_form():
            for name in REASONS:
                given = [(name, " " + "字" * MOST_REASON + "\n")]
                one = made(formdata=MultiDict(given))._fields.get(name)
                if not isinstance(one, TextAreaField):
                    continue
                found += 1
                form = made(formdata=MultiDict([(name, "字" * (MOST_REASON + 1))]))
                form[name].validate(form)
                longer = list(form[name].errors)
                if one.data != "字" * MOST_REASON or longer != ["console.form.reason_long"]:
                    faults.append(f"{made.__name__}.{name}: not made by reason_field")
    assert found >= 15
    assert faults == []
