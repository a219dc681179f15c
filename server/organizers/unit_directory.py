"""Actions of organizers on the units of their place; each change is in the audit trail."""

from __future__ import annotations

from dataclasses import dataclass

from server.audit.service import Subject, record_change
from server.base.access import Organizer
from server.base.uow import UnitOfWork
from server.base.web.page import FieldRefused
from server.organizers.errors import UnitClosed
from server.organizers.people import scope_to_give
from server.units import service as units


@dataclass(frozen=True, kw_only=True)
class UnitEntry:
    """A unit in the directory."""

    ref: str
    name: str
    kind: str
    place: str
    open: bool
    into_ref: str = ""
    into_name: str = ""


def show_unit(uow: UnitOfWork, organizer: Organizer, ref: str) -> UnitEntry:
    """Return one unit of the organizer's place.

    Raises: NotFound (404).
    """
    return _entry_of(uow, units.find_in_scope(uow, organizer.scope, ref))


def create_unit(uow: UnitOfWork, organizer: Organizer, name: str, kind: str, place: str) -> str:
    """Add a unit; return its ref.

    Raises: FieldRefused for a name that the place has already, or a place outside the scope.
    """
    scope = scope_to_give(uow, organizer, place)
    if scope.unit_id is not None:
        raise FieldRefused("place", "organizers.form.place_wrong")
    units.lock_directory(uow)
    if units.name_taken(uow, scope, name.strip()):
        raise FieldRefused("name", "organizers.units.name_taken")
    unit = units.create_unit(uow, scope, name.strip(), kind)
    subject = Subject("unit", unit.ref, scope)
    after = {"name": unit.name, "kind": kind, "place": scope.spelled}
    record_change(uow, organizer, "organizers.create_unit", subject, after=after)
    return unit.ref


def rename_unit(uow: UnitOfWork, organizer: Organizer, ref: str, name: str) -> None:
    """Give a unit another name; members and results keep their unit.

    Raises: NotFound (404), UnitClosed (409), FieldRefused for a name that the place has already.
    """
    units.lock_directory(uow)
    unit = _unit_to_change(uow, organizer, ref)
    before, name = unit.name, name.strip()
    place, _ = units.resolve_scope(uow, f"unit:{unit.id}")
    if units.name_taken(uow, place, name, but=unit.id):
        raise FieldRefused("name", "organizers.units.name_taken")
    unit.name = name
    record_change(
        uow,
        organizer,
        "organizers.rename_unit",
        Subject("unit", ref, place),
        before={"name": before},
        after={"name": name},
    )


def close_unit(uow: UnitOfWork, organizer: Organizer, ref: str, reason: str) -> None:
    """Close a unit: nobody can join it from now on, and its results stay.

    Raises: NotFound (404), UnitClosed (409).
    """
    unit = _unit_to_change(uow, organizer, ref)
    place, _ = units.resolve_scope(uow, f"unit:{unit.id}")
    units.close_unit(uow, unit)
    subject = Subject("unit", ref, place)
    record_change(uow, organizer, "organizers.close_unit", subject, reason=reason)


def _unit_to_change(uow: UnitOfWork, organizer: Organizer, ref: str) -> units.Unit:
    unit = units.find_in_scope(uow, organizer.scope, ref, lock=True)
    if not units.is_open(uow, unit):
        raise UnitClosed
    return unit


def _entry_of(uow: UnitOfWork, unit: units.Unit) -> UnitEntry:
    spelled = f"county:{unit.county}" if unit.county else f"city:{unit.city}"
    _, place = units.resolve_scope(uow, spelled if unit.city else "region")
    into = None if unit.merged_into is None else units.unit_by_id(uow, unit.merged_into)
    return UnitEntry(
        ref=unit.ref,
        name=unit.name,
        kind=unit.kind,
        place=place,
        open=units.is_open(uow, unit),
        into_ref="" if into is None else into.ref,
        into_name="" if into is None else into.name,
    )
