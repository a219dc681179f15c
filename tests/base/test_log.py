"""What the log keeps to itself, at DEBUG and on a full disk too, and who may read its file."""

from __future__ import annotations

import logging
import os
import resource
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from server.base.log import set_up_logging

SECRET = "secret-of-mine"


@pytest.fixture(autouse=True)
def kept() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level, mask = root.handlers[:], root.level, os.umask(0o022)
    yield
    for handler in root.handlers:
        if handler not in handlers:
            handler.close()
    root.handlers[:] = handlers
    root.setLevel(level)
    for name in ("server", "kepu", "gunicorn"):
        logging.getLogger(name).setLevel(logging.NOTSET)
    os.umask(mask)


def lines(var: Path) -> str:
    return (var / "log" / "tests.log").read_text(encoding="utf-8")


def test_at_debug_no_library_tells_addresses_or_values(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    set_up_logging(tmp_path, "tests", "DEBUG")
    logging.getLogger("server.quiz").debug("ours")
    logging.getLogger("gunicorn.error").info("worker %s", "started")
    libraries = ("urllib3.connectionpool", "werkzeug", "huey.consumer", "sqlalchemy.engine", "x")
    for name in (*libraries, "gunicorn.error", "gunicorn.http"):
        logging.getLogger(name).debug("GET %s", f"/callback?signature={SECRET}")
    for name in libraries:
        logging.getLogger(name).info("GET %s", f"/callback?signature={SECRET}")
        logging.getLogger(name).warning("retrying %s", f"/callback?signature={SECRET}")
    console = capfd.readouterr().err
    for told in (lines(tmp_path), console):
        assert SECRET not in told
        assert '"event":"ours"' in told
        assert '"event":"worker started"' in told
        assert '"event":"retrying %s"' in told


def test_a_line_without_room_is_dropped_and_says_nothing_of_itself(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    set_up_logging(tmp_path, "tests", "INFO")
    log = logging.getLogger("server.quiz")
    log.info("before")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        log.info("lost", extra={"not_a_field": SECRET})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    log.info("after")
    assert '"event":"after"' in lines(tmp_path)
    assert SECRET not in capfd.readouterr().err


def test_what_lies_in_the_data_folder_is_for_its_owner_alone(tmp_path: Path) -> None:
    var = tmp_path / "var"
    (var / "log").mkdir(parents=True)
    for old in (var / "kepu.sqlite3", var / "log" / "tests.log"):
        old.touch(mode=0o644)
    (tmp_path / "elsewhere").touch(mode=0o644)
    (var / "link").symlink_to(tmp_path / "elsewhere")
    set_up_logging(var, "tests", "INFO")
    (var / "new").write_text("new")
    (var / "folder").mkdir()
    for path in (var, *var.rglob("*")):
        if not path.is_symlink():
            wanted = 0o700 if path.is_dir() else 0o600
            assert (path, stat.S_IMODE(path.stat().st_mode)) == (path, wanted)
    assert stat.S_IMODE((tmp_path / "elsewhere").stat().st_mode) == 0o644
