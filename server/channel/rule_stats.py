"""Statistics of matched rules and unknown texts: counted in memory, written in batches.

A message must not wait for such a write. A killed process loses its unwritten counts.
"""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select, update

from server.base.sql.tables import insert_for
from server.base.uow import UnitOfWork, UnitOfWorkFactory
from server.channel.batches import FLUSH_SECONDS, BatchWriter
from server.channel.models import KeywordRule, UnmatchedText

KEYS_KEPT = 10_000
TEXTS_IN_MEMORY = 1_000
TEXTS_IN_DATABASE = 5_000
TEXTS_AFTER_TIDYING = 4_000


class RuleStats:
    """The counters of this process.

    Units: `flush_seconds` between two writes by a background thread; with None only
    `flush_counts` writes.
    """

    def __init__(
        self, uow_factory: UnitOfWorkFactory, *, flush_seconds: float | None = FLUSH_SECONDS
    ) -> None:
        self._uow_factory = uow_factory
        self._lock = threading.Lock()
        self._keys: OrderedDict[str, None] = OrderedDict()
        self._hits: Counter[str] = Counter()
        self._missed: Counter[str] = Counter()
        self._missed_at: dict[str, datetime] = {}
        self._writer = BatchWriter(self.flush_counts, "tally", flush_seconds)

    def count_hit(self, key: str, slug: str) -> None:
        """Count a match; a repeat of the same message is ignored."""
        with self._lock:
            if self._is_new(key):
                self._hits[slug] += 1

    def count_missed(self, key: str, text: str, at: datetime) -> None:
        """Count an unknown text; a repeat of the same message is ignored."""
        with self._lock:
            known = text in self._missed or len(self._missed) < TEXTS_IN_MEMORY
            if text and known and self._is_new(key):
                self._missed[text] += 1
                self._missed_at[text] = at

    def flush_counts(self) -> int:
        """Write the counts and return the number of rows; what cannot be written is kept.

        Raises: DatabaseAway.
        """
        with self._lock:
            hits, missed, times = self._hits, self._missed, self._missed_at
            self._hits, self._missed, self._missed_at = Counter(), Counter(), {}
        if not hits and not missed:
            return 0
        try:
            with self._uow_factory.begin() as uow:
                _write_hits(uow, hits)
                _write_missed(uow, missed, times)
        except BaseException:
            with self._lock:
                self._hits += hits
                self._missed += missed
                self._missed_at = times | self._missed_at
            raise
        return len(hits) + len(missed)

    def _is_new(self, key: str) -> bool:
        self._writer.start_thread()
        if key in self._keys:
            return False
        self._keys[key] = None
        if len(self._keys) > KEYS_KEPT:
            self._keys.popitem(last=False)
        return True

    def flush_and_stop(self) -> None:
        """Write the remaining counts and stop the thread."""
        self._writer.flush_and_stop()


def _write_hits(uow: UnitOfWork, hits: Counter[str]) -> None:
    # Sorted, so that two processes lock rows in the same order and cannot deadlock.
    for slug, count in sorted(hits.items()):
        uow.session.execute(
            update(KeywordRule)
            .where(KeywordRule.slug == slug)
            .values(hits=KeywordRule.hits + count)
            .execution_options(synchronize_session=False)
        )


def _write_missed(uow: UnitOfWork, missed: Counter[str], times: dict[str, datetime]) -> None:
    stored = uow.session.scalar(select(func.count()).select_from(UnmatchedText)) or 0
    for text, count in sorted(missed.items()):
        if stored >= TEXTS_IN_DATABASE:
            _add_to_known(uow, text, count, times[text])
            continue
        made = insert_for(uow.session, UnmatchedText).values(
            text=text, count=count, last_at=times[text]
        )
        uow.session.execute(
            made.on_conflict_do_update(
                index_elements=["text"],
                set_={
                    "count": UnmatchedText.count + made.excluded.count,
                    "last_at": made.excluded.last_at,
                },
            )
        )
        stored += 1


def _add_to_known(uow: UnitOfWork, text: str, count: int, at: datetime) -> None:
    uow.session.execute(
        update(UnmatchedText)
        .where(UnmatchedText.text == text)
        .values(count=UnmatchedText.count + count, last_at=at)
        .execution_options(synchronize_session=False)
    )


def drop_rare(uow: UnitOfWork) -> int:
    """Delete rare and old entries from the list of unknown texts."""
    kept = (
        select(UnmatchedText.id)
        .order_by(UnmatchedText.count.desc(), UnmatchedText.last_at.desc(), UnmatchedText.id)
        .limit(TEXTS_AFTER_TIDYING)
    )
    stored = uow.session.scalar(select(func.count()).select_from(UnmatchedText)) or 0
    if stored < TEXTS_IN_DATABASE:
        return 0
    # Counts are written in text order; rows locked by others are skipped to avoid a deadlock.
    rare = (
        select(UnmatchedText.id)
        .where(UnmatchedText.id.not_in(kept))
        .with_for_update(skip_locked=True)
    )
    gone: Any = uow.session.execute(
        delete(UnmatchedText)
        .where(UnmatchedText.id.in_(rare))
        .execution_options(synchronize_session=False)
    )
    return int(gone.rowcount)


def unmatched_by_frequency(uow: UnitOfWork, limit: int = 100) -> list[tuple[str, int]]:
    """Texts that matched no rule, the most frequent first."""
    rows = uow.session.execute(
        select(UnmatchedText.text, UnmatchedText.count)
        .order_by(UnmatchedText.count.desc(), UnmatchedText.last_at.desc(), UnmatchedText.text)
        .limit(limit)
    )
    return [(row.text, row[1]) for row in rows]
