"""Names lose what nobody sees, such as characters that turn the direction of writing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from wtforms import StringField

import server.slices
from server.activities.forms import ActivityForm
from server.checkin.forms import WalkInForm, read_walk_in
from server.console.forms import ConsoleForm, NameField
from server.organizers.console import InviteForm
from server.signups.forms import GroupForm, GuestForm, read_group, read_guest

assert server.slices.SLICES
# An override, an isolate, a zero-width space and a byte order mark around 韦明.
HIDDEN = "\u202e韦\u200b明\u2066\ufeff"
EMPTY = "\u202e\u200b\u3164"


def all_forms(base: type[ConsoleForm] = ConsoleForm) -> Iterator[type[ConsoleForm]]:
    for form in base.__subclasses__():
        yield form
        yield from all_forms(form)


def filled_form(form: type[ConsoleForm], data: dict[str, str]) -> ConsoleForm:
    with Flask(__name__).test_request_context(method="POST", data=data):
        filled = form()
        filled.validate()
        return filled


def test_every_form_field_called_name_reads_a_name() -> None:
    names = {"name", "label", "speaker"}
    wrong = []
    for form in all_forms():
        if form.__module__.startswith("server."):
            filled = filled_form(form, {})
            wrong += [
                f"{form.__module__}.{form.__name__}.{one.name}"
                for one in filled
                if one.name in names
                and isinstance(one, StringField)
                and not isinstance(one, NameField)
            ]
    # The field of a channel refuses such characters, because the name is that of a folder.
    assert set(wrong) == {"server.announcements.publishing.console.ChannelForm.name"}


@pytest.mark.parametrize(
    ("form", "field"),
    [(GuestForm, "name"), (WalkInForm, "name"), (InviteForm, "name"), (GroupForm, "label"),
     (ActivityForm, "speaker")],
)  # fmt: skip
def test_a_name_in_a_form_is_what_is_seen(form: type[ConsoleForm], field: str) -> None:
    assert filled_form(form, {field: HIDDEN})[field].data == "韦明"
    assert filled_form(form, {field: f" 韦\u3000明\t{HIDDEN}"})[field].data == "韦 明 韦明"


@pytest.mark.parametrize(("form", "field"), [(GuestForm, "name"), (InviteForm, "name")])
def test_a_name_of_nothing_visible_is_missing(form: type[ConsoleForm], field: str) -> None:
    (said,) = filled_form(form, {field: EMPTY})[field].errors
    assert said.endswith("name_missing")


def test_guests_groups_and_walk_ins_are_entered_without_hidden_characters() -> None:
    guest = filled_form(GuestForm, {"name": HIDDEN, "party_size": "1"})
    assert isinstance(guest, GuestForm)
    assert read_guest(guest, ()).contact.name == "韦明"
    walk_in = filled_form(WalkInForm, {"name": HIDDEN, "party_size": "1"})
    assert isinstance(walk_in, WalkInForm)
    assert read_walk_in(walk_in).contact.name == "韦明"
    group = filled_form(GroupForm, {"label": "班", "people": f"{HIDDEN} 13800138000\n{HIDDEN}"})
    assert isinstance(group, GroupForm)
    assert [one.contact.name for one in read_group(group, ())] == ["韦明", "韦明"]
