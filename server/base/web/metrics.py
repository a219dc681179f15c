"""Counters and timings for Prometheus; they add up over all worker processes of a host."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client import multiprocess as shared_files

REQUESTS = Counter("kepu_http_requests_total", "Answers by route", ["method", "route", "status"])
SECONDS = Histogram(
    "kepu_http_request_seconds",
    "Time to answer by route",
    ["route"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
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
TASKS = Counter("kepu_tasks_total", "Background steps", ["task", "outcome"])

# What a label stands for is looked up once: every answer is counted.
requests = cache(REQUESTS.labels)
seconds = cache(SECONDS.labels)
callbacks = cache(CALLBACKS.labels)
callback_seconds = cache(CALLBACK_SECONDS.labels)

Reading = Callable[[], float | None]


def exposition(readings: dict[str, Reading]) -> tuple[bytes, str]:
    """All metrics as Prometheus text; `readings` are gauges taken at this moment."""
    registry = CollectorRegistry()
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        shared_files.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # library
    else:
        for metric in (REQUESTS, SECONDS, CALLBACKS, CALLBACK_SECONDS, CALLS, UNKNOWN_WORDS, TASKS):
            registry.register(metric)
    now = CollectorRegistry()
    for name, read in readings.items():
        value = read()
        if value is not None:
            Gauge(name, name.replace("_", " "), registry=now, multiprocess_mode="mostrecent").set(
                value
            )
    return generate_latest(registry) + generate_latest(now), CONTENT_TYPE_LATEST
