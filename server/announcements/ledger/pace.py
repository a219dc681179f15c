"""The rate of sending of one process: halved when WeChat asks for it, recovering slowly."""

from __future__ import annotations

import threading

from server.base.clock import Clock

LEAST_RATE = 1.0
# The time in which a rate of nearly nothing grows to the full one.
_RECOVERS_IN = 600.0
# Refusals within this time answer one burst, and halve the rate once.
_ONE_BURST = 5.0
# A time that was computed for some calls must bring all of them, also when its fraction is rounded.
_ROUNDING = 1e-6


class SendRate:
    """A token bucket whose rate adapts. Units: calls per second; a burst is one second's calls."""

    def __init__(self, clock: Clock, full_rate: float) -> None:
        self._clock = clock
        self._full = full_rate
        self._lock = threading.Lock()
        self._rate = self._tokens = full_rate
        self._at = clock.monotonic()
        self._halved_at: float | None = None

    @property
    def rate(self) -> float:
        """The rate at this moment."""
        with self._lock:
            self._refill()
            return self._rate

    def take_calls(self, wanted: int) -> int:
        """Take up to `wanted` calls; return how many may be made now."""
        with self._lock:
            self._refill()
            taken = min(wanted, int(self._tokens + _ROUNDING))
            self._tokens = max(0.0, self._tokens - taken)
            return taken

    def seconds_for(self, calls: int) -> float:
        """The time until so many calls may be made, 0 when they may be made now."""
        with self._lock:
            self._refill()
            return max(0.0, (calls - self._tokens) / self._rate)

    def give_back(self, calls: int) -> None:
        """Give back calls that were not made."""
        with self._lock:
            self._tokens += calls

    def slow_down(self) -> None:
        """Halve the rate, once for all refusals of one burst."""
        with self._lock:
            self._refill()
            now = self._clock.monotonic()
            if self._halved_at is not None and now - self._halved_at < _ONE_BURST:
                return
            self._halved_at = now
            self._rate = max(min(LEAST_RATE, self._full), self._rate / 2)
            self._tokens = min(self._tokens, self._rate)

    def _refill(self) -> None:
        now = self._clock.monotonic()
        passed = max(0.0, now - self._at)
        self._at = now
        self._rate = min(self._full, self._rate + self._full * passed / _RECOVERS_IN)
        self._tokens = min(self._rate, self._tokens + self._rate * passed)
