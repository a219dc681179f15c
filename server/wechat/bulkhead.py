"""Limits the threads that wait for WeChat, so that a hanging WeChat cannot block all of them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from server.wechat.errors import NotSent


class Bulkhead:
    """The slots for calls to WeChat in this process.

    Units: at most `places` concurrent calls, each with all its attempts and its token request.
    """

    def __init__(self, places: int) -> None:
        if places < 1:
            raise ValueError("at least one call to WeChat must be possible")
        self._free = threading.BoundedSemaphore(places)

    @contextmanager
    def hold_place(self) -> Iterator[None]:
        """Hold a slot during a call.

        Raises: NotSent (503), at once, when all slots are taken: waiting would block the very
        thread that the limit protects.
        """
        if not self._free.acquire(blocking=False):
            raise NotSent
        try:
            yield
        finally:
            self._free.release()
