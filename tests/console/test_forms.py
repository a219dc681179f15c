"""Forms say keys of ours, never the English sentences of the library."""

from __future__ import annotations

import re
from pathlib import Path

import wtforms
from flask import Flask
from werkzeug.datastructures import MultiDict
from wtforms import IntegerField, SelectMultipleField

from server.console.forms import _UNREADABLE, ConsoleForm

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
