"""Lets other processes write to SQLite between the transactions of a background process.

SQLite has one writer at a time, and a process that waits for its lock asks again only ten times a
second. It therefore almost never finds the lock free between two transactions of a job that follow
each other closely, and citizens' requests time out. So commands and workers pause for longer than
that interval whenever they have held the lock for a while, in all their threads together. No job
has to call anything; it only has to keep each transaction short.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from server.base.fair_slots import FairSlots

# Longer than SQLite's interval of a tenth of a second, so that every waiting process asks once.
SHORTEST_PAUSE = 0.11
# The time for which the lock may be held before a pause; far below the bound of a request.
LONGEST_HOLD = 0.4
# A pause lasts this part of the time before it, because many may wait after a long transaction.
PAUSE_SHARE = 0.25


class PacedTurn(FairSlots):
    """The turn to write of a background process; taking it includes the pause that is due.

    Units: seconds; `monotonic` and `sleep` replace the real ones in tests.
    """

    def __init__(
        self, monotonic: Callable[[], float], sleep: Callable[[float], object] | None = None
    ) -> None:
        super().__init__(1)
        self._monotonic = monotonic
        self._sleep = sleep or threading.Event().wait
        # Only the thread that has the turn reads and writes these fields.
        self._taken_at = self._returned_at = monotonic()
        self._held = 0.0

    def take_slot(self, seconds: float, most_waiting: int | None = None) -> bool:
        """Take the turn as `FairSlots` does; then pause, if other processes are due."""
        if not super().take_slot(seconds, most_waiting):
            return False
        self._pause_if_due()
        self._taken_at = self._monotonic()
        return True

    def return_slot(self) -> None:
        """Return the turn, and add the time for which it was taken."""
        self._returned_at = self._monotonic()
        self._held += self._returned_at - self._taken_at
        super().return_slot()

    def _pause_if_due(self) -> None:
        free = self._monotonic() - self._returned_at
        if free < SHORTEST_PAUSE:
            if self._held < LONGEST_HOLD:
                return
            self._sleep(max(SHORTEST_PAUSE, self._held * PAUSE_SHARE) - free)
        self._held = 0.0
