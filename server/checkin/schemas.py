"""API types of check-in."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from server.base.web.schema import In, Instant, Out, Query
from server.checkin.kinds import (
    NONCE_LENGTH,
    REASON_LENGTH,
    GatePhase,
    ScanDirection,
    ScanResult,
)

MOST_SCANS = 200
_Code = Annotated[str, Meta(max_length=200)]
_Ref = Annotated[str, Meta(max_length=40)]
_Nonce = Annotated[str, Meta(min_length=1, max_length=NONCE_LENGTH)]
_Reason = Annotated[str, Meta(min_length=1, max_length=REASON_LENGTH)]


class CodeIn(In, frozen=True, kw_only=True):
    """A code that was read from a QR."""

    code: _Code


class SessionOut(Out, frozen=True, kw_only=True):
    """An activity by its public id and title."""

    id: str
    title: str


class CheckInOut(Out, frozen=True, kw_only=True):
    """A self check-in; `already` when the caller was inside. `at` is the admission."""

    result: str
    activity: SessionOut
    at: Instant
    people: int


class GrantOut(Out, frozen=True, kw_only=True):
    """A scanner grant; `roster_key` checks the signature of rosters that are loaded under it."""

    session: SessionOut
    gate: str
    expires_at: Instant
    roster_key: str


class GrantsOut(Out, frozen=True, kw_only=True):
    """The caller's valid grants, the last redeemed first."""

    items: list[GrantOut]


class CountersOut(Out, frozen=True, kw_only=True):
    """People of a session: admitted, inside now, walk-ins among them, and people with seats."""

    admitted: int
    inside: int
    walk_ins: int
    expected: int


class StaffSessionOut(Out, frozen=True, kw_only=True):
    """A session as a scanner's page shows it; `phase` tells whether it admits people now."""

    session: SessionOut
    gate: str
    expires_at: Instant
    roster_key: str
    venue: str
    opens_at: Instant
    starts_at: Instant
    ends_at: Instant
    phase: GatePhase
    checkout_needed: bool
    counters: CountersOut


class RosterEntryOut(Out, frozen=True, kw_only=True):
    """One sign-up of a roster.

    `ticket` is the SHA-256 of its ticket's code in hexadecimal, `result` what a scan would answer:
    OK, WAITLISTED or CANCELLED. `in_at` is when the people entered, if they are inside.
    """

    ticket: str
    result: ScanResult
    people: int
    in_at: str | None
    name: str


class RosterOut(Out, frozen=True, kw_only=True):
    """A roster for offline use.

    `signature` is the hexadecimal HMAC-SHA-256 under `roster_key` (its characters as bytes) of
    these lines joined by line feeds, in UTF-8: the session's id, `made_at`, and for each entry
    `ticket`, `result`, `people`, `in_at` or `-`, `name`, separated by blanks.
    """

    session: SessionOut
    made_at: str
    entries: list[RosterEntryOut]
    signature: str


class ScanIn(In, frozen=True, kw_only=True):
    """One scan; `scanned_at` is the device's time. The nonce is random and used only once.

    `admitted`: the device let the people in by its own roster, before it could ask.
    """

    nonce: _Nonce
    ticket: str
    scanned_at: Instant
    direction: ScanDirection = ScanDirection.IN
    admitted: bool = False


class ScansIn(In, frozen=True, kw_only=True):
    """Scans of one session, by default that of the grant redeemed last.

    `sent_at` is the device's time at sending: it corrects a wrong clock.
    """

    scans: Annotated[list[ScanIn], Meta(min_length=1, max_length=MOST_SCANS)]
    session: _Ref | None = None
    sent_at: Instant | None = None


class ScanOut(Out, frozen=True, kw_only=True):
    """The answer of one scan.

    For OK `at` and `by` are this passage; for ALREADY when and by which gate the people entered,
    or when they left; for CANCELLED when the sign-up ended, whose `state` tells why. `name` is
    masked; it, `people`, `group` and `state` belong to tickets of this session alone.
    """

    nonce: str
    result: ScanResult
    at: Instant | None
    by: str | None
    name: str | None
    people: int | None
    group: str | None
    state: str | None


class ScansOut(Out, frozen=True, kw_only=True):
    """The answers of a batch in its order, and the people admitted and inside after it."""

    results: list[ScanOut]
    admitted: int
    inside: int


class PersonQuery(Query, frozen=True, kw_only=True):
    """The last four digits of a telephone number, a part of a name, or of a group's name."""

    words: Annotated[str, Meta(max_length=30)] = ""


class PersonOut(Out, frozen=True, kw_only=True):
    """A sign-up of the session: `result` is what a scan of its ticket would answer.

    `came_at` is the first admission, `inside` whether the people are inside now.
    """

    id: str
    name: str
    phone_tail: str | None
    group: str | None
    people: int
    result: ScanResult
    state: str
    came_at: Instant | None
    inside: bool


class PeopleOut(Out, frozen=True, kw_only=True):
    """At most twenty sign-ups of the session."""

    items: list[PersonOut]


class AdmitIn(In, frozen=True, kw_only=True):
    """A sign-up of the session by its id, and the reason for admitting it or for the undo."""

    person: _Ref
    reason: _Reason


class DepartureIn(In, frozen=True, kw_only=True):
    """A sign-up of the session by its id, whose people leave."""

    person: _Ref


class WalkInIn(In, frozen=True, kw_only=True):
    """People who came without a sign-up."""

    party_size: Annotated[int, Meta(ge=1, le=100)] = 1
    name: Annotated[str, Meta(max_length=200)] | None = None
    phone: Annotated[str, Meta(max_length=30)] | None = None


class AdmittedOut(Out, frozen=True, kw_only=True):
    """An admission by hand."""

    person: str
    name: str
    people: int
    at: Instant
    counters: CountersOut
