"""Records senders of messages and menu taps, whose data is then requested from WeChat.

Most messages need no database, so contacts are kept in memory and written in batches.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime

from server.base.uow import UnitOfWorkFactory
from server.channel import service
from server.channel.batches import FLUSH_SECONDS, BatchWriter

# One person is recorded at most once in this time.
NOTED_FOR_SECONDS = 600.0
KNOWN_IN_MEMORY = 20_000
WAITING_IN_MEMORY = 2_000
TOGETHER = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class FollowerContact:
    """A person's last contact, and the last message among them, which a menu tap is not."""

    at: datetime
    wrote_at: datetime | None

    def joined_with(self, later: FollowerContact) -> FollowerContact:
        """Both contacts as one."""
        return FollowerContact(at=later.at, wrote_at=later.wrote_at or self.wrote_at)


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
        self._noted: OrderedDict[tuple[str, bool], float] = OrderedDict()
        self._waiting: dict[str, FollowerContact] = {}
        self._writer = BatchWriter(self.flush_contacts, "contacts", flush_seconds)

    def note_contact(self, openid: str, at: datetime, *, wrote: bool) -> None:
        """Record a person; `wrote` after a message, which opens a window for customer messages.

        When the buffer is full they are recorded the next time.
        """
        now, key = self._clock.monotonic(), (openid, wrote)
        contact = FollowerContact(at=at, wrote_at=at if wrote else None)
        with self._lock:
            last = self._noted.get(key)
            if last is not None and now - last < NOTED_FOR_SECONDS:
                return
            before = self._waiting.get(openid)
            if before is None and len(self._waiting) >= WAITING_IN_MEMORY:
                return
            self._noted[key] = now
            self._noted.move_to_end(key)
            if len(self._noted) > KNOWN_IN_MEMORY:
                self._noted.popitem(last=False)
            self._waiting[openid] = contact if before is None else before.joined_with(contact)
            self._writer.start_thread()

    def flush_contacts(self) -> int:
        """Write the records in batches; return how many followers were new or asked about.

        Raises: DatabaseAway: unwritten records are kept.
        """
        with self._lock:
            waiting, self._waiting = self._waiting, {}
        news, locked = 0, dict[str, FollowerContact]()
        try:
            while waiting:
                some = {openid: waiting[openid] for openid in list(waiting)[:TOGETHER]}
                news += self._write_contacts(some)
                locked |= self._open_windows(some)
                for openid in some:
                    del waiting[openid]
        finally:
            with self._lock:
                for openid, earlier in (waiting | locked).items():
                    later = self._waiting.get(openid)
                    self._waiting[openid] = earlier.joined_with(later) if later else earlier
        return news

    def flush_and_stop(self) -> None:
        """Write the remaining records and stop the thread."""
        self._writer.flush_and_stop()

    def _write_contacts(self, some: dict[str, FollowerContact]) -> int:
        with self._uow_factory.begin(read_only=True) as uow:
            news = service.worth_hearing(uow, list(some))
        for openid in news:
            # One citizen per transaction, because two could be locked in different orders.
            with self._uow_factory.begin() as uow:
                service.heard_from(uow, openid, some[openid].at)
        return len(news)

    def _open_windows(self, some: dict[str, FollowerContact]) -> dict[str, FollowerContact]:
        """Record when these people wrote; return those whose rows are locked, for the next time."""
        wrote = {openid: one.wrote_at for openid, one in some.items() if one.wrote_at}
        if not wrote:
            return {}
        with self._uow_factory.begin() as uow:
            locked = service.record_messages(uow, wrote)
        return {openid: some[openid] for openid in locked}
