"""Reading a file of activities: a JSON list, checked as a whole before anything is stored."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

import msgspec
from msgspec import Meta
from sqlalchemy import select

from server.activities.drafts import ActivityDraft, add_activity, check_draft
from server.activities.kinds import ActivityKind
from server.activities.lifecycle import open_activity
from server.activities.models import Activity
from server.base.access import REGION
from server.base.characters import clean_name
from server.base.uow import UnitOfWork

MOST_ROWS = 5000
_Instant = Annotated[datetime, Meta(tz=True)]
_Ref = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,39}$")]


class ActivityRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One activity of the file.

    `waitlist` is true for any length, which is the default, false for none, or the longest length.
    """

    ref: _Ref
    kind: ActivityKind
    title: str
    starts_at: _Instant
    ends_at: _Instant
    venue: str
    seats: int
    signup_opens_at: _Instant
    signup_closes_at: _Instant
    programme: str | None = None
    city: str | None = None
    county: str | None = None
    waitlist: bool | int | None = True
    party_max: int = 1
    offer_minutes: int = 0
    speaker: str = ""
    speaker_post: str = ""
    speaker_bio: str = ""
    abstract: str = ""
    audiences: tuple[str, ...] = ()
    address: str = ""
    latitude: float | None = None
    longitude: float | None = None
    live_link: str | None = None
    office_phone: str = ""
    notes: str = ""
    phone_needed: bool = False
    draw_at: _Instant | None = None
    room_limit: int | None = None
    checkout_needed: bool = False


_NAMED = re.compile(r"(?P<what>missing required|contains unknown) field `(?P<field>[^`]*)`")
_AT_FIELD = re.compile(r" - at `\$\.(?P<field>\w+)")
_READ_PARTS = msgspec.json.Decoder(list[msgspec.Raw])
_READ_ROW = msgspec.json.Decoder(ActivityRow)


class RowFaultKind(StrEnum):
    """Kind of a fault in a row."""

    MISSING = "missing"
    UNKNOWN = "unknown"
    FORM = "form"
    BROKEN = "broken"
    TOO_MANY = "too_many"
    CONTENT = "content"


@dataclass(frozen=True, kw_only=True)
class RowFault:
    """A refused row by its number from 1 (0 is the file), with the field and the reason."""

    row: int
    field: str
    reason: str
    kind: RowFaultKind = RowFaultKind.CONTENT

    def __str__(self) -> str:
        place = f"row {self.row}" if self.row else "file"
        return f"{place}: {self.field}: {self.reason}" if self.field else f"{place}: {self.reason}"


def read_rows(raw: bytes) -> tuple[list[ActivityRow], list[RowFault]]:
    """The rows of a file, and the faults of those that have another form."""
    rows, faults = read_numbered(raw)
    return [row for _, row in rows], faults


def read_numbered(raw: bytes) -> tuple[list[tuple[int, ActivityRow]], list[RowFault]]:
    """The rows of a file with their numbers from 1, and the faults of the others."""
    try:
        parts = _READ_PARTS.decode(raw.removeprefix(b"\xef\xbb\xbf"))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return [], [RowFault(row=0, field="", reason="not a JSON list", kind=RowFaultKind.BROKEN)]
    if len(parts) > MOST_ROWS:
        reason = f"more than {MOST_ROWS} rows"
        return [], [RowFault(row=0, field="", reason=reason, kind=RowFaultKind.TOO_MANY)]
    rows: list[tuple[int, ActivityRow]] = []
    faults: list[RowFault] = []
    for number, part in enumerate(parts, 1):
        try:
            rows.append((number, _READ_ROW.decode(part)))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as trouble:
            faults.append(_describe_trouble(number, str(trouble)))
    return rows, faults


def _describe_trouble(number: int, trouble: str) -> RowFault:
    """The fault that the decoder reports; its message names the field."""
    named = _NAMED.search(trouble)
    if named is not None:
        kind = RowFaultKind.MISSING if named["what"].startswith("missing") else RowFaultKind.UNKNOWN
        return RowFault(row=number, field=named["field"], reason=trouble, kind=kind)
    at = _AT_FIELD.search(trouble)
    if at is not None:
        return RowFault(row=number, field=at["field"], reason=trouble, kind=RowFaultKind.FORM)
    return RowFault(row=number, field="", reason=trouble, kind=RowFaultKind.BROKEN)


def find_faults(uow: UnitOfWork, rows: Sequence[ActivityRow]) -> list[RowFault]:
    """The faults of rows that have the right form: their content, and refs used twice."""
    return [*_repeated_refs(uow, rows), *_content_faults(uow, rows)]


def _repeated_refs(uow: UnitOfWork, rows: Sequence[ActivityRow]) -> Iterator[RowFault]:
    known = set(
        uow.session.scalars(select(Activity.ref).where(Activity.ref.in_([row.ref for row in rows])))
    )
    seen: set[str] = set()
    for number, row in enumerate(rows, 1):
        if row.ref in known:
            yield RowFault(row=number, field="ref", reason=f"{row.ref} exists already")
        if row.ref in seen:
            yield RowFault(row=number, field="ref", reason=f"{row.ref} stands twice in the file")
        seen.add(row.ref)


def _content_faults(uow: UnitOfWork, rows: Sequence[ActivityRow]) -> Iterator[RowFault]:
    for number, row in enumerate(rows, 1):
        for fault in check_draft(uow, draft_of(row)):
            reason = fault.reason.replace("_", " ")
            yield RowFault(row=number, field=fault.field, reason=reason)


def draft_of(row: ActivityRow) -> ActivityDraft:
    """The content of a row."""
    facts: dict[str, Any] = msgspec.structs.asdict(row)
    del facts["ref"]
    for name in ("title", "venue", "speaker"):
        facts[name] = clean_name(facts[name])
    waitlist = facts.pop("waitlist")
    most = None if waitlist is True or waitlist is None else int(waitlist)
    for name in ("latitude", "longitude"):
        if facts[name] is not None:
            facts[name] = round(facts[name] * 1_000_000)
    return ActivityDraft(waitlist_most=most, **facts)


def store_rows(uow: UnitOfWork, rows: Sequence[ActivityRow]) -> int:
    """Insert checked rows as published activities of the region; return their number."""
    for row in rows:
        made = add_activity(uow, REGION, draft_of(row), row.ref)
        open_activity(uow, made)
    uow.session.flush()
    return len(rows)
