"""Prometheus counters and timings, summed over all worker processes of a host."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Histogram,
    generate_latest,
    values,
)
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from server.base.web import figures

# prometheus_client instantiates this class for each number.
values.ValueClass = figures.Figure

TIME_BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)
REQUESTS = Counter("kepu_http_requests_total", "Answers by route", ["method", "route", "status"])
SECONDS = Histogram(
    "kepu_http_request_seconds",
    "Time to answer by route",
    ["route"],
    buckets=TIME_BOUNDS,
)
CALLBACKS = Counter("kepu_wechat_callbacks_total", "WeChat callbacks", ["path", "outcome"])
CALLBACK_SECONDS = Histogram(
    "kepu_wechat_callback_seconds",
    "Time to answer a WeChat callback",
    ["path"],
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 4, 5),
)
CALLS = Counter("kepu_wechat_calls_total", "Calls to WeChat", ["path", "outcome"])
UNKNOWN_WORDS = Counter(
    "kepu_wechat_unknown_words_total", "Words of WeChat's lists that we do not know", ["place"]
)
RECEIPTS = Counter(
    "kepu_send_receipts_total", "WeChat's reports of sent messages", ["kind", "outcome"]
)
TASKS = Counter("kepu_tasks_total", "Background steps", ["task", "outcome"])
OUTBOX_CALLS = Counter("kepu_outbox_calls_total", "Calls made from queues", ["queue", "outcome"])
WORKER_CALLS = Counter(
    "kepu_worker_wechat_calls_total", "Calls of workers to WeChat", ["path", "outcome"]
)

# Label lookups are cached, because every response is counted.
requests = cache(REQUESTS.labels)
seconds = cache(SECONDS.labels)
callbacks = cache(CALLBACKS.labels)
calls = cache(CALLS.labels)
worker_calls = cache(WORKER_CALLS.labels)
callback_seconds = cache(CALLBACK_SECONDS.labels)

_ALL: tuple[Counter | Histogram, ...] = (
    REQUESTS,
    SECONDS,
    CALLBACKS,
    CALLBACK_SECONDS,
    CALLS,
    UNKNOWN_WORDS,
    RECEIPTS,
)
# These are counted only by background workers; see worker_figures.py.
_OF_WORKERS = (TASKS, OUTBOX_CALLS, WORKER_CALLS)
WORKER_LABELS: Mapping[str, tuple[str, ...]] = {
    "kepu_tasks": ("task", "outcome"),
    "kepu_outbox_calls": ("queue", "outcome"),
    "kepu_worker_wechat_calls": ("path", "outcome"),
}

Reading = Callable[[], float | None]
# Gauges with labels.
Families = Callable[[], Iterable[Metric]]
# Counters of workers; None when Redis is unavailable.
WorkerSums = Callable[[], Mapping[figures.Key, float] | None]


def expose_metrics(
    readings: Mapping[str, Reading],
    families: Families = lambda: (),
    worker_sums: WorkerSums = lambda: None,
) -> tuple[bytes, str]:
    """All metrics as Prometheus text; the callables are read now."""
    registry = CollectorRegistry()
    registry.register(_Everything(readings, families, worker_sums))
    return generate_latest(registry), CONTENT_TYPE_LATEST


class _Everything(Collector):
    def __init__(
        self, readings: Mapping[str, Reading], families: Families, worker_sums: WorkerSums
    ) -> None:
        self._readings = readings
        self._families = families
        self._worker_sums = worker_sums

    def describe(self) -> list[Metric]:
        """Return nothing, so that the registry does not read the gauges twice."""
        return []

    def collect(self) -> Iterator[Metric]:
        """The sums over all processes, and the readings."""
        yield from _fill_families(_ALL, figures.BOOK.sum_processes())
        # No samples when they are unknown: a zero would look like a restart.
        yield from _fill_families(_OF_WORKERS, self._worker_sums() or {})
        for name, read in self._readings.items():
            value = read()
            if value is not None:
                yield GaugeMetricFamily(name, name.replace("_", " "), value)
        yield from self._families()


def _fill_families(
    sources: Iterable[Counter | Histogram], sums: Mapping[figures.Key, float]
) -> Iterator[Metric]:
    for source in sources:
        for family in source.describe():
            _fill_family(family, sums)
            yield family


def _fill_family(family: Metric, sums: Mapping[figures.Key, float]) -> None:
    buckets: defaultdict[tuple[tuple[str, str], ...], list[tuple[str, float]]] = defaultdict(list)
    for (metric, name, labels, told), value in sums.items():
        if metric != family.name:
            continue
        named = dict(zip(labels, told, strict=True))
        if name.endswith("_bucket"):
            upper = named.pop("le")
            buckets[tuple(named.items())].append((upper, value))
        else:
            family.add_sample(name, named, value)
    for rest, counted in buckets.items():
        reached = 0.0
        for upper, value in sorted(counted, key=lambda bucket: float(bucket[0])):
            # Buckets of the text format are cumulative.
            reached += value
            family.add_sample(f"{family.name}_bucket", {**dict(rest), "le": upper}, reached)
        family.add_sample(f"{family.name}_count", dict(rest), reached)
