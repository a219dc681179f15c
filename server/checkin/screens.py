"""The projector page of an activity: its address, and its present content.

The address is the key of the page, so that the computer of a hall needs no session of the console,
and nobody in the hall can open pages of organizers there. It shows nothing but what the
audience sees, is limited to one activity and its day, and ends when a new one is made. It must not
be passed on, because with it the venue's code can be read from anywhere.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from functools import lru_cache

import segno
from sqlalchemy import select

from server.activities import service as activities
from server.activities.service import ActivityGate, ActivityState
from server.audit.service import Subject, record_change
from server.base.access import Organizer
from server.base.clock import BEIJING, beijing_day
from server.base.ownership import scope_of, serving_found_row
from server.base.signing import Keys, token_hash
from server.base.uow import UnitOfWork
from server.checkin.codes import VENUE_SECONDS, venue_code_at
from server.checkin.errors import ScreenEnded
from server.checkin.kinds import GatePhase
from server.checkin.models import HallScreen
from server.checkin.reading import read_counters
from server.checkin.scanning import opening_of_gate, phase_of

_PURPOSE = "hall screen"
# 80 bits in 16 letters: short enough to be typed at the computer of a hall.
_BYTES, _PART = 10, 4
_BORDER = 2
_SECOND_MS = 1000


class ScreenState(StrEnum):
    """State of the page: before the check-in, with the code, or without one."""

    BEFORE = "before"
    OPEN = "open"
    OVER = "over"
    OFF = "off"


_STATES = {
    GatePhase.EARLY: ScreenState.BEFORE,
    GatePhase.OPEN: ScreenState.OPEN,
    GatePhase.OVER: ScreenState.OVER,
    GatePhase.CANCELLED: ScreenState.OFF,
}


@dataclass(frozen=True, kw_only=True)
class ScreenAddress:
    """The address of a projector page, for organizers."""

    address: str = field(repr=False)
    path: str = field(repr=False)
    made_at: datetime
    day: date


@dataclass(frozen=True, kw_only=True)
class ScreenView:
    """The present content of the projector page.

    `code` is the picture of the venue's code, None outside of the check-in. Units: `next_ms` until
    the next code begins, `code_ms` until this one is refused.
    """

    state: ScreenState
    title: str
    speaker: str
    opens: str
    admitted: int
    expected: int
    code: str | None = field(default=None, repr=False)
    next_ms: int
    code_ms: int


def find_address(uow: UnitOfWork, organizer: Organizer, ref: str) -> ScreenAddress | None:
    """The present address of the page of an activity of the organizer's place.

    Raises: NotFound (404).
    """
    activity = activities.own_activity(uow, organizer, ref)
    with serving_found_row(uow.session):
        row = _read_row(uow, activity.id)
    if row is None or not _is_valid(row, activity.starts_at, activity.ends_at, uow.now):
        return None
    path = f"/console/screens/{_spell_code(uow.keys, row.ref)}"
    return ScreenAddress(
        address=f"{uow.settings.own_address}{path}", path=path, made_at=row.made_at, day=row.day
    )


def make_address(uow: UnitOfWork, organizer: Organizer, ref: str) -> None:
    """Make a new address; an earlier one stops working.

    Raises: NotFound (404).
    """
    activity = activities.own_activity(uow, organizer, ref)
    subject = Subject("activity", ref, scope_of(activity))
    fresh = uow.new_ref("scr")
    with serving_found_row(uow.session):
        row = _read_row(uow, activity.id, lock=True)
        if row is None:
            row = HallScreen(activity_id=activity.id)
            uow.session.add(row)
        row.ref, row.code_hash = fresh, token_hash(_spell_code(uow.keys, fresh))
        row.day, row.made_at = beijing_day(activity.starts_at), uow.now
        uow.session.flush()
    record_change(uow, organizer, "checkin.make_screen", subject)


def _read_row(uow: UnitOfWork, activity_id: int, *, lock: bool = False) -> HallScreen | None:
    return uow.session.get(HallScreen, activity_id, with_for_update=lock or None)


def read_screen(uow: UnitOfWork, code: str) -> ScreenView:
    """The present content of the page with this address.

    Raises: ScreenEnded (404).
    """
    asked = select(HallScreen).where(HallScreen.code_hash == token_hash(code.strip().upper()))
    row = uow.session.scalar(asked)
    found = [] if row is None else activities.views_of(uow, [row.activity_id])
    if row is None or not found:
        raise ScreenEnded
    activity = found[0].activity
    if not _is_valid(row, activity.starts_at, activity.ends_at, uow.now):
        raise ScreenEnded
    gate = activities.gate_of(uow, activity.id)
    state = _state_of(uow, gate)
    counters = read_counters(uow, activity.id)
    next_ms = _until_next(uow.now)
    code = venue_code_at(uow.keys, activity.id, uow.now)
    return ScreenView(
        state=state,
        title=activity.title,
        speaker=_say_speaker(uow, activity.speaker, activity.speaker_post),
        opens=_say_opening(uow, opening_of_gate(uow, gate)),
        admitted=counters.admitted,
        expected=counters.expected,
        code=_draw_code(code) if state is ScreenState.OPEN else None,
        next_ms=next_ms,
        code_ms=next_ms + VENUE_SECONDS * _SECOND_MS,
    )


def _say_speaker(uow: UnitOfWork, name: str, post: str) -> str:
    if not name:
        return ""
    named = " ".join(filter(None, (name, post)))
    return uow.texts.fill_text("checkin.screen.speaker", name=named)


def _say_opening(uow: UnitOfWork, at: datetime) -> str:
    """The hour, and the day before it unless it is today: the page may be tried a day earlier."""
    local = at.astimezone(BEIJING)
    if beijing_day(at) == beijing_day(uow.now):
        return f"{local:%H:%M}"
    return uow.texts.fill_text(
        "checkin.screen.opens", month=local.month, day=local.day, time=f"{local:%H:%M}"
    )


def _state_of(uow: UnitOfWork, gate: ActivityGate) -> ScreenState:
    if gate.state is ActivityState.POSTPONED:
        return ScreenState.OFF
    return _STATES[phase_of(uow, gate)]


def _is_valid(row: HallScreen, starts_at: datetime, ends_at: datetime, now: datetime) -> bool:
    """Whether an address works: for the day it was made for, until the end of the last day."""
    return row.day == beijing_day(starts_at) and beijing_day(now) <= beijing_day(ends_at)


def _until_next(now: datetime) -> int:
    """Milliseconds until the next code begins."""
    window = VENUE_SECONDS * _SECOND_MS
    return window - int(now.timestamp() * _SECOND_MS) % window


def _spell_code(keys: Keys, ref: str) -> str:
    """The last part of an address: derived, so that it can be shown again and is not stored."""
    raw = bytes.fromhex(keys.blind_hash(ref, _PURPOSE))[:_BYTES]
    letters = base64.b32encode(raw).decode()
    return "-".join(letters[at : at + _PART] for at in range(0, len(letters), _PART))


# Every projector requests the same code six times.
@lru_cache(maxsize=64)
def _draw_code(code: str) -> str:
    """A venue's code as the address of an inline picture; the white page adds to its border."""
    return str(segno.make(code, error="m", micro=False).svg_data_uri(scale=10, border=_BORDER))
