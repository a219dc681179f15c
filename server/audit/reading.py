"""Reading the trail for the console: what an organizer may see of it, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import Select, exists, select

from server.audit.models import AuditRecord
from server.base.access import Organizer, Permission
from server.base.clock import BEIJING, beijing_midnight, say_instant
from server.base.errors import Invalid, NotFound
from server.base.ownership import serving_found_row, visible_to
from server.base.texts import TextMissing
from server.base.uow import UnitOfWork
from server.console.audit import LatestChange
from server.console.tables import ListQuery
from server.units import service as units

_LONGEST_HISTORY = 200
# How many of the newest entries of an object are searched for one of a readable kind.
_NEWEST = 10


class AuditQuery(ListQuery, frozen=True, kw_only=True):
    """The filters of the trail: author, act, object, place, days."""

    who: str | None = None
    act: str | None = None
    subject: str | None = None
    place: str | None = None
    since: str | None = None
    until: str | None = None


@dataclass(frozen=True, kw_only=True)
class FieldChange:
    """One changed field, before and after, as texts."""

    name: str
    before: str
    after: str


@dataclass(frozen=True, kw_only=True)
class AuditLine:
    """One entry in words. `network` is empty for those who may not read the whole trail."""

    number: int
    at: datetime
    who: str
    role: str
    place: str
    act: str
    kind: str
    subject_kind: str
    subject_ref: str
    network: str
    reason: str
    changes: list[FieldChange]
    personal: list[str]

    @property
    def when(self) -> str:
        """The instant in Beijing time, to the second."""
        return self.at.astimezone(BEIJING).strftime("%Y-%m-%d %H:%M:%S")

    @property
    def changed(self) -> str:
        """All changes in one text, for lists and exports."""
        return "; ".join(f"{one.name}: {one.before} → {one.after}" for one in self.changes)


def select_entries(uow: UnitOfWork, organizer: Organizer, query: AuditQuery) -> Select[Any]:  # noqa: ARG001 - a table's select gets it
    """The entries of the organizer's place and below that match the filters."""
    found = visible_to(select(AuditRecord), organizer, AuditRecord)
    if query.who:
        found = found.where(AuditRecord.organizer_name.contains(query.who, autoescape=True))
    if query.act:
        found = found.where(AuditRecord.act == query.act)
    if query.subject:
        found = found.where(AuditRecord.subject_ref.contains(query.subject, autoescape=True))
    if query.place:
        found = found.where(AuditRecord.owner == query.place)
    since, until = _day_of(query.since), _day_of(query.until)
    if since is not None:
        found = found.where(AuditRecord.at >= beijing_midnight(since))
    if until is not None:
        found = found.where(AuditRecord.at < beijing_midnight(until + timedelta(days=1)))
    return found


def known_acts(uow: UnitOfWork, organizer: Organizer) -> list[tuple[str, str]]:
    """The acts in the visible part of the trail, with their names."""
    acts = visible_to(select(AuditRecord.act).distinct(), organizer, AuditRecord)
    return sorted(
        ((act, name_act(uow, act)) for act in uow.session.scalars(acts)), key=lambda one: one[1]
    )


def known_places(uow: UnitOfWork, organizer: Organizer) -> list[tuple[str, str]]:
    """The places in the visible part of the trail, the highest first."""
    owners = visible_to(select(AuditRecord.owner).distinct(), organizer, AuditRecord)
    found = sorted(uow.session.scalars(owners))
    found.sort(key=lambda owner: owner != "region")
    return [(owner, _name_place(uow, owner)) for owner in found]


def read_history(uow: UnitOfWork, organizer: Organizer, kind: str, ref: str) -> list[AuditLine]:
    """The entries of one object, the newest first.

    Empty for an object that was never changed. Raises: NotFound (404) for a kind that the role does
    not read, and for an object whose entries are all outside the organizer's place.
    """
    if not may_read_kind(organizer, kind):
        raise NotFound
    rows = visible_to(select(AuditRecord), organizer, AuditRecord)
    rows = rows.where(AuditRecord.subject_kind == kind, AuditRecord.subject_ref == ref)
    newest = rows.order_by(AuditRecord.number.desc()).limit(_LONGEST_HISTORY)
    found = uow.session.scalars(newest).all()
    if not found and _has_entries(uow, kind, ref):
        raise NotFound
    lines = describe_entries(uow, found)
    if organizer.has_permission(Permission.AUDIT_READ):
        return lines
    return [_without_network(line) for line in lines]


def latest_change(
    uow: UnitOfWork, organizer: Organizer, refs: Sequence[str]
) -> LatestChange | None:
    """The newest change recorded under one of these public ids; None when none may be read."""
    if not refs or not organizer.has_permission(Permission.HISTORY_READ):
        return None
    rows = visible_to(select(AuditRecord), organizer, AuditRecord)
    newest = rows.where(AuditRecord.subject_ref.in_(refs)).order_by(AuditRecord.number.desc())
    for row in uow.session.scalars(newest.limit(_NEWEST)):
        if may_read_kind(organizer, row.subject_kind):
            return LatestChange(
                who=row.organizer_name,
                when=say_instant(row.at),
                act=name_act(uow, row.act),
                own=row.organizer_id == organizer.id,
            )
    return None


def may_read_kind(organizer: Organizer, kind: str) -> bool:
    """Whether the role reads objects of this kind, or the whole trail."""
    if organizer.has_permission(Permission.AUDIT_READ):
        return True
    reads = {p.subject for p in organizer.permissions if not p.changes_something}
    return kind in reads


def describe_entries(uow: UnitOfWork, rows: Sequence[AuditRecord]) -> list[AuditLine]:
    """The entries with their codes replaced by texts."""
    names = {owner: _name_place(uow, owner) for owner in {row.owner for row in rows}}
    return [
        AuditLine(
            number=row.number,
            at=row.at,
            who=row.organizer_name,
            role=_say_or(uow, f"console.role.{row.role}", uow.texts.fill_text("audit.page.system")),
            place=names[row.owner],
            act=name_act(uow, row.act),
            kind=_say_or(uow, f"audit.kind.{row.subject_kind}", row.subject_kind),
            subject_kind=row.subject_kind,
            subject_ref=row.subject_ref,
            network=row.network,
            reason=row.reason,
            changes=_changes_of(row),
            personal=sorted(_decoded(row.personal)),
        )
        for row in rows
    ]


def name_act(uow: UnitOfWork, act: str) -> str:
    """The Chinese name of an act; the act itself when it is one of an earlier version."""
    slice_name, _, rest = act.partition(".")
    return _say_or(uow, f"{slice_name}.act.{rest}", act)


def _without_network(line: AuditLine) -> AuditLine:
    return AuditLine(**{**vars(line), "network": ""})


def _changes_of(row: AuditRecord) -> list[FieldChange]:
    before, after = _decoded(row.before), _decoded(row.after)
    names = dict.fromkeys((*before, *after))
    return [
        FieldChange(name=name, before=_shown(before.get(name)), after=_shown(after.get(name)))
        for name in names
    ]


def _decoded(text: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = msgspec.json.decode(text) if text else {}
    return found


def _has_entries(uow: UnitOfWork, kind: str, ref: str) -> bool:
    of_object = exists().where(AuditRecord.subject_kind == kind, AuditRecord.subject_ref == ref)
    with serving_found_row(uow.session):
        return bool(uow.session.scalar(select(of_object)))


def _shown(value: object) -> str:
    if value is None:
        return "—"
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _name_place(uow: UnitOfWork, owner: str) -> str:
    try:
        return units.resolve_scope(uow, owner)[1]
    except (NotFound, Invalid):
        return owner


def _say_or(uow: UnitOfWork, key: str, otherwise: str) -> str:
    try:
        return uow.texts.fill_text(key)
    except TextMissing:
        return otherwise


def _day_of(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        # An incomplete date, as while it is typed, is ignored.
        return None
