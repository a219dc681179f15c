"""Calendar files of activities, without a database.

Instants are written in UTC, so that a calendar in any zone shows the right hour. Sources: RFC 5545
(iCalendar), sections 3.1 (folding by octets), 3.3.11 (escaping), 3.8.7.4 (SEQUENCE); RFC 7986,
section 5.7 (REFRESH-INTERVAL).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

# The text of a calendar file is UTF-8 by default.
MEDIA = "text/calendar"
# The longest line in octets, without its end.
_LONGEST = 75
_PRODUCT = "-//Bagui Kepu//Activities//ZH"
_ESCAPED = str.maketrans({"\\": "\\\\", ";": "\\;", ",": "\\,", "\n": "\\n", "\r": None})


@dataclass(frozen=True, kw_only=True)
class CalendarEvent:
    """An activity in a calendar; `uid` never changes, and `sequence` grows with each change.

    `status` is CONFIRMED, TENTATIVE or CANCELLED.
    """

    uid: str
    sequence: int
    status: str
    changed_at: datetime
    starts_at: datetime
    ends_at: datetime
    title: str
    place: str
    description: str


def write_calendar(name: str, events: Sequence[CalendarEvent]) -> bytes:
    """Write a calendar file with these events."""
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        f"PRODID:{_PRODUCT}",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        f"X-WR-CALNAME:{_escape_text(name)}",
        "X-WR-TIMEZONE:Asia/Shanghai",
        "REFRESH-INTERVAL;VALUE=DURATION:PT1H",
        "X-PUBLISHED-TTL:PT1H",
        *(line for one in events for line in _lines_of(one)),
        "END:VCALENDAR",
    ]
    return b"".join(fold_line(line) for line in lines)


def _lines_of(one: CalendarEvent) -> Iterator[str]:
    yield "BEGIN:VEVENT"
    yield f"UID:{one.uid}"
    yield f"SEQUENCE:{one.sequence}"
    yield f"DTSTAMP:{_spell_instant(one.changed_at)}"
    yield f"LAST-MODIFIED:{_spell_instant(one.changed_at)}"
    yield f"DTSTART:{_spell_instant(one.starts_at)}"
    yield f"DTEND:{_spell_instant(one.ends_at)}"
    yield f"STATUS:{one.status}"
    yield f"SUMMARY:{_escape_text(one.title)}"
    yield f"LOCATION:{_escape_text(one.place)}"
    yield f"DESCRIPTION:{_escape_text(one.description)}"
    yield "END:VEVENT"


def fold_line(line: str) -> bytes:
    """A line of a calendar file: folded at 75 octets, never inside a character."""
    parts: list[bytes] = []
    part, room = b"", _LONGEST
    for mark in line:
        octets = mark.encode()
        if len(part) + len(octets) > room:
            parts.append(part)
            # The space at the beginning of a continued line is counted.
            part, room = b"", _LONGEST - 1
        part += octets
    return b"\r\n ".join([*parts, part]) + b"\r\n"


def _escape_text(words: str) -> str:
    return words.translate(_ESCAPED)


def _spell_instant(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"
