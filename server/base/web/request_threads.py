"""Threads that run requests; simpler and cheaper than `concurrent.futures`.

An executor creates a future with a lock and a condition for each call, although nobody waits for
the result of a request.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any

_log = logging.getLogger(__name__)

_Job = tuple[Callable[..., None], tuple[Any, ...]]


class RequestThreads:
    """At most `most` threads, started when no idle one is left; further calls wait in order.

    All threads take calls from one queue: a thread that has just finished takes the next call
    before a sleeping one is awake. The process ends only after `end_threads`.
    """

    def __init__(self, most: int, name: str) -> None:
        self._most = most
        self._name = name
        self._queue: SimpleQueue[_Job | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._idle = self._started = 0
        self._ended = False

    @property
    def idle(self) -> int:
        """Number of started threads that have ended their calls."""
        return self._idle

    def submit(self, run: Callable[..., None], *given: Any) -> None:
        """Run a function on one of the threads."""
        self._queue.put((run, given))
        with self._lock:
            if self._idle:
                self._idle -= 1
            elif self._started < self._most:
                self._started += 1
                name = f"{self._name}_{self._started}"
                threading.Thread(target=self._run_jobs, name=name).start()

    def end_threads(self) -> None:
        """Drop waiting calls and end all threads, each after its current call."""
        self._ended = True
        for _ in range(self._started):
            self._queue.put(None)

    def _run_jobs(self) -> None:
        while (job := self._queue.get()) is not None:
            if not self._ended:
                self._run_job(*job)
            # The next wait must not keep the request alive.
            del job
            with self._lock:
                self._idle += 1

    @staticmethod
    def _run_job(run: Callable[..., None], given: tuple[Any, ...]) -> None:
        try:
            run(*given)
        except BaseException:
            # The thread must survive, because no other one takes its place.
            _log.exception("a call failed in a request's thread")
