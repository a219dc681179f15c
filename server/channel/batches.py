"""Notes in memory that a thread of their own writes from time to time.

A message must not pay for a note with a write; what a killed process had not written is lost.
"""

from __future__ import annotations

import atexit
import logging
import threading
from collections.abc import Callable

_log = logging.getLogger(__name__)

FLUSH_SECONDS = 2.0


class BatchWriter:
    """Calls `flush` every so many seconds from the first note on, and once more at the end.

    Units: `seconds` between two writes; None writes nothing by itself.
    """

    def __init__(self, flush: Callable[[], int], name: str, seconds: float | None) -> None:
        self._flush = flush
        self._name = name
        self._seconds = seconds
        self._thread: threading.Thread | None = None
        self._over = threading.Event()

    def start(self) -> None:
        """See to it that the thread runs; called with every note.

        It begins with the first one: a thread from before a fork is not alive in the child.
        """
        running = self._thread is not None and self._thread.is_alive()
        if self._seconds is None or running or self._over.is_set():
            return
        self._thread = threading.Thread(target=self._keep_writing, name=self._name, daemon=True)
        self._thread.start()
        atexit.register(self.close)

    def close(self) -> None:
        """Write what is left and stop the thread; the end of a process does this by itself."""
        atexit.unregister(self.close)
        self._over.set()
        if self._thread is not None and self._thread.is_alive():
            self._thread.join(timeout=5)
        self._try_to_flush()

    def _keep_writing(self) -> None:
        while not self._over.wait(self._seconds):
            self._try_to_flush()

    def _try_to_flush(self) -> None:
        try:
            self._flush()
        except Exception as trouble:
            # The notes are kept; the next round tries again.
            _log.warning("notes were not written", extra={"outcome": type(trouble).__name__})
