"""Health, readiness, metrics, and parts of every response: request id, timing, headers."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotInTime
from dataclasses import dataclass, field

from flask import Blueprint, Response
from sqlalchemy import text

from server.base.errors import AppError
from server.base.uow import UnitOfWorkFactory
from server.base.web import metrics
from server.base.web.service_state import LEAVING

_FREE_SHARE = 0.05
# Readiness responds within this time, whatever the database does.
_LOOK_SECONDS = 1.0


@dataclass(frozen=True, kw_only=True)
class Probes:
    """The checks of readiness; `degraded` ones never make the server unready."""

    uow_factory: UnitOfWorkFactory
    migrated: Callable[[], bool]
    degraded: Mapping[str, Callable[[], bool]]
    readings: Mapping[str, metrics.Reading] = field(default_factory=dict)
    families: metrics.Families = lambda: ()
    worker_sums: metrics.WorkerSums = lambda: None


def health_pages(probes: Probes) -> Blueprint:
    """The routes of /healthz, /readyz and /metrics."""
    pages = Blueprint("health", __name__)
    lookout = Lookout(lambda: _outer_checks(probes))

    @pages.get("/healthz")
    def answer_healthz() -> dict[str, str]:
        return {"status": "ok"}

    @pages.get("/readyz")
    def answer_readyz() -> tuple[dict[str, object], int]:
        checks = _own_checks(probes) | lookout.check_parts(_LOOK_SECONDS)
        ready = all(value in ("ok", "degraded") for value in checks.values())
        return {
            "status": "ready" if ready else "not_ready",
            "checks": checks,
        }, 200 if ready else 503

    @pages.get("/metrics")
    def answer_metrics() -> Response:
        body, kind = metrics.expose_metrics(
            dict(probes.readings), probes.families, probes.worker_sums
        )
        return Response(body, content_type=kind)

    return pages


class Lookout:
    """Runs checks that may hang on a separate thread, so that callers wait only a limited time."""

    def __init__(self, checks: Callable[[], dict[str, str]]) -> None:
        self._checks = checks
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="lookout")
        self._lock = threading.Lock()
        self._running: Future[dict[str, str]] | None = None

    def check_parts(self, seconds: float) -> dict[str, str]:
        """The state of each part; a database that has not responded in time is unavailable."""
        with self._lock:
            if self._running is None or self._running.done():
                self._running = self._thread.submit(self._checks)
            running = self._running
        try:
            return running.result(seconds)
        except NotInTime:
            return {"database": "away"}


def _own_checks(probes: Probes) -> dict[str, str]:
    """Local checks, which never block."""
    var = probes.uow_factory.dependencies.settings.var
    disk = shutil.disk_usage(var)
    return {
        "disk": "ok" if disk.free > disk.total * _FREE_SHARE else "full",
        # An operator can create this file to take the host out of service; SIGTERM does the same.
        "draining": "draining" if LEAVING.is_set() or (var / "draining").exists() else "ok",
    }


def _outer_checks(probes: Probes) -> dict[str, str]:
    """Checks of other services, which may hang."""
    checks = {"database": "ok" if _database_answers(probes.uow_factory) else "away"}
    if checks["database"] == "ok":
        checks["migrations"] = "ok" if probes.migrated() else "behind"
    checks |= {name: "ok" if fine() else "degraded" for name, fine in probes.degraded.items()}
    return checks


def _database_answers(uow_factory: UnitOfWorkFactory) -> bool:
    try:
        with uow_factory.waiting_at_most(_LOOK_SECONDS), uow_factory.begin(read_only=True) as uow:
            uow.session.execute(text("SELECT 1"))
    except AppError:
        return False
    return True
