"""Buffers records in memory; a background thread writes them periodically.

A message must not wait for such a write. A killed process loses its unwritten records.
"""

from __future__ import annotations

import atexit
import logging
import threading
from collections.abc import Callable

_log = logging.getLogger(__name__)

FLUSH_SECONDS = 2.0


class BatchWriter:
    """Calls `flush` periodically after the first record, and once more at exit.

    Units: `seconds` between two writes; None disables the thread.
    """

    def __init__(self, flush: Callable[[], int], name: str, seconds: float | None) -> None:
        self._flush = flush
        self._name = name
        self._seconds = seconds
        self._thread: threading.Thread | None = None
        self._over = threading.Event()

    def start_thread(self) -> None:
        """Start the thread if it is not running; called with every record.

        It starts with the first record, because a thread started before a fork does not run in the
        child.
        """
        running = self._thread is not None and self._thread.is_alive()
        if self._seconds is None or running or self._over.is_set():
            return
        self._thread = threading.Thread(target=self._keep_writing, name=self._name, daemon=True)
        self._thread.start()
        atexit.register(self.flush_and_stop)

    def flush_and_stop(self) -> None:
        """Write the remaining records and stop the thread; also runs at process exit."""
        atexit.unregister(self.flush_and_stop)
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
            # The records are kept, and the next round writes them.
            _log.warning("batch write failed", extra={"outcome": type(trouble).__name__})
