"""Answers given once: the same letter again gets the first answer again.

This spares work, it does not guard effects: when Redis is away nothing is remembered and every
letter looks new. What makes an effect once is the unique row in its own transaction.
"""

from __future__ import annotations

import threading
from typing import cast

from server.base.redis.client import RedisClient, RedisUnavailable, Reply

_PREFIX = "once:"


class ReplayCache:
    """A memory of first answers, open when Redis is away."""

    def __init__(self, kv: RedisClient) -> None:
        self._kv = kv
        self._lock = threading.Lock()
        self._forgotten = 0

    @property
    def forgotten(self) -> int:
        """How often something could not be remembered or looked up."""
        return self._forgotten

    def remember(self, key: str, reply: bytes, seconds: int) -> bytes | None:
        """None at the first time, else the reply that was remembered then."""
        try:
            return _value(self._kv.run(*_first(key, reply, seconds)))
        except RedisUnavailable:
            self._count()
            return None

    def remember_pair(
        self, sig_key: str, sig_value: bytes, key: str, reply: bytes, seconds: int
    ) -> tuple[bytes | None, bytes | None]:
        """What was remembered earlier under each of two keys, in one round trip."""
        commands = [_first(sig_key, sig_value, seconds), _first(key, reply, seconds)]
        try:
            earlier_sig, earlier_reply = self._kv.pipeline(commands)
        except RedisUnavailable:
            self._count()
            return None, None
        return _value(earlier_sig), _value(earlier_reply)

    def recall(self, key: str) -> bytes | None:
        """What is remembered under a key, None also when it cannot be known."""
        try:
            return _value(self._kv.run("GET", _PREFIX + key))
        except RedisUnavailable:
            self._count()
            return None

    def put(self, key: str, value: bytes, seconds: int) -> None:
        """Remember a value in place of whatever was there."""
        try:
            self._kv.run("SET", _PREFIX + key, value, "EX", seconds)
        except RedisUnavailable:
            self._count()

    def forget(self, key: str) -> None:
        """Let the next time be the first again."""
        try:
            self._kv.run("DEL", _PREFIX + key)
        except RedisUnavailable:
            self._count()

    def _count(self) -> None:
        with self._lock:
            self._forgotten += 1


def _first(key: str, value: bytes, seconds: int) -> tuple[str | bytes | int, ...]:
    return ("SET", _PREFIX + key, value, "NX", "GET", "EX", seconds)


def _value(reply: Reply) -> bytes | None:
    return cast("bytes | None", reply)
