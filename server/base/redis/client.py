"""The only door to Redis: one command, a pipeline or a script over a thin connection per thread.

Bytes in, bytes out. Nothing in Redis is the truth, so every failure is `RedisUnavailable` and
callers go on without it; a breaker keeps a hung server from costing one time-out a call.
It knows no key and no purpose: those are in the facilities beside it.
"""

from __future__ import annotations

import hashlib
import importlib
import logging
import os
import select
import socket
import threading
from collections.abc import Sequence
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

log = logging.getLogger(__name__)

Argument: TypeAlias = bytes | str | int
Command: TypeAlias = tuple[Argument, ...]
Reply: TypeAlias = "int | bytes | list[Reply] | None"

_JOBS_TIMEOUT_SECONDS = 5.0
# Answers by which a living server says that it cannot serve: for the caller it is away.
_UNFIT = (OutOfMemoryError, ReadOnlyError, ClusterDownError, TryAgainError, NoPermissionError)
_UNFIT_WORDS = ("MISCONF", "BUSY", "NOREPLICAS")


class RedisUnavailable(Exception):
    """Redis did not answer, or is not being asked for a while."""


class RedisRefused(Exception):
    """Redis understood and refused: a mistake in our command or script."""


@dataclass(frozen=True)
class Script:
    """A Lua script that Redis runs in one piece."""

    text: str

    @cached_property
    def sha(self) -> str:
        """The name under which Redis keeps the script."""
        return hashlib.sha1(self.text.encode(), usedforsecurity=False).hexdigest()


class _Breaker:
    """After a failure nobody asks for a while; then one caller tries, the others wait on."""

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

    def admit(self) -> None:
        if self._closed_until is None:
            return
        with self._lock:
            if self._closed_until is None:
                return
            now = self._clock.monotonic()
            if now < self._closed_until:
                self.refusals += 1
                raise RedisUnavailable("not asked: it failed a moment ago")
            # This caller is the trial; the rest keep away until it succeeds.
            self._closed_until = now + self._pause

    def failed(self, why: Exception) -> None:
        with self._lock:
            self.failures += 1
            if self._closed_until is None:
                log.warning("kv is away: %s", why)
            self._closed_until = self._clock.monotonic() + self._pause

    def worked(self) -> None:
        if self._closed_until is None:
            return
        with self._lock:
            self._closed_until = None
        log.info("kv is back")


class _Seat(threading.local):
    """What one thread holds: its connection and the process that opened it."""

    pid = 0
    connection: Any = None
    # Tells in one call of the kernel whether the server has said or ended something unasked.
    watch: select.poll | None = None


class RedisClient:
    """Redis for one process: safe for threads and forks, each opens its own connection."""

    def __init__(self, pool: Any, jobs: redis.Redis, clock: Clock, pause_seconds: float) -> None:
        self._pool = pool
        self._jobs = jobs
        self._breaker = _Breaker(clock, pause_seconds)
        self._seat = _Seat()

    @property
    def away(self) -> bool:
        """Whether a call made now would be refused without asking."""
        return self._breaker.away

    @property
    def failures(self) -> int:
        """How often Redis was asked in vain."""
        return self._breaker.failures

    @property
    def refusals(self) -> int:
        """How often a call was refused without asking."""
        return self._breaker.refusals

    def run(self, *args: Argument) -> Reply:
        """The reply to one command.

        Raises: RedisUnavailable, RedisRefused.
        """
        return _plain(self._exchange((args,))[0])

    def pipeline(self, commands: Sequence[Command]) -> list[Reply]:
        """The replies to several commands sent in one go; others may come in between.

        Raises: RedisUnavailable, RedisRefused (the later commands have still been carried out).
        """
        if not commands:
            return []
        return [_plain(reply) for reply in self._exchange(commands)]

    def eval(
        self, script: Script, keys: Sequence[Argument], args: Sequence[Argument] = ()
    ) -> Reply:
        """The reply of a script; its text travels only when Redis does not know it yet.

        Raises: RedisUnavailable, RedisRefused.
        """
        reply = self._exchange((("EVALSHA", script.sha, len(keys), *keys, *args),))[0]
        if isinstance(reply, NoScriptError):
            reply = self._exchange((("EVAL", script.text, len(keys), *keys, *args),))[0]
        return _plain(reply)

    def ping(self) -> bool:
        """Whether Redis answers."""
        try:
            return self.run("PING") == b"PONG"
        except (RedisUnavailable, RedisRefused):
            return False

    def redis_for_jobs(self) -> redis.Redis:
        """A whole client for the job engine: its waits are longer, the breaker is not in it."""
        return self._jobs

    def close(self) -> None:
        """Give up the connection of this thread and those of the job engine."""
        self._drop()
        self._jobs.close()
        self._jobs.connection_pool.disconnect()

    def _exchange(self, commands: Sequence[Command]) -> list[object]:
        packed = _packed(commands)
        self._breaker.admit()
        try:
            connection = self._connection()
            connection.send_packed_command([packed], False)
            replies = [self._read(connection) for _ in commands]
        except (RedisError, OSError) as trouble:
            self._drop()
            self._breaker.failed(trouble)
            raise RedisUnavailable(str(trouble)) from trouble
        except BaseException:
            # Broken off half-way: a reply may still come and must not answer the next command.
            self._drop()
            raise
        self._breaker.worked()
        return replies

    @staticmethod
    def _read(connection: Any) -> object:
        try:
            return cast(object, connection.read_response())
        except ResponseError as refusal:
            return refusal

    def _connection(self) -> Any:
        """The connection of this thread, opened anew when the server has hung up on it.

        Nothing has been sent yet at this point, so a restart of Redis costs no command and
        repeats none; a command that has been sent is never sent again.
        """
        seat = self._seat
        if seat.connection is not None and seat.pid == os.getpid() and _usable(seat):
            return seat.connection
        self._drop()
        connection = self._pool.make_connection()
        connection.connect()
        seat.connection, seat.pid, seat.watch = connection, os.getpid(), _watch(connection)
        return connection

    def _drop(self) -> None:
        connection, self._seat.connection = self._seat.connection, None
        if connection is not None:
            connection.disconnect()


def connect(
    url: str,
    var: Path,
    clock: Clock,
    *,
    timeout_seconds: float = 0.2,
    pause_seconds: float = 5.0,
) -> RedisClient:
    """Redis as the address says; nothing is asked of it before the first call.

    Units: `redis://`, `rediss://`, `unix://` as redis-py reads them; `embedded:` the server whose
    owner left its note in `var`; `fake:` or `fake:NAME` one in this process, for tests.
    Raises: ValueError for another scheme, RuntimeError when fakeredis is wanted and missing.
    """
    if url == "fake" or url.startswith("fake:"):
        fake = _fake(url.partition(":")[2])
        return RedisClient(fake.connection_pool, fake, clock, pause_seconds)
    jobs = redis.Redis(connection_pool=_pool(url, var, _JOBS_TIMEOUT_SECONDS))
    return RedisClient(_pool(url, var, timeout_seconds), jobs, clock, pause_seconds)


def _pool(url: str, var: Path, timeout_seconds: float) -> redis.ConnectionPool:
    options: dict[str, Any] = {
        # One reply format everywhere, and no question asked at connecting but AUTH and SELECT.
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
    """A connection to whichever run of the embedded server the note names now."""

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


def _fake(name: str) -> Any:
    try:
        fakeredis = importlib.import_module("fakeredis")
    except ImportError as missing:
        raise RuntimeError("fake: needs the package fakeredis, a test requirement") from missing
    with _fake_servers_lock:
        server = _fake_servers.setdefault(name, fakeredis.FakeServer())
    return fakeredis.FakeRedis(server=server, protocol=2)


def _watch(connection: Any) -> select.poll | None:
    """A watch over the connection's socket; None where it has none, as in tests."""
    held = getattr(connection, "_sock", None)
    # Bytes that TLS has already read would not be seen.
    if type(held) is not socket.socket:
        return None
    watch = select.poll()
    watch.register(held, select.POLLIN)
    return watch


def _usable(seat: _Seat) -> bool:
    """Whether a connection is open and nothing unasked lies in it."""
    try:
        return not (seat.watch.poll(0) if seat.watch else seat.connection.can_read(0))
    except (RedisError, OSError):
        return False


def _packed(commands: Sequence[Command]) -> bytes:
    """Commands as they are sent, by hiredis itself: redis-py's own way costs more than they do."""
    try:
        return b"".join(pack_command(command) for command in commands)  # type: ignore[arg-type]
    except TypeError as mistake:
        raise RedisRefused(str(mistake)) from mistake


def _plain(reply: object) -> Reply:
    if isinstance(reply, ResponseError):
        if isinstance(reply, _UNFIT) or str(reply).startswith(_UNFIT_WORDS):
            raise RedisUnavailable(str(reply)) from reply
        raise RedisRefused(str(reply)) from reply
    return cast(Reply, reply)
