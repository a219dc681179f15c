"""Pages of the directory of units."""

from __future__ import annotations

from pathlib import Path

from wtforms import StringField
from wtforms.validators import AnyOf, InputRequired, Length

from server.base.access import Organizer, Permission
from server.base.uow import UnitOfWork
from server.base.web.page import Page, Pages, Redirect, Section, page
from server.console.forms import ConsoleForm, NameField, reason_field
from server.console.list_pages import declare_list_pages
from server.console.list_views import read_table
from server.organizers import people, unit_directory
from server.organizers.unit_list import UNITS, UnitListQuery
from server.units.service import KINDS

PAGES = Pages("unit_pages", Path(__file__).with_name("pages"))
_WRITE = Permission.UNIT_WRITE


class NameForm(ConsoleForm):
    """Form for a unit's name."""

    name = NameField(
        "organizers.units.name",
        validators=[
            InputRequired("organizers.units.name_missing"),
            Length(max=100, message="organizers.units.name_missing"),
        ],
    )


class UnitForm(NameForm):
    """Form for a new unit with its kind and place."""

    kind = StringField(
        "organizers.units.kind", validators=[AnyOf(KINDS, message="console.form.no_choice")]
    )
    place = StringField("organizers.units.place")


class CloseUnitForm(ConsoleForm):
    """Form for closing a unit: the reason."""

    reason = reason_field("organizers.form.reason")


@page(
    PAGES,
    "GET",
    "/units",
    needs=Permission.UNIT_READ,
    query=UnitListQuery,
    menu="organizers.units.title",
    section=Section.ORGANISATION,
)
def list_units(uow: UnitOfWork, organizer: Organizer, query: UnitListQuery) -> Page:
    """The units of the organizer's place."""
    return Page(
        "unit_pages/units.html",
        shown=read_table(uow, organizer, UNITS, query),
        writes=organizer.has_permission(_WRITE),
    )


@page(PAGES, "GET", "/units/new", needs=_WRITE, form=UnitForm)
def show_new_unit(uow: UnitOfWork, organizer: Organizer, form: UnitForm) -> Page:
    """Show the form for a new unit."""
    places = people.places_to_give(uow, organizer)
    return Page("unit_pages/new_unit.html", form=form, places=places, kinds=KINDS)


@page(PAGES, "POST", "/units/new", needs=_WRITE, form=UnitForm)
def create_unit(uow: UnitOfWork, organizer: Organizer, form: UnitForm) -> Redirect:
    """Add the unit."""
    ref = unit_directory.create_unit(
        uow, organizer, form.name.data, form.kind.data, form.place.data or ""
    )
    return Redirect(f"/units/{ref}", said="organizers.units.created")


@page(PAGES, "GET", "/units/<ref>", needs=Permission.UNIT_READ)
def show_unit(uow: UnitOfWork, organizer: Organizer, ref: str) -> Page:
    """Show one unit with the actions that are possible on it."""
    return Page(
        "unit_pages/unit.html",
        unit=unit_directory.show_unit(uow, organizer, ref),
        kinds=KINDS,
        writes=organizer.has_permission(_WRITE),
    )


@page(PAGES, "GET", "/units/<ref>/name", needs=_WRITE, form=NameForm)
def show_name(uow: UnitOfWork, organizer: Organizer, ref: str, form: NameForm) -> Page:
    """Show the form for a unit's new name."""
    unit = unit_directory.show_unit(uow, organizer, ref)
    if form.name.data is None:
        form.name.data = unit.name
    return Page("unit_pages/unit_name.html", unit=unit, form=form)


@page(PAGES, "POST", "/units/<ref>/name", needs=_WRITE, form=NameForm)
def rename_unit(uow: UnitOfWork, organizer: Organizer, ref: str, form: NameForm) -> Redirect:
    """Give the unit another name."""
    unit_directory.rename_unit(uow, organizer, ref, form.name.data)
    return Redirect(f"/units/{ref}", said="organizers.units.renamed")


@page(PAGES, "GET", "/units/<ref>/close", needs=_WRITE, form=CloseUnitForm)
def show_closing(uow: UnitOfWork, organizer: Organizer, ref: str, form: CloseUnitForm) -> Page:
    """Show the form for closing a unit."""
    unit = unit_directory.show_unit(uow, organizer, ref)
    return Page("unit_pages/close_unit.html", unit=unit, form=form)


@page(PAGES, "POST", "/units/<ref>/close", needs=_WRITE, form=CloseUnitForm)
def close_unit(uow: UnitOfWork, organizer: Organizer, ref: str, form: CloseUnitForm) -> Redirect:
    """Close the unit."""
    unit_directory.close_unit(uow, organizer, ref, form.reason.data)
    return Redirect(f"/units/{ref}", said="organizers.units.closed")


declare_list_pages(PAGES, UNITS, needs=Permission.UNIT_READ)
