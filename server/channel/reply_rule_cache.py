"""The book of replies in memory, looked up again when its number in the database has changed.

One thread looks, at most once a second; everybody else reads the last book, which goes on answering
while the database is away.
"""

from __future__ import annotations

import logging
import threading

from server.base.errors import AppError
from server.base.uow import UnitOfWorkFactory
from server.channel.loading import Book, Shipped, book_version, load_book, shipped_book

_log = logging.getLogger(__name__)

EVERY_SECONDS = 1.0
PAUSE_SECONDS = 5.0


class ReplyRuleCache:
    """Holds one book; until the first seeding it is the shipped one."""

    def __init__(self, uow_factory: UnitOfWorkFactory, shipped: Shipped) -> None:
        self._uow_factory = uow_factory
        self._clock = uow_factory.dependencies.clock
        self._book = shipped_book(shipped, uow_factory.dependencies.settings.operator)
        self._due = self._clock.monotonic()
        self._looking = threading.Lock()

    @property
    def book(self) -> Book:
        """The book that was looked up last; fit for use inside a transaction."""
        return self._book

    def look(self) -> Book:
        """The book as it was a second ago at the latest; outside of any transaction."""
        if self._clock.monotonic() >= self._due and self._looking.acquire(blocking=False):
            try:
                self._due = self._clock.monotonic() + EVERY_SECONDS
                self._read()
            except AppError as refusal:
                _log.warning("the replies could not be read", extra={"code": refusal.code})
                self._due = self._clock.monotonic() + PAUSE_SECONDS
            finally:
                self._looking.release()
        return self._book

    def _read(self) -> None:
        with self._uow_factory.begin(read_only=True) as uow:
            if book_version(uow) != self._book.version:
                self._book = load_book(uow)
