"""The embedded server: one owner, others attach, data outlives every way to die."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

import server
from server.base.clock import SystemClock
from server.base.redis.address import Address, read_address, write_address
from server.base.redis.client import RedisClient, create_client
from server.base.redis.embedded import EmbeddedError, EmbeddedServer

ROOT = Path(server.__file__).parent.parent
OWNER = """
import sys
from pathlib import Path
from server.base.redis.embedded import EmbeddedServer
with EmbeddedServer(Path(sys.argv[1]), start_seconds=20.0) as server:
    print(server.pid, flush=True)
    sys.stdin.read()
"""


@contextmanager
def owner_elsewhere(var: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Another process that owns the server, and the server's own process id."""
    command = [sys.executable, "-c", OWNER, str(var)]
    owner = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    try:
        assert owner.stdout is not None
        yield owner, int(owner.stdout.readline())
    finally:
        try:
            owner.communicate(timeout=30)  # closes its input, which ends it in good order
        finally:
            owner.kill()


def value(var: Path, key: str) -> object:
    kv = create_client("embedded:", var, SystemClock(), timeout_seconds=20.0)
    try:
        return kv.run_command("GET", key)
    finally:
        kv.close()


def put(var: Path, key: str, text: str) -> None:
    kv = create_client("embedded:", var, SystemClock(), timeout_seconds=20.0)
    try:
        kv.run_command("SET", key, text)
    finally:
        kv.close()


def lives(pid: int) -> bool:
    """Whether a process runs; one that is dead and not yet buried does not."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes() != b""
    except FileNotFoundError:
        return False


def wait_for_lock(path: Path) -> None:
    with path.open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)


def test_data_are_there_after_an_orderly_stop(tmp_path: Path) -> None:
    with EmbeddedServer(tmp_path):
        put(tmp_path, "k", "v")
    assert read_address(tmp_path) is None
    with EmbeddedServer(tmp_path):
        assert value(tmp_path, "k") == b"v"


def test_a_second_owner_attaches_and_leaves_the_server_alone(
    own_server: EmbeddedServer, tmp_path: Path
) -> None:
    with EmbeddedServer(tmp_path, start_seconds=20.0) as second:
        assert own_server.owned
        assert not second.owned
        assert second.pid == own_server.pid
        assert not second.revive_server()
    assert value(tmp_path, "k") is None


def test_another_process_attaches_too(tmp_path: Path) -> None:
    with owner_elsewhere(tmp_path) as (_, server_pid), EmbeddedServer(tmp_path) as here:
        assert not here.owned
        assert here.pid == server_pid


def test_an_owner_killed_outright_is_followed_by_the_next_with_all_data(tmp_path: Path) -> None:
    with owner_elsewhere(tmp_path) as (owner, first_pid):
        put(tmp_path, "k", "v")
        old = read_address(tmp_path)
        assert old is not None
        owner.kill()
        owner.wait()
        with EmbeddedServer(tmp_path, start_seconds=20.0) as next_owner:
            assert next_owner.owned
            assert next_owner.pid != first_pid
            assert value(tmp_path, "k") == b"v"
            assert not Path(old.socket).parent.exists()


def test_a_survivor_that_does_not_listen_is_ended_before_its_files_are_used(
    tmp_path: Path,
) -> None:
    with owner_elsewhere(tmp_path) as (owner, survivor):
        put(tmp_path, "k", "v")
        os.kill(survivor, signal.SIGSTOP)
        owner.kill()
        owner.wait()
        os.kill(survivor, 0)  # still there, and still holding its files
        with EmbeddedServer(tmp_path, start_seconds=2.0) as next_owner:
            assert next_owner.pid != survivor
            assert not lives(survivor)
            assert value(tmp_path, "k") == b"v"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of the death")
def test_a_server_does_not_outlive_its_owner(tmp_path: Path) -> None:
    with owner_elsewhere(tmp_path) as (owner, server_pid), ThreadPoolExecutor(1) as pool:
        owner.kill()
        gone = pool.submit(wait_for_lock, tmp_path / "kv" / "server.lock")
        try:
            gone.result(timeout=60)
        finally:
            if not gone.done():
                os.kill(server_pid, signal.SIGKILL)
    EmbeddedServer(
        tmp_path, start_seconds=20.0
    ).start_server().stop_server()  # sweeps up after the killed


def test_owner_and_server_killed_together_are_followed_by_the_next(tmp_path: Path) -> None:
    with owner_elsewhere(tmp_path) as (owner, server_pid):
        put(tmp_path, "k", "v")
        os.kill(server_pid, signal.SIGKILL)
        owner.kill()
        owner.wait()
        with EmbeddedServer(tmp_path, start_seconds=20.0):
            assert value(tmp_path, "k") == b"v"


def test_a_forked_worker_does_not_keep_the_ownership_alive(tmp_path: Path) -> None:
    server = EmbeddedServer(tmp_path, start_seconds=20.0).start_server()
    hold, release = os.pipe()
    worker = os.fork()
    if worker == 0:
        os.close(release)
        os.read(hold, 1)
        os._exit(0 if not server.owned else 1)
    server.stop_server()
    with EmbeddedServer(tmp_path, start_seconds=20.0) as following:
        assert following.owned
    os.close(release)
    _, status = os.waitpid(worker, 0)
    os.close(hold)
    assert os.waitstatus_to_exitcode(status) == 0


def test_a_held_lock_without_a_server_is_an_error_in_time(
    own_server: EmbeddedServer, tmp_path: Path
) -> None:
    assert own_server.pid is not None
    os.kill(own_server.pid, signal.SIGKILL)
    os.waitid(os.P_PID, own_server.pid, os.WEXITED | os.WNOWAIT)
    with pytest.raises(EmbeddedError):
        EmbeddedServer(tmp_path, start_seconds=0.1).start_server()
    assert own_server.revive_server()


def test_the_server_has_no_port_and_keeps_every_key(
    own_server: EmbeddedServer, attach: Callable[..., RedisClient]
) -> None:
    kv = attach()
    assert kv.run_command("CONFIG", "GET", "port") == [b"port", b"0"]
    assert kv.run_command("CONFIG", "GET", "maxmemory-policy") == [
        b"maxmemory-policy",
        b"noeviction",
    ]
    assert kv.run_command("CONFIG", "GET", "appendonly") == [b"appendonly", b"yes"]


def test_half_a_note_is_no_address(tmp_path: Path) -> None:
    write_address(tmp_path, Address(socket="/run/x.sock", pid=7))
    assert read_address(tmp_path) == Address(socket="/run/x.sock", pid=7)
    (tmp_path / "kv.json").write_text('{"socket": "/run', encoding="utf-8")
    assert read_address(tmp_path) is None
