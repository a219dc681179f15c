"""What the log keeps to itself, at DEBUG and on a full disk too, and who may read its file."""

from __future__ import annotations

import json
import logging
import os
import resource
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from server.base.log import request_id, set_up_logging, write_answered

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


def test_the_line_of_an_answer_is_what_logging_would_have_written(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    set_up_logging(tmp_path, "tests", "INFO")
    request_id.set("req_of_this_test")
    facts = {"path": "/api/v1/me", "method": "GET", "status": 200, "ms": 1.5}
    logging.getLogger("kepu.access").info("answered", extra=facts)
    write_answered("GET", "/api/v1/me", 200, 1.5)
    for told in (lines(tmp_path), capfd.readouterr().err):
        by_logging, direct = (json.loads(line) for line in told.splitlines())
        assert by_logging.pop("at")[:16] == direct.pop("at")[:16]
        assert list(by_logging.items()) == list(direct.items())


def test_the_line_of_an_answer_follows_the_level_and_a_moved_file(tmp_path: Path) -> None:
    set_up_logging(tmp_path, "tests", "WARNING", console=False)
    write_answered("GET", "/quiet", 200, 1.5)
    set_up_logging(tmp_path, "tests", "INFO", console=False)
    write_answered("GET", "/first", 200, 1.5)
    file = tmp_path / "log" / "tests.log"
    file.rename(tmp_path / "log" / "tests.log.1")
    write_answered("GET", "/second", 200, 1.5)
    moved = (tmp_path / "log" / "tests.log.1").read_text(encoding="utf-8")
    assert [name in moved for name in ("/quiet", "/first", "/second")] == [False, True, False]
    assert "/second" in lines(tmp_path)
