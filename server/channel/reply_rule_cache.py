"""Cache of all replies, reloaded when the version in the database has changed.

One thread checks, at most once a second; the others use the cached version, which continues to work
while the database is unavailable.
"""

from __future__ import annotations

import logging
import threading

from server.base.errors import AppError
from server.base.uow import UnitOfWorkFactory
from server.channel.loading import ReplyBook, Shipped, book_version, load_book, shipped_book

_log = logging.getLogger(__name__)

EVERY_SECONDS = 1.0
PAUSE_SECONDS = 5.0


class ReplyRuleCache:
    """Holds all replies; until the first seeding the shipped ones."""

    def __init__(self, uow_factory: UnitOfWorkFactory, shipped: Shipped) -> None:
        self._uow_factory = uow_factory
        self._clock = uow_factory.dependencies.clock
        self._book = shipped_book(shipped, uow_factory.dependencies.settings.operator)
        self._due = self._clock.monotonic()
        self._looking = threading.Lock()

    @property
    def book(self) -> ReplyBook:
        """The cached replies, without a check; may be used inside a transaction."""
        return self._book

    def refresh_book(self) -> ReplyBook:
        """The replies, at most a second old; call outside of any transaction."""
        if self._clock.monotonic() >= self._due and self._looking.acquire(blocking=False):
            try:
                self._due = self._clock.monotonic() + EVERY_SECONDS
                self._reload_book()
            except AppError as refusal:
                _log.warning("replies not reloaded", extra={"code": refusal.code})
                self._due = self._clock.monotonic() + PAUSE_SECONDS
            finally:
                self._looking.release()
        return self._book

    def _reload_book(self) -> None:
        with self._uow_factory.begin(read_only=True) as uow:
            if book_version(uow) != self._book.version:
                self._book = load_book(uow)
