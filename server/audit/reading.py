"""Reads the part of the trail that an organizer may see, with texts instead of codes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import Select, exists, select

from server.audit.models import AuditRecord
from server.audit.wording import (
    FieldChange,
    describe_changes,
    name_author,
    name_place,
    say_or,
)
from server.base.access import Organizer, Permission
from server.base.clock import BEIJING, beijing_midnight, say_instant
from server.base.errors import NotFound
from server.base.ownership import serving_found_row, visible_to
from server.base.uow import UnitOfWork
from server.console.audit import LatestChange
from server.console.tables import ListQuery

_LONGEST_HISTORY = 200
# At most this many of an object's newest entries are searched for one of a readable kind.
_NEWEST = 10
# Kinds of objects that are read with the permission of another kind.
_READ_WITH = {
    "question_void": "report",
    "question_import": "question",
    "questions": "question",
    "unit_request": "unit",
    "unit_file": "unit",
    "activity_file": "activity",
}
# The fields that name an object.
_TITLES = ("title", "stem", "name", "file")


class AuditQuery(ListQuery, frozen=True, kw_only=True):
    """The filters of the trail: author, act, object, place, days."""

    who: str | None = None
    act: str | None = None
    subject: str | None = None
    place: str | None = None
    since: str | None = None
    until: str | None = None


@dataclass(frozen=True, kw_only=True)
class AuditLine:
    """One entry in words; `code` is its act.

    `network` is empty for those who may not read the whole trail.
    """

    number: int
    at: datetime
    who: str
    role: str
    place: str
    act: str
    code: str
    kind: str
    subject_kind: str
    subject_ref: str
    title: str
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


def select_entries(uow: UnitOfWork, organizer: Organizer, query: AuditQuery) -> Select[Any]:  # noqa: ARG001 - required by Table.select
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
    return [(owner, name_place(uow, owner)) for owner in found]


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
                who=name_author(uow, row.role, row.organizer_name)[0],
                when=say_instant(row.at),
                act=name_act(uow, row.act),
                own=row.organizer_id == organizer.id,
            )
    return None


def was_recorded(
    uow: UnitOfWork, organizer: Organizer, act: str, ref: str, since: datetime
) -> bool:
    """Whether this organizer's act on an object was recorded since an instant."""
    rows = visible_to(select(AuditRecord.number), organizer, AuditRecord).where(
        AuditRecord.organizer_id == organizer.id,
        AuditRecord.act == act,
        AuditRecord.subject_ref == ref,
        AuditRecord.at >= since,
    )
    return uow.session.scalar(rows.limit(1)) is not None


def may_read_kind(organizer: Organizer, kind: str) -> bool:
    """Whether the role reads objects of this kind, or the whole trail."""
    if organizer.has_permission(Permission.AUDIT_READ):
        return True
    reads = {p.subject for p in organizer.permissions if not p.changes_something}
    return _READ_WITH.get(kind, kind) in reads


def describe_entries(uow: UnitOfWork, rows: Sequence[AuditRecord]) -> list[AuditLine]:
    """The entries with their codes replaced by texts."""
    names = {owner: name_place(uow, owner) for owner in {row.owner for row in rows}}
    return [_describe_entry(uow, row, names[row.owner]) for row in rows]


def _describe_entry(uow: UnitOfWork, row: AuditRecord, place: str) -> AuditLine:
    who, role = name_author(uow, row.role, row.organizer_name)
    before, after = _decode_facts(row.before), _decode_facts(row.after)
    return AuditLine(
        number=row.number,
        at=row.at,
        who=who,
        role=role,
        place=place,
        act=name_act(uow, row.act),
        code=row.act,
        kind=say_or(uow, f"audit.kind.{row.subject_kind}", row.subject_kind),
        subject_kind=row.subject_kind,
        subject_ref=row.subject_ref,
        title=_title_in(before, after),
        network=row.network,
        reason=row.reason,
        changes=describe_changes(uow, row.act, before, after),
        personal=[
            say_or(uow, f"audit.recorded.{one}", one) for one in sorted(_decode_facts(row.personal))
        ],
    )


def _title_in(*facts: Mapping[str, Any]) -> str:
    """The name of the object from the facts of its entry; empty without one."""
    told = (one.get(name) for one in reversed(facts) for name in _TITLES)
    return next((value for value in told if isinstance(value, str) and value), "")


def name_act(uow: UnitOfWork, act: str) -> str:
    """The Chinese name of an act; the act itself when it is one of an earlier version."""
    slice_name, _, rest = act.partition(".")
    return say_or(uow, f"{slice_name}.act.{rest}", act)


def _without_network(line: AuditLine) -> AuditLine:
    return AuditLine(**{**vars(line), "network": ""})


def _decode_facts(text: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = msgspec.json.decode(text) if text else {}
    return found


def _has_entries(uow: UnitOfWork, kind: str, ref: str) -> bool:
    of_object = exists().where(AuditRecord.subject_kind == kind, AuditRecord.subject_ref == ref)
    with serving_found_row(uow.session):
        return bool(uow.session.scalar(select(of_object)))


def _day_of(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        # An incomplete date, as while it is typed, is ignored.
        return None
