"""The emulator's time: the real clock, moved or frozen by the control endpoint.

The offset is written to a file that the server reads. Timestamps of callback queries ignore it.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path

BEIJING = timezone(timedelta(hours=8))


class EmulatorClock:
    """A clock that can be set, frozen and advanced.

    Units: epoch seconds; `path` is None when no other process follows the offset.
    """

    def __init__(self, real: Callable[[], float], path: Path | None = None) -> None:
        self.real = real
        self._path = path
        self._lock = threading.Lock()
        self._offset = 0.0
        self._frozen_at: float | None = None
        if path is not None and path.exists():
            kept = json.loads(path.read_text(encoding="utf-8"))
            self._offset = float(kept.get("offset_s") or 0.0)
            frozen = kept.get("frozen_at")
            self._frozen_at = None if frozen is None else float(frozen)

    def now(self) -> float:
        """Epoch seconds of the emulated world."""
        with self._lock:
            return self._read_now()

    def seconds_ahead(self) -> float:
        """Seconds by which the emulated world is ahead of the real clock."""
        with self._lock:
            return self._read_now() - self.real()

    def show_state(self) -> dict[str, float | str | None]:
        """Return the offset as the control endpoint shows it."""
        with self._lock:
            now = self._read_now()
            return {
                "offset_s": self._offset,
                "frozen_at": self._frozen_at,
                "now": format_beijing(now),
            }

    def set_offset(self, seconds: float) -> None:
        """Set the offset from the real clock."""
        with self._lock:
            self._offset = seconds
            if self._frozen_at is not None:
                self._frozen_at = self.real() + seconds
            self._write_offset()

    def freeze_time(self, frozen: bool) -> None:
        """Stop the emulated time, or continue it from where it stopped."""
        with self._lock:
            now = self._read_now()
            self._frozen_at = now if frozen else None
            self._offset = now - self.real()
            self._write_offset()

    def advance_time(self, seconds: float) -> None:
        """Advance the emulated time."""
        with self._lock:
            self._offset += seconds
            if self._frozen_at is not None:
                self._frozen_at += seconds
            self._write_offset()

    def reset_time(self) -> None:
        """Return to the real clock."""
        with self._lock:
            self._offset, self._frozen_at = 0.0, None
            self._write_offset()

    def _read_now(self) -> float:
        return self.real() + self._offset if self._frozen_at is None else self._frozen_at

    def _write_offset(self) -> None:
        if self._path is None:
            return
        shift = json.dumps({"offset_s": self._offset, "frozen_at": self._frozen_at})
        fresh = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        fresh.write_text(shift, encoding="utf-8")
        fresh.replace(self._path)


def format_beijing(at: float) -> str:
    """Format an instant as RFC 3339 in Beijing time."""
    return datetime.fromtimestamp(at, BEIJING).isoformat(timespec="milliseconds")


def beijing_day(at: float) -> str:
    """The Beijing date of an instant, the day by which quotas are counted."""
    return datetime.fromtimestamp(at, BEIJING).date().isoformat()
