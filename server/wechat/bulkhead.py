"""A bound on the threads that wait for WeChat, so that a hung WeChat cannot occupy all of them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from server.wechat.errors import NotSent


class Bulkhead:
    """The places for calls to WeChat in this process.

    Units: `places` calls may be under way at once, each with all its tries and its token.
    """

    def __init__(self, places: int) -> None:
        if places < 1:
            raise ValueError("at least one call to WeChat must be possible")
        self._free = threading.BoundedSemaphore(places)

    @contextmanager
    def place(self) -> Iterator[None]:
        """Hold a place while a call is made.

        Raises: NotSent (503), at once, when all places are taken: waiting would cost the thread
        that the bound is there to save.
        """
        if not self._free.acquire(blocking=False):
            raise NotSent
        try:
            yield
        finally:
            self._free.release()
