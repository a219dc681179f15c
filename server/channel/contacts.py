"""Records senders of messages and menu taps, whose data is then requested from WeChat.

Most messages need no database, so contacts are kept in memory and written in batches.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from datetime import datetime

from server.base.uow import UnitOfWorkFactory
from server.channel import service
from server.channel.batches import FLUSH_SECONDS, BatchWriter

# One person is recorded at most once in this time.
NOTED_FOR_SECONDS = 600.0
KNOWN_IN_MEMORY = 20_000
WAITING_IN_MEMORY = 2_000
TOGETHER = 200


class Contacts:
    """The people from whom this process has recently received a message.

    Units: `flush_seconds` between two writes by a background thread; with None only
    `flush_contacts` writes.
    """

    def __init__(
        self, uow_factory: UnitOfWorkFactory, *, flush_seconds: float | None = FLUSH_SECONDS
    ) -> None:
        self._uow_factory = uow_factory
        self._clock = uow_factory.dependencies.clock
        self._lock = threading.Lock()
        self._noted: OrderedDict[str, float] = OrderedDict()
        self._waiting: dict[str, datetime] = {}
        self._writer = BatchWriter(self.flush_contacts, "contacts", flush_seconds)

    def note_contact(self, openid: str, at: datetime) -> None:
        """Record a person; when the buffer is full they are recorded the next time."""
        now = self._clock.monotonic()
        with self._lock:
            last = self._noted.get(openid)
            if last is not None and now - last < NOTED_FOR_SECONDS:
                return
            if len(self._waiting) >= WAITING_IN_MEMORY:
                return
            self._noted[openid] = now
            self._noted.move_to_end(openid)
            if len(self._noted) > KNOWN_IN_MEMORY:
                self._noted.popitem(last=False)
            self._waiting[openid] = at
            self._writer.start_thread()

    def flush_contacts(self) -> int:
        """Write the records, each in its own transaction; return how many changed something.

        Raises: DatabaseAway: unwritten records are kept.
        """
        with self._lock:
            waiting, self._waiting = self._waiting, {}
        news = 0
        while waiting:
            some = list(waiting)[:TOGETHER]
            try:
                news += self._write_contacts({openid: waiting[openid] for openid in some})
            except BaseException:
                with self._lock:
                    self._waiting = waiting | self._waiting
                raise
            for openid in some:
                del waiting[openid]
        return news

    def flush_and_stop(self) -> None:
        """Write the remaining records and stop the thread."""
        self._writer.flush_and_stop()

    def _write_contacts(self, some: dict[str, datetime]) -> int:
        with self._uow_factory.begin(read_only=True) as uow:
            news = service.worth_hearing(uow, list(some))
        for openid in news:
            # One citizen per transaction, because two could be locked in different orders.
            with self._uow_factory.begin() as uow:
                service.heard_from(uow, openid, some[openid])
        return len(news)
