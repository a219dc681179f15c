"""Delayed tasks: the platform's own events, outside the thread that caused them.

Pending tasks are lost with the process, as events of the real platform can be.
"""

from __future__ import annotations

import heapq
import itertools
import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

log = logging.getLogger("emulator")


class Later:
    """A queue ordered by due time, with one scheduler thread and workers.

    Sixteen workers push a storm of a thousand reports a second to a server that answers in 10 ms.
    """

    def __init__(self, hands: int = 16) -> None:
        self._due: list[tuple[float, int, Callable[[], object]]] = []
        self._order = itertools.count()
        self._changed = threading.Condition()
        self._open = 0
        self._closed = False
        self._hands = ThreadPoolExecutor(hands, thread_name_prefix="later")
        self._watch = threading.Thread(target=self._run_loop, name="later", daemon=True)
        self._watch.start()

    def run_after(self, seconds: float, work: Callable[[], object]) -> None:
        """Run the task after this many seconds of the real clock."""
        with self._changed:
            self._open += 1
            due = time.monotonic() + seconds
            heapq.heappush(self._due, (due, next(self._order), work))
            self._changed.notify_all()

    def wait_settled(self, timeout_s: float) -> bool:
        """Wait until no task is left; return whether that happened before the timeout."""
        with self._changed:
            return self._changed.wait_for(lambda: self._open == 0, timeout_s)

    def drop_pending(self) -> None:
        """Drop pending tasks."""
        with self._changed:
            self._open -= len(self._due)
            self._due.clear()
            self._changed.notify_all()

    def close_scheduler(self) -> None:
        """Drop pending tasks and wait for running ones."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._watch.join()
        self._hands.shutdown(wait=True, cancel_futures=True)

    def _run_loop(self) -> None:
        while True:
            with self._changed:
                if self._closed:
                    return
                wait = self._due[0][0] - time.monotonic() if self._due else None
                if wait is None or wait > 0:
                    self._changed.wait(wait)
                    continue
                work = heapq.heappop(self._due)[2]
            self._hands.submit(self._do_work, work)

    def _do_work(self, work: Callable[[], object]) -> None:
        try:
            work()
        except Exception:
            log.exception("platform event failed")
        finally:
            with self._changed:
                self._open -= 1
                self._changed.notify_all()
