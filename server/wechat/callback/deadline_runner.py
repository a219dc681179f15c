"""Runs a message's handler under the callback's deadline, in separate threads.

A handler still running at the deadline continues; its reply is then delivered as a message. A
concurrent repeat in the same process starts no second handler. No HTTP and no WeChat format here.
"""

from __future__ import annotations

import contextvars
import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

from server.base.errors import Unavailable
from server.base.redis.replay_cache import ReplayCache
from server.wechat.callback.inbound import Message
from server.wechat.callback.replies import Reply

_log = logging.getLogger(__name__)

Effects = Callable[[Message], Reply | None]
Late = Callable[[Message, Reply], None]


@dataclass(frozen=True, slots=True)
class RunAnswer:
    """One response of the callback, and its outcome label in the metrics."""

    body: bytes
    outcome: str
    status: int = 200
    content_type: str = "text/plain; charset=utf-8"
    headers: tuple[tuple[str, str], ...] = ()


class DeadlineRunner:
    """The running handlers of this process.

    Units: `threads` limits concurrent handlers; `remember_seconds` is how long a reply is kept for
    repeats, at least twice the window of a signature.
    """

    def __init__(
        self,
        once: ReplayCache,
        *,
        answer_seconds: float = 4.0,
        remember_seconds: int = 1200,
        threads: int = 32,
        count_late: Callable[[str], None] = lambda _outcome: None,
    ) -> None:
        self.answer_seconds = answer_seconds
        self.remember_seconds = remember_seconds
        self._once = once
        self._count_late = count_late
        self._slots = threading.BoundedSemaphore(threads)
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="wechat-handler")
        self._lock = threading.Lock()
        self._at_work: set[str] = set()

    def run_effects(
        self, message: Message, effects: Effects, late: Late, elapsed: Callable[[], float]
    ) -> tuple[Reply, str]:
        """The reply and its outcome, at most `answer_seconds` after the request began.

        Raises: Unavailable when no thread is free; any exception that the handler raises in time.
        """
        with self._lock:
            if message.key in self._at_work:
                return Reply(), "busy"
            self._at_work.add(message.key)
        try:
            if not self._slots.acquire(timeout=self._seconds_left(elapsed)):
                raise Unavailable
        except BaseException:
            self._at_work.discard(message.key)
            raise
        context = contextvars.copy_context()
        future = self._pool.submit(context.run, self._run_and_store, message, effects)
        wait((future,), timeout=self._seconds_left(elapsed))
        if future.done():
            reply = future.result()
            return reply, "handled" if reply.says_something else "silent"
        future.add_done_callback(lambda done: context.run(self._say_late, message, done, late))
        return Reply(), "late"

    def drain_handlers(self) -> None:
        """Wait for the running handlers and accept no more."""
        self._pool.shutdown(wait=True)

    def _seconds_left(self, elapsed: Callable[[], float]) -> float:
        return max(self.answer_seconds - elapsed(), 0.0)

    def _run_and_store(self, message: Message, effects: Effects) -> Reply:
        try:
            reply = effects(message) or Reply()
            self._once.put_value(message.key, reply.to_bytes(), self.remember_seconds)
            return reply
        finally:
            self._at_work.discard(message.key)
            self._slots.release()

    def _say_late(self, message: Message, done: Future[Reply], late: Late) -> None:
        try:
            reply = done.result()
            if reply.says_something:
                late(message, reply)
        except Exception:
            _log.exception("callback failed after it was answered with success")
            self._count_late("late_failed")
        else:
            self._count_late("late_said" if reply.says_something else "late_silent")
