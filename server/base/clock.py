"""The only module that reads a clock; all other code receives an instant.

Calendar days of the campaign are Beijing days; database and API use instants.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Protocol
from zoneinfo import ZoneInfo

BEIJING = ZoneInfo("Asia/Shanghai")


class Clock(Protocol):
    """Wall-clock time of the campaign, and a monotonic clock for durations."""

    def now(self) -> datetime:
        """The current instant, timezone-aware, in UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds of the monotonic clock."""
        ...


class SystemClock:
    """The system clock."""

    def now(self) -> datetime:
        """The current instant, timezone-aware, in UTC."""
        return datetime.now(UTC)

    # Seconds of the monotonic clock. Assigned instead of wrapped, because a request calls it thirty
    # times.
    monotonic = staticmethod(time.monotonic)


class ShiftedClock:
    """The system clock, shifted by a file that the emulated WeChat writes (demo and test only).

    Units: the file contains {"offset_s": seconds, "frozen_at": epoch seconds or null}.
    """

    def __init__(self, path: Path, system: Clock | None = None) -> None:
        self._path = path
        self._system = system or SystemClock()
        self._lock = threading.Lock()
        self._stamp: tuple[int, int] | None = None
        self._offset = 0.0
        self._frozen_at: float | None = None

    def now(self) -> datetime:
        """The shifted current instant, timezone-aware, in UTC."""
        with self._lock:
            self._reread_shift()
            if self._frozen_at is not None:
                return datetime.fromtimestamp(self._frozen_at, UTC)
            return self._system.now() + timedelta(seconds=self._offset)

    def monotonic(self) -> float:
        """Seconds of the monotonic clock, not shifted."""
        return self._system.monotonic()

    def _reread_shift(self) -> None:
        try:
            status = self._path.stat()
        except FileNotFoundError:
            self._stamp, self._offset, self._frozen_at = None, 0.0, None
            return
        stamp = (status.st_mtime_ns, status.st_ino)
        if stamp == self._stamp:
            return
        shift = json.loads(self._path.read_text(encoding="utf-8"))
        self._offset = float(shift.get("offset_s") or 0.0)
        frozen = shift.get("frozen_at")
        self._frozen_at = None if frozen is None else float(frozen)
        self._stamp = stamp


def beijing_day(instant: datetime) -> date:
    """The campaign's calendar day of an instant."""
    return instant.astimezone(BEIJING).date()


def beijing_hour(instant: datetime) -> int:
    """The hour of an instant in Beijing, from 0 to 23."""
    return instant.astimezone(BEIJING).hour


def beijing_week(day: date) -> str:
    """The ISO week of a day, in the spelling of boards.

    For example `2026-W18`.
    """
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02d}"


def beijing_midnight(day: date) -> datetime:
    """The instant at which a Beijing day begins, in UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=BEIJING).astimezone(UTC)


def say_instant(instant: datetime) -> str:
    """An instant in Beijing time for display: `2026-05-01 12:00:05`."""
    return f"{instant.astimezone(BEIJING):%Y-%m-%d %H:%M:%S}"


def say_seconds(duration_ms: int) -> str:
    """A duration in seconds with one decimal for display: `0.2`; the milliseconds are noise."""
    return f"{duration_ms / 1000:.1f}"


def say_end_time(end: datetime) -> tuple[date, str]:
    """The Beijing day and time of an end for display: midnight is 24:00 of the day before."""
    local = end.astimezone(BEIJING)
    if local.hour == local.minute == 0:
        return local.date() - timedelta(days=1), "24:00"
    return local.date(), local.strftime("%H:%M")


def start_stopwatch(clock: Clock) -> Callable[[], float]:
    """Return a function that returns the seconds since this call."""
    begun = clock.monotonic()
    return lambda: clock.monotonic() - begun
