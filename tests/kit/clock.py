"""A clock that changes only when a test sets it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


class FakeClock:
    """Wall-clock and monotonic time, advanced by tests."""

    def __init__(self, at: datetime | None = None) -> None:
        self.at = at or datetime(2026, 5, 1, 4, 0, tzinfo=UTC)  # noon in Beijing
        self.steady = 1000.0

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.steady

    def advance(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)
        self.steady += seconds

    def set(self, at: datetime) -> None:
        self.at = at.astimezone(UTC)
