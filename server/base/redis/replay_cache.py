"""A cache of first replies: the same message again gets the first reply again.

It saves work, but does not protect effects: without Redis nothing is cached and every message looks
new. A unique row in the effect's own transaction prevents duplicates.
"""

from __future__ import annotations

import threading
from typing import cast

from server.base.redis.client import RedisClient, RedisUnavailable, Reply

_PREFIX = "once:"


class ReplayCache:
    """The cache; lookups return None when Redis is unavailable."""

    def __init__(self, kv: RedisClient) -> None:
        self._kv = kv
        self._lock = threading.Lock()
        self._forgotten = 0

    @property
    def forgotten(self) -> int:
        """Number of failed reads and writes."""
        return self._forgotten

    def store_first(self, key: str, reply: bytes, seconds: int) -> bytes | None:
        """Store a reply unless one is stored; return the stored one, or None the first time."""
        try:
            return _decode_value(self._kv.run_command(*_set_first_command(key, reply, seconds)))
        except RedisUnavailable:
            self._count_failure()
            return None

    def remember_pair(
        self, sig_key: str, sig_value: bytes, key: str, reply: bytes, seconds: int
    ) -> tuple[bytes | None, bytes | None]:
        """Store two replies as `store_first` does, in one round trip."""
        commands = [
            _set_first_command(sig_key, sig_value, seconds),
            _set_first_command(key, reply, seconds),
        ]
        try:
            earlier_sig, earlier_reply = self._kv.run_pipeline(commands)
        except RedisUnavailable:
            self._count_failure()
            return None, None
        return _decode_value(earlier_sig), _decode_value(earlier_reply)

    def recall_value(self, key: str) -> bytes | None:
        """The cached value, or None, also when Redis is unavailable."""
        try:
            return _decode_value(self._kv.run_command("GET", _PREFIX + key))
        except RedisUnavailable:
            self._count_failure()
            return None

    def put_value(self, key: str, value: bytes, seconds: int) -> None:
        """Store a value, replacing any previous one."""
        try:
            self._kv.run_command("SET", _PREFIX + key, value, "EX", seconds)
        except RedisUnavailable:
            self._count_failure()

    def delete_entry(self, key: str) -> None:
        """Delete the entry."""
        try:
            self._kv.run_command("DEL", _PREFIX + key)
        except RedisUnavailable:
            self._count_failure()

    def _count_failure(self) -> None:
        with self._lock:
            self._forgotten += 1


def _set_first_command(key: str, value: bytes, seconds: int) -> tuple[str | bytes | int, ...]:
    return ("SET", _PREFIX + key, value, "NX", "GET", "EX", seconds)


def _decode_value(reply: Reply) -> bytes | None:
    return cast("bytes | None", reply)
