"""Stores items of many threads in shared transactions: each thread waits for its batch's commit.

A commit costs the same for one row and for a hundred, so that a storm of small writes needs few
commits and leaves the database to others. One of the waiting threads stores the batch; no thread
of its own is needed, which would be lost in a fork.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

from server.base.errors import Unavailable
from server.base.uow import UnitOfWork, UnitOfWorkFactory

Store = Callable[[UnitOfWork, Sequence[Any]], None]


class _Entry:
    """One item, and the result of its batch."""

    __slots__ = ("error", "item", "stored")

    def __init__(self, item: Any) -> None:
        self.item = item
        self.stored = False
        self.error: Exception | None = None


class GroupCommit:
    """The waiting items of one kind in this process.

    Units: a batch has at most `most` items. While items come faster than they are stored, each
    batch waits `gather_seconds` for more of them.
    """

    def __init__(
        self,
        uow_factory: UnitOfWorkFactory,
        store: Store,
        *,
        most: int = 500,
        gather_seconds: float = 0.01,
    ) -> None:
        self._uow_factory = uow_factory
        self._store = store
        self._most = most
        self._gather_seconds = gather_seconds
        self._changed = threading.Condition()
        self._pause = threading.Event()
        self._waiting: list[_Entry] = []
        self._busy = False
        self._crowded = False

    def store_item(self, item: Any) -> None:
        """Store an item and return after the commit of its batch.

        An item that cannot be stored fails alone, the others of its batch are stored.
        Raises: Unavailable (503) when the database cannot be reached; what `store` raises for this
        item.
        """
        entry = _Entry(item)
        with self._changed:
            self._waiting.append(entry)
            self._changed.wait_for(lambda: entry.stored or not self._busy)
            mine = not entry.stored
            self._busy = self._busy or mine
        if mine:
            try:
                self._store_until(entry)
            finally:
                with self._changed:
                    self._busy = False
                    self._changed.notify_all()
        if entry.error is not None:
            raise entry.error

    def _store_until(self, entry: _Entry) -> None:
        """Store batches until this entry was in one of them."""
        while not entry.stored:
            if self._crowded:
                self._pause.wait(self._gather_seconds)
            with self._changed:
                batch = self._waiting[: self._most]
                del self._waiting[: self._most]
                self._crowded = len(batch) > 1
            self._store_batch(batch)
            with self._changed:
                for one in batch:
                    one.stored = True
                self._changed.notify_all()

    def _store_batch(self, batch: list[_Entry]) -> None:
        error = self._try_to_store(batch)
        if error is None:
            return
        if len(batch) == 1 or isinstance(error, Unavailable):
            for one in batch:
                one.error = error
            return
        for one in batch:
            one.error = self._try_to_store([one])

    def _try_to_store(self, batch: list[_Entry]) -> Exception | None:
        try:
            with self._uow_factory.begin() as uow:
                self._store(uow, [one.item for one in batch])
        except Exception as error:
            return error
        return None
