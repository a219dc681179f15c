"""Metrics of background workers, reported by the web server's /metrics.

Workers have no port. They add their counts to counters in Redis, shared by all workers and kept
across their restarts; every web server reports the same totals.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from server.base.redis.client import RedisUnavailable
from server.base.redis.counters import Counters
from server.base.web import figures, metrics

_log = logging.getLogger(__name__)
_GROUP = "workers"


class FigurePublisher:
    """Publishes the counts of this process since the last time."""

    def __init__(self, counters: Counters, book: figures.Book = figures.BOOK) -> None:
        self._counters = counters
        self._book = book
        self._published: dict[figures.Key, float] = {}

    def publish_counts(self) -> bool:
        """Add new counts; False while Redis is unavailable, then the next call adds them."""
        told = {
            key: value
            for key, value in self._book.sum_processes().items()
            if _is_worker_metric(key)
        }
        grown = {
            json.dumps(key): value - self._published.get(key, 0.0)
            for key, value in told.items()
            if value != self._published.get(key, 0.0)
        }
        try:
            self._counters.add_counts(_GROUP, grown)
        except RedisUnavailable:
            return False
        self._published = told
        return True


@contextmanager
def publish_periodically(publisher: FigurePublisher, seconds: float = 2.0) -> Iterator[None]:
    """Publish periodically while the block runs, and once more at its end."""
    over = threading.Event()

    def keep_publishing() -> None:
        while not over.wait(seconds):
            _try_to_publish(publisher)

    thread = threading.Thread(target=keep_publishing, name="figures", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(timeout=10)
        _try_to_publish(publisher)


def _try_to_publish(publisher: FigurePublisher) -> None:
    try:
        publisher.publish_counts()
    except Exception as trouble:
        # A failure of metrics must not end the worker.
        _log.error("figures not published", exc_info=trouble)


def read_worker_figures(counters: Counters) -> Mapping[figures.Key, float] | None:
    """Counters of all workers; None while Redis is unavailable."""
    try:
        found = counters.read_counts(_GROUP)
    except RedisUnavailable:
        return None
    named = {_key_of(name): value for name, value in found.items()}
    return {key: value for key, value in named.items() if key is not None}


def _key_of(name: str) -> figures.Key | None:
    """The metric key of a counter's name; None for a foreign one."""
    try:
        metric, sample, labels, values = json.loads(name)
        key = (str(metric), str(sample), tuple(map(str, labels)), tuple(map(str, values)))
    except (ValueError, TypeError, RecursionError):
        return None
    return key if _is_worker_metric(key) else None


def _is_worker_metric(key: figures.Key) -> bool:
    metric, sample, labels, values = key
    known = metrics.WORKER_LABELS.get(metric)
    return known == labels and len(values) == len(labels) and sample == f"{metric}_total"
