"""What config/gunicorn.conf.py makes of the settings."""

from __future__ import annotations

import resource
import runpy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from server.base.web.connection import Bounds
from server.base.web.gunicorn_worker import BufferedWorker

CONF = Path(__file__).resolve().parents[2] / "config" / "gunicorn.conf.py"


@pytest.fixture(autouse=True)
def kept() -> Iterator[None]:
    bounds, handles = BufferedWorker.bounds, resource.getrlimit(resource.RLIMIT_NOFILE)
    yield
    BufferedWorker.bounds = bounds
    resource.setrlimit(resource.RLIMIT_NOFILE, handles)


def read(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, **given: str
) -> tuple[dict[str, Any], Bounds]:
    monkeypatch.setenv("KEPU_VAR", str(tmp_path))
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    return runpy.run_path(str(CONF)), BufferedWorker.bounds


def test_an_address_is_bounded_and_a_school_behind_one_passes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    conf, bounds = read(monkeypatch, tmp_path)
    assert conf["worker_class"] is BufferedWorker
    assert bounds.per_address is not None
    assert 500 <= bounds.per_address < conf["worker_connections"]


def test_the_address_of_a_trusted_proxy_is_not_counted(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _, bounds = read(monkeypatch, tmp_path, KEPU_TRUSTED_PROXIES="1")
    assert bounds.per_address is None


def test_the_drain_is_set_and_gunicorn_waits_longer(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    conf, bounds = read(monkeypatch, tmp_path, KEPU_DRAIN_SECONDS="7.5")
    assert bounds.drain_seconds == 7.5
    assert conf["graceful_timeout"] >= 7.5 + 30
