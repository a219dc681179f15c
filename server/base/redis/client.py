"""The only access to Redis: commands, pipelines and scripts over one connection per thread.

Bytes in, bytes out. Redis is only a cache, so every failure is `RedisUnavailable` and callers
continue without it; a circuit breaker keeps a hanging server from costing a timeout per call. Keys
and purposes are defined in the modules beside this one.
"""

from __future__ import annotations

import hashlib
import importlib
import logging
import os
import select
import socket
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeAlias, cast

import redis
from hiredis import pack_command
from redis.backoff import NoBackoff
from redis.exceptions import (
    ClusterDownError,
    NoPermissionError,
    NoScriptError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    ResponseError,
    TryAgainError,
)
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.retry import Retry

from server.base.clock import Clock
from server.base.redis.address import read_address
from server.base.redis.sockets import let_kernel_time_out, watch_socket

log = logging.getLogger(__name__)

Argument: TypeAlias = bytes | str | int
Command: TypeAlias = tuple[Argument, ...]
Exchange: TypeAlias = Callable[[bytes, Sequence[Command]], "list[object]"]
Reply: TypeAlias = "int | bytes | list[Reply] | None"

_JOBS_TIMEOUT_SECONDS = 5.0
_RECEIVED_BYTES = 64 * 1024
# Replies of a server that runs but cannot serve; callers treat it as unavailable.
_UNFIT = (OutOfMemoryError, ReadOnlyError, ClusterDownError, TryAgainError, NoPermissionError)
_UNFIT_WORDS = ("MISCONF", "BUSY", "NOREPLICAS")


class RedisUnavailable(Exception):
    """Redis did not respond, or the circuit breaker is open."""


class RedisRefused(Exception):
    """Redis refused the command: a bug in our command or script."""


@dataclass(frozen=True)
class Script:
    """A Lua script that Redis executes atomically."""

    text: str

    @cached_property
    def sha(self) -> str:
        """The hash under which Redis caches the script."""
        return hashlib.sha1(self.text.encode(), usedforsecurity=False).hexdigest()


class _Breaker:
    """Circuit breaker: open for a while after a failure; then one caller tries, the others skip."""

    def __init__(self, clock: Clock, pause_seconds: float) -> None:
        self._clock = clock
        self._pause = pause_seconds
        self._lock = threading.Lock()
        self._closed_until: float | None = None
        self.failures = 0
        self.refusals = 0

    @property
    def away(self) -> bool:
        until = self._closed_until
        return until is not None and self._clock.monotonic() < until

    def admit_call(self) -> None:
        if self._closed_until is None:
            return
        with self._lock:
            if self._closed_until is None:
                return
            now = self._clock.monotonic()
            if now < self._closed_until:
                self.refusals += 1
                raise RedisUnavailable("not asked: it failed a moment ago")
            # This caller is the trial; the others skip Redis until it succeeds.
            self._closed_until = now + self._pause

    def note_failure(self, why: str) -> None:
        with self._lock:
            self.failures += 1
            if self._closed_until is None:
                log.warning("redis unavailable: %s", why)
            self._closed_until = self._clock.monotonic() + self._pause

    def note_success(self) -> None:
        if self._closed_until is None:
            return
        with self._lock:
            self._closed_until = None
        log.info("redis available again")


class _Seat(threading.local):
    """The connection of one thread, and the process that opened it."""

    pid = 0
    connection: Any = None
    # A poll reports in one system call whether the server sent or closed something unexpectedly.
    watch: select.poll | None = None
    exchange: Exchange | None = None


class RedisClient:
    """Redis for one process: safe for threads and forks, because each opens its own connection."""

    def __init__(self, pool: Any, jobs: redis.Redis, clock: Clock, pause_seconds: float) -> None:
        self._pool = pool
        self._jobs = jobs
        self._breaker = _Breaker(clock, pause_seconds)
        self._seat = _Seat()

    @property
    def away(self) -> bool:
        """Whether the circuit breaker is open now."""
        return self._breaker.away

    @property
    def failures(self) -> int:
        """Number of failed calls."""
        return self._breaker.failures

    @property
    def refusals(self) -> int:
        """Number of calls skipped by the circuit breaker."""
        return self._breaker.refusals

    def run_command(self, *args: Argument) -> Reply:
        """Execute one command.

        Raises: RedisUnavailable, RedisRefused.
        """
        return _plain_reply(self._exchange_commands((args,))[0])

    def run_pipeline(self, commands: Sequence[Command]) -> list[Reply]:
        """Execute several commands in one round trip; not atomic.

        Raises: RedisUnavailable, RedisRefused (the later commands have still been executed).
        """
        if not commands:
            return []
        return [_plain_reply(reply) for reply in self._exchange_commands(commands)]

    def run_script(
        self, script: Script, keys: Sequence[Argument], args: Sequence[Argument] = ()
    ) -> Reply:
        """Execute a script; its text is sent only if Redis does not have it cached.

        Raises: RedisUnavailable, RedisRefused.
        """
        reply = self._exchange_commands((("EVALSHA", script.sha, len(keys), *keys, *args),))[0]
        if isinstance(reply, NoScriptError):
            reply = self._exchange_commands((("EVAL", script.text, len(keys), *keys, *args),))[0]
        return _plain_reply(reply)

    def ping_server(self) -> bool:
        """Whether Redis responds."""
        try:
            return self.run_command("PING") == b"PONG"
        except (RedisUnavailable, RedisRefused):
            return False

    def redis_for_jobs(self) -> redis.Redis:
        """A redis-py client for the job engine: longer timeouts, no circuit breaker."""
        return self._jobs

    def close(self) -> None:
        """Close the connection of this thread and those of the job engine."""
        self._drop_connection()
        self._jobs.close()
        self._jobs.connection_pool.disconnect()

    def _exchange_commands(self, commands: Sequence[Command]) -> list[object]:
        packed = _pack_commands(commands)
        self._breaker.admit_call()
        try:
            connection = self._open_connection()
            replies = (self._seat.exchange or _library_exchange(connection))(packed, commands)
        except (RedisError, OSError) as trouble:
            self._drop_connection()
            reason = _failure_reason(trouble)
            self._breaker.note_failure(reason)
            raise RedisUnavailable(reason) from trouble
        except BaseException:
            # After a failure half-way a reply may still arrive; it must not answer the next
            # command.
            self._drop_connection()
            raise
        self._breaker.note_success()
        return replies

    def _open_connection(self) -> Any:
        """The connection of this thread, reopened if the server has closed it.

        Nothing has been sent yet at this point, so a restart of Redis loses no command and repeats
        none; a command that has been sent is never sent again.
        """
        seat = self._seat
        if seat.connection is not None and seat.pid == os.getpid() and _is_usable(seat):
            return seat.connection
        self._drop_connection()
        connection = self._pool.make_connection()
        connection.connect()
        let_kernel_time_out(connection)
        seat.connection, seat.pid, seat.watch = connection, os.getpid(), watch_socket(connection)
        seat.exchange = _plain_exchange(connection)
        return connection

    def _drop_connection(self) -> None:
        connection, self._seat.connection = self._seat.connection, None
        if connection is not None:
            connection.disconnect()


def create_client(
    url: str,
    var: Path,
    clock: Clock,
    *,
    timeout_seconds: float = 0.2,
    pause_seconds: float = 5.0,
) -> RedisClient:
    """Create a client for the address; makes no call.

    Schemes: `redis://`, `rediss://`, `unix://` as in redis-py; `embedded:` is the server whose
    address file is in `var`; `fake:` or `fake:NAME` is one in this process, for tests.
    Raises: ValueError for another scheme, RuntimeError when fakeredis is missing.
    """
    if url == "fake" or url.startswith("fake:"):
        fake = _connect_fake(url.partition(":")[2])
        return RedisClient(fake.connection_pool, fake, clock, pause_seconds)
    jobs = redis.Redis(connection_pool=_build_pool(url, var, _JOBS_TIMEOUT_SECONDS))
    return RedisClient(_build_pool(url, var, timeout_seconds), jobs, clock, pause_seconds)


def _build_pool(url: str, var: Path, timeout_seconds: float) -> redis.ConnectionPool:
    options: dict[str, Any] = {
        # RESP2 everywhere; at connect only AUTH and SELECT are sent.
        "protocol": 2,
        "driver_info": None,
        "socket_timeout": timeout_seconds,
        "socket_connect_timeout": timeout_seconds,
        "retry": Retry(NoBackoff(), 0),
    }
    if url == "embedded" or url.startswith("embedded:"):
        return redis.ConnectionPool(connection_class=_EmbeddedConnection, var=var, **options)
    return redis.ConnectionPool.from_url(url, **options)


class _EmbeddedConnection(redis.UnixDomainSocketConnection):
    """A connection to the embedded server that the address file names now."""

    def __init__(self, *, var: Path, **options: Any) -> None:
        super().__init__(**options)  # type: ignore[no-untyped-call]  # untyped in redis-py
        self._var = var

    def connect_check_health(
        self, check_health: bool = True, retry_socket_connect: bool = True
    ) -> None:
        address = read_address(self._var)
        if address is None:
            raise RedisConnectionError(f"no embedded server has left its note in {self._var}")
        self.path = address.socket
        super().connect_check_health(check_health, retry_socket_connect)


_fake_servers: dict[str, Any] = {}
_fake_servers_lock = threading.Lock()


def _connect_fake(name: str) -> Any:
    try:
        fakeredis = importlib.import_module("fakeredis")
    except ImportError as missing:
        raise RuntimeError("fake: needs the package fakeredis, a test requirement") from missing
    with _fake_servers_lock:
        server = _fake_servers.setdefault(name, fakeredis.FakeServer())
    return fakeredis.FakeRedis(server=server, protocol=2)


def _plain_exchange(connection: Any) -> Exchange | None:
    """A function that sends packed commands and reads their replies; None for TLS and in tests.

    It uses redis-py's parser, but not its methods around it, which cost more CPU than the system
    calls.
    """
    held = getattr(connection, "_sock", None)
    reader = getattr(getattr(connection, "_parser", None), "_reader", None)
    if type(held) is not socket.socket or reader is None:
        return None
    # The value that the parser returns for an incomplete reply.
    nothing = reader.gets()

    def exchange_commands(packed: bytes, commands: Sequence[Command]) -> list[object]:
        held.sendall(packed)
        replies: list[object] = []
        for _ in commands:
            while (reply := reader.gets()) is nothing:
                received = held.recv(_RECEIVED_BYTES)
                if not received:
                    raise RedisConnectionError("closed by the server")
                reader.feed(received)
            if isinstance(reply, RedisConnectionError):
                raise reply
            replies.append(reply)
        return replies

    return exchange_commands


def _library_exchange(connection: Any) -> Exchange:
    """The same with redis-py's methods, for TLS and for tests."""

    def read_reply() -> object:
        try:
            return cast(object, connection.read_response())
        except ResponseError as refusal:
            return refusal

    def exchange_commands(packed: bytes, commands: Sequence[Command]) -> list[object]:
        connection.send_packed_command([packed], False)
        return [read_reply() for _ in commands]

    return exchange_commands


def _failure_reason(trouble: Exception) -> str:
    # The kernel's timeout arrives as "resource temporarily unavailable".
    timed_out = isinstance(trouble, BlockingIOError)
    return "no reply in time" if timed_out else str(trouble)


def _is_usable(seat: _Seat) -> bool:
    """Whether a connection is open and has no unexpected data."""
    try:
        return not (seat.watch.poll(0) if seat.watch else seat.connection.can_read(0))
    except (RedisError, OSError):
        return False


def _pack_commands(commands: Sequence[Command]) -> bytes:
    """Serialise commands with hiredis directly; redis-py's own packing is slow."""
    try:
        return b"".join(pack_command(command) for command in commands)  # type: ignore[arg-type]
    except TypeError as mistake:
        raise RedisRefused(str(mistake)) from mistake


def _plain_reply(reply: object) -> Reply:
    if isinstance(reply, ResponseError):
        if isinstance(reply, _UNFIT) or str(reply).startswith(_UNFIT_WORDS):
            raise RedisUnavailable(str(reply)) from reply
        raise RedisRefused(str(reply)) from reply
    return cast(Reply, reply)
