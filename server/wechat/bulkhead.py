"""Limits the threads that wait for WeChat, so that a hanging WeChat cannot block all of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from server.base.fair_slots import FairSlots
from server.wechat.errors import NotSent


class Bulkhead:
    """The slots for calls to WeChat in this process.

    Units: at most `places` concurrent calls, each with all its attempts and its token request. As
    many further threads wait for a slot, for `wait_seconds` at most: in a rush of log-ins more than
    `places` calls overlap for moments, although WeChat answers in time.
    """

    def __init__(self, places: int, wait_seconds: float) -> None:
        if places < 1:
            raise ValueError("at least one call to WeChat must be possible")
        self._slots = FairSlots(places)
        self._places = places
        self._wait_seconds = wait_seconds

    @contextmanager
    def hold_place(self) -> Iterator[None]:
        """Hold a slot during a call.

        Raises: NotSent (503) when none becomes free in time, and at once when as many threads wait
        already: waiting would block the very threads that the limit protects.
        """
        if not self._slots.take_slot(self._wait_seconds, most_waiting=self._places):
            raise NotSent
        try:
            yield
        finally:
            self._slots.return_slot()
