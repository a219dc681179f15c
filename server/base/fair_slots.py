"""Slots that threads get in the order in which they asked.

Neither SQLAlchemy's pool nor a lock or semaphore of Python does that: each gives a freed slot to
whichever thread runs first. While requests are queued, that is the thread that has just returned
one, so a few threads use all slots and the others wait until the queue is empty.
"""

from __future__ import annotations

import threading
from collections import deque


class FairSlots:
    """A number of slots; a freed one is handed to the thread that has waited longest."""

    def __init__(self, slots: int) -> None:
        if slots < 1:
            raise ValueError("at least one thread must get a slot")
        self._free = slots
        self._lock = threading.Lock()
        # One held lock per waiting thread; releasing it hands over a slot.
        self._waiting: deque[threading.Lock] = deque()

    @property
    def waiting(self) -> int:
        """Number of threads that wait."""
        return len(self._waiting)

    def take_slot(self, seconds: float, most_waiting: int | None = None) -> bool:
        """Take a slot, waiting at most `seconds`; False when none was handed over.

        `most_waiting` is the number of threads that may wait; further ones get False at once.
        """
        with self._lock:
            # A slot is free only while nobody waits.
            if self._free:
                self._free -= 1
                return True
            if most_waiting is not None and len(self._waiting) >= most_waiting:
                return False
            mine = threading.Lock()
            mine.acquire()
            self._waiting.append(mine)
        if mine.acquire(timeout=seconds):
            return True
        with self._lock:
            if mine in self._waiting:
                self._waiting.remove(mine)
                return False
        # Handed over after the timeout, before this thread left the queue.
        return True

    def return_slot(self) -> None:
        """Return a slot."""
        with self._lock:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._free += 1
