"""Many concurrent sends from one process: an event loop on a thread of its own.

A thread per call would cost a worker more than the call: one loop keeps hundreds of calls waiting
for WeChat at once (decision 30). Callers are threads: they submit letters, and get results by a
callback.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
from collections import deque
from collections.abc import Callable
from typing import Self

from server.wechat.errors import NotSent
from server.wechat.gateway import FanOutResult
from server.wechat.letters import PushLetter
from server.wechat.send_line import SendLine

_log = logging.getLogger(__name__)

# Seconds after which a thread that computes lets the loop run. With the 5 ms of Python it waits for
# each of its turns longer than the turn takes.
_TURN = 0.0005

OnResult = Callable[[int, FanOutResult], None]


class LoopFanOut:
    """A fan-out whose loop runs until `close`.

    Units: at most `connections` calls at once; `open_line` creates the connections on the loop's
    thread. `outside_transaction` raises when a transaction is open in the submitting thread.
    """

    def __init__(
        self,
        open_line: Callable[[], SendLine],
        connections: int,
        on_result: OnResult,
        outside_transaction: Callable[[], None],
    ) -> None:
        if connections < 1:
            raise ValueError("at least one letter must be sent at a time")
        self._open_line = open_line
        self._connections = connections
        self._on_result = on_result
        self._outside_transaction = outside_transaction
        self._state = threading.Condition()
        self._letters: deque[tuple[int, PushLetter]] = deque()
        self._pending = 0
        self._woken = False
        self._closed = False
        self._opened = threading.Event()
        self._failure: BaseException | None = None
        # These belong to the loop's thread.
        self._active: set[asyncio.Task[None]] = set()
        self._loop: asyncio.AbstractEventLoop
        self._line: SendLine
        self._over: asyncio.Event
        sys.setswitchinterval(min(_TURN, sys.getswitchinterval()))
        self._thread = threading.Thread(target=self._run_loop, name="fan-out", daemon=True)
        self._thread.start()
        self._opened.wait()
        if self._failure is not None:
            self._thread.join()
            raise self._failure

    def submit(self, key: int, letter: PushLetter) -> None:
        """Queue a letter; its result comes under `key`. Callable from every thread, never blocks.

        Raises: RuntimeError after `close`, and inside a transaction.
        """
        self._outside_transaction()
        with self._state:
            if self._closed:
                raise RuntimeError("the fan-out is closed")
            self._pending += 1
            self._letters.append((key, letter))
            if not self._woken:
                self._woken = True
                self._loop.call_soon_threadsafe(self._start_tasks)

    def pending(self) -> int:
        """Number of letters without a result."""
        return self._pending

    def drain(self, timeout: float) -> bool:
        """Wait for all results; False when some are missing after `timeout` seconds."""
        with self._state:
            return self._state.wait_for(lambda: self._pending == 0, timeout)

    def close(self) -> None:
        """Report letters without a connection as NotSent, wait for the others, end the thread.

        Units: it returns within the time limit of one call.
        """
        with self._state:
            if not self._closed:
                self._closed = True
                self._loop.call_soon_threadsafe(self._give_back_letters)
        self._thread.join()

    def __enter__(self) -> Self:
        """The fan-out itself."""
        return self

    def __exit__(self, *_trouble: object) -> None:
        """Close it."""
        self.close()

    def _run_loop(self) -> None:
        try:
            with asyncio.Runner(loop_factory=_loop_factory()) as runner:
                runner.run(self._serve_letters())
        except BaseException as failure:
            if self._opened.is_set():
                raise
            self._failure = failure
            self._opened.set()

    async def _serve_letters(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._over = asyncio.Event()
        self._line = self._open_line()
        self._opened.set()
        try:
            await self._over.wait()
            while self._active:
                await asyncio.wait(self._active)
        finally:
            await self._line.close()

    def _start_tasks(self) -> None:
        with self._state:
            self._woken = False
        while self._letters and len(self._active) < self._connections:
            # Taken here, so that `close` does not give back a letter that has a connection.
            task = self._loop.create_task(self._send_letters(*self._letters.popleft()))
            self._active.add(task)
            task.add_done_callback(self._active.discard)

    async def _send_letters(self, key: int, letter: PushLetter) -> None:
        self._hand_over(key, await self._line.send_letter(letter))
        while self._letters:
            key, letter = self._letters.popleft()
            self._hand_over(key, await self._line.send_letter(letter))

    def _give_back_letters(self) -> None:
        self._start_tasks()
        while self._letters:
            key, _ = self._letters.popleft()
            self._hand_over(key, NotSent())
        self._over.set()

    def _hand_over(self, key: int, result: FanOutResult) -> None:
        try:
            self._on_result(key, result)
        except Exception:
            _log.exception("a result of the fan-out was lost")
        with self._state:
            self._pending -= 1
            if not self._pending:
                self._state.notify_all()


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """The event loop of uvloop; on Windows that of asyncio."""
    if sys.platform == "win32":
        return None
    # Imported here, because the web server never fans out.
    import uvloop

    return uvloop.new_event_loop
